"""What a run will make, decided before it starts and saved beside its shards; and shares of it.

A share is some of the shards, made by themselves into a folder of their own. So a batch system
without any more of a cluster makes a data set: a job for each share, and then the build itself,
which gathers what they made.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from contract.errors import InputError, ShardError
from contract.files import read_file, write_bytes
from contract.lock import only_run
from contract.records import decode
from contract.text import counted, shown_path
from dataset.build.configuration import Configuration, configuration_from
from dataset.catalog.choose import PlannedModel, Selection
from dataset.catalog.quarantine import Quarantine
from dataset.shards.shard import SHARD_SUFFIX, ShardReader

PLAN_NAME = "plan.json"
PLAN_VERSION = 3
_READABLE_VERSIONS = {2, PLAN_VERSION}  # 2: never extended
MIN_SAMPLES_A_SHARD = 16
MAX_SAMPLES_A_SHARD = 1024
_SHARDS_WANTED = 64
_MOST_BYTES = 1 << 30
MOST_SHARES = 10_000
MOST_SHARDS = 100_000


@dataclass(frozen=True)
class ShardPart:
    """Samples ``first`` ... ``first + count - 1`` of the plan's model number ``model``."""

    model: int
    first: int
    count: int


@dataclass(frozen=True)
class BuildPlan:
    """A configuration and the models it is applied to.

    ``extended_at``: how many models there were each time that some were taken back. Those before
    keep their shards.
    """

    configuration: Configuration
    selection: Selection
    extended_at: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        ends = [0, *self.extended_at, len(self.models)]
        if ends != sorted(ends):
            raise ValueError(f"extended_at is {self.extended_at!s:.40}")
        if (
            count := sum(self._count(last - first) for first, last in pairwise(ends))
        ) > MOST_SHARDS:
            raise InputError(
                f"the plan has {count} shards, and may have {MOST_SHARDS}; raise samples-per-shard"
            )

    def _count(self, models: int) -> int:
        """Shards of so many models."""
        poses, limit = self.configuration.poses, self.configuration.samples_per_shard
        if limit < 1:
            raise ValueError(f"samples_per_shard is {limit}")
        return -(-models // (limit // poses)) if poses <= limit else models * -(-poses // limit)

    @property
    def models(self) -> tuple[PlannedModel, ...]:
        """The models to draw, in order."""
        return self.selection.models

    @cached_property
    def _numbers(self) -> Mapping[tuple[str, str], int]:
        """The place of each model, by what a shard says of it."""
        return {(m.sha256, shown_path(m.path)): n for n, m in enumerate(self.models)}

    def shards(self) -> tuple[tuple[ShardPart, ...], ...]:
        """The parts of each shard, in order.

        Models stay whole, and are spread evenly over as few shards as hold them. Only a model with
        more samples than a shard may hold is cut, into shards of nearly equal size.
        """
        ends = [0, *self.extended_at, len(self.models)]
        return tuple(
            shard for first, end in pairwise(ends) for shard in self._shards_of(range(first, end))
        )

    def _shards_of(self, models: range) -> tuple[tuple[ShardPart, ...], ...]:
        poses, limit = self.configuration.poses, self.configuration.samples_per_shard
        if poses <= limit:
            whole = [ShardPart(model, 0, poses) for model in models]
            return _spread(whole, self._count(len(models)))
        pieces = -(-poses // limit)
        ends = [poses * piece // pieces for piece in range(pieces + 1)]
        return tuple(
            (ShardPart(model, first, end - first),)
            for model in models
            for first, end in pairwise(ends)
        )

    def without(
        self, quarantined: Container[str], parts: Sequence[ShardPart]
    ) -> tuple[ShardPart, ...]:
        """The parts whose model is not among the ``quarantined`` (paths, as they are shown)."""
        paths = [shown_path(self.models[part.model].path) for part in parts]
        return tuple(p for p, path in zip(parts, paths, strict=True) if path not in quarantined)

    def parts_of(self, reader: ShardReader, number: int) -> tuple[ShardPart, ...]:
        """What a shard holds that should be number ``number``.

        Raises:
            ShardError: it is broken, or not of this plan.
        """
        header = reader.header
        if header.number != number or header.configuration_hash != self.configuration.hash():
            raise ShardError(f"{reader.path}: is a shard of another data set")
        if (reader.origin_frames is not None) != self.configuration.origins:
            raise ShardError(f"{reader.path}: has no origins, or some that the plan has not")
        numbers = self._numbers
        held = [(row.sha256, row.path) for row in reader.models]
        if not numbers.keys() >= set(held):
            raise ShardError(f"{reader.path}: holds a model that the plan has not")
        return tuple(
            ShardPart(numbers[key], row.first_index, row.samples)
            for key, row in zip(held, reader.models, strict=True)
        )


def _spread(parts: Sequence[ShardPart], shards: int) -> tuple[tuple[ShardPart, ...], ...]:
    ends = [len(parts) * shard // shards for shard in range(shards + 1)] if shards else []
    return tuple(tuple(parts[first:end]) for first, end in pairwise(ends))


def shard_name(number: int) -> str:
    """The file name of shard ``number``."""
    return f"shard-{number:05d}{SHARD_SUFFIX}"


def settle_plan(selection: Selection, out: Path, wanted: Configuration) -> BuildPlan:
    """The plan of ``out``: the saved one if there is one, else a new one, which is saved.

    Raises:
        InputError: ``out`` holds something else: another configuration, or other models.
    """
    if not (out / PLAN_NAME).exists():
        _refuse_strange_shards(out)
        plan = make_plan(selection, wanted)
        write_bytes(out / PLAN_NAME, plan_to_json(plan))
        return plan
    plan = load_plan(out)
    if not wanted.samples_per_shard:
        wanted = replace(wanted, samples_per_shard=plan.configuration.samples_per_shard)
    _refuse_another_configuration(out, plan.configuration, wanted)
    extended = _with_mended(plan, selection)
    _refuse_other_models(out, extended.selection, selection)
    if extended != plan:
        mended = {model.path for model in extended.models[len(plan.models) :]}
        Quarantine(out).forget(mended)
        write_bytes(out / PLAN_NAME, plan_to_json(extended))
    return extended


def _with_mended(plan: BuildPlan, found: Selection) -> BuildPlan:
    """The plan and, in shards of their own, known models that only now can be drawn."""
    drawn = {model.path for model in plan.models}
    known = plan.selection.paths() - drawn
    mended = tuple(model for model in found.models if model.path in known)
    if not mended:
        return plan
    models = plan.models + mended
    return replace(
        plan,
        selection=replace(found, models=models),
        extended_at=(*plan.extended_at, len(plan.models)),
    )


def make_plan(selection: Selection, wanted: Configuration) -> BuildPlan:
    """The plan of some models, with shards of a fitting size unless one is wanted."""
    limit = wanted.samples_per_shard or _fitting_shard(wanted.poses, len(selection.models))
    return BuildPlan(replace(wanted, samples_per_shard=limit), selection)


def _fitting_shard(poses: int, models: int) -> int:
    """Samples a shard: so many that workers share evenly, and that a model stays in one shard."""
    even = -(-poses * models // _SHARDS_WANTED)
    return min(MAX_SAMPLES_A_SHARD, max(MIN_SAMPLES_A_SHARD, poses, even))


def _refuse_strange_shards(out: Path) -> None:
    if strange := sorted(out.glob(f"*{SHARD_SUFFIX}")):
        raise InputError(f"{out}: holds {strange[0].name} but no {PLAN_NAME}; give another folder")


def _refuse_another_configuration(out: Path, saved: Configuration, wanted: Configuration) -> None:
    if differences := saved.differences(wanted):
        raise InputError(
            f"{out}: holds a data set of another configuration ({'; '.join(differences)}); "
            "give the same options, or another folder"
        )


def _refuse_other_models(out: Path, planned: Selection, found: Selection) -> None:
    drawn = {model.path: model.annotation for model in planned.models}
    wanted = {model.path: model.annotation for model in found.models}
    changed = {path for path in drawn.keys() & wanted.keys() if drawn[path] != wanted[path]}
    for paths, what in (
        (found.paths() - planned.paths(), "new"),
        (planned.paths() - found.paths(), "missing"),
        (wanted.keys() - drawn.keys(), "to be drawn now"),
        (drawn.keys() - wanted.keys(), "left out now"),
        (changed, "annotated otherwise now"),
    ):
        if paths:
            raise InputError(
                f"{out}: was planned for other models: {len(paths)} "
                f"{'is' if len(paths) == 1 else 'are'} {what}, as {shown_path(min(paths))}; "
                "restore them, or give another folder"
            )


def plan_to_json(plan: BuildPlan) -> bytes:
    """The bytes of a plan file."""
    values = {"plan_version": PLAN_VERSION, "configuration_hash": plan.configuration.hash()}
    text = json.dumps(values | asdict(plan), ensure_ascii=False, indent=1)
    return (text + "\n").encode("utf-8", "surrogatepass")


def load_plan(out: Path) -> BuildPlan:
    """The plan saved in ``out``; ``InputError`` when it is missing or no plan."""
    path = out / PLAN_NAME
    data = read_file(path, _MOST_BYTES)
    try:
        values = json.loads(data.decode("utf-8", "surrogatepass"))
        if values["plan_version"] not in _READABLE_VERSIONS:
            raise ValueError(f"plan_version {values['plan_version']!r:.40}")
        configuration = configuration_from(values["configuration"])
        extended_at = decode(tuple[int, ...], values.get("extended_at", ()))
        return BuildPlan(configuration, decode(Selection, values["selection"]), extended_at)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no plan of this version ({error!r:.80}); give another folder"
        ) from error


@dataclass(frozen=True)
class BuildShare:
    """The shards ``number``, ``number + of``, ``number + 2 of``, ... of a plan."""

    number: int
    of: int

    def shards(self, count: int) -> range:
        """Which of ``count`` shards are in it."""
        return range(self.number, count, self.of)

    def folder(self, out: Path) -> Path:
        """Where it is made."""
        return out / f"share-{self.number}-of-{self.of}"


WHOLE_BUILD = BuildShare(0, 1)


def share_from(text: str) -> BuildShare:
    """The share that "3/16" names; ``InputError`` when it names none."""
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text)
    if not found or not int(found[1]) < int(found[2]) <= MOST_SHARES:
        raise InputError(f"share {text!r:.40}: give one as 0/16, 1/16, ... 15/16")
    return BuildShare(int(found[1]), int(found[2]))


def gather(out: Path, note: Callable[[str], None]) -> None:
    """Move what shares made to the folder of the whole build, which verifies it.

    Raises:
        InputError: a share is still being made, or a folder cannot be written.
    """
    for folder in sorted(out.glob("share-*-of-*")):
        shards = sorted(folder.glob(f"*{SHARD_SUFFIX}"))
        with only_run(folder, note):
            quarantine = Quarantine(out, note)
            for row in Quarantine(folder, note).rows:
                quarantine.add(row)
            for path in shards:
                if not (out / path.name).exists():
                    path.rename(out / path.name)
        shutil.rmtree(folder)
        note(f"{counted(len(shards), 'shard')} gathered from {folder.name}")
