"""Pictures <-> the bytes of an image codec; both codecs are lossless."""

from __future__ import annotations

import io
import struct
from typing import Literal

import numpy as np
import qoi
from PIL import Image

from contract.errors import ShardError
from contract.image import Stored

Codec = Literal["qoi", "webp"]
CODECS: tuple[Codec, ...] = ("qoi", "webp")
DEFAULT_CODEC: Codec = "qoi"

_QOI_HEADER = struct.Struct(">4sIIBB")  # magic, width, height, channels, colour space
_QOI_END_BYTES = 8
_WORST_BYTES_A_PIXEL = 5  # QOI: one tag and four channels
_CONTAINER_BYTES = 4096  # more than either codec's headers take


def max_encoded_bytes(size: int) -> int:
    """No encoded picture of ``size`` pixels a side is longer than this."""
    return _WORST_BYTES_A_PIXEL * size * size + _CONTAINER_BYTES


def encode(picture: Stored, codec: Codec) -> bytes:
    """The bytes of a picture (size, size, 4) uint8."""
    if codec == "qoi":
        return qoi.encode(np.ascontiguousarray(picture))
    buffer = io.BytesIO()
    # Without ``exact`` WebP changes the colour under alpha 0.
    Image.fromarray(picture, "RGBA").save(buffer, "WEBP", lossless=True, exact=True, method=0)
    return buffer.getvalue()


def decode(data: bytes, codec: Codec, size: int) -> Stored:
    """The picture (size, size, 4) uint8 of ``data``, which may be hostile.

    Raises:
        ShardError: the bytes are no picture of that codec and size; nothing larger than such a
            picture is allocated.
    """
    return _decode_qoi(data, size) if codec == "qoi" else _decode_webp(data, size)


def _decode_qoi(data: bytes, size: int) -> Stored:
    if len(data) < _QOI_HEADER.size + _QOI_END_BYTES:
        raise ShardError(f"{len(data)} bytes are too few for a QOI picture")
    magic, width, height, channels, _ = _QOI_HEADER.unpack_from(data)
    if magic != b"qoif":
        raise ShardError("the bytes are no QOI picture")
    if (width, height, channels) != (size, size, 4):
        raise ShardError(f"{width}x{height} with {channels} channels, not {size}x{size} with 4")
    try:
        return qoi.decode(data)
    except RuntimeError as error:
        raise ShardError(f"the QOI picture does not decode ({error})") from error


def _decode_webp(data: bytes, size: int) -> Stored:
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            if image.size != (size, size):
                raise ShardError(f"{image.width}x{image.height}, not {size}x{size}")
            return np.array(image.convert("RGBA"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ShardError(f"the bytes are no WebP picture ({error})") from error
