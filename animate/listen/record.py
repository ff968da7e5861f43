"""What a tracker says for some time -> measures, as of a video."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from animate.listen.listener import Counts, Heard, Listener
from animate.listen.packet import NO_FACE
from animate.motion.motion import MAX_FRAMES
from animate.track.face_measures import F64, MEASURES, Measures
from contract.errors import InputError

PATIENCE_SECONDS = 30.0
"""For the first packet."""
_SILENT_SECONDS = 0.25  # a tracker that says nothing for so long sees nobody
_ONE_FRAME_SECONDS = 0.004  # what comes closer together was said of one frame


def record(
    listener: Listener, name: str, seconds: float, begin: Callable[[], None], ends: list[int]
) -> Measures:
    """Measures from the first packet on; fewer when ``ends`` is no longer empty.

    begin: is called when the first has come.

    Raises:
        InputError: none comes.
    """
    first = _first(listener, name, ends)
    begin()
    times: list[float] = [0.0]
    rows: list[F64] = [first.measures]
    number = first.number
    while not ends and times[-1] < seconds and len(rows) < MAX_FRAMES:
        heard = listener.wait_for_newer(number, _SILENT_SECONDS)
        now = (heard.seconds if heard else time.monotonic()) - first.seconds
        if now >= seconds:
            break
        number = heard.number if heard else number
        row = heard.measures if heard else NO_FACE
        if now - times[-1] < _ONE_FRAME_SECONDS:
            rows[-1] = row
        else:
            times.append(now)
            rows.append(row)
    return Measures(np.array(times), np.array(rows).reshape(-1, len(MEASURES)))


def _first(listener: Listener, name: str, ends: list[int]) -> Heard:
    began = time.monotonic()
    while not ends and time.monotonic() - began < PATIENCE_SECONDS:
        heard = listener.wait_for_newer(0, _SILENT_SECONDS)
        if heard:
            return heard
    counts = listener.counts
    waited = f"{time.monotonic() - began:.0f} s"
    if counts.packets:
        raise InputError(
            f"{name}: {counts.packets} packets in {waited}, {counts.malformed} of them malformed, "
            "and none of a face; is it that tracker that sends?"
        )
    raise InputError(f"{name}: no packet in {waited}; start the tracker, and let it send there")


def ignored(counts: Counts, name: str) -> tuple[str, ...]:
    """A line for each kind of packets that were ignored."""
    of_all = f"of {counts.packets} packets ignored"
    return (
        *([f"{name}: {counts.malformed} {of_all}: malformed"] if counts.malformed else []),
        *([f"{name}: {counts.others} {of_all}: of a second sender"] if counts.others else []),
    )
