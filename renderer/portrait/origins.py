"""Origins from what a graphics device said of a posed picture and the one before it."""

from __future__ import annotations

import numpy as np

from contract.origins import HIDDEN, NOTHING, ORIGIN_STEPS, SEEN, Origins
from renderer.formats.model import F32

_FARTHEST = 32_767 / ORIGIN_STEPS
_MAX_DEPTH = 9.0  # beyond clip space


def origins_of(turned: F32, before: F32, tolerance: float) -> Origins:
    """The origins of a posed picture.

    turned, before (T, T, 4): where what each pixel of the posed picture and of the one before it
    shows lies in the latter, in clip space (z grows away from us), and 1; or 0. tolerance: how much
    farther than what is seen there, in clip space, the same surface may lie.
    """
    x, y, depth, there = (turned[..., k] for k in range(4))
    side = turned.shape[0]
    row, column = (np.clip((v + 1) * (side / 2), 0, side - 1).astype(int) for v in (-y, x))
    nearest = np.where(before[..., 3] > 0, before[..., 2], _MAX_DEPTH)[row, column]
    seen = (depth <= nearest + tolerance) & (np.abs(x) <= 1) & (np.abs(y) <= 1)
    places = np.clip(np.stack([x, -y], -1), -_FARTHEST, _FARTHEST) * ORIGIN_STEPS
    return Origins(
        np.rint(places).astype(np.int16),
        np.where(there > 0, np.where(seen, SEEN, HIDDEN), NOTHING).astype(np.uint8),
    )
