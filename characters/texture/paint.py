"""Painting: soft-edged shapes on float images, and PNG bytes.

Images are (H, W, 3) float64 in [0, 1], sRGB. Coordinates handed to shapes are arrays that broadcast
to (H, W), so a painter works in whatever units suit its picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from characters.base.curves import F64, ease
from characters.design.spec import Colour

_INVISIBLE = 1 / 1024


def canvas(height: int, width: int) -> tuple[F64, F64]:
    """u (1, width) and v (height, 1) in (0, 1) at pixel centres.

    They broadcast to the picture, so what depends on one of them alone costs next to nothing.
    """
    u = (np.arange(width) + 0.5) / width
    v = (np.arange(height) + 0.5) / height
    return u[None], v[:, None]


def fill(height: int, width: int, colour: Colour) -> F64:
    """A picture of one colour."""
    return np.broadcast_to(np.array(colour), (height, width, 3)).copy()


def over(picture: F64, colour: Colour | F64, amount: F64 | float) -> None:
    """Blend ``colour`` (3) into ``picture`` by ``amount`` in [0, 1] (to (H, W)), in place."""
    share = np.broadcast_to(np.asarray(amount, np.float64), picture.shape[:2])
    rows = np.flatnonzero(share.max(1) > _INVISIBLE)
    if not len(rows):
        return
    # Most shapes touch few rows; the others stay as they are.
    band = slice(rows[0], rows[-1] + 1)
    part = picture[band]
    part += (np.asarray(colour) - part) * share[band, :, None]


def multiply(picture: F64, colour: Colour, amount: F64) -> None:
    """Multiply by ``colour`` where ``amount`` is 1, in place."""
    picture *= 1 + (np.asarray(colour) - 1) * amount[..., None]


def disc(
    u: F64, v: F64, centre: tuple[float, float], radius: tuple[float, float], soft: float
) -> F64:
    """1 inside an ellipse, 0 outside; the edge is ``soft`` wide, relative to the radius."""
    distance = np.hypot((u - centre[0]) / radius[0], (v - centre[1]) / radius[1])
    return ease(distance, 1 + soft / 2, 1 - soft / 2)


def in_8_bits(picture: F64) -> npt.NDArray[np.uint8]:
    """The picture, (H, W, 3) or with alpha (H, W, 4), as bytes."""
    pixels: npt.NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels
