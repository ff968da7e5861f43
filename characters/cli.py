"""characters: generate our own MMD characters."""

from __future__ import annotations

import time
from pathlib import Path

import click

from characters.files.collection import CollectionFormat, members, write_members
from characters.files.generate import FRANCHISES
from contract.cli import ErrorLineGroup
from contract.cores import count_cores
from contract.progress import open_progress
from contract.text import counted, time_left


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Generate anime-style characters as PMX or PMD models with textures (CC0)."""


@main.command()
@click.option("-n", "--count", type=click.IntRange(1), default=64, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option(
    "--format", "kind", type=click.Choice(["pmx", "pmd", "mixed"]), default="mixed",
    show_default=True, help="mixed: every fourth character is a PMD.",
)  # fmt: skip
@click.option(
    "--franchises", type=click.IntRange(1), default=FRANCHISES, show_default=True,
    help="How many styles; each gets a folder of its own.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(0), default=0, show_default=True,
    help="Processes that write them; 0: one a core.",
)  # fmt: skip
def generate(
    count: int, seed: int, out: Path, kind: CollectionFormat, franchises: int, workers: int
) -> None:
    """Write COUNT characters to OUT/<franchise>/<character>/, the same ones for the same seed."""
    started = time.monotonic()
    wanted = members(out, count, seed, kind, franchises)
    with open_progress("characters") as progress:
        for done, _ in enumerate(write_members(wanted, workers or count_cores()), 1):
            progress.show(done, count, time_left(done, count, time.monotonic() - started))
    seconds = time.monotonic() - started
    click.echo(
        f"{counted(count, 'character')} of {counted(min(count, franchises), 'franchise')} in {out} "
        f"({seconds:.1f} s)"
    )
