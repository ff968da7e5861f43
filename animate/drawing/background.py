"""What a character stands before: nothing, a colour, or a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from animate.drawing.drawing import read_drawing, resized
from contract.errors import InputError
from contract.image import Stored


@dataclass(frozen=True)
class Background:
    """``picture``: (size, size, 4), opaque."""

    picture: Stored

    def under(self, frame: Stored) -> Stored:
        """The frame on it, opaque; blended as viewers do, in sRGB."""
        page = Image.fromarray(self.picture, "RGBA")
        page.alpha_composite(Image.fromarray(frame, "RGBA"))
        return np.array(page)


def background(text: str, size: int) -> Background:
    """A colour (``#ff8800``, ``white``) or a picture file, which fills the square.

    Raises:
        InputError: neither.
    """
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        if not Path(text).exists():
            raise InputError(
                f"background {text}: is no colour and no file; give white, #ff8800 or a picture"
            ) from None
        return Background(_filling(read_drawing(Path(text)).picture, size))
    flat = np.empty((size, size, 4), np.uint8)
    flat[...] = (*colour[:3], 255)
    return Background(flat)


def _filling(picture: Stored, size: int) -> Stored:
    """The middle of a picture, scaled to fill (size, size), on white."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = resized(
        np.ascontiguousarray(picture[top : top + side, left : left + side]), size, size
    )
    white = np.full((size, size, 4), 255, np.uint8)
    return Background(white).under(square)
