"""GIF, APNG and WebP, written frame by frame: whatever their number, two frames are held.

Pillow encodes each frame; it would hold all of them to write one file. A frame is cut to what is
seen of it, which is cleared before the next; frames that equal the one before lengthen it.

Sources: the GIF89a specification, the PNG specification's third edition (acTL, fcTL, fdAT), and
the WebP container specification (VP8X, ANIM, ANMF).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from contract.image import Stored

CLEAR = 255
"""Of a GIF's palette: the colour that is none."""
LARGEST_RIFF = (1 << 32) - 2
"""Bytes of a WebP file: its length is a number of 32 bits."""

_GIF_LONGEST = 655_350  # milliseconds, in hundredths of a second of 16 bits
_WEBP_LONGEST = (1 << 24) - 1  # milliseconds
_PNG_MOST = 65535  # of a delay's numerator and denominator
_DISPOSE_TO_CLEAR, _REPLACE = 1, 0
_WEBP_ANIMATION, _WEBP_ALPHA = 0x02, 0x10
_WEBP_CLEAR_AFTER, _WEBP_NO_BLENDING = 0x01, 0x02

Indices = npt.NDArray[np.uint8]


class TooLongError(Exception):
    """More bytes than a kind of file can have."""


@dataclass(frozen=True)
class _Shown:
    """What is seen of a frame, from (left, top) on, and for how many units of time."""

    picture: Stored
    left: int
    top: int
    time: int


# GIF.


def write_gif(
    file: BinaryIO, frames: Iterable[Indices], palette: bytes, milliseconds: Iterable[int]
) -> None:
    """Frames (H, W) of numbers in a palette of 256 colours (768 bytes), ``CLEAR`` for none."""
    timed = zip(frames, milliseconds, strict=True)
    for number, shown in enumerate(_merged(timed, _seen_indices, _GIF_LONGEST)):
        if number == 0:
            height, width = shown.picture.shape
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette)
            file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")  # for ever
        image = Image.fromarray(np.ascontiguousarray(shown.picture), "P")
        options = {"transparency": CLEAR, "duration": shown.time, "disposal": 2}
        for part in GifImagePlugin.getdata(image, (shown.left, shown.top), **options):
            file.write(part)
    file.write(b";")


def _seen_indices(frame: Indices) -> npt.NDArray[np.bool_]:
    return np.asarray(frame != CLEAR)


# APNG.


def write_apng(file: BinaryIO, frames: Iterable[Stored], fps: float) -> None:
    """Frames (H, W, 4), each byte kept."""
    delay = Fraction(1 / fps).limit_denominator(_PNG_MOST)
    timed = ((frame, 1) for frame in frames)
    file.write(b"\x89PNG\r\n\x1a\n")
    counted, sequence, number = 0, 0, 0
    for number, shown in enumerate(_merged(timed, _seen, _PNG_MOST // delay.numerator), 1):
        height, width = shown.picture.shape[:2]
        if number == 1:
            _png_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
            counted = file.tell()
            _png_chunk(file, b"acTL", struct.pack(">II", 0, 0))
        place = struct.pack(">IIIII", sequence, width, height, shown.left, shown.top)
        time = struct.pack(">HH", delay.numerator * shown.time, delay.denominator)
        _png_chunk(file, b"fcTL", place + time + bytes([_DISPOSE_TO_CLEAR, _REPLACE]))
        sequence += 1
        packed = _png_pixels(shown.picture)
        if number == 1:
            _png_chunk(file, b"IDAT", packed)
        else:
            _png_chunk(file, b"fdAT", struct.pack(">I", sequence) + packed)
            sequence += 1
    _png_chunk(file, b"IEND", b"")
    file.seek(counted)
    _png_chunk(file, b"acTL", struct.pack(">II", number, 0))  # for ever
    file.seek(0, io.SEEK_END)


def _png_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(kind + data)))


def _png_pixels(picture: Stored) -> bytes:
    """What is in the IDAT chunks of a picture's PNG."""
    data, offset, found = _saved(picture, "PNG"), 8, []
    while offset < len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        if kind == b"IDAT":
            found.append(data[offset + 8 : offset + 8 + size])
        offset += 12 + size
    return b"".join(found)


# WebP.


def write_webp(
    file: BinaryIO, frames: Iterable[Stored], milliseconds: int, **options: object
) -> None:
    """Frames (H, W, 4), each with Pillow's ``options`` for WebP.

    Raises:
        TooLongError: the file would have over 4 GiB.
    """
    timed = ((frame, milliseconds) for frame in frames)
    for number, shown in enumerate(_merged(timed, _seen, _WEBP_LONGEST, even=True)):
        height, width = shown.picture.shape[:2]
        if number == 0:
            file.write(b"RIFF\0\0\0\0WEBP")
            canvas = _three(width - 1) + _three(height - 1)
            _riff_chunk(file, b"VP8X", bytes([_WEBP_ANIMATION | _WEBP_ALPHA, 0, 0, 0]) + canvas)
            _riff_chunk(file, b"ANIM", bytes(4) + bytes(2))  # for ever
        numbers = shown.left // 2, shown.top // 2, width - 1, height - 1, shown.time
        head = b"".join(map(_three, numbers)) + bytes([_WEBP_CLEAR_AFTER | _WEBP_NO_BLENDING])
        _riff_chunk(file, b"ANMF", head + _webp_pixels(shown.picture, options))
        if file.tell() > LARGEST_RIFF:
            raise TooLongError
    size = file.tell() - 8
    file.seek(4)
    file.write(struct.pack("<I", size))
    file.seek(0, io.SEEK_END)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _riff_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2))


def _webp_pixels(picture: Stored, options: dict[str, object]) -> bytes:
    """The chunks of a picture's WebP that hold its alpha and its colours."""
    data, offset, found = _saved(picture, "WEBP", **options), 12, []
    while offset < len(data):
        kind, size = struct.unpack_from("<4sI", data, offset)
        end = offset + 8 + size + size % 2
        if kind in {b"ALPH", b"VP8 ", b"VP8L"}:
            found.append(data[offset:end])
        offset = end
    return b"".join(found)


# All kinds.


def _saved(picture: Stored, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture), "RGBA").save(out, kind, **options)
    return out.getvalue()


def _seen(frame: Stored) -> npt.NDArray[np.bool_]:
    return np.asarray(frame.any(axis=2))


def _merged(
    timed: Iterable[tuple[Stored, int]],
    seen: Callable[[Stored], npt.NDArray[np.bool_]],
    longest: int,
    *,
    even: bool = False,
) -> Iterator[_Shown]:
    """The frames, equal ones in a row as one of up to ``longest``; all but the first cut to what
    is seen (``even``: from an even row and column on)."""
    whole: Stored | None = None
    time, is_first = 0, True
    for frame, lasts in timed:
        if whole is not None and time + lasts <= longest and np.array_equal(frame, whole):
            time += lasts
            continue
        if whole is not None:
            yield _shown(whole, seen, time, is_first, even)
            is_first = False
        whole, time = frame, lasts
    if whole is not None:
        yield _shown(whole, seen, time, is_first, even)


def _shown(
    frame: Stored,
    seen: Callable[[Stored], npt.NDArray[np.bool_]],
    time: int,
    is_first: bool,
    even: bool,
) -> _Shown:
    if is_first:
        return _Shown(frame, 0, 0, time)  # it says how large the whole is
    flags = seen(frame)
    rows, columns = np.flatnonzero(flags.any(axis=1)), np.flatnonzero(flags.any(axis=0))
    if not len(rows):
        return _Shown(frame[:1, :1], 0, 0, time)
    step = 2 if even else 1
    top, left = int(rows[0]) // step * step, int(columns[0]) // step * step
    return _Shown(frame[top : rows[-1] + 1, left : columns[-1] + 1], left, top, time)
