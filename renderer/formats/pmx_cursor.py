"""The PMX header, and the cursor that knows what it decides: text encoding and index sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from renderer.formats.cursor import Cursor

_SIGNED = {1: "<i1", 2: "<i2", 4: "<i4"}
_UNSIGNED = {1: "<u1", 2: "<u2", 4: "<i4"}
_MAX_TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class PmxHeader:
    """The globals that decide how everything after them is laid out."""

    version: float
    encoding: str
    additional_uvs: int
    vertex_index: npt.DTypeLike
    texture_index: npt.DTypeLike
    material_index: npt.DTypeLike
    bone_index: npt.DTypeLike
    morph_index: npt.DTypeLike
    rigid_body_index: npt.DTypeLike


class PmxCursor(Cursor):
    """A cursor that also knows the file's text encoding and index sizes."""

    def __init__(self, data: bytes, file_name: str) -> None:
        super().__init__(data, file_name)
        self.header = _read_header(self)

    def text(self, what: str) -> str:
        """A length-prefixed text; undecodable bytes become replacement characters."""
        return _read_text(self, self.header.encoding, what)

    def index(self, dtype: npt.DTypeLike, what: str) -> int:
        """One index of the given size."""
        return int(self.array(dtype, 1, what)[0])


def _read_text(cursor: Cursor, encoding: str, what: str) -> str:
    (size,) = cursor.unpack("i", f"the length of {what}")
    if not 0 <= size <= _MAX_TEXT_BYTES:
        raise cursor.fault(f"{what} claims {size} bytes of text; the file is corrupt, get it again")
    return cursor.raw(size, what).decode(encoding, errors="replace").rstrip("\0")


def _read_header(cursor: Cursor) -> PmxHeader:
    if cursor.raw(4, "the signature").upper() != b"PMX ":
        raise cursor.fault("no PMX signature; this is not a PMX file", "not-a-model", 0)
    (version,) = cursor.unpack("f", "the version")
    if round(version, 2) not in (2.0, 2.1):
        raise cursor.fault(f"PMX version {version:g}; only 2.0 and 2.1 are known", offset=4)
    (size,) = cursor.unpack("B", "the number of globals")
    if size < 8:
        raise cursor.fault(f"{size} globals; PMX has at least 8", offset=8)
    encoding, additional_uvs, *sizes = cursor.raw(size, "the globals")[:8]
    if encoding > 1 or additional_uvs > 4 or any(width not in _SIGNED for width in sizes):
        raise cursor.fault(
            "the globals are impossible (text encoding 0-1, additional uvs 0-4, index sizes 1, 2, "
            f"4; found {[encoding, additional_uvs, *sizes]})",
            offset=9,
        )
    return PmxHeader(
        round(float(version), 2),
        "utf-8" if encoding else "utf-16-le",
        additional_uvs,
        _UNSIGNED[sizes[0]],
        *(_SIGNED[width] for width in sizes[1:]),
    )
