"""A position in a model file's bytes that knows its section, so that faults say where."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError
from renderer.formats.model import Mend

MOST_VERTICES, MOST_INDICES = 1 << 22, 3 << 23
"""Several times what the largest stages have; beyond, posing would take gigabytes."""
MOST_RECORDS = 1 << 16
"""Of a kind that each become an object of their own: bones, morphs, materials and the like. The
largest models have some thousands; a file of nothing but empty ones would take fifty times its
size."""


class Cursor:
    """Reads little-endian values off ``data``; every read is bounds-checked before it allocates.

    The parser says which section it enters; that appears in every ``FormatError``. Where each
    section starts is kept for the faults that only show once all sections are read; ``mends``
    gathers those that need stop nobody.
    """

    def __init__(self, data: bytes, file_name: str) -> None:
        self.data = data
        self.file_name = file_name
        self.offset = 0
        self.section = "header"
        self.section_starts = {"header": 0}
        self.mends: list[Mend] = []

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self.data) - self.offset

    def enter(self, section: str) -> None:
        """Faults from here on lie in ``section``."""
        self.section = section
        self.section_starts[section] = self.offset

    def fault(
        self, fault: str, code: str = "malformed-file", offset: int | None = None
    ) -> FormatError:
        """The error to raise for a fault at ``offset`` (default: here)."""
        at = self.offset if offset is None else offset
        return FormatError(
            f"{self.file_name}: {self.section}, byte {at} of {len(self.data)}: {fault}", code
        )

    def fault_in(self, section: str, fault: str, code: str) -> FormatError:
        """The error to raise for a fault somewhere in a section that was read before."""
        return FormatError(
            f"{self.file_name}: {section}, from byte {self.section_starts[section]} of "
            f"{len(self.data)}: {fault}",
            code,
        )

    def mend(self, text: str) -> None:
        """Note a fault that no picture is the worse for."""
        self.mends.append(Mend(text))

    def passed_over(self, fault: FormatError) -> None:
        """Give up the section that the cursor is in, and all after it: no picture needs them."""
        text = str(fault).removeprefix(f"{self.file_name}: ").split("; ")[0]
        self.mend(f"{text}; no picture needs what follows, left out")

    def require(self, size: int, what: str) -> None:
        """Raise a ``FormatError`` unless ``size`` more bytes are there."""
        if size > len(self.data) - self.offset:
            raise self.fault(
                f"{what} needs {size} bytes, {self.remaining} are left; "
                "the file is cut short or its header lies, get it again",
                "truncated-file",
            )

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        """Values of a ``struct`` layout (without byte order: always little-endian)."""
        layout = "<" + layout
        size = struct.calcsize(layout)
        self.require(size, what)
        values = struct.unpack_from(layout, self.data, self.offset)
        self.offset += size
        return values

    def u8(self, what: str) -> int:
        """One unsigned byte."""
        self.require(1, what)
        self.offset += 1
        return self.data[self.offset - 1]

    def count(self, minimum_record_size: int, what: str, layout: str = "i") -> int:
        """A record count, refused when the file cannot hold that many records."""
        (number,) = self.unpack(layout, f"the number of {what}")
        if number < 0 or number * minimum_record_size > self.remaining:
            raise self.fault(
                f"{number} {what} are announced but only {self.remaining} bytes follow; "
                "the file is cut short or its header lies, get it again",
                "truncated-file",
                self.offset - struct.calcsize("<" + layout),
            )
        return int(number)

    def few(
        self, minimum_record_size: int, what: str, layout: str = "i", most: int = MOST_RECORDS
    ) -> int:
        """A ``count`` of at most ``most``."""
        number = self.count(minimum_record_size, what, layout)
        if number > most:
            raise self.fault(
                f"{number} {what}; no model needs over {most}, the file is corrupt",
                offset=self.offset - struct.calcsize("<" + layout),
            )
        return number

    def array(self, dtype: npt.DTypeLike, count: int, what: str) -> npt.NDArray[Any]:
        """``count`` records as a read-only array over the file's own bytes."""
        record = np.dtype(dtype)
        self.require(record.itemsize * count, what)
        values = np.frombuffer(self.data, record, count, self.offset)
        self.offset += record.itemsize * count
        return values

    def skip(self, size: int, what: str) -> None:
        """Move on by ``size`` bytes that nobody needs."""
        self.require(size, what)
        self.offset += size

    def raw(self, size: int, what: str) -> bytes:
        """The next ``size`` bytes."""
        self.skip(size, what)
        return self.data[self.offset - size : self.offset]
