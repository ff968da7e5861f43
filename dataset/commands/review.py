"""``dataset review``."""

from __future__ import annotations

import webbrowser
from functools import partial
from pathlib import Path

import click

from contract.errors import InputError
from dataset.commands.catalog import DEVICE, PathType
from web.guard import address, listening


@click.command()
@click.argument("catalog", type=PathType)
@click.option("--host", default="127.0.0.1", show_default=True, help="Others may see other hosts.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default: any.")
@click.option("--browser/--no-browser", default=True, help="Open the page at once.")
@DEVICE
def review(catalog: Path, host: str, port: int, browser: bool, device: str) -> None:
    """Look at the models of CATALOG on a local page, the doubtful first, and correct them.

    What is decided is kept at once, in overrides.jsonl beside the catalogue; scanning again keeps
    it, and build follows it.
    """
    try:
        import uvicorn  # noqa: PLC0415  # heavy, and only here

        from dataset.review.review import Review  # noqa: PLC0415
        from dataset.review.server import make_app  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            f"the page needs the package {error.name}; install it with: pip install 'opentha[web]'"
        ) from error
    from dataset.review.painter import Painter, open_tools  # noqa: PLC0415

    painter = Painter(partial(open_tools, device))
    review = Review(catalog, painter)
    with listening(host, port) as listener:
        url = address(listener, host)
        click.echo(f"open {url} in a browser; Ctrl-C ends it")
        if browser:
            webbrowser.open(url)
        config = uvicorn.Config(make_app(review, painter, host), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
