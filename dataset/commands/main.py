"""The command ``dataset``: all that it can do, and ``unpack``, ``inspect`` and ``verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from contract.cli import ErrorLineGroup, out_option
from contract.errors import InputError
from contract.progress import open_progress
from contract.text import counted
from dataset.build.verify import find_shards
from dataset.build.verify import verify as verify_paths
from dataset.commands.build import build, plan
from dataset.commands.catalog import review, scan, split
from dataset.commands.curate import card, drop_model, export, merge
from dataset.shards.shard import ShardReader
from dataset.sheets.samples_sheet import DEFAULT_TRIPLES, draw_sheet
from dataset.sheets.summary import summarise, summary_text


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Make, look at and check data sets of posed pictures.

    Exit codes of every command: 0 done; 1 an error, or faults found, said in one line each;
    2 a wrong command line; 130 interrupted.
    """


main.add_command(scan)


@main.command()
@click.argument("archives", type=click.Path(path_type=Path), nargs=-1, required=True)
@out_option("The models folder.")
@click.option("--password", help="Of locked archives.")
@click.pass_context
def unpack(
    context: click.Context, archives: tuple[Path, ...], out: Path, password: str | None
) -> None:
    """Unpack ARCHIVES (zip, 7z, rar, lzh; or folders of them) into a folder each, for scan.

    Names are read in the encoding (UTF-8, Shift-JIS, GB18030, Big5, Korean) under which the models
    find their textures. Archives in archives are unpacked once; links, and paths that lead out, are
    passed over. Run the same command again to go on: what is unpacked stays.

    Exit codes: 0 done, even where some cannot be unpacked (each is named); 1 an error, or none can.
    """
    from dataset.drawing.rendering import texture_references  # noqa: PLC0415  # heavy
    from dataset.unpack.unpack import find_archives  # noqa: PLC0415
    from dataset.unpack.unpack import unpack as unpack_all  # noqa: PLC0415

    found = find_archives(archives)
    with open_progress("archives") as progress:
        summary = unpack_all(found, out, texture_references, progress, password)
    known = f", {summary.known} known from before" if summary.known else ""
    click.echo(
        f"{out}: {counted(summary.unpacked, 'archive')} unpacked with "
        f"{counted(summary.models, 'model')}{known}, {counted(len(summary.faults), 'fault')}"
    )
    context.exit(1 if len(summary.faults) == len(found) else 0)


main.add_command(split)
main.add_command(plan)
main.add_command(build)
main.add_command(review)
main.add_command(drop_model)
main.add_command(merge)
main.add_command(export)
main.add_command(card)


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
    """Say what is in PATH: a shard, a folder of shards, or a data set of several parts."""
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
    """Check shards, or data sets that a build wrote: checksums, poses, pictures, counts, the plan.

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
