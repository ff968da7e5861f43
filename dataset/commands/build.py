"""``dataset build``, and ``dataset plan``, which tells what it would take."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.cli import FiniteRange, out_option
from contract.cores import count_cores
from contract.errors import InputError
from contract.progress import open_progress
from contract.text import clock, counted
from dataset.build.configuration import Configuration
from dataset.build.plan import WHOLE_BUILD, BuildShare, share_from
from dataset.catalog.catalog import load_catalog
from dataset.catalog.choose import Wish, choose_parts
from dataset.catalog.corrections import load_corrections, overrides_of
from dataset.catalog.quarantine import QUARANTINE_NAME
from dataset.commands.options import (
    DEVICE,
    SCHEDULER,
    PathType,
    configuration_options,
    crew_options,
    site_of,
    wish_options,
)
from dataset.forecast import (
    MOST_WAITING,
    Forecast,
    Trial,
    fitting_plan,
    forecast,
    try_models,
)
from dataset.jobs.pool import Crew

if TYPE_CHECKING:
    from dataset.build.ledger import BuildSummary

_COLUMNS = ("part", "models", "samples", "pictures", "shards", "a shard", "MB", "hours", "waiting")


@click.command()
@click.argument("models", type=PathType)
@out_option("Folder.")
@configuration_options
@crew_options
@DEVICE
@wish_options
@click.option(
    "--split",
    "split_path",
    type=PathType,
    help="A split; its parts go to OUT/train, OUT/validation and OUT/test.",
)
@SCHEDULER
@click.option(
    "--share",
    callback=lambda _context, _option, text: share_from(text) if text else WHOLE_BUILD,
    metavar="K/N",
    help="Make only this Nth of the shards (K from 0), in a folder of its own in OUT; a build "
    "without --share gathers them.",
)
def build(
    models: Path,
    out: Path,
    configuration: Configuration,
    crew: Crew,
    device: str,
    wish: Wish,
    split_path: Path | None,
    scheduler: str | None,
    share: BuildShare,
) -> None:
    """Draw the models of MODELS, a folder or a catalogue, into shards in a folder.

    A folder is scanned first, into OUT/catalog.jsonl. What was corrected in a review (overrides in
    the catalogue's folder) is followed; of near-duplicates one is drawn; refused models are not,
    nor doubtful ones that nobody has accepted.

    Run the same command again to continue what was interrupted: finished shards are verified and
    kept, and the pictures come out the same. A model that cannot be drawn costs only itself: its
    row in OUT/quarantine.jsonl says why, and deleting the row has it tried again. Models in
    archives are reported, not opened; links are not followed. On a cluster the shards are the
    same; see docs/scale.md.

    Exit codes: 0 all shards are made, even if some models are quarantined (their number is said);
    1 an error, or every model is quarantined; 2 a wrong command line; 130 interrupted (resumable).
    """
    # Here, for only this command needs OpenGL.
    from dataset.build import build as builder  # noqa: PLC0415
    from dataset.drawing import rendering  # noqa: PLC0415
    from dataset.scan.scan import open_catalog  # noqa: PLC0415

    # A batch system's polite end is an interruption like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with open_progress("models") as progress:
        site = site_of(scheduler, models, crew)
        scanned = site.models_folder if site else models
        scanner = partial(rendering.open_scanner, device, models_folder=scanned)
        catalog, corrections = open_catalog(models, out, crew, scanner, progress, site)
    site = site_of(scheduler, catalog.models_folder, crew)
    folder = site.models_folder if site else catalog.models_folder
    renderer = partial(rendering.open_renderer, device, models_folder=folder)
    for part, selection in choose_parts(catalog, corrections, wish, split_path).items():
        with open_progress("samples") as progress:
            summary = builder.build(
                folder, selection, out / part, configuration, crew, renderer, progress, site, share
            )
        click.echo(_build_lines(out / part, summary))


def _build_lines(out: Path, summary: BuildSummary) -> str:
    quarantined = "no model quarantined"
    if summary.quarantined:
        quarantined = (
            f"{counted(summary.quarantined, 'model')} quarantined (see {out / QUARANTINE_NAME})"
        )
    return (
        f"{out}: {counted(summary.samples, 'sample')} of {counted(summary.models, 'model')} "
        f"in {counted(summary.shards, 'shard')}, {summary.shard_bytes / 1e6:.1f} MB; "
        f"{quarantined}\n"
        f"{counted(summary.pictures, 'picture')} drawn now, in {summary.seconds:.1f} s "
        f"({summary.pictures / summary.seconds:.1f} a second)"
    )


@click.command()
@click.argument("catalog_path", metavar="CATALOG", type=PathType)
@configuration_options
@crew_options
@DEVICE
@wish_options
@click.option("--split", "split_path", type=PathType, help="A split, as for build.")
@click.option(
    "--trial",
    "tried",
    type=click.IntRange(1, 1000),
    default=4,
    show_default=True,
    help="How many models are drawn to measure with.",
)
@click.option("--shard-mb", type=FiniteRange(0, min_open=True), help="The most a shard takes.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def plan(
    catalog_path: Path,
    configuration: Configuration,
    crew: Crew,
    device: str,
    wish: Wish,
    split_path: Path | None,
    tried: int,
    shard_mb: float | None,
    as_json: bool,
) -> None:
    """Say what building from CATALOG would make and take; nothing is written.

    A few models are drawn to measure this machine; WORKERS may be those of a cluster whose
    machines are alike. The shards' size is chosen so that workers wait little for the last of
    them: give it to build as --samples-per-shard. Hours and bytes are estimates.
    """
    from dataset.drawing import rendering  # noqa: PLC0415  # only this and build need OpenGL

    catalog = load_catalog(catalog_path)
    corrections = load_corrections(overrides_of(catalog_path))
    parts = choose_parts(catalog, corrections, wish, split_path)
    models = [model for selection in parts.values() for model in selection.models]
    if not models:
        raise InputError(f"{catalog_path}: no model is left to draw; review them")
    renderer = partial(rendering.open_renderer, device, models_folder=catalog.models_folder)
    here = replace(crew, workers=min(crew.workers, count_cores(), len(models)))
    trial = try_models(
        catalog.models_folder, models, configuration, here, renderer, max(tried, here.workers)
    )
    most = round(shard_mb * 1e6) if shard_mb else None
    forecasts = {
        part: forecast(
            fitting_plan(selection, configuration, trial, crew.workers, most), trial, crew.workers
        )
        for part, selection in parts.items()
    }
    if as_json:
        told = {part: asdict(one) for part, one in forecasts.items()}
        click.echo(json.dumps({"trial": asdict(trial), "workers": crew.workers, "parts": told}))
        return
    for line in _lines(forecasts, trial, crew.workers):
        click.echo(line)


def _lines(forecasts: Mapping[str, Forecast], trial: Trial, workers: int) -> Iterator[str]:
    rows = [_row("all" if part == "." else part, one) for part, one in forecasts.items()]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((row[0].ljust(widths[0]), *cells))
    yield (
        f"a worker here draws {1 / trial.picture_seconds:.1f} pictures a second of "
        f"{trial.frame_bytes / 1e3:.1f} kB, and opens a model in {trial.open_seconds:.2f} s "
        f"({counted(trial.models, 'model')} tried)"
    )
    seconds = sum(one.seconds for one in forecasts.values())
    total = sum(one.shard_bytes for one in forecasts.values())
    yield f"{counted(workers, 'worker')}: {clock(seconds)} (h:mm:ss), {total / 1e9:.2f} GB"
    if any(one.waiting > MOST_WAITING for one in forecasts.values()):
        yield "so few models cannot keep so many workers busy to the end"
    sizes = {one.samples_per_shard for one in forecasts.values()}
    yield f"build with --samples-per-shard {min(sizes)}"


def _row(part: str, one: Forecast) -> tuple[str, ...]:
    return (
        part,
        f"{one.models:,}",
        f"{one.samples:,}",
        f"{one.pictures:,}",
        f"{one.shards:,}",
        f"{one.largest_shard_bytes / 1e6:.1f} MB",
        f"{one.shard_bytes / 1e6:,.1f}",
        clock(one.seconds),
        f"{one.waiting:.0%}",
    )
