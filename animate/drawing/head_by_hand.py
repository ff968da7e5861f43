"""A head as a person says where it is: rows of skull top and chin, column of the middle."""

from __future__ import annotations

from math import inf, isfinite

from animate.drawing.head_estimate import Head
from contract.errors import InputError

_LEAST_ROWS = 8  # of a head that is dragged


def head_by_hand(text: str) -> Head:
    """The head of TOP,CHIN,MIDDLE, in pixels; ``InputError`` where it is none."""
    try:
        top, chin, middle = (float(number) for number in text.split(","))
    except ValueError:
        raise InputError(f"--head {text:.60}: give TOP,CHIN,MIDDLE, as in 65,190,257") from None
    if not (isfinite(top) and isfinite(middle) and top < chin < inf):
        raise InputError(f"--head {text:.60}: the chin's row must lie below the skull top's")
    return Head(top, chin, middle, "hand")


def require_on_picture(head: Head, width: int, height: int) -> None:
    """``InputError`` unless the head lies on a picture of that size, and can be seen.

    Who drags lines cannot leave the picture; and a head of a million rows would want a picture of
    twice as many.
    """
    is_on = head.skull_top >= 0 and head.chin <= height and 0 <= head.centre_x <= width
    if not is_on or head.chin - head.skull_top < _LEAST_ROWS:
        raise InputError(
            f"the head must lie on the drawing of {width}x{height}, {_LEAST_ROWS} rows high or more"
        )
