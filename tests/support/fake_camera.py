"""A film that Chromium takes for a camera, each frame of it numbered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from animate.track.capture import Rgb

WIDTH, HEIGHT = 320, 240
_BIT = 30  # pixels a side of a square that is white for 1, black for 0
_BITS = 7


def write_film(pictures: Iterable[Rgb], path: Path) -> None:
    """Y4M of 30 frames a second; up to 128 pictures, fitted beside their numbers."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg\n".encode())
        for number, picture in enumerate(pictures):
            page = Image.new("RGB", (WIDTH, HEIGHT), "grey")
            page.paste(Image.fromarray(picture).resize((WIDTH - 2 * _BIT, 212)), (2 * _BIT, 14))
            for bit in range(_BITS):
                colour = "white" if number >> bit & 1 else "black"
                page.paste(colour, (0, bit * _BIT, _BIT, (bit + 1) * _BIT))
            y, cb, cr = (np.asarray(plane) for plane in page.convert("YCbCr").split())
            file.write(b"FRAME\n" + y.tobytes())
            file.write(cb[::2, ::2].tobytes() + cr[::2, ::2].tobytes())


def number_of(picture: Rgb) -> int:
    """The number of a frame as it was seen, at any size."""
    scale = picture.shape[1] / WIDTH
    middles = [round((bit + 0.5) * _BIT * scale) for bit in range(_BITS)]
    column = round(_BIT / 2 * scale)
    return sum(int(picture[row, column].mean() > 127) << bit for bit, row in enumerate(middles))
