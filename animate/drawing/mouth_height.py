"""Whether a drawn mouth is there, and how far it is open: what differs from the skin around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from animate.drawing.head_estimate import Head
from contract.image import Stored

Flags = npt.NDArray[np.bool_]

# Of the head's height.
_ROWS = (0.01, 0.28)  # above the chin, where mouths are
_HALF_WIDTH = 0.17  # of the part that is looked at
_MIDDLE = 0.05  # on each side, where any mouth is
_LEAST_WIDTH = 0.02  # less is a nose, or a mole

_UNLIKE_SKIN = 14.0  # in CIELAB
_MIN_PIXELS = 10


def mouth_height(figure: Stored, head: Head) -> float | None:
    """How high the mouth of a drawing (H, W, 4) is, in heights of its head; None: none is seen.

    Of the generated characters a closed one is 0.01 to 0.03 high, one wide open 0.06 to 0.13.
    """
    tall = max(head.chin - head.skull_top, 1.0)
    low, high = (max(round(head.chin - share * tall), 0) for share in _ROWS)
    left, right = (max(round(head.centre_x + s * _HALF_WIDTH * tall), 0) for s in (-1, 1))
    part = figure[high:low, left:right]
    if int((part[..., 3] > 127).sum()) < _MIN_PIXELS:
        return None
    middle, reach = round(head.centre_x) - left, max(1, round(_MIDDLE * tall))
    columns = _unlike_skin(part)[:, max(middle - reach, 0) : middle + reach + 1]
    runs = np.array([_longest_run(column) for column in columns.T])
    if (runs > 0).sum() < _LEAST_WIDTH * tall:
        return None
    return float(np.percentile(runs, 75)) / tall


def _unlike_skin(part: Stored) -> Flags:
    seen = part[..., 3] > 127
    lab = np.asarray(rgb2lab(part[..., :3]), np.float64)
    skin = np.median(lab[seen], axis=0)
    return np.asarray((np.linalg.norm(lab - skin, axis=2) > _UNLIKE_SKIN) & seen)


def _longest_run(flags: Flags) -> int:
    """How many set in a row there are at most."""
    ends = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return int(np.max(ends[1::2] - ends[::2], initial=0))
