"""Pictures as PNG. Of the contract only this, ``picture`` and ``sheet`` need Pillow."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

QUICK, USUAL = 1, 3
"""How hard to compress; the pixels are the same."""


def png_bytes(picture: npt.NDArray[np.uint8], level: int = USUAL) -> bytes:
    """(H, W, 3) RGB or (H, W, 4) RGBA uint8 as the bytes of a PNG; equal for equal pictures."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=level)
    return out.getvalue()
