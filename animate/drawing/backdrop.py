"""How a picture is shown: at which size, and before what (nothing, a colour, or a picture)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from animate.drawing.drawing import read_drawing, resized
from contract.errors import InputError
from contract.image import Stored


@dataclass(frozen=True)
class Backdrop:
    """``size``: pixels a side; ``picture``: (size, size, 4), opaque, or None for nothing."""

    size: int
    picture: Stored | None = None

    def behind(self, frame: Stored) -> Stored:
        """A square picture at the size, before this; blended as viewers do, in sRGB."""
        sized = resized(frame, self.size, self.size)
        return sized if self.picture is None else _over(sized, self.picture)


def open_backdrop(text: str | None, size: int) -> Backdrop:
    """What a colour (``#ff8800``, ``white``) or the path of a picture says; None: nothing.

    Raises:
        InputError: neither a colour nor a picture.
    """
    if text is None:
        return Backdrop(size)
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        if not Path(text).exists():
            raise InputError(
                f"background {text}: is no colour and no file; give white, #ff8800 or a picture"
            ) from None
        return Backdrop(size, _filling(read_drawing(Path(text)).picture, size))
    flat = np.empty((size, size, 4), np.uint8)
    flat[...] = (*colour[:3], 255)
    return Backdrop(size, flat)


def css_colour(text: str) -> str:
    """A colour as #rrggbb; ``InputError`` where it is none."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(text)
    except ValueError:
        raise InputError(
            f"background {text}: is no colour; give green, #00ff00 or another"
        ) from None
    return f"#{red:02x}{green:02x}{blue:02x}"


def _filling(picture: Stored, size: int) -> Stored:
    """The middle of a picture, scaled to fill (size, size), on white."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    return _over(resized(square, size, size), np.full((size, size, 4), 255, np.uint8))


def _over(frame: Stored, ground: Stored) -> Stored:
    page = Image.fromarray(ground, "RGBA")
    page.alpha_composite(Image.fromarray(frame, "RGBA"))
    return np.array(page)
