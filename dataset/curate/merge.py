"""Several data sets -> one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from contract.errors import InputError, ShardError
from contract.progress import Progress
from contract.text import counted
from dataset.build.plan import shard_name
from dataset.catalog.quarantine import Quarantine, QuarantineRow
from dataset.curate.drop import DROPPED, copy_models, folders_of
from dataset.curate.parts import Shards, every, new_folder, open_parts
from dataset.shards.records import ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.split_file import (
    PARTS,
    SPLIT_FILE,
    Split,
    read_split,
    require_disjoint,
    save_split,
)

_AGREED = ("size", "shading", "ambient_low", "ambient_high", "codec", "sampling_version")
"""What shards of one data set have alike; seeds, numbers of poses and programs may differ."""


@dataclass(frozen=True)
class Merged:
    """What a merged data set holds; ``repeated``: models of equal samples that were kept once."""

    shards: int
    models: int
    repeated: int
    dropped: int


def merge(folders: Sequence[Path], out: Path, progress: Progress) -> Merged:
    """Write one data set of all shards of some, whole or not at all; those are left as they are.

    A model that one of them dropped stays dropped; samples that several have are kept once.

    Raises:
        InputError: they are split in different ways, or ``out`` exists or cannot be written.
        ShardError: their pictures differ in kind, or a shard is damaged.
    """
    sets = {folder: open_parts(folder) for folder in folders}
    header = _agreed_header(sets)
    _require_alike_split(sets)
    dropped = [row for folder in folders for row in _dropped(folder)]
    merging = _Merging(header, frozenset(row.sha256 for row in dropped))
    with new_folder(out) as temporary:
        total = sum(len(every(shards)) for shards in sets.values())
        for part in dict.fromkeys(part for shards in sets.values() for part in shards):
            (temporary / part).mkdir(exist_ok=True)
            number = 0
            for shards in sets.values():
                for reader in shards.get(part, ()):
                    path = temporary / part / shard_name(number)
                    own = replace(
                        reader.header, number=number, configuration_hash=header.configuration_hash
                    )
                    number += copy_models(reader, path, own, merging.takes(part)) > 0
                    reader.close()
                    merging.read += 1
                    progress.show(merging.read, total, "shards copied")
            merging.written += number
            _keep_dropped(temporary / part, dropped)
        merging.require_disjoint(out)
        _merge_splits(folders, temporary)
    return Merged(merging.written, len(merging.held), merging.repeated, len(merging.without))


@dataclass
class _Merging:
    """What was taken so far: sample numbers by model and seed, and each part's sources."""

    header: ShardHeader
    without: frozenset[str]
    taken: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)  # model -> part
    sources: dict[str, set[str]] = field(default_factory=dict)
    repeated: int = 0
    read: int = 0
    written: int = 0
    crossing: str = ""

    def takes(self, part: str) -> _Taking:
        return _Taking(self, part)

    def require_disjoint(self, out: Path) -> None:
        """``InputError`` where a model or a source got into two parts."""
        require_disjoint(out, {part: self.sources.get(part, set()) for part in PARTS})
        if self.crossing:
            raise InputError(
                f"{out}: the model {self.crossing} would be in two parts; split the catalogues "
                "of all together"
            )


@dataclass(frozen=True)
class _Taking:
    """Whether a part takes a model."""

    merging: _Merging
    part: str

    def __call__(self, row: ModelRow) -> bool:
        merging = self.merging
        if row.sha256 in merging.without:
            return False
        if merging.held.setdefault(row.sha256, self.part) != self.part:
            merging.crossing = row.path
        merging.sources.setdefault(self.part, set()).add(row.source)
        numbers = set(range(row.first_index, row.first_index + row.samples))
        taken = merging.taken.setdefault((row.sha256, row.seed), set())
        if numbers <= taken:
            merging.repeated += 1
            return False
        if numbers & taken:
            raise ShardError(
                f"{row.path}: drawn with the seed {row.seed} in several sets, but not with the "
                "same samples; merge sets drawn with different seeds, or of different models"
            )
        taken |= numbers
        return True


def _agreed_header(sets: Mapping[Path, Shards]) -> ShardHeader:
    """The first shard's header, with a hash that stands for all configurations."""
    readers = [reader for shards in sets.values() for reader in every(shards)]
    first = readers[0].header
    hashes = set()
    for reader in readers:
        header = reader.header
        reader.close()  # there may be more of them than files may be open
        hashes.add(header.configuration_hash)
        for name in _AGREED:
            ours, theirs = getattr(first, name), getattr(header, name)
            if ours != theirs:
                raise ShardError(
                    f"{reader.path}: {name} {theirs}, but {readers[0].path} has {ours}; "
                    "merge sets of one kind"
                )
    if len(hashes) == 1:
        return first
    joint = hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()
    return replace(first, configuration_hash=joint)


def _require_alike_split(sets: Mapping[Path, Shards]) -> None:
    kinds = {
        folder: len(folders_of(folder)) > 1 or folders_of(folder) != [folder] for folder in sets
    }
    if len(set(kinds.values())) > 1:
        whole = next(folder for folder, is_split in kinds.items() if not is_split)
        raise InputError(
            f"{whole}: is not split into parts, as others are; merge data sets that are split alike"
        )


def _dropped(folder: Path) -> list[QuarantineRow]:
    rows = [row for place in folders_of(folder) for row in Quarantine(place).rows]
    return [row for row in rows if row.code == DROPPED]


def _keep_dropped(folder: Path, rows: Sequence[QuarantineRow]) -> None:
    """A merged set remembers what must not come back."""
    quarantine = Quarantine(folder)
    for row in rows:
        quarantine.add(row)


def _merge_splits(folders: Sequence[Path], out: Path) -> None:
    """Join the files that say which sources are in which part, where all have one."""
    paths = [folder / SPLIT_FILE for folder in folders if (folder / SPLIT_FILE).is_file()]
    if not paths:
        return
    if len(paths) < len(folders):
        without = next(folder for folder in folders if not (folder / SPLIT_FILE).is_file())
        raise InputError(
            f"{without}: has no {SPLIT_FILE}, as {counted(len(paths), 'other')} "
            "of the sets to merge; split all of them, or none"
        )
    splits = [read_split(path) for path in paths]
    train, validation, test = (
        tuple(sorted({name for split in splits for name in split.parts[part]})) for part in PARTS
    )
    joined = Split(train, validation, test, splits[0].seed)
    require_disjoint(out, joined.parts)
    save_split(out / SPLIT_FILE, joined)
