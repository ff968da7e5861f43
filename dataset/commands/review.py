"""``dataset review``."""

from __future__ import annotations

import webbrowser
from functools import partial
from pathlib import Path

import click

from dataset.commands.catalog import DEVICE, PathType
from web.serving import address_options, serve_page, web_packages


@click.command()
@click.argument("catalog", type=PathType)
@address_options(0)
@click.option("--browser/--no-browser", default=True, help="Open the page at once.")
@DEVICE
def review(catalog: Path, host: str, port: int, browser: bool, device: str) -> None:
    """Look at the models of CATALOG on a local page, the doubtful first, and correct them.

    What is decided is kept at once, in overrides.jsonl beside the catalogue; scanning again keeps
    it, and build follows it.
    """
    with web_packages():
        from dataset.review.review import Review  # noqa: PLC0415
        from dataset.review.server import make_app  # noqa: PLC0415
    from dataset.review.painter import Painter, open_tools  # noqa: PLC0415

    painter = Painter(partial(open_tools, device))
    review = Review(catalog, painter)

    def started(url: str) -> None:
        click.echo(f"open {url} in a browser; Ctrl-C ends it")
        if browser:
            webbrowser.open(url)

    serve_page(make_app(review, painter, host), host, port, started)
