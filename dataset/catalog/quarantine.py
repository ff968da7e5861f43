"""The models that a run could not draw, and why: one line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from contract.errors import InputError
from contract.files import write_bytes
from contract.records import append_line, decode, journal_lines, json_line
from dataset.jobs.messages import ModelStep

QUARANTINE_NAME = "quarantine.jsonl"


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a model that is of no use; ``stage``: what was being done to it."""

    sha256: str
    code: str
    message: str
    stage: ModelStep


@dataclass(frozen=True)
class QuarantineRow:
    """``code`` is stable and machine-readable; ``stage`` says what was being done to the model."""

    path: str
    sha256: str
    code: str
    message: str
    stage: ModelStep


class Quarantine:
    """The rows of a folder's quarantine file; one a path, on disk once ``add`` returns.

    A model in it is not tried again; delete its line, or the file, to have it tried.

    Raises:
        InputError: the file holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, note: Callable[[str], None] = lambda _: None) -> None:
        """``note`` is told what a killed run left half in it."""
        self._note = note
        self._path = folder / QUARANTINE_NAME
        self._rows: dict[str, QuarantineRow] = {}
        for number, line in enumerate(journal_lines(self._path), 1):
            row = _row(self._path, number, line)
            self._rows[row.path] = row

    @property
    def rows(self) -> Collection[QuarantineRow]:
        """All rows, in the order they were added."""
        return self._rows.values()

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def add(self, row: QuarantineRow) -> bool:
        """Append a row; False when its path has one already."""
        if row.path in self._rows:
            return False
        self._rows[row.path] = row
        append_line(self._path, asdict(row), self._note)
        return True

    def forget(self, paths: Collection[str]) -> None:
        """Have models at these paths tried again; ``InputError`` when it cannot be written."""
        kept = {path: row for path, row in self._rows.items() if path not in paths}
        if len(kept) < len(self._rows):
            self._rows = kept
            write_bytes(self._path, b"".join(json_line(asdict(row)) for row in kept.values()))


def _row(path: Path, number: int, line: str) -> QuarantineRow:
    try:
        return decode(QuarantineRow, json.loads(line))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: line {number} is no quarantine row ({error!s:.120}); delete that line"
        ) from error
