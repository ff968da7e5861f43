"""How far a run is: a moving bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import rich.progress
from rich.console import Console

LOG_SECONDS = 15.0


class Progress(Protocol):
    """Where a run says how far it is."""

    def note(self, text: str) -> None:
        """One line that stays."""

    def show(self, done: int, total: int, detail: str) -> None:
        """How far it is now; may be called as often as one likes."""


class LogProgress:
    """Plain lines, one in ``LOG_SECONDS`` at most; ``unit``: what is counted."""

    def __init__(self, stream: TextIO, unit: str) -> None:
        self._stream = stream
        self._unit = unit
        self._shown = time.monotonic()

    def note(self, text: str) -> None:
        """One line that stays."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def show(self, done: int, total: int, detail: str) -> None:
        """A line, unless the last one is recent."""
        if time.monotonic() - self._shown >= LOG_SECONDS:
            self._shown = time.monotonic()
            self.note(f"{done} of {total} {self._unit}, {detail}")


class BarProgress:
    """A bar of rich's, with lines that stay above it."""

    def __init__(self, bar: rich.progress.Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", detail="", visible=False)

    def note(self, text: str) -> None:
        """One line that stays."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, done: int, total: int, detail: str) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total, detail=detail, visible=True)


@contextmanager
def open_progress(unit: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """A bar where ``stream`` (stderr) is a terminal, plain lines elsewhere."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield LogProgress(stream, unit)
        return
    bar = rich.progress.Progress(
        rich.progress.BarColumn(),
        rich.progress.TextColumn(f"{{task.completed}} of {{task.total}} {unit}"),
        rich.progress.TextColumn("{task.fields[detail]}"),
        console=Console(file=stream),
        transient=True,
    )
    with bar:
        yield BarProgress(bar)
