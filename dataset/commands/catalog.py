"""The commands on catalogues: ``scan``, ``split`` and ``review``."""

from __future__ import annotations

import signal
import webbrowser
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from contract.cli import out_option
from contract.progress import open_progress
from contract.text import counted, shown_path
from dataset.build.configuration import MAX_POSES
from dataset.catalog.catalog import Catalog, cache_of, load_catalog
from dataset.catalog.choose import Wish, choose
from dataset.catalog.corrections import load_corrections, overrides_of
from dataset.catalog.duplicates import representatives
from dataset.catalog.split import shortage, split_by_names, split_by_shares, split_table
from dataset.commands.options import (
    DEVICE,
    SCHEDULER,
    PathType,
    crew_options,
    site_of,
    wish_options,
)
from dataset.jobs.pool import Crew
from dataset.shards.split_file import PARTS, SPLIT_FILE, save_split
from web.serving import address_options, serve_page, web_packages

_SHARES = {"train": 0.9, "validation": 0.05, "test": 0.05}


@click.command()
@click.argument("models", type=PathType)
@out_option("The catalogue, a .jsonl file.")
@crew_options
@click.option("--retry", is_flag=True, help="Look again at models that were refused before.")
@click.option("--sheet", type=PathType, help="Also write a PNG of all heads with their boxes.")
@DEVICE
@SCHEDULER
def scan(
    models: Path,
    out: Path,
    crew: Crew,
    retry: bool,
    sheet: Path | None,
    device: str,
    scheduler: str | None,
) -> None:
    """Look at every PMX and PMD model below the folder MODELS; write what was found.

    One JSON line a model: hash, counts, source, licence, head box, morphs, how sure each answer
    is, and near-duplicates; status ok, doubtful (a person should look: see review) or refused.
    Run the same command again to continue, or after files changed: only new models are looked at.
    """
    from dataset.drawing import rendering  # noqa: PLC0415  # only this command needs OpenGL
    from dataset.scan.scan import scan as scan_models  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with open_progress("models") as progress:
        site = site_of(scheduler, models, crew)
        folder = site.models_folder if site else models
        scanner = partial(rendering.open_scanner, device, models_folder=folder)
        catalog = scan_models(models, out, crew, scanner, progress, retry=retry, site=site)
    if sheet:
        from dataset.sheets.heads_sheet import draw_heads  # noqa: PLC0415

        for path in draw_heads(catalog.rows, cache_of(out), sheet):
            click.echo(f"wrote {path}", err=True)
    for line in _scan_lines(out, catalog):
        click.echo(line)


def _scan_lines(out: Path, catalog: Catalog) -> Iterator[str]:
    groups = catalog.groups()
    kept = representatives(groups, frozenset())
    for number, rows in groups.items():
        yield f"near-duplicates of {shown_path(kept[number].path)}:"
        for row in rows:
            if row.path != kept[number].path:
                alike = row.alike[0]
                yield (
                    f"  {shown_path(row.path)} ({alike.why} as {shown_path(alike.path)}: mesh "
                    f"{alike.mesh:.2f}, picture {alike.picture:.2f}, colours {alike.colours:.2f})"
                )
    counts = Counter(row.status for row in catalog.rows)
    sources = counted(len({row.source for row in catalog.rows}), "source")
    drafts = sum(row.status == "refused" and row.model is not None for row in catalog.rows)
    mendable = f" ({drafts} can be completed in a review)" if drafts else ""
    yield (
        f"{out}: {counted(len(catalog.rows), 'model')} of {sources}: {counts['ok']} ok, "
        f"{counts['doubtful']} doubtful, {counts['refused']} refused{mendable}; "
        f"{counted(len(groups), 'group')} of near-duplicates"
    )


@click.command()
@click.argument("catalog_path", metavar="CATALOG", type=PathType)
@click.option("--train", type=float, help="Share of the models; 0.9 unless given.")
@click.option("--validation", type=float, help="0.05 unless given.")
@click.option("--test", type=float, help="0.05 unless given.")
@click.option("--validation-sources", multiple=True, metavar="A,B", help="Instead of shares.")
@click.option("--test-sources", multiple=True, metavar="A,B", help="Instead of shares.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option(
    "--poses", type=click.IntRange(1, MAX_POSES), default=64, show_default=True, help="A model."
)
@wish_options
@click.option(
    "--if-possible", is_flag=True, help="With too few sources say so and end with exit code 0."
)
@out_option("Default: split.json beside the catalogue.", required=False)
def split(
    catalog_path: Path,
    train: float | None,
    validation: float | None,
    test: float | None,
    validation_sources: tuple[str, ...],
    test_sources: tuple[str, ...],
    seed: int,
    poses: int,
    wish: Wish,
    if_possible: bool,
    out: Path | None,
) -> None:
    """Divide the sources of CATALOG into train, validation and test.

    A source is a folder right below the models folder: a franchise, say. Sources are never cut,
    and those that share near-duplicates stay together. The same seed gives the same split.
    """
    catalog = load_catalog(catalog_path)
    corrections = load_corrections(overrides_of(catalog_path))
    chosen = choose(catalog, corrections, wish)
    drawn = [model.path for model in chosen.models]
    if if_possible and (why := shortage(catalog.rows, drawn, len(PARTS))):
        click.echo(f"not split: {why}", err=True)
        return
    given = {"train": train, "validation": validation, "test": test}
    if validation_sources or test_sources:
        if any(share is not None for share in given.values()):
            raise click.UsageError("give shares, or names of sources, not both")
        known = {row.source for row in catalog.rows}
        made = split_by_names(
            catalog.rows, _names(validation_sources, known), _names(test_sources, known)
        )
    else:
        made = split_by_shares(catalog.rows, drawn, _shares(given), seed)
    path = out or catalog_path.with_name(SPLIT_FILE)
    save_split(path, made)
    click.echo(split_table(made, catalog.rows, drawn, poses))
    click.echo(f"wrote {path}", err=True)


def _shares(given: dict[str, float | None]) -> dict[str, float]:
    """The shares given; train is what the others leave, unless it is given too."""
    shares = {part: _SHARES[part] if share is None else share for part, share in given.items()}
    if given["train"] is None:
        shares["train"] = 1 - shares["validation"] - shares["test"]
    return shares


def _names(texts: tuple[str, ...], known: set[str]) -> list[str]:
    """Names separated by commas; a source whose own name has commas is taken whole."""
    return [
        name for text in texts for name in ([text] if text in known else text.split(",")) if name
    ]


@click.command()
@click.argument("catalog", type=PathType)
@address_options(0)
@click.option("--browser/--no-browser", default=True, help="Open the page at once.")
@DEVICE
def review(catalog: Path, host: str, port: int, browser: bool, device: str) -> None:
    """Look at the models of CATALOG on a local page, the doubtful first, and correct them.

    A model that is refused for want of a morph, a head box or a texture can be given it there.

    What is decided is kept at once, in overrides.jsonl beside the catalogue; scanning again keeps
    it, and build follows it.
    """
    with web_packages():
        from dataset.review.review import Review  # noqa: PLC0415
        from dataset.review.server import make_app  # noqa: PLC0415
    from dataset.review.painter import Painter, open_tools  # noqa: PLC0415

    painter = Painter(partial(open_tools, device, load_catalog(catalog).models_folder))

    def started(url: str) -> None:
        click.echo(f"open {url} in a browser; Ctrl-C ends it")
        if browser:
            webbrowser.open(url)

    serve_page(make_app(Review(catalog, painter), painter, host), host, port, started)
