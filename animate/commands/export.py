"""``animate export``."""

from __future__ import annotations

from pathlib import Path

import click

from animate.commands.options import BUNDLE, CONFIGURATION
from contract.cli import out_option


@click.command()
@BUNDLE
@CONFIGURATION
@click.option("--onnx", is_flag=True, help="The kind; there is no other yet.")
@out_option()
def export(bundle: Path, configuration: str | None, onnx: bool, out: Path) -> None:
    """Write trained networks as ONNX files into the folder OUT, for other programs and runtimes."""
    from animate.pose.torch_networks import open_bundle  # noqa: PLC0415
    from models.files.onnx_export import export_onnx  # noqa: PLC0415

    if not onnx:
        raise click.UsageError("give --onnx")
    name = export_onnx(open_bundle(bundle), configuration, out)
    click.echo(f"{out}: {name} as ONNX")
