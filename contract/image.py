"""THE picture convention, and the exact conversions between its two forms.

Stored form: (H, W, 4) uint8, straight (not premultiplied) alpha, sRGB; a pixel off the character
is exactly (0, 0, 0, 0), one on it has alpha > 0. Chin and skull top lie on the edges of the middle
half of the picture (rows 192 and 64 of 256) and the head is centred in x.

Network form: (4, H, W) float32 in [-1, 1]: RGB converted sRGB -> linear light, alpha untouched,
all four channels mapped by ``v * 2 - 1``; the background is (-1, -1, -1, -1).

What converts elsewhere, on the device that trains, gives these numbers to the bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PICTURE_VERSION = 1
PICTURE_CONVENTION = "srgb-straight-rgba8-middle-half-v1"
DEFAULT_SIZE = 256
SKULL_TOP_FRACTION = 0.25
CHIN_FRACTION = 0.75

Stored = npt.NDArray[np.uint8]
"""A picture in the stored form."""
NetworkPicture = npt.NDArray[np.float32]
"""A picture in the network form."""

_SRGB_KNEE = 0.04045
_LINEAR_KNEE = 0.0031308


def head_rows(size: int) -> tuple[int, int]:
    """First row of the head and first row below it, for a picture ``size`` pixels high."""
    return round(size * SKULL_TOP_FRACTION), round(size * CHIN_FRACTION)


def srgb_to_linear(srgb: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """IEC 61966-2-1 decoding of values in [0, 1], any shape."""
    high = ((srgb + 0.055) / 1.055) ** 2.4
    return np.where(srgb <= _SRGB_KNEE, srgb / 12.92, high).astype(np.float32)


def linear_to_srgb(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """IEC 61966-2-1 encoding of values in [0, 1], any shape."""
    high = 1.055 * np.maximum(linear, _LINEAR_KNEE) ** (1 / 2.4) - 0.055
    return np.where(linear <= _LINEAR_KNEE, linear * 12.92, high).astype(np.float32)


# One entry per stored byte, so that decoding is a table look-up: exact and fast.
_BYTES: npt.NDArray[np.float32] = (np.arange(256) / 255).astype(np.float32)
COLOUR_BYTE_TO_NETWORK = srgb_to_linear(_BYTES) * np.float32(2) - np.float32(1)
ALPHA_BYTE_TO_NETWORK = _BYTES * np.float32(2) - np.float32(1)


def stored_to_network(picture: Stored) -> NetworkPicture:
    """(H, W, 4) stored form -> (4, H, W) network form; colour under alpha 0 is forced to 0."""
    clean = np.where(picture[..., 3:] == 0, np.uint8(0), picture)
    colour = COLOUR_BYTE_TO_NETWORK[clean[..., :3]]
    alpha = ALPHA_BYTE_TO_NETWORK[clean[..., 3:]]
    return np.ascontiguousarray(np.concatenate([colour, alpha], axis=-1).transpose(2, 0, 1))


def network_to_stored(picture: NetworkPicture) -> Stored:
    """(4, H, W) network form -> (H, W, 4) stored form; values outside [-1, 1] are clamped."""
    unit = np.clip((picture.transpose(1, 2, 0) + 1) / 2, 0, 1).astype(np.float32)
    srgb = np.concatenate([linear_to_srgb(unit[..., :3]), unit[..., 3:]], axis=-1)
    stored: Stored = np.rint(srgb * 255).astype(np.uint8)
    stored[stored[..., 3] == 0] = 0
    return stored


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
