"""``animate serve``."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from animate.commands.options import BACKEND, BUNDLE, COMPILE, CONFIGURATION, PathType
from animate.pose.pace import Pace
from contract.files import scratch_folder
from models.base.device import DEVICE
from web.serving import address_options, serve_page, web_packages

if TYPE_CHECKING:
    from animate.listen.listener import LiveTracker


@click.command()
@click.argument("drawing", type=PathType, required=False)
@BUNDLE
@CONFIGURATION
@DEVICE
@BACKEND
@COMPILE
@click.option(
    "--pace",
    type=click.Choice(get_args(Pace)),
    default="auto",
    show_default=True,
    help="full: decide on the mirror image as well, where the networks do; quick: once, a quarter "
    "to a half more pictures a second; auto: quick on processors without bfloat16. Exported "
    "networks decide as they did when they were exported.",
)
@click.option("--background", help="A colour behind /stage (#00ff00); transparent unless given.")
@click.option(
    "--listen",
    metavar="TRACKER:[HOST:]PORT",
    help="Another program's tracker drives, as vmc:39539; see `animate track --listen`.",
)
@address_options(8000)
def serve(
    drawing: Path | None,
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    compiled: bool,
    pace: Pace,
    background: str | None,
    listen: str | None,
    host: str,
    port: int,
) -> None:
    """Open a local page on which DRAWING, or another one, is posed live: by sliders, by motions, by
    your camera, by your voice.

    Below /stage the page shows the picture alone, for OBS and its like.
    """
    from animate.drawing.backdrop import css_colour  # noqa: PLC0415  # loads Pillow

    colour = css_colour(background) if background else None
    with web_packages():
        from animate.serve.server import make_app  # noqa: PLC0415
    from animate.drawing.drawing import read_drawing  # noqa: PLC0415
    from animate.pose.open_poser import open_networks  # noqa: PLC0415

    networks = open_networks(bundle, configuration, device, backend, compiled=compiled, pace=pace)
    first = read_drawing(drawing) if drawing else None
    try:
        with ExitStack() as stack:
            usual = _tracker(listen, stack) if listen else None
            scratch = stack.enter_context(scratch_folder("serve"))
            serve_page(
                make_app(networks, first, host, scratch, colour, usual),
                host,
                port,
                lambda url: click.echo(f"open {url} in a browser; Ctrl-C ends it"),
            )
    except KeyboardInterrupt:
        # Threads that draw cannot be interrupted, and hold nothing that is to be kept.
        click.echo("interrupted", err=True)
        sys.stdout.flush()
        os._exit(130)


def _tracker(text: str, stack: ExitStack) -> LiveTracker:
    """What is heard at an address for as long as the stack is open; ``InputError`` if nothing."""
    from animate.listen.address import parse_address  # noqa: PLC0415
    from animate.listen.listener import Listener, LiveTracker  # noqa: PLC0415

    address = parse_address(text)
    return LiveTracker(stack.enter_context(Listener(address)), address)
