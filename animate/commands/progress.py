"""How far a row of frames is: a bar on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import track

_LOG_SECONDS = 15.0


def shown(frames: range) -> Iterator[int]:
    """The numbers of the frames, while saying on stderr how far they are."""
    console = Console(stderr=True)
    if console.is_terminal:
        yield from track(frames, "frames", console=console, transient=True)
        return
    began = said = time.monotonic()
    for done, frame in enumerate(frames):
        now = time.monotonic()
        if now - said >= _LOG_SECONDS:
            said = now
            left = (now - began) / done * (len(frames) - done)
            sys.stderr.write(f"{done} of {len(frames)} frames, {left:.0f} s left\n")
        yield frame
