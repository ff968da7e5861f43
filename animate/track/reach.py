"""What of a person's range shows only with time: how far the mouth opens, how far the lids shut.

A calibration knows what is usual of a person in a few seconds, and guesses the rest. Each opening
of the mouth and each blink then moves the guess a little towards what this person really does, so
that whoever never opens the mouth far has an open mouth all the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from animate.track.calibration import Calibration
from animate.track.face_measures import F64, MEASURES

# Of the face's height. Steps of unlike size settle where one opening in 21 is wider.
_OPENS = 0.03  # further open than shut: an opening has begun
_WIDER, _NARROWER = 0.02, 0.001  # at most, by one opening
_MOUTH_BOUNDS = (0.05, 0.35)

# Of lids that are open as usual.
_BLINKS = 0.75
_LONGEST_BLINK = 0.5  # seconds; lids that are lower for longer look down
_LIDS_STEP = 0.02
_LIDS_BOUNDS = (0.05, 0.6)


class _Episode:
    """While a value is beyond a threshold; tells how far it went when it is over."""

    def __init__(self) -> None:
        self._furthest = 0.0
        self._began: float | None = None

    def take(self, seconds: float, beyond: float) -> tuple[float, float] | None:
        """``beyond``: above 0 inside. Furthest and how long it lasted, when it has just ended."""
        if beyond > 0:
            self._furthest = max(self._furthest, beyond) if self._began is not None else beyond
            self._began = seconds if self._began is None else self._began
            return None
        if self._began is None:
            return None
        over = self._furthest, seconds - self._began
        self._began = None
        return over


class Reach:
    """A calibration that comes to know its person's range: slowly, and within bounds."""

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        self._episodes = [_Episode() for _ in range(3)]

    def take(self, seconds: float, measures: F64) -> Calibration:
        """The calibration after measures (6,) at ``seconds``, in their order; NaN teaches none."""
        if np.isnan(measures).any():
            return self.calibration
        left, right, mouth = (
            float(measures[MEASURES.index(name)])
            for name in ("left_open", "right_open", "mouth_open")
        )
        self._mouth(seconds, mouth)
        c = self.calibration
        self.calibration = replace(
            c,
            left_shut=self._lids(1, seconds, left, c.left_shut, c.left_open),
            right_shut=self._lids(2, seconds, right, c.right_shut, c.right_open),
        )
        return self.calibration

    def _mouth(self, seconds: float, opening: float) -> None:
        c = self.calibration
        over = self._episodes[0].take(seconds, opening - c.mouth_shut - _OPENS)
        if over is None:
            return
        wide, furthest = c.mouth_open - c.mouth_shut, over[0] + _OPENS
        wide = _stepped(wide, furthest, _NARROWER, _WIDER, _MOUTH_BOUNDS)
        self.calibration = replace(c, mouth_open=c.mouth_shut + wide)

    def _lids(
        self, which: int, seconds: float, openness: float, shut: float, usual: float
    ) -> float:
        over = self._episodes[which].take(seconds, _BLINKS - openness / usual)
        if over is None or over[1] > _LONGEST_BLINK:
            return shut
        lowest = _BLINKS - over[0]
        return usual * _stepped(shut / usual, lowest, _LIDS_STEP, _LIDS_STEP, _LIDS_BOUNDS)


def _stepped(
    now: float, wanted: float, down: float, up: float, bounds: tuple[float, float]
) -> float:
    """At most a step towards what is wanted, which is within bounds; never away from it."""
    low, high = bounds
    target = min(high, max(low, wanted))
    return now + min(up, max(-down, target - now))
