"""Sound bytes made wrong: anywhere, and where it tells.

A mutator takes a generator of random numbers and bytes, and gives other bytes. Everything is
decided by the generator, so an input can be made again from its number.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator
Mutator = Callable[[Rng, bytes], bytes]
Mark = tuple[int, str]
"""Where a number stands that decides something, and its ``struct`` letter."""

_TELLING = (
    0,
    1,
    2,
    3,
    7,
    8,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    1 << 24,
    (1 << 31) - 1,
)
_TELLING_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, -1e38, float("inf"), float("nan"))
_LONGEST = 1 << 20


def pick(rng: Rng, values: Sequence[Any]) -> Any:  # noqa: ANN401
    """One of some values."""
    return values[int(rng.integers(len(values)))]


def anywhere(rng: Rng, data: bytes) -> bytes:
    """One to eight changes of bytes: set, inserted, removed, doubled, cut, or filled."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        _change(rng, changed)
    return bytes(changed[:_LONGEST])


def _change(rng: Rng, data: bytearray) -> None:
    at = int(rng.integers(len(data) + 1))
    size = int(rng.integers(1, 1 + min(64, len(data) or 1)))
    match int(rng.integers(7)):
        case 0 if at < len(data):
            data[at] = int(rng.integers(256))
        case 1 if at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        case 2:
            data[at:at] = rng.bytes(size)
        case 3:
            del data[at : at + size]
        case 4:
            data[at:at] = data[at : at + size]
        case 5 if rng.random() < 0.3:
            del data[at:]
        case 6:
            data[at : at + size] = bytes([pick(rng, (0, 255, 127, 128))]) * size


def telling(rng: Rng, letter: str) -> bytes:
    """A number that programs are known to stumble over, as ``struct`` packs the letter."""
    if letter in "fd":
        return struct.pack("<" + letter, pick(rng, _TELLING_FLOATS))
    size = struct.calcsize(letter)
    number: int = pick(rng, _TELLING) * pick(rng, (1, 1, 1, -1)) + int(rng.integers(-1, 2))
    return (number & (1 << 8 * size) - 1).to_bytes(size, "little")


def at_marks(marks: Sequence[Mark]) -> Mutator:
    """Sets one to three of the marked numbers, and sometimes changes bytes too."""

    def mutate(rng: Rng, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            at, letter = pick(rng, marks)
            new = telling(rng, letter)
            changed[at : at + len(new)] = new
        return anywhere(rng, bytes(changed)) if rng.random() < 0.2 else bytes(changed)

    return mutate


def any_number(rng: Rng, data: bytes) -> bytes:
    """Sets one to four numbers of 1 to 4 bytes, or floats, wherever they stand."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        new = telling(rng, pick(rng, "bhif"))
        at = int(rng.integers(max(1, len(data) - len(new))))
        changed[at : at + len(new)] = new
    return bytes(changed)


# JSON.

_TELLING_VALUES: tuple[object, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        0.5,
        1e-300,
        1e308,
        -1e308,
        float("nan"),
        float("inf"),
        1 << 63,
        1 << 200,
    ),
    *("", "a", "..", "../../etc/passwd", "/", "\0", "\ud800", "あ" * 300, "-", "NaN", "\\x00"),
    *([], {}, [[]], {"": None}, [0] * 1000, ["a", 1, None]),
)


def in_json(rng: Rng, data: bytes) -> bytes:
    """A document with one to three values set, removed, added or moved, or its bytes changed."""
    if rng.random() < 0.15:
        return anywhere(rng, data)
    document = json.loads(data.decode("utf-8", "surrogatepass"))
    for _ in range(int(rng.integers(1, 4))):
        document = _changed(rng, document)
    if rng.random() < 0.02:
        depth = int(rng.integers(1, 200_000))
        return b"[" * depth + b"]" * depth
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _changed(rng: Rng, value: object) -> object:
    """The value with something in it changed."""
    if not value or not isinstance(value, dict | list) or rng.random() < 0.15:
        return pick(rng, _TELLING_VALUES)
    if isinstance(value, list):
        return _changed_list(rng, list(value))
    changed = dict(value)
    name = pick(rng, list(changed))
    match int(rng.integers(8)):
        case 0:
            del changed[name]
        case 1:
            changed[pick(rng, ("x", "", "time", "version", "path"))] = pick(rng, _TELLING_VALUES)
        case 2:
            changed[name] = changed[pick(rng, list(changed))]
        case _:
            changed[name] = _changed(rng, changed[name])
    return changed


def _changed_list(rng: Rng, values: list[object]) -> list[object]:
    at = int(rng.integers(len(values)))
    match int(rng.integers(6)):
        case 0:
            del values[at]
        case 1:
            values.insert(at, pick(rng, _TELLING_VALUES))
        case 2:
            values *= int(rng.integers(2, 20))
        case _:
            values[at] = _changed(rng, values[at])
    return values


def in_lines(rng: Rng, data: bytes) -> bytes:
    """Lines of JSON: one is changed, doubled, removed, moved, joined with the next, or cut."""
    lines = data.split(b"\n")
    at = int(rng.integers(max(1, len(lines) - 1)))
    match int(rng.integers(8)):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            del lines[at]
        case 2:
            lines.append(lines.pop(at))
        case 3:
            lines[at] = lines[at] + lines.pop(at + 1) if at + 1 < len(lines) else b"{"
        case 4:
            return b"\n".join(lines)[: int(rng.integers(len(data) + 1))]
        case _:
            try:
                lines[at] = in_json(rng, lines[at])
            except ValueError:
                lines[at] = anywhere(rng, lines[at])
    return b"\n".join(lines)


# Kinds of files with sums over their parts.


def in_png(rng: Rng, data: bytes) -> bytes:
    """Chunks changed, moved, doubled or removed; the sums are right, most of the time."""
    chunks, offset = [], 8
    while offset + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        chunks.append((kind, data[offset + 8 : offset + 8 + size]))
        offset += 12 + size
    if not chunks:
        return anywhere(rng, data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(chunks)))
        kind, inner = chunks[at]
        match int(rng.integers(6)):
            case 0:
                chunks.insert(int(rng.integers(len(chunks))), (kind, inner))
            case 1 if len(chunks) > 1:
                del chunks[at]
            case 2:
                other = pick(rng, (b"tRNS", b"PLTE", b"acTL", b"fcTL", b"eXIf", b"iCCP", b"IDAT"))
                chunks.insert(at, (other, rng.bytes(int(rng.integers(40)))))
            case 3 if kind == b"IDAT":
                unpacked = zlib.decompressobj().decompress(inner, 1 << 16)
                chunks[at] = kind, zlib.compress(anywhere(rng, unpacked))
            case _:
                chunks[at] = kind, anywhere(rng, inner)
    parts = [
        struct.pack(">I", len(inner)) + kind + inner + struct.pack(">I", zlib.crc32(kind + inner))
        for kind, inner in chunks
    ]
    made = data[:8] + b"".join(parts)
    return anywhere(rng, made) if rng.random() < 0.1 else made


def in_archive(rng: Rng, data: bytes) -> bytes:
    """A zip archive with an entry changed, renamed, removed or packed, its sums being right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    pickles = [n for n, (name, _) in enumerate(entries) if name.endswith(".pkl")]
    for _ in range(int(rng.integers(1, 3))):
        at = pickles[0] if rng.random() < 0.6 else int(rng.integers(len(entries)))
        name, inner = entries[at]
        match int(rng.integers(8)):
            case 0:
                entries[at] = name + "x", inner
            case 1:
                entries[at] = name, b""
            case 2:
                entries[at] = name, any_number(rng, inner)
            case _:
                entries[at] = name, anywhere(rng, inner)
    out = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if rng.random() < 0.02 else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, inner in entries:
            archive.writestr(name, inner)
    return out.getvalue()
