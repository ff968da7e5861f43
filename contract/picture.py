"""Pictures as files: those of strangers, decoded within bounds; ours as PNG.

What decoding will take is known from a picture's header, and refused there; what is larger than
anybody needs is reduced before it is converted, band by band.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

MAX_SIDE = 16_384
MAX_PIXELS = 1 << 26
MAX_DECODING_BYTES = 400 << 20
"""Of memory, for the pixels as Pillow decodes them; a file that is read whole comes on top."""

Fault = Literal["unknown", "damaged", "too-large"]
Pixels = npt.NDArray[np.uint8]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_LOOKS = frozenset({b"acTL", b"eXIf", b"iCCP", b"sRGB"})
_WEBP_BYTES, _DDS_BYTES, _SLOW_BYTES, _PROGRESSIVE_BYTES = 16, 8, 64, 8
"""A pixel; measured. Decoders written in Python are bounded by their time, in these units too."""
_SLOW_DECODERS = {"dds_rgb", "bmp_rle"}
_ORIENTATION = 0x0112
_TIFF_BITS, _TIFF_SAMPLES = 258, 277
_TIFF_STRIP_ROWS, _TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT = 278, 322, 323
_BAND_PIXELS = 1 << 20
_BLOCK_BYTES = 64 << 20
"""Of what Pillow asks for at once. Of less than 32 MiB, the C library may keep what is let go of
(M_MMAP_THRESHOLD of mallopt(3)): a page that opens one drawing after another would hold several."""
_DEEP = {"I;16", "I;16B", "I;16L", "I;16N", "I", "F"}
_DECODING_FAULTS = (
    # What Pillow's decoders raise on broken data; found by reading its plugins, and by fuzzing.
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    RuntimeError,  # NotImplementedError too
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
QUICK, USUAL = 1, 3
"""How hard to compress; the pixels are the same."""


class PictureError(Exception):
    """A picture that is not decoded; the text says why, without naming it."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault: Fault = fault


@dataclass(frozen=True)
class Decoded:
    """The first frame of a picture, as its file has it.

    ``width`` and ``height`` are the file's; ``image`` may be smaller, see ``decode``.
    ``orientation``: EXIF's, 1 to 8.
    """

    image: Image.Image
    width: int
    height: int
    orientation: int
    is_animated: bool


def decode(file: BinaryIO, formats: tuple[str, ...], side: int) -> Decoded:
    """Decode a picture that may be hostile.

    side: of pixels that are wanted; where a format can be decoded at a fraction of its size it is,
    but not below this.

    Raises:
        PictureError: unknown, damaged, or too large, which is known before pixels are decoded.
    """
    Image.core.set_block_size(_BLOCK_BYTES)  # type: ignore[attr-defined]  # by its manual
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bound, which is larger, only warns
            with Image.open(file, formats=formats) as image:
                width, height = image.size
                _require_bounds(image)
                if max(width, height) > side:
                    image.draft(None, fitted((width, height), side))
                animated = bool(getattr(image, "is_animated", False))  # before: it may look ahead
                image.load()
                _require_palette(image)
                return Decoded(image, width, height, _orientation(image), animated)
    except UnidentifiedImageError as error:
        raise PictureError("unknown", "no known kind of picture") from error
    except _DECODING_FAULTS as error:
        raise PictureError("damaged", f"{error!s:.100}" or type(error).__name__) from error


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _DECODING_FAULTS:
        return 1  # notes that cannot be read turn nothing
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _require_palette(image: Image.Image) -> None:
    """Pillow loads a palette that is missing or wrong, and raises when colours are asked for."""
    if image.mode in {"P", "PA"}:
        if image.palette is None:
            raise ValueError("it has no palette")
        image.crop((0, 0, 1, 1)).convert("RGBA")


def _require_bounds(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            "too-large",
            f"{width}x{height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS >> 20} million in "
            "all are decoded",
        )
    wanted = _decoding_bytes(image)
    if wanted > MAX_DECODING_BYTES:
        raise PictureError(
            "too-large",
            f"{width}x{height} pixels as {image.format} take {wanted >> 20} MiB to decode, and at "
            f"most {MAX_DECODING_BYTES >> 20} are given",
        )


def _decoding_bytes(image: Image.Image) -> int:
    """What decoding takes at its worst, by the file's header."""
    pixels = image.width * image.height
    decoders = {tile[0] for tile in getattr(image, "tile", ())}
    if image.format == "DDS":
        return pixels * (_SLOW_BYTES if decoders & _SLOW_DECODERS else _DDS_BYTES)
    if decoders & _SLOW_DECODERS:
        return pixels * _SLOW_BYTES
    if image.format == "WEBP":
        return pixels * _WEBP_BYTES
    if image.format == "JPEG":
        held = _PROGRESSIVE_BYTES if image.info.get("progressive") else 0
        return pixels * (4 + held)
    return pixels * 4 + (_tiff_piece_bytes(image) if image.format == "TIFF" else 0)


def _tiff_piece_bytes(image: Image.Image) -> int:
    """Of the largest strip or tile of a TIFF, which is unpacked whole."""
    tags = getattr(image, "tag_v2", {})

    def number(tag: int, default: int) -> int:
        found = tags.get(tag, default)
        return max(map(int, found)) if isinstance(found, tuple) else int(found)

    width, rows = image.width, min(number(_TIFF_STRIP_ROWS, image.height), image.height)
    if _TIFF_TILE_WIDTH in tags:
        width, rows = number(_TIFF_TILE_WIDTH, width), number(_TIFF_TILE_HEIGHT, rows)
    bits = number(_TIFF_BITS, 1) * number(_TIFF_SAMPLES, 1)
    return max(width, 1) * max(rows, 1) * max(bits, 1) // 8


def bare_png(file: BinaryIO, *, with_looks: bool) -> BinaryIO:
    """A file as it is, or of a PNG what decides its pixels (``with_looks``: and how they are
    shown): texts, dates and the like may be of any size, and broken, without changing those."""
    if file.read(len(_PNG_SIGNATURE)) != _PNG_SIGNATURE:
        file.seek(0)
        return file
    wanted = _PNG_PIXELS | (_PNG_LOOKS if with_looks else set())
    kept = io.BytesIO()
    kept.write(_PNG_SIGNATURE)
    end = file.seek(0, io.SEEK_END)
    offset = len(_PNG_SIGNATURE)
    while offset + 8 <= end:
        file.seek(offset)
        head = file.read(8)
        size, kind = struct.unpack(">I4s", head)
        if kind in wanted:
            kept.write(head)
            kept.write(file.read(min(size + 4, end - offset - 8)))
        offset += 12 + size
    kept.seek(0)
    return kept


# Reduced and converted, band by band.


def is_deep_grey(image: Image.Image) -> bool:
    """Whether a picture is grey of more than 8 bits."""
    return image.mode in _DEEP


def grey_of_8_bits(image: Image.Image) -> Image.Image:
    """Deep grey scaled to 8 bits, which Pillow would clip; floating numbers are those of bytes."""
    scale = 1.0 if image.mode == "F" else 257.0
    grey = np.nan_to_num(np.asarray(image, np.float64)) / scale
    return Image.fromarray(np.rint(grey.clip(0, 255)).astype(np.uint8), "L")


def in_rgba(image: Image.Image) -> Image.Image:
    """A picture as RGBA; ``PictureError`` where its colours are of a kind that has no such."""
    try:
        return (grey_of_8_bits(image) if is_deep_grey(image) else image).convert("RGBA")
    except ValueError as error:
        raise PictureError("unknown", f"its colours are {image.mode}") from error


def fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """A size (width, height), scaled down to ``side`` pixels a side where it is larger."""
    shrink = min(1.0, side / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def premultiplied(
    size: tuple[int, int], side: int, rows: Callable[[int, int], Image.Image]
) -> Pixels:
    """Premultiplied RGBA (H, W, 4) of a picture of ``size`` (width, height), ``fitted`` to
    ``side``: each pixel is the mean of those that it stands for.

    ``rows(first, end)`` gives some of the picture's rows. ``PictureError`` as ``in_rgba``.
    """
    width, height = size
    out_width, out_height = fitted(size, side)
    out = np.empty((out_height, out_width, 4), np.uint8)
    step = max(1, _BAND_PIXELS * out_height // (width * height))
    for first in range(0, out_height, step):
        end = min(first + step, out_height)
        top, bottom = first * height / out_height, end * height / out_height
        # A mean may reach over a band's edge by a part of a pixel.
        above, below = max(0, int(top) - 1), min(height, math.ceil(bottom) + 1)
        band = in_rgba(rows(above, below)).convert("RGBa")
        if size != (out_width, out_height):
            box = (0.0, top - above, float(width), min(bottom - above, float(band.height)))
            band = band.resize((out_width, end - first), Image.Resampling.BOX, box)
        elif above < first or below > end:
            band = band.crop((0, first - above, width, end - above))
        out[first:end] = np.asarray(band)
    return out


def rows_of(image: Image.Image) -> Callable[[int, int], Image.Image]:
    """The rows of a decoded picture, for ``premultiplied``."""
    return lambda first, end: image.crop((0, first, image.width, end))


def straight(pixels: Pixels) -> Image.Image:
    """Premultiplied pixels (H, W, 4) as an RGBA picture."""
    height, width = pixels.shape[:2]
    return Image.frombuffer("RGBa", (width, height), pixels, "raw", "RGBa", 0, 1).convert("RGBA")


def png_bytes(picture: npt.NDArray[np.uint8], level: int = USUAL) -> bytes:
    """(H, W, 3) RGB or (H, W, 4) RGBA uint8 as the bytes of a PNG; equal for equal pictures."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=level)
    return out.getvalue()
