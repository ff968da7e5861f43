"""What a run will make, decided before it starts and saved beside its shards."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from contract.errors import InputError, ModelError, ShardError
from contract.files import write_bytes
from dataset.configuration import Configuration, configuration_from
from dataset.provenance import hash_model
from dataset.shard import SHARD_SUFFIX, ShardReader
from dataset.walk import Listing

PLAN_NAME = "plan.json"
PLAN_VERSION = 1
MIN_SAMPLES_A_SHARD = 16
MAX_SAMPLES_A_SHARD = 1024
_SHARDS_WANTED = 64


@dataclass(frozen=True)
class PlannedModel:
    """A model to draw; ``path`` is relative to the models folder, with slashes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Part:
    """Samples ``first`` ... ``first + count - 1`` of the plan's model number ``model``."""

    model: int
    first: int
    count: int


@dataclass(frozen=True)
class Plan:
    """A configuration and the models it is applied to.

    ``duplicates``: path of a file -> path of the planned model with the same bytes;
    ``unreadable``: path -> (code, message); ``archives``, ``links``: paths that are left alone.
    """

    configuration: Configuration
    models: tuple[PlannedModel, ...]
    duplicates: Mapping[str, str]
    unreadable: Mapping[str, tuple[str, str]]
    archives: tuple[str, ...]
    links: tuple[str, ...]

    def shards(self) -> tuple[tuple[Part, ...], ...]:
        """The parts of each shard, in order.

        Models stay whole, and are spread evenly over as few shards as hold them. Only a model with
        more samples than a shard may hold is cut, into shards of nearly equal size.
        """
        poses, limit = self.configuration.poses, self.configuration.samples_per_shard
        models = len(self.models)
        if poses <= limit:
            whole = [Part(model, 0, poses) for model in range(models)]
            return _spread(whole, -(-models // (limit // poses)))
        pieces = -(-poses // limit)
        ends = [poses * piece // pieces for piece in range(pieces + 1)]
        return tuple(
            (Part(model, first, end - first),)
            for model in range(models)
            for first, end in pairwise(ends)
        )

    def without(self, quarantined: Container[str], parts: Sequence[Part]) -> tuple[Part, ...]:
        """The parts whose model is not among the ``quarantined`` (sha256s)."""
        return tuple(part for part in parts if self.models[part.model].sha256 not in quarantined)

    def parts_of(self, reader: ShardReader, number: int) -> tuple[Part, ...]:
        """What a shard holds that should be number ``number``.

        Raises:
            ShardError: it is broken, or not of this plan.
        """
        header = reader.header
        if header.number != number or header.configuration_hash != self.configuration.hash():
            raise ShardError(f"{reader.path}: is a shard of another data set")
        numbers = {model.sha256: n for n, model in enumerate(self.models)}
        if not all(row.sha256 in numbers for row in reader.models):
            raise ShardError(f"{reader.path}: holds a model that the plan has not")
        return tuple(
            Part(numbers[row.sha256], row.first_index, row.samples) for row in reader.models
        )

    def found_paths(self) -> set[str]:
        """Every model file that the walk found."""
        return {model.path for model in self.models} | {*self.duplicates, *self.unreadable}


def _spread(parts: Sequence[Part], shards: int) -> tuple[tuple[Part, ...], ...]:
    ends = [len(parts) * shard // shards for shard in range(shards + 1)] if shards else []
    return tuple(tuple(parts[first:end]) for first, end in pairwise(ends))


def shard_name(number: int) -> str:
    """The file name of shard ``number``."""
    return f"shard-{number:05d}{SHARD_SUFFIX}"


def settle_plan(folder: Path, listing: Listing, out: Path, wanted: Configuration) -> Plan:
    """The plan of ``out``: the saved one if there is one, else a new one, which is saved.

    Raises:
        InputError: ``out`` holds something else: another configuration, or other models.
    """
    if not (out / PLAN_NAME).exists():
        _refuse_strange_shards(out)
        plan = make_plan(folder, listing, wanted)
        write_bytes(out / PLAN_NAME, plan_to_json(plan))
        return plan
    plan = load_plan(out)
    if not wanted.samples_per_shard:
        wanted = replace(wanted, samples_per_shard=plan.configuration.samples_per_shard)
    _refuse_another_configuration(out, plan.configuration, wanted)
    _refuse_other_models(out, folder, plan.found_paths(), set(listing.models))
    return plan


def make_plan(folder: Path, listing: Listing, wanted: Configuration) -> Plan:
    """Hash all models and decide which to draw: one that is found twice is drawn once."""

    def hashed(path: str) -> str | ModelError:
        try:
            return hash_model(folder / path)
        except ModelError as error:
            return error

    models: dict[str, PlannedModel] = {}
    duplicates: dict[str, str] = {}
    unreadable: dict[str, tuple[str, str]] = {}
    with ThreadPoolExecutor() as pool:
        for path, found in zip(listing.models, pool.map(hashed, listing.models), strict=True):
            if isinstance(found, ModelError):
                unreadable[path] = found.code, str(found)
            elif found in models:
                duplicates[path] = models[found].path
            else:
                models[found] = PlannedModel(path, found)
    limit = wanted.samples_per_shard or _fitting_shard(wanted.poses, len(models))
    return Plan(
        replace(wanted, samples_per_shard=limit),
        tuple(models.values()),
        duplicates,
        unreadable,
        listing.archives,
        listing.links,
    )


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


def _refuse_other_models(out: Path, folder: Path, planned: set[str], found: set[str]) -> None:
    for what, paths in (("new", found - planned), ("missing", planned - found)):
        if paths:
            raise InputError(
                f"{out}: was planned for other models: {len(paths)} in {folder} "
                f"{'is' if len(paths) == 1 else 'are'} {what}, as {min(paths)}; "
                "restore them, or give another folder"
            )


def plan_to_json(plan: Plan) -> bytes:
    """The bytes of a plan file; file names that are no UTF-8 survive as lone surrogates."""
    values = {"plan_version": PLAN_VERSION, "configuration_hash": plan.configuration.hash()}
    text = json.dumps(values | asdict(plan), ensure_ascii=False, indent=1)
    return (text + "\n").encode("utf-8", "surrogatepass")


def load_plan(out: Path) -> Plan:
    """The plan saved in ``out``; ``InputError`` when it is missing or no plan."""
    path = out / PLAN_NAME
    try:
        values = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        if values["plan_version"] != PLAN_VERSION:
            raise ValueError(f"plan_version {values['plan_version']!r:.40}")
        return Plan(
            configuration_from(values["configuration"]),
            tuple(PlannedModel(model["path"], model["sha256"]) for model in values["models"]),
            dict(values["duplicates"]),
            {path: (code, message) for path, (code, message) in values["unreadable"].items()},
            tuple(values["archives"]),
            tuple(values["links"]),
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no plan of this version ({error!r:.80}); give another folder"
        ) from error
