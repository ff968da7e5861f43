"""``animate export``."""

from __future__ import annotations

from pathlib import Path

import click

from animate.commands.options import BUNDLE, CONFIGURATION, OUT


@click.command()
@BUNDLE
@CONFIGURATION
@click.option("--onnx", is_flag=True, help="The kind; there is no other yet.")
@OUT
def export(bundle: Path, configuration: str | None, onnx: bool, out: Path) -> None:
    """Write trained networks as ONNX files into the folder OUT, for other programs and runtimes."""
    from animate.pose.onnx_export import export_onnx  # noqa: PLC0415

    if not onnx:
        raise click.UsageError("give --onnx")
    name = export_onnx(bundle, configuration, out)
    click.echo(f"{out}: {name} as ONNX")
