"""characters: generate our own MMD characters."""

from __future__ import annotations

import time
from pathlib import Path

import click

from characters.files.generate import FRANCHISES, ModelFormat, write_character
from contract.cli import ErrorLineGroup
from contract.text import counted


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
def generate(count: int, seed: int, out: Path, kind: str, franchises: int) -> None:
    """Write COUNT characters to OUT/<franchise>/<character>/, the same ones for the same seed."""
    started = time.monotonic()
    for number in range(count):
        franchise = number % franchises
        folder = out / f"franchise_{franchise:02d}" / f"character_{seed + number:05d}"
        chosen: ModelFormat = (
            "pmd" if kind == "pmd" or (kind == "mixed" and number // franchises % 4 == 3) else "pmx"
        )
        write_character(folder, seed + number, chosen, franchise)
    seconds = time.monotonic() - started
    click.echo(
        f"{counted(count, 'character')} of {counted(min(count, franchises), 'franchise')} in {out} "
        f"({seconds:.1f} s)"
    )
