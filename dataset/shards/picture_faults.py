"""What every picture of a data set must be: said once, for making and for verifying."""

from __future__ import annotations

import numpy as np

from contract.image import Stored, head_rows

MIN_COVERED_HEAD_ROWS = 0.9
_ALPHA_ONE = 1 << 24


def picture_fault(picture: Stored, size: int, *, shows_rest: bool) -> str | None:
    """What is wrong with a picture in the stored form, or None.

    Right is: (size, size, 4) uint8, something on it, and no colour under alpha 0. With
    ``shows_rest`` the head is straight, so it must cover the middle half of the rows: at least
    nine in ten of them have something within the middle half of the columns.
    """
    if picture.shape != (size, size, 4) or picture.dtype != np.uint8:
        return f"a {picture.dtype} array {picture.shape} is no picture of {size} pixels a side"
    # Each pixel as one number whose highest byte is alpha: one pass over the picture.
    pixels = np.ascontiguousarray(picture).view("<u4")
    if not (pixels >= _ALPHA_ONE).any():
        return "the picture is empty"
    if ((pixels > 0) & (pixels < _ALPHA_ONE)).any():
        return "there is colour under alpha 0"
    if shows_rest and _covered_head_rows(picture) < MIN_COVERED_HEAD_ROWS:
        return "the head does not fill the middle half of the rows"
    return None


def _covered_head_rows(picture: Stored) -> float:
    """Share of the head's rows that show something in the middle half of the columns."""
    first, end = head_rows(len(picture))
    quarter = len(picture) // 4
    middle = picture[first:end, quarter : len(picture) - quarter, 3]
    return float(middle.any(axis=1).mean())
