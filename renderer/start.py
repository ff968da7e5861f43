"""The console script ``renderer``."""

from __future__ import annotations

import click

from contract.interrupt import run_command


def main() -> None:
    """Run the command; Ctrl-C ends it from the first moment on."""
    run_command(load)


def load() -> click.Group:
    """The command, whose modules take a moment to load."""
    from renderer.cli import main as command  # noqa: PLC0415

    return command
