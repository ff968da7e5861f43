"""``animate export``."""

from __future__ import annotations

from pathlib import Path

import click

from animate.options import BUNDLE, CONFIGURATION, OUT


@click.command()
@BUNDLE
@CONFIGURATION
@click.option("--onnx", is_flag=True, default=True, help="As ONNX files, the only kind there is.")
@OUT
def export(bundle: Path, configuration: str | None, onnx: bool, out: Path) -> None:
    """Write trained networks as ONNX files into the folder OUT, for other programs and runtimes."""
    del onnx
    from animate.onnx_networks import export_onnx  # noqa: PLC0415

    name = export_onnx(bundle, configuration, out)
    click.echo(f"{out}: {name} as ONNX")
