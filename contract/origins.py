"""Where what each pixel of a posed picture shows lies in the picture of its expression.

A head turns after its face has taken an expression; so of each pixel of the turned head one can say
which place of the picture before it shows, and whether that can be seen there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ORIGINS_SIDE = 128
"""Pixels a side, whatever the picture's."""
ORIGIN_STEPS = 16_384
"""Steps from the picture's middle to its edge; what lies twice as far out is cut there."""

NOTHING, HIDDEN, SEEN = 0, 1, 2
"""A pixel shows nothing; what lay behind something else or outside the picture; what was seen."""


class Origins(NamedTuple):
    """Of one sample; T is ``ORIGINS_SIDE``.

    places (T, T, 2) int16: x to the right, y down from the picture's middle, in ``ORIGIN_STEPS``.
    shown (T, T) uint8: ``NOTHING``, ``HIDDEN`` or ``SEEN``; the place of nothing means nothing.
    """

    places: npt.NDArray[np.int16]
    shown: npt.NDArray[np.uint8]

    def mirrored(self) -> Origins:
        """Those of the mirror images of both pictures."""
        sides = np.array([-1, 1], np.int16)
        return Origins(self.places[:, ::-1] * sides, np.ascontiguousarray(self.shown[:, ::-1]))
