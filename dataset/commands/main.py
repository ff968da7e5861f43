"""The command ``dataset``: all that it can do, and ``inspect`` and ``verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from contract.cli import ErrorLineGroup
from contract.errors import InputError
from contract.progress import open_progress
from contract.text import counted
from dataset.build.verify import find_shards
from dataset.build.verify import verify as verify_paths
from dataset.commands.build import build
from dataset.commands.catalog import review, scan, split
from dataset.commands.curate import card, drop_model, export, merge
from dataset.commands.plan import plan
from dataset.commands.unpack import unpack
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
main.add_command(unpack)
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
