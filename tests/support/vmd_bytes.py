"""VMD files put together field by field; shares no code with the reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence

LINEAR = (20, 20, 107, 107)


def bone(
    name: str,
    frame: int,
    rotation: Sequence[float] = (0, 0, 0, 1),
    position: Sequence[float] = (0, 0, 0),
    curve: Sequence[int] = LINEAR,
) -> bytes:
    """A keyframe; ``curve``: x1, y1, x2, y2 of the rotation (0..127), those of x, y, z linear."""
    points = [
        byte for pair in zip(LINEAR, curve, strict=True) for byte in (*[pair[0]] * 3, pair[1])
    ]
    rows = [points[shift:] + [1] * shift for shift in range(4)]
    rows[0][2:4] = [99, 15]  # MMD's mark for physics that are off
    curves = bytes(byte for row in rows for byte in row)
    head = name.encode("cp932").ljust(15, b"\0")
    return head + struct.pack("<I7f", frame, *position, *rotation) + curves


def morph(name: str, frame: int, weight: float) -> bytes:
    return name.encode("cp932").ljust(15, b"\0") + struct.pack("<If", frame, weight)


def vmd(bones: Sequence[bytes] = (), morphs: Sequence[bytes] = ()) -> bytes:
    """Header, bones and morphs; nothing behind them."""
    header = b"Vocaloid Motion Data 0002".ljust(30, b"\0") + "誰か".encode("cp932").ljust(20, b"\0")
    sections = [struct.pack("<I", len(part)) + b"".join(part) for part in (bones, morphs)]
    return header + b"".join(sections)
