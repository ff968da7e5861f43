"""``dataset plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import click

from contract.errors import InputError
from contract.text import clock, counted
from dataset.build.configuration import Configuration
from dataset.catalog.catalog import load_catalog
from dataset.catalog.choose import Wish, choose_parts
from dataset.catalog.corrections import load_corrections, overrides_of
from dataset.commands.options import (
    DEVICE,
    PathType,
    configuration_options,
    crew_options,
    wish_options,
)
from dataset.forecast.forecast import MOST_WAITING, Forecast, fitting_plan, forecast
from dataset.forecast.trial import Trial, try_models
from dataset.jobs.pool import Crew
from dataset.jobs.process import count_cores

_COLUMNS = ("part", "models", "samples", "pictures", "shards", "a shard", "MB", "hours", "waiting")


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
@click.option("--shard-mb", type=click.FloatRange(0, min_open=True), help="The most a shard takes.")
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
