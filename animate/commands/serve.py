"""``animate serve``."""

from __future__ import annotations

from pathlib import Path

import click

from animate.commands.options import BACKEND, BUNDLE, COMPILE, CONFIGURATION, PathType
from models.base.device import DEVICE
from web.guard import address, listening


@click.command()
@click.argument("drawing", type=PathType, required=False)
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@COMPILE
@click.option("--host", default="127.0.0.1", show_default=True, help="Others may see other hosts.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def serve(
    drawing: Path | None,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    compiled: bool,
    host: str,
    port: int,
) -> None:
    """Open a local page with sliders on which DRAWING, or one dropped there, is posed live."""
    import uvicorn  # noqa: PLC0415  # heavy, and only here

    from animate.drawing.drawing import read_drawing  # noqa: PLC0415
    from animate.pose.open_poser import open_networks  # noqa: PLC0415
    from animate.serve.server import make_app  # noqa: PLC0415

    networks = open_networks(bundle, configuration, device, backend, compiled=compiled)
    first = read_drawing(drawing) if drawing else None
    with listening(host, port) as listener:
        click.echo(f"open {address(listener, host)} in a browser; Ctrl-C ends it")
        config = uvicorn.Config(make_app(networks, first, host), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
