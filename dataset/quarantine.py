"""The models that a run could not draw, and why: one line of JSON each."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from contract.errors import InputError
from contract.files import write_bytes

QUARANTINE_NAME = "quarantine.jsonl"

Stage = Literal["hash", "open", "draw"]


@dataclass(frozen=True)
class QuarantineRow:
    """``code`` is stable and machine-readable; ``stage`` says what was being done to the model."""

    path: str
    sha256: str
    code: str
    message: str
    stage: Stage


class Quarantine:
    """The rows of a folder's quarantine file; one a model, on disk once ``add`` returns.

    A model in it is not tried again; delete its line, or the file, to have it tried.

    Raises:
        InputError: the file holds something else, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / QUARANTINE_NAME
        self._rows = {_key(row): row for row in _read_rows(self._path)}

    @property
    def rows(self) -> Collection[QuarantineRow]:
        """All rows, in the order they were added."""
        return self._rows.values()

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._rows

    def add(self, row: QuarantineRow) -> bool:
        """Append a row; False when its model has one already."""
        if _key(row) in self._rows:
            return False
        self._rows[_key(row)] = row
        line = json.dumps(asdict(row), ensure_ascii=False).encode("utf-8", "surrogatepass")
        try:
            with self._path.open("ab") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(
                f"{self._path}: cannot be written ({error.strerror}); free space and run again"
            ) from error
        return True


def _key(row: QuarantineRow) -> str:
    # What could not be read has no hash.
    return row.sha256 or row.path


def _read_rows(path: Path) -> list[QuarantineRow]:
    if not path.exists():
        return []
    whole, _, cut = path.read_bytes().rpartition(b"\n")
    if cut:
        # A run was killed while it wrote its last line.
        write_bytes(path, whole + b"\n" if whole else b"")
    return [_row(path, number, line) for number, line in enumerate(whole.splitlines(), 1)]


def _row(path: Path, number: int, line: bytes) -> QuarantineRow:
    try:
        row = QuarantineRow(**json.loads(line.decode("utf-8", "surrogatepass")))
        if not all(isinstance(value, str) for value in asdict(row).values()):
            raise TypeError("a value that is no text")
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: line {number} is no quarantine row ({error}); delete that line"
        ) from error
    return row
