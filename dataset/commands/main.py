"""``dataset scan | review | split | build | inspect | verify``."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.cli import ErrorLineGroup, out_option
from contract.errors import InputError
from contract.image import DEFAULT_SIZE
from contract.progress import open_progress
from contract.text import counted
from dataset.build.configuration import Configuration
from dataset.build.sampling import DEFAULT_LIGHT_LEVELS, LightRange, default_ambient
from dataset.build.verify import find_shards
from dataset.build.verify import verify as verify_paths
from dataset.catalog.choose import Wish, choose_parts
from dataset.catalog.quarantine import QUARANTINE_NAME
from dataset.commands.catalog import DEVICE, MODEL_TIMEOUT, WORKERS, review, scan, split
from dataset.shards.codec import CODECS, DEFAULT_CODEC, Codec
from dataset.shards.schema import DATA_SHADINGS, MIXED, DataShading
from dataset.shards.shard import ShardReader
from dataset.sheets.samples_sheet import DEFAULT_TRIPLES, draw_sheet
from dataset.sheets.summary import summarise, summary_text

if TYPE_CHECKING:
    from dataset.build.ledger import BuildSummary


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Make, look at and check data sets of posed pictures.

    Exit codes of every command: 0 done; 1 an error, or faults found, said in one line each;
    2 a wrong command line; 130 interrupted.
    """


main.add_command(scan)
main.add_command(split)
main.add_command(review)


def _light_range(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[float, float] | None:
    if text is None:
        return None
    low, parted, high = text.partition("..")
    try:
        light = LightRange(float(low), float(high if parted else low))
    except ValueError:
        raise InputError(f"--ambient {text}: give a number or a range, as in 0.5..1.2") from None
    return light.low, light.high


@main.command()
@click.argument("models", type=click.Path(path_type=Path))
@out_option("Folder.")
@click.option(
    "--poses",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Samples of EACH model; the plan, which is shown first, gives the total.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--size", type=int, default=DEFAULT_SIZE, show_default=True, help="Pixels a side.")
@click.option(
    "--shading",
    type=click.Choice(DATA_SHADINGS),
    default=MIXED,
    show_default=True,
    help="mixed: for each model and light one of the others, by equal chance.",
)
@click.option(
    "--ambient",
    callback=_light_range,
    metavar="A | LOW..HIGH",
    help="The ambient light, or the range to draw it from. "
    "[default: 0.5..1.2 for mixed shading, else 0.5]",
)
@click.option(
    "--light-levels",
    type=click.IntRange(1, 1000),
    default=DEFAULT_LIGHT_LEVELS,
    show_default=True,
    help="How many values of that range one model is drawn under.",
)
@click.option("--codec", type=click.Choice(CODECS), default=DEFAULT_CODEC, show_default=True)
@click.option(
    "--samples-per-shard",
    type=click.IntRange(0),
    default=0,
    help="At most so many; 0, the default: chosen by the number of models.",
)
@WORKERS
@MODEL_TIMEOUT
@DEVICE
@click.option(
    "--keep-duplicates", is_flag=True, help="Draw near-duplicates too, not one of each group."
)
@click.option("--include-doubtful", is_flag=True, help="Draw models that nobody has accepted yet.")
@click.option(
    "--split",
    "split_path",
    type=click.Path(path_type=Path),
    help="A split; its parts go to OUT/train, OUT/validation and OUT/test.",
)
def build(
    models: Path,
    out: Path,
    poses: int,
    seed: int,
    size: int,
    shading: DataShading,
    ambient: tuple[float, float] | None,
    light_levels: int,
    codec: Codec,
    samples_per_shard: int,
    workers: int,
    model_timeout: float,
    device: str,
    keep_duplicates: bool,
    include_doubtful: bool,
    split_path: Path | None,
) -> None:
    """Draw the models of MODELS, a folder or a catalogue, into shards in a folder.

    A folder is scanned first, into OUT/catalog.jsonl. What was corrected in a review (overrides in
    the catalogue's folder) is followed; of near-duplicates one is drawn; refused models are not,
    nor doubtful ones that nobody has accepted.

    Run the same command again to continue what was interrupted: finished shards are verified and
    kept, and the pictures come out the same. A model that cannot be drawn costs only itself: its
    row in OUT/quarantine.jsonl says why, and deleting the row has it tried again. Models in
    archives are reported, not opened; links are not followed.

    Exit codes: 0 all shards are made, even if some models are quarantined (their number is said);
    1 an error, or every model is quarantined; 2 a wrong command line; 130 interrupted (resumable).
    """
    # Here, for only this command needs OpenGL.
    from dataset.build import build as builder  # noqa: PLC0415
    from dataset.drawing import rendering  # noqa: PLC0415
    from dataset.jobs.pool import Crew  # noqa: PLC0415
    from dataset.jobs.process import count_cores  # noqa: PLC0415
    from dataset.scan.scan import open_catalog  # noqa: PLC0415

    low, high = ambient or default_ambient(shading)
    configuration = Configuration(
        poses, seed, size, shading, low, high, light_levels, codec, samples_per_shard
    )
    # A batch system's polite end is an interruption like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    crew = Crew(workers or count_cores(), model_timeout)
    with open_progress("models") as progress:
        scanner = partial(rendering.open_scanner, device)
        catalog, corrections = open_catalog(models, out, crew, scanner, progress)
    wish = Wish(keep_duplicates, include_doubtful)
    open_model_renderer = partial(rendering.open_renderer, device)
    for part, selection in choose_parts(catalog, corrections, wish, split_path).items():
        with open_progress("samples") as progress:
            summary = builder.build(
                catalog.models_folder,
                selection,
                out / part,
                configuration,
                crew,
                open_model_renderer,
                progress,
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


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    help="Write a PNG of samples: rest, expression and posed picture with their poses.",
)
@click.option("--triples", type=click.IntRange(1, 200), default=DEFAULT_TRIPLES, show_default=True)
def inspect(path: Path, as_json: bool, sheet: Path | None, triples: int) -> None:
    """Say what is in PATH: a shard, or a folder of shards."""
    readers = [ShardReader(shard) for shard in find_shards([path])]
    if not readers:
        raise InputError(f"{path}: holds no shard yet; run the build again")
    summary = summarise(readers)
    click.echo(
        json.dumps(asdict(summary), ensure_ascii=False) if as_json else summary_text(summary)
    )
    if sheet:
        draw_sheet(readers, sheet, triples)
        click.echo(f"wrote {sheet}", err=True)


@main.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.pass_context
def verify(context: click.Context, paths: tuple[Path, ...]) -> None:
    """Check shards, or folders that a build wrote: checksums, poses, pictures, counts, the plan.

    Prints each fault on a line of its own. Exit codes: 0 no fault; 1 faults, or an error.
    """
    with open_progress("shards") as progress:
        verdict = verify_paths(paths, progress)
    for fault in verdict.faults:
        click.echo(fault)
    counts = (
        counted(verdict.shards, "shard"),
        counted(verdict.samples, "sample"),
        counted(verdict.pictures, "picture"),
    )
    found = counted(len(verdict.faults), "fault") if verdict.faults else "no faults"
    click.echo(f"{', '.join(counts)}: {found}", err=bool(verdict.faults))
    context.exit(1 if verdict.faults else 0)
