"""split.json: which sources are for training, which for validation, which for the test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.records import decode_json

SplitPart = Literal["train", "validation", "test"]
PARTS: tuple[SplitPart, ...] = ("train", "validation", "test")
SPLIT_FILE = "split.json"
SPLIT_VERSION = 1
_MOST_BYTES = 16 << 20


def part_folders(folder: Path) -> Mapping[str, Path]:
    """The folders of a data set's parts, as far as they are there."""
    return {part: folder / part for part in PARTS if (folder / part).is_dir()}


@dataclass(frozen=True)
class Split:
    """The sources of each of ``PARTS``; none is in two of them."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    seed: int = 0
    split_version: int = SPLIT_VERSION

    @property
    def parts(self) -> Mapping[SplitPart, tuple[str, ...]]:
        """The sources by part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def part_of(self) -> Mapping[str, SplitPart]:
        """Source -> part."""
        return {source: part for part, sources in self.parts.items() for source in sources}


def save_split(path: Path, split: Split) -> None:
    """Write a split in one step; ``InputError`` when it cannot be written."""
    text = json.dumps(asdict(split), ensure_ascii=False, indent=1) + "\n"
    write_bytes(path, text.encode("utf-8", "surrogatepass"))


def read_split(path: Path) -> Split:
    """The split in a file; {"train": [...], "validation": [...], "test": [...]} will do.

    Raises:
        InputError: it cannot be read, is no split, or has a source in two parts.
    """
    data = read_file(path, _MOST_BYTES)
    try:
        split = decode_json(Split, data, others=True)
        if split.split_version != SPLIT_VERSION:
            raise ValueError("another version")
    except ValueError as error:
        raise InputError(f"{path}: is no split ({error!s:.120}); split again") from error
    require_disjoint(path, split.parts)
    return split


def require_disjoint(path: Path, parts: Mapping[SplitPart, Iterable[str]]) -> None:
    """Refuse a source that is in two parts of what ``path`` holds; ``InputError`` names it."""
    part_of: dict[str, str] = {}
    for part, sources in parts.items():
        for source in sources:
            if part_of.setdefault(source, part) != part:
                raise InputError(
                    f"{path}: the source {source} is in both {part_of[source]} and {part}; "
                    "a source belongs to one part only"
                )
