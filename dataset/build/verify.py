"""Whether shards are what they say: every checksum, pose, picture and count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.errors import InputError, ShardError
from contract.image import picture_fault
from contract.pose import Pose
from contract.progress import Progress
from contract.text import counted
from dataset.build.plan import PLAN_NAME, BuildPlan, ShardPart, load_plan, shard_name
from dataset.build.sampling import (
    SAMPLING_VERSION,
    LightRange,
    draw_light_levels,
    draw_light_shadings,
    draw_sample,
    light_generator,
)
from dataset.catalog.quarantine import Quarantine
from dataset.shards.records import ModelRow
from dataset.shards.shard import SHARD_SUFFIX, ShardReader
from dataset.shards.split_file import part_folders

MAX_FAULTS_A_SHARD = 20
TEMPORARY_FILES = ".*.tmp"


@dataclass(frozen=True)
class Verdict:
    """``faults``: one line each, naming the file."""

    shards: int
    samples: int
    pictures: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _ShardVerdict:
    samples: int
    pictures: int
    faults: tuple[str, ...]


def verify(paths: Sequence[Path], progress: Progress) -> Verdict:
    """Check shards, and folders that a build wrote against their plan.

    Raises:
        InputError: a path is neither, or a folder holds no shard and no plan.
    """
    folders = [folder for path in paths if path.is_dir() for folder in _part_folders(path)]
    faults = [fault for folder in folders for fault in _folder_faults(folder)]
    shards = find_shards(paths)
    verdicts: list[_ShardVerdict] = []
    # Threads do: decoding, checksums and NumPy let go of Python's lock.
    with ThreadPoolExecutor() as pool:
        for verdict in pool.map(_verify_shard, shards):
            verdicts.append(verdict)
            faults += verdict.faults
            progress.show(len(verdicts), len(shards), f"{len(faults)} faults")
    return Verdict(
        len(shards),
        sum(verdict.samples for verdict in verdicts),
        sum(verdict.pictures for verdict in verdicts),
        tuple(faults),
    )


def find_shards(paths: Sequence[Path]) -> list[Path]:
    """The shards among paths: files as they are given, and those of folders by name.

    A folder may be one of shards, or a data set of several parts.

    Raises:
        InputError: a folder holds no shard and no plan.
    """
    shards: list[Path] = []
    for path in paths:
        folders = _part_folders(path) if path.is_dir() else []
        inside = [shard for one in folders for shard in sorted(one.glob(f"*{SHARD_SUFFIX}"))]
        if folders and not inside and not any((one / PLAN_NAME).exists() for one in folders):
            raise InputError(f"{path}: holds no shard; give a shard or a folder of shards")
        shards += inside if folders else [path]
    return shards


def _part_folders(folder: Path) -> list[Path]:
    """The folder and, of a data set that is split, those of its parts."""
    return [folder, *part_folders(folder).values()]


def _folder_faults(folder: Path) -> Iterator[str]:
    """What is missing or too much in a folder that a build wrote."""
    for path in sorted(folder.glob(TEMPORARY_FILES)):
        yield f"{path}: left by an interrupted run; run the build again, or delete it"
    if not (folder / PLAN_NAME).exists():
        return
    plan, quarantine = load_plan(folder), Quarantine(folder)
    shards = {shard_name(n): plan.without(quarantine, p) for n, p in enumerate(plan.shards())}
    for path in sorted(folder.glob(f"*{SHARD_SUFFIX}")):
        if path.name not in shards:
            yield f"{path}: is not in the plan"
    for number, (name, wanted) in enumerate(shards.items()):
        path = folder / name
        if path.exists():
            yield from _plan_faults(plan, number, wanted, path)
        elif wanted:
            yield f"{path}: missing, with {counted(len(wanted), 'model')}; run the build again"


def _plan_faults(
    plan: BuildPlan, number: int, wanted: tuple[ShardPart, ...], path: Path
) -> Iterator[str]:
    with ShardReader(path) as reader:
        try:
            _ = reader.header
        except ShardError:
            return  # said when the shard itself is checked
        try:
            if plan.parts_of(reader, number) != wanted:
                models = counted(len(wanted), "model")
                yield f"{path}: does not hold the {models} that the plan has for it"
        except ShardError as error:
            yield str(error)


def _verify_shard(path: Path) -> _ShardVerdict:
    with ShardReader(path) as reader:
        try:
            samples, pictures = len(reader), len(reader.picture_frames)
            found = list(islice(_shard_faults(reader), MAX_FAULTS_A_SHARD + 1))
        except ShardError as error:
            return _ShardVerdict(0, 0, (str(error),))
    faults = [f"{path}: {fault}" for fault in found[:MAX_FAULTS_A_SHARD]]
    if len(found) > MAX_FAULTS_A_SHARD:
        faults.append(f"{path}: and more faults like these")
    return _ShardVerdict(samples, pictures, tuple(faults))


def _shard_faults(reader: ShardReader) -> Iterator[str]:
    for number, model in enumerate(reader.models):
        rows = reader.samples[reader.samples["model"] == number]
        yield from _sampling_faults(reader, model, rows)
    yield from _use_faults(reader)
    yield from _picture_faults(reader)
    yield from _origin_faults(reader)


def _sampling_faults(
    reader: ShardReader, model: ModelRow, rows: npt.NDArray[np.void]
) -> Iterator[str]:
    """Samples that are not those which seed, sha256 and index decide."""
    header = reader.header
    if model.seed != header.seed:
        yield f"{model.path}: drawn with seed {model.seed}, not {header.seed}"
    wanted = np.arange(model.first_index, model.first_index + model.samples)
    if not np.array_equal(rows["index"], wanted):
        yield f"{model.path}: its samples are not numbers {wanted[0]} to {wanted[-1]}, in order"
        return
    if header.sampling_version != SAMPLING_VERSION:
        return  # another function decided them
    light = LightRange(header.ambient_low, header.ambient_high, len(model.light_levels))
    levels = draw_light_levels(light_generator(header.seed, model.sha256), light)
    if not np.array_equal(levels, np.array(model.light_levels, np.float32)):
        yield f"{model.path}: its light levels are not those of its seed"
    shadings = draw_light_shadings(header.seed, model.sha256, len(levels), header.shading)
    if shadings != model.light_shadings:
        yield f"{model.path}: the shadings of its light levels are not those of its seed"
    for row in rows:
        sample = draw_sample(header.seed, model.sha256, int(row["index"]), len(levels))
        if not _is_drawn(row, sample.pose, sample.light):
            yield f"{model.path}: sample {row['index']} is not the one of its seed"


def _is_drawn(row: np.void, pose: Pose, light: int) -> bool:
    return np.array_equal(row["pose"], pose.to_vector()) and row["light"] == light


def _use_faults(reader: ShardReader) -> Iterator[str]:
    """Pictures that are used twice, or for two things, or not at all."""
    samples = reader.samples
    rests: dict[tuple[int, int], int] = {}
    for i, row in enumerate(samples):
        rest = rests.setdefault((int(row["model"]), int(row["light"])), int(row["rest"]))
        if row["rest"] != rest:
            yield f"sample {i}: another rest picture than its model has under this light"
    used = [*rests.values(), *samples["expression"].tolist(), *samples["posed"].tolist()]
    if reader.origin_frames is not None:
        used += reader.origin_frames.tolist()
    if sorted(used) != list(range(len(reader.frame_bytes))):
        yield "the frames are not each used once, as rest, expression, posed or origins"


def _picture_faults(reader: ShardReader) -> Iterator[str]:
    rest_frames = set(reader.samples["rest"].tolist())
    size = reader.header.size
    for number in reader.picture_frames:
        try:
            picture = reader.frame(number)
        except ShardError as error:
            yield str(error).removeprefix(f"{reader.path}: ")
            continue
        if fault := picture_fault(picture, size, shows_rest=number in rest_frames):
            yield f"frame {number}: {fault}"


def _origin_faults(reader: ShardReader) -> Iterator[str]:
    if reader.origin_frames is None:
        return
    for number in range(len(reader)):
        try:
            reader.origins(number)
        except ShardError as error:
            yield str(error).removeprefix(f"{reader.path}: ")
