"""Which samples there are: shards, their characters, and the three sets that share no source."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.errors import InputError, ShardError
from dataset.shards.shard import SHARD_SUFFIX, ShardReader
from dataset.shards.split_file import (
    PARTS,
    SPLIT_FILE,
    Split,
    SplitPart,
    read_split,
    require_disjoint,
)

HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Character:
    """A model as training knows it: the folder it came from, its path, the file's SHA-256."""

    source: str
    path: str
    sha256: str


@dataclass(frozen=True)
class SampleSet:
    """N samples, addressed by number 0..N-1; only their tables are in memory.

    shard, row (N,): where a sample lies, in ``readers`` and in that shard. character (N,): whom it
    shows, in ``characters``. mirror (N,) bool: whether it is the mirror image of what lies there.
    size: pixels a side of the pictures.
    """

    readers: tuple[ShardReader, ...]
    shard: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    character: npt.NDArray[np.int32]
    mirror: npt.NDArray[np.bool_]
    characters: tuple[Character, ...]
    size: int

    def __len__(self) -> int:
        return len(self.row)

    @property
    def sources(self) -> tuple[str, ...]:
        """The folders that the characters came from, sorted."""
        return tuple(sorted({character.source for character in self.characters}))

    def identify(self, number: int) -> str:
        """Where sample ``number`` lies, for people: shard, row and model."""
        shard = self.readers[self.shard[number]].path.name
        whom = self.characters[self.character[number]].path
        return f"{shard}:{self.row[number]} ({whom}{', mirrored' if self.mirror[number] else ''})"

    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any picture, sample or their order.

        Mirror images do not matter.
        """
        digest = hashlib.sha256()
        for reader, rows in zip(self.readers, self._rows_by_shard(), strict=True):
            digest.update(reader.header.configuration_hash.encode())
            digest.update("".join(model.sha256 for model in reader.models).encode())
            digest.update(reader.frame_bytes.tobytes())
            digest.update(reader.samples[rows].tobytes())
        return digest.hexdigest()

    def _rows_by_shard(self) -> list[npt.NDArray[np.int32]]:
        shard = np.where(self.mirror, -1, self.shard)
        return [self.row[shard == number] for number in range(len(self.readers))]

    def with_mirror_images(self) -> SampleSet:
        """The samples and, as N more, the mirror image of each."""
        return replace(
            self,
            shard=np.tile(self.shard, 2),
            row=np.tile(self.row, 2),
            character=np.tile(self.character, 2),
            mirror=np.concatenate([self.mirror, ~self.mirror]),
        )

    def of_sources(self, sources: Collection[str]) -> SampleSet:
        """Only the samples of characters from ``sources``; there may be none."""
        wanted = np.array([character.source in sources for character in self.characters], bool)
        keep = wanted[self.character]
        renumbered = np.cumsum(wanted, dtype=np.int32) - 1
        return SampleSet(
            self.readers,
            self.shard[keep],
            self.row[keep],
            renumbered[self.character[keep]].astype(np.int32),
            self.mirror[keep],
            tuple(c for c, is_wanted in zip(self.characters, wanted, strict=True) if is_wanted),
            self.size,
        )


@dataclass(frozen=True)
class Splits:
    """Three sets; no source is in two of them."""

    train: SampleSet
    validation: SampleSet
    test: SampleSet

    def sources(self) -> dict[SplitPart, list[str]]:
        """The sources of each part, as the run and the bundle record them."""
        return {part: list(self.part(part).sources) for part in PARTS}

    def models(self) -> dict[SplitPart, list[str]]:
        """The SHA-256 of each part's models, sorted, as the run and the bundle record them."""
        return {
            part: sorted({character.sha256 for character in self.part(part).characters})
            for part in PARTS
        }

    def part(self, name: SplitPart) -> SampleSet:
        """The set called ``name``."""
        sets: dict[SplitPart, SampleSet] = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return sets[name]


def open_samples(folder: Path, skip_broken: bool = False) -> SampleSet:
    """All samples of the shards in ``folder``, in the order of the shards' names.

    skip_broken: read every shard whole first, and leave out those that are damaged.

    Raises:
        InputError: there is no shard, or shards of different sizes.
        ShardError: a shard is damaged or of another schema.
    """
    paths = sorted(folder.glob(f"*{SHARD_SUFFIX}")) if folder.is_dir() else []
    if not paths:
        raise InputError(f"{folder}: holds no shard; give a folder that `dataset build` wrote")
    readers = [ShardReader(path) for path in paths]
    if skip_broken:
        readers = [reader for reader in readers if _is_whole(reader)]
        if not readers:
            raise InputError(f"{folder}: every shard is damaged; build them again")
    first = readers[0].header
    for reader in readers:
        if reader.header.size != first.size:
            raise InputError(
                f"{reader.path}: pictures of {reader.header.size} pixels, but {readers[0].path} "
                f"has {first.size}; give shards of one size"
            )
    return _join(readers, first.size)


def _is_whole(reader: ShardReader) -> bool:
    try:
        for number in range(len(reader.frame_bytes)):
            reader.encoded_frame(number)
    except ShardError:
        return False
    return True


def _join(readers: Sequence[ShardReader], size: int) -> SampleSet:
    # A model with many samples lies in several shards: one character all the same.
    found: dict[str, int] = {}
    characters: list[Character] = []
    shards, rows, shown = [], [], []
    for number, reader in enumerate(readers):
        of_model = np.zeros(len(reader.models), np.int32)
        for row, model in enumerate(reader.models):
            if model.sha256 not in found:
                found[model.sha256] = len(characters)
                characters.append(Character(model.source, model.path, model.sha256))
            of_model[row] = found[model.sha256]
        samples = len(reader)
        shards.append(np.full(samples, number, np.int32))
        rows.append(np.arange(samples, dtype=np.int32))
        shown.append(of_model[reader.samples["model"]])
    joined = (np.concatenate(shards), np.concatenate(rows), np.concatenate(shown))
    mirror = np.zeros(len(joined[0]), np.bool_)
    return SampleSet(tuple(readers), *joined, mirror, tuple(characters), size)


def require_origins(samples: SampleSet, field: str) -> None:
    """Refuse samples without origins; ``field``: of the plan, as ``STAGE.NAME``, which needs them.

    Raises:
        InputError: a shard has none.
    """
    for reader in samples.readers:
        if reader.origin_frames is None:
            raise InputError(
                f"{reader.path}: has no origins, which {field} needs; build shards with --origins, "
                "or give --set all.flow_weight=0 --set all.copy_weight=0"
            )


def has_parts(data: Path, split_file: Path | None = None) -> bool:
    """Whether ``data`` says which samples belong to which part."""
    folders = all((data / part).is_dir() for part in PARTS)
    return folders or split_file is not None or (data / SPLIT_FILE).is_file()


def open_splits(
    data: Path, split_file: Path | None = None, skip_broken: bool = False, seed: int = 0
) -> Splits:
    """The three sets of ``data``, which is one of

    - a folder with the folders train, validation and test, each of shards;
    - a folder of shards, with a file that lists the sources of each part: ``split_file``, or
      split.json in the folder: {"train": [...], "validation": [...], "test": [...]};
    - a folder of shards without one: a tenth of the sources each, and at least one, are held out
      for validation and test, drawn by ``seed``.

    Raises:
        InputError: a source in two parts, a part without samples, too few sources to split.
        ShardError: a shard is damaged or of another schema.
    """
    if all((data / part).is_dir() for part in PARTS):
        splits = Splits(*(open_samples(data / part, skip_broken) for part in PARTS))
        require_disjoint(data, splits.sources())
    else:
        samples = open_samples(data, skip_broken)
        found = split_file or data / SPLIT_FILE
        if split_file or found.is_file():
            split = read_split(found)
        else:
            split = _draw_split(data, samples.sources, seed)
        splits = Splits(*(samples.of_sources(split.parts[part]) for part in PARTS))
    for part in PARTS:
        if not len(splits.part(part)):
            raise InputError(f"{data}: the part {part} has no sample; list other sources for it")
    return splits


def _draw_split(data: Path, sources: Sequence[str], seed: int) -> Split:
    if len(sources) < len(PARTS):
        raise InputError(
            f"{data}: {len(sources)} sources, but three parts that share none need at least "
            "three; add models from other folders, or give the parts as folders of shards"
        )
    # Ordered by a hash, so that adding a source leaves the others mostly where they were.
    order = sorted(sources, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    held = max(1, round(len(order) * HELD_OUT_SHARE))
    test, validation, train = order[:held], order[held : 2 * held], order[2 * held :]
    return Split(tuple(sorted(train)), tuple(sorted(validation)), tuple(sorted(test)), seed)
