"""``dataset build``."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.cli import out_option
from contract.progress import open_progress
from contract.text import counted
from dataset.build.configuration import Configuration
from dataset.build.share import WHOLE_BUILD, BuildShare, share_from
from dataset.catalog.choose import Wish, choose_parts
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
from dataset.jobs.pool import Crew

if TYPE_CHECKING:
    from dataset.build.ledger import BuildSummary


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
