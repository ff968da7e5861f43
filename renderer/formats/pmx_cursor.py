"""The PMX header, and the cursor that knows what it decides: text encoding and index sizes."""

from __future__ import annotations

from dataclasses import dataclass
from struct import calcsize

import numpy as np

from renderer.formats.cursor import Cursor
from renderer.formats.model import I32

# Letters that ``struct`` and numpy both read (numpy with "<" before them).
_SIGNED = {1: "b", 2: "h", 4: "i"}
_UNSIGNED = {1: "B", 2: "H", 4: "i"}
_MAX_TEXT_BYTES = 1 << 20


@dataclass(frozen=True)
class PmxHeader:
    """The globals that decide how everything after them is laid out.

    The index fields are type letters ("b", "h", "i", "B", "H"): signed with -1 for none, but
    vertex indices of 1 and 2 bytes are unsigned.
    """

    version: float
    encoding: str
    additional_uvs: int
    vertex_index: str
    texture_index: str
    material_index: str
    bone_index: str
    morph_index: str
    rigid_body_index: str


def unsigned_beyond(letter: str, indices: I32, count: int) -> I32:
    """Indices as they were meant by a writer that took them for unsigned.

    Where there are more records than a signed index of type ``letter`` can number, an index below
    -1 is that of the same bits without the sign.
    """
    span = 1 << 8 * calcsize(letter)
    if count <= span // 2 or not (indices < -1).any():
        return indices
    wrapped = indices.astype(np.int64) + span
    meant: I32 = np.where((indices < -1) & (wrapped < count), wrapped, indices).astype(np.int32)
    return meant


class PmxCursor(Cursor):
    """A cursor that also knows the file's text encoding and index sizes."""

    def __init__(self, data: bytes, file_name: str) -> None:
        super().__init__(data, file_name)
        self.header = _read_header(self)

    def text(self, what: str) -> str:
        """A length-prefixed text; undecodable bytes become replacement characters."""
        size = self._text_size(what)
        return self.raw(size, what).decode(self.header.encoding, errors="replace").rstrip("\0")

    def skip_names(self) -> None:
        """Move on by a name and an english name."""
        self.skip(self._text_size("a name"), "a name")
        self.skip(self._text_size("an english name"), "an english name")

    def reference(self, letter: str, index: int, count: int) -> int:
        """``index``, read as ``letter``, if there is such an entry among ``count``; else -1.

        See ``unsigned_beyond`` for one below -1.
        """
        meant = index if index >= -1 else index + (1 << 8 * calcsize(letter))
        return meant if meant < count else -1

    def index(self, letter: str, what: str) -> int:
        """One index of the given type letter."""
        return int(self.unpack(letter, what)[0])

    def _text_size(self, what: str) -> int:
        size: int
        (size,) = self.unpack("i", what)
        if not 0 <= size <= _MAX_TEXT_BYTES:
            raise self.fault(
                f"{what} claims {size} bytes of text; the file is corrupt, get it again",
                offset=self.offset - 4,
            )
        return size


def _read_header(cursor: Cursor) -> PmxHeader:
    signature = cursor.raw(4, "the signature")
    if signature[:3].upper() != b"PMX":
        raise cursor.fault("no PMX signature; this is not a PMX file", "not-a-model", 0)
    if signature[3:] != b" ":
        # Some authors change it so that editors refuse the file.
        cursor.mend(f"header: the signature ends with byte {signature[3]}, not with a blank")
    (version,) = cursor.unpack("f", "the version")
    if round(version, 2) not in (2.0, 2.1):
        raise cursor.fault(f"PMX version {version:g}; only 2.0 and 2.1 are known", offset=4)
    size = cursor.u8("the number of globals")
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
