"""Archives that no library here writes, byte by byte, their files stored as they are."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path


def lzh_of(path: Path, name: bytes, data: bytes) -> Path:
    """A stored file behind a header of level 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    head = b"-lh0-" + struct.pack("<III", len(data), len(data), 0x5A21_0000) + b"\x20\x00"
    head += bytes([len(name)]) + name + struct.pack("<H", crc)
    path.write_bytes(bytes([len(head), sum(head) & 0xFF]) + head + data + b"\0")
    return path


def rar_of(path: Path, files: Mapping[bytes, bytes]) -> Path:
    """RAR 5, names in UTF-8; of the format's description: general archive structure."""
    parts = [b"Rar!\x1a\x07\x01\x00", _rar_block(_numbers(1, 0, 0))]
    for name, data in files.items():
        about = _numbers(0x4, len(data), 0o100644) + struct.pack("<I", zlib.crc32(data))
        about += _numbers(0, 1, len(name)) + name  # stored, made on Unix
        parts += [_rar_block(_numbers(2, 0x2, len(data)) + about), data]
    path.write_bytes(b"".join([*parts, _rar_block(_numbers(5, 0, 0))]))
    return path


def _rar_block(head: bytes) -> bytes:
    head = _numbers(len(head)) + head
    return struct.pack("<I", zlib.crc32(head)) + head


def _numbers(*values: int) -> bytes:
    """Seven bits a byte, the lowest first, the eighth set where more follow."""
    return b"".join(map(_number, values))


def _number(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    return bytes([value & 0x7F | 0x80]) + _number(value >> 7)


def old_rar_of(path: Path, files: Mapping[bytes, bytes]) -> Path:
    """RAR 2 to 4, names in whatever bytes; of its technical note."""
    parts = [b"Rar!\x1a\x07\x00", _old_block(0x73, 0, bytes(6))]
    for name, data in files.items():
        about = struct.pack("<IIBII", len(data), len(data), 3, zlib.crc32(data), 0x5A21_0000)
        about += struct.pack("<BBHI", 20, 0x30, len(name), 0o100644) + name  # stored
        parts += [_old_block(0x74, 0x8000, about), data]
    path.write_bytes(b"".join([*parts, _old_block(0x7B, 0x4000, b"")]))
    return path


def _old_block(kind: int, flags: int, about: bytes) -> bytes:
    head = struct.pack("<BHH", kind, flags, 7 + len(about)) + about
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head
