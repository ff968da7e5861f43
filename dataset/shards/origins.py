"""Origins <-> bytes: steps from each place to the one on its right, in planes, and deflated."""

from __future__ import annotations

import zlib

import numpy as np
from isal import isal_zlib

from contract.errors import ShardError
from contract.origins import ORIGINS_SIDE, SEEN, Origins

_PIXELS = ORIGINS_SIDE**2
_RAW_BYTES = 5 * _PIXELS
MAX_ORIGINS_BYTES = _RAW_BYTES + _RAW_BYTES // 8 + 1024
"""No encoded origins are longer."""


def encode_origins(origins: Origins) -> bytes:
    """The bytes of one sample's origins."""
    steps = np.diff(origins.places, axis=1, prepend=np.int16(0)).astype("<i2")
    # High bytes are nearly all the same: apart from the low ones they take no room.
    planes = np.moveaxis(np.ascontiguousarray(steps).view(np.uint8), -1, 0)
    return isal_zlib.compress(planes.tobytes() + origins.shown.tobytes(), 1)


def decode_origins(data: bytes) -> Origins:
    """The origins of ``data``, which may be hostile.

    Raises:
        ShardError: the bytes are no origins; nothing larger than such are is allocated.
    """
    try:
        raw = zlib.decompressobj().decompress(data, _RAW_BYTES + 1)
    except zlib.error as error:
        raise ShardError("the bytes are no origins") from error
    if len(raw) != _RAW_BYTES:
        raise ShardError(f"{len(raw)} bytes of origins, not {_RAW_BYTES}")
    planes = np.frombuffer(raw, np.uint8)
    shown = planes[4 * _PIXELS :].reshape(ORIGINS_SIDE, ORIGINS_SIDE)
    if shown.max() > SEEN:
        raise ShardError(f"origins that are shown as {shown.max()}")
    steps = planes[: 4 * _PIXELS].reshape(4, ORIGINS_SIDE, ORIGINS_SIDE)
    places = np.ascontiguousarray(np.moveaxis(steps, 0, -1)).view("<i2")
    return Origins(np.cumsum(places, axis=1, dtype=np.int16), shown.copy())
