"""Models taken out of a data set: every sample of them, only the shards concerned rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract.errors import InputError
from contract.lock import only_run
from contract.pose import pose_from_vector
from contract.progress import Progress
from contract.text import printable, shown_path
from dataset.build.plan import PLAN_NAME, load_plan
from dataset.catalog.quarantine import Quarantine, QuarantineRow
from dataset.shards.records import ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.shard import SHARD_SUFFIX, ShardReader, ShardWriter
from dataset.shards.split_file import part_folders

DROPPED = "dropped"
"""The code of a model that was taken out, in the quarantine: so no build draws it again."""

_FEWEST_DIGITS = 8


@dataclass(frozen=True)
class Dropped:
    """What taking models out came to."""

    models: int
    samples: int
    rewritten: int
    removed: int


def folders_of(folder: Path) -> list[Path]:
    """Where the shards of a data set lie: in its folder, or in those of its parts."""
    return list(part_folders(folder).values()) or [folder]


def drop_models(folder: Path, hashes: Sequence[str], why: str, progress: Progress) -> Dropped:
    """Take the models with these SHA-256 out of a data set; beginnings of 8 digits will do.

    First their rows are in the quarantine of each folder they are in, so that no build brings them
    back; then each shard that holds one is replaced in one step. Who is interrupted runs it again.

    Raises:
        InputError: a hash names no model or several, or a folder cannot be written or is in use.
        ShardError: a shard is damaged.
    """
    known = {folder: _known(folder) for folder in folders_of(folder)}
    everything = {row.sha256 for rows in known.values() for row in rows}
    wanted = {_one(folder, everything, beginning) for beginning in hashes}
    results = [
        _drop_here(place, [row for row in rows if row.sha256 in wanted], why, progress)
        for place, rows in known.items()
    ]
    return Dropped(
        len(wanted),
        sum(result.samples for result in results),
        sum(result.rewritten for result in results),
        sum(result.removed for result in results),
    )


@dataclass(frozen=True)
class _Known:
    """A model that a folder holds, plans, or has put away."""

    sha256: str
    path: str


def _known(folder: Path) -> list[_Known]:
    """The models of a folder, each once a path."""
    rows = {_Known(row.sha256, row.path) for row in _held(folder)}
    if (folder / PLAN_NAME).exists():
        planned = load_plan(folder).models
        rows |= {_Known(model.sha256, shown_path(model.path)) for model in planned}
    rows |= {_Known(row.sha256, row.path) for row in Quarantine(folder).rows if row.sha256}
    return sorted(rows, key=lambda row: (row.path, row.sha256))


def _held(folder: Path) -> list[ModelRow]:
    rows: list[ModelRow] = []
    for path in sorted(folder.glob(f"*{SHARD_SUFFIX}")):
        with ShardReader(path) as reader:
            rows += reader.models
    return rows


def _one(folder: Path, known: set[str], beginning: str) -> str:
    """The only known hash that begins so."""
    if not re.fullmatch(f"[0-9a-f]{{{_FEWEST_DIGITS},64}}", beginning.lower()):
        raise InputError(
            f"{beginning!r:.80}: is no SHA-256; give {_FEWEST_DIGITS} to 64 hexadecimal digits, as "
            "`dataset inspect` shows them"
        )
    found = [sha256 for sha256 in known if sha256.startswith(beginning.lower())]
    if len(found) != 1:
        fault = "holds no model" if not found else f"holds {len(found)} models"
        raise InputError(f"{folder}: {fault} with the SHA-256 {beginning}; give all its digits")
    return found[0]


def _drop_here(folder: Path, rows: Sequence[_Known], why: str, progress: Progress) -> Dropped:
    if not rows:
        return Dropped(0, 0, 0, 0)
    hashes = {row.sha256 for row in rows}
    with only_run(folder, progress.note):
        _put_away(folder, rows, why, progress)
        shards = sorted(folder.glob(f"*{SHARD_SUFFIX}"))
        samples = rewritten = removed = 0
        for number, path in enumerate(shards):
            progress.show(number, len(shards), "looked through")
            with ShardReader(path) as reader:
                lost = [row for row in reader.models if row.sha256 in hashes]
                if not lost:
                    continue
                samples += sum(row.samples for row in lost)
                kept = copy_models(
                    reader, path, reader.header, lambda row: row.sha256 not in hashes
                )
            rewritten += kept > 0
            removed += not kept
            if not kept:
                path.unlink()
    return Dropped(len(hashes), samples, rewritten, removed)


def _put_away(folder: Path, rows: Sequence[_Known], why: str, progress: Progress) -> None:
    quarantine = Quarantine(folder, progress.note)
    # One a path: what kept a model out before gives way to what keeps it out for good.
    quarantine.forget({row.path for row in rows})
    for row in rows:
        message = f"{row.path}: taken out of the data set{': ' + printable(why) if why else ''}"
        quarantine.add(QuarantineRow(row.path, row.sha256, DROPPED, message, "draw"))


def copy_models(
    reader: ShardReader, path: Path, header: ShardHeader, is_wanted: Callable[[ModelRow], bool]
) -> int:
    """Write the wanted models of a shard to ``path``; how many there are. None: no shard.

    What is written is what a build of these models alone writes, to the byte. ``path`` may be the
    shard's own: it is replaced in one step.

    Raises:
        ShardError: a picture is damaged. InputError: it cannot be written.
    """
    wanted = [number for number, row in enumerate(reader.models) if is_wanted(row)]
    with ShardWriter(path, header) as writer:
        for number in wanted:
            with writer.model(reader.models[number]):
                _copy_samples(reader, writer, number)
        reader.close()  # some systems replace no file that is open
        writer.finish()
    return len(wanted)


def _copy_samples(reader: ShardReader, writer: ShardWriter, model: int) -> None:
    """Frames in the order of their first use, as they were drawn."""
    copied: dict[int, int] = {}

    def copy(frame: int) -> int:
        if frame not in copied:
            copied[frame] = writer.add_encoded_frame(reader.encoded_frame(frame))
        return copied[frame]

    origins = reader.origin_frames
    for number in np.flatnonzero(reader.samples["model"] == model):
        row = reader.samples[number]
        rest, expression, posed = (copy(int(row[name])) for name in ("rest", "expression", "posed"))
        frames, traced = (rest, expression, posed), None
        if origins is not None:
            traced = copy(int(origins[number]))
        pose = pose_from_vector(row["pose"])
        writer.add_sample(pose, int(row["index"]), int(row["light"]), frames, traced)
