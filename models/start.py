"""The console script ``models``."""

from __future__ import annotations

from collections.abc import Callable

from contract.interrupt import run_command


def main() -> None:
    """Run it; Ctrl-C ends it from the first moment on."""
    run_command(_load)


def _load() -> Callable[[], object]:
    from models.cli import main as command  # noqa: PLC0415  # takes a moment

    return command
