"""``animate serve``."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from animate.options import BACKEND, BUNDLE, CONFIGURATION, DEVICE, PathType
from contract.errors import InputError


@click.command()
@click.argument("drawing", type=PathType, required=False)
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@click.option("--host", default="127.0.0.1", show_default=True, help="Others may see other hosts.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def serve(
    drawing: Path | None,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    host: str,
    port: int,
) -> None:
    """Open a local page with sliders on which DRAWING, or one dropped there, is posed live."""
    import uvicorn  # noqa: PLC0415  # heavy, and only here

    from animate.drawing import read_drawing  # noqa: PLC0415
    from animate.open_poser import open_any  # noqa: PLC0415
    from animate.server import make_app  # noqa: PLC0415

    networks = open_any(bundle, configuration, device, backend)
    first = read_drawing(drawing) if drawing else None
    with _listening(host, port) as listener:
        bound = int(listener.getsockname()[1])
        app = make_app(networks, first, host, bound)
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"open http://{shown}:{bound} in a browser; Ctrl-C ends it")
        config = uvicorn.Config(app, log_level="warning", ws_max_size=1 << 16)
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise InputError(
            f"{host}:{port}: cannot listen ({error.strerror}); give another --port, or 0 for any"
        ) from error
    return listener
