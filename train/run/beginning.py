"""Stages that begin with the networks of a bundle, instead of untrained ones.

What a bundle's networks learned from, those learned from that went on with them: its history and
the models that it saw become part of theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from contract.errors import InputError
from contract.records import decode
from dataset.shards.split_file import PARTS, SplitPart
from models.base.config import NetworkConfig
from models.files.bundle import Network, load_bundle
from models.files.bundle_record import RECORD_FILE, digest, pretrained_folder, read_record
from train.data.samples import Splits
from train.plan.stages import Stage

PRETRAINED_WORD = "pretrained"
"""Means the bundle that came with the program."""
FIELD = "bundle"
"""Under which run.json tells of it, and what decides a stage's weights its checksum."""
_HELD_OUT: tuple[SplitPart, ...] = ("validation", "test")


@dataclass(frozen=True)
class BundleTold:
    """What a run keeps of the bundle that it began with, as JSON can hold it.

    name: as it was given. checksum: of all its weights. networks: which there are. stages, saw: as
    ``Bundle`` has them.
    """

    name: str
    checksum: str
    networks: tuple[str, ...]
    stages: tuple[Mapping[str, object], ...]
    saw: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"the bundle {self.name} ({self.checksum[:12]})"


@dataclass(frozen=True)
class Beginning:
    """A bundle's networks by name; a stage begins with the one that is called like it."""

    told: BundleTold
    networks: Mapping[str, Network]


def open_beginning(name: str) -> Beginning:
    """The bundle in the folder ``name``, or the one that came with the program.

    Raises:
        InputError: it is not there, or damaged.
    """
    folder = pretrained_folder() if name == PRETRAINED_WORD else Path(name)
    record = read_record(folder / RECORD_FILE)
    files = {network: one.sha256 for network, one in record.networks.items()}
    checksum = digest(json.dumps(files, sort_keys=True).encode())
    told = BundleTold(name, checksum, tuple(sorted(files)), record.stages, record.saw)
    return Beginning(told, load_bundle(folder).networks())


def require_fitting(beginning: Beginning, stages: Sequence[Stage], network: NetworkConfig) -> None:
    """Refuse a bundle that has nothing for ``stages``, or networks of another kind for them.

    Raises:
        InputError: so it is; the message says which field of the plan differs.
    """
    told, names = beginning.told, [stage.name for stage in stages]
    if not set(names) & set(told.networks):
        raise InputError(
            f"{told.name}: holds {', '.join(told.networks) or 'no network'}, and nothing for "
            f"{', '.join(names)}; train without --begin-with"
        )
    ours = asdict(network)
    for name in names:
        if name not in beginning.networks:
            continue
        theirs = asdict(beginning.networks[name].config)
        if other := [field for field in ours if theirs[field] != ours[field]]:
            sets = " ".join(f"--set network.{field}={_written(theirs[field])}" for field in other)
            raise InputError(
                f"{told.name}: its {name} has network.{other[0]} = {_written(theirs[other[0]])}, "
                f"the plan {_written(ours[other[0]])}; give {sets}, or another bundle"
            )


def _written(value: object) -> str:
    """A field's value, as ``--set`` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def require_unmet(told: BundleTold, data: Path, splits: Splits) -> None:
    """Refuse to hold out what a bundle was trained on: no number of it would mean anything.

    Raises:
        InputError: a model or a source of the parts validation and test was trained on.
    """
    models, sources = set(told.saw.get("train", ())), sources_of(told.stages, ("train",))
    for part in _HELD_OUT:
        for one in splits.part(part).characters:
            if one.sha256 in models:
                what = f"{one.path}: this model of the part {part}"
            elif one.source in sources:
                what = f"{data}: a source called {one.source}, as one of the part {part} is,"
            else:
                continue
            raise InputError(
                f"{what} was trained on in {told.name}; list its source under train in the split "
                "(--split), or begin with another bundle"
            )


def sources_of(stages: Iterable[Mapping[str, object]], parts: Sequence[str]) -> set[str]:
    """The sources that a bundle's ``stages`` record for some parts of their data."""
    found: set[str] = set()
    for stage in stages:
        recorded = stage.get("sources")
        if isinstance(recorded, dict):
            lists = [recorded.get(part) for part in parts]
            found |= {str(one) for names in lists if isinstance(names, list) for one in names}
    return found


# What a run keeps of it, and its bundle inherits.


def bundle_told(path: Path, record: Mapping[str, object]) -> BundleTold | None:
    """Of which bundle a run's record, the file ``path``, tells; ``InputError`` where it is none."""
    if record.get(FIELD) is None:
        return None
    try:
        return decode(BundleTold, record[FIELD])
    except ValueError as error:
        raise InputError(
            f"{path}: {FIELD} is no record of a bundle ({error!s:.80}); it is damaged"
        ) from error


def history(
    told: BundleTold | None, stages: Sequence[Mapping[str, object]]
) -> tuple[Mapping[str, object], ...]:
    """How networks were trained: in the bundle that they began with, and then in ``stages``."""
    if told is None:
        return tuple(stages)
    names = {str(stage["network"]) for stage in stages} & set(told.networks)
    # What says nothing of a network, as where it was imported from, may be about any of them.
    about = names and names | {""}
    earlier = [one for one in told.stages if str(one.get("network", "")) in about]
    later = [
        {**stage, "continues": stage["network"]} if stage["network"] in names else stage
        for stage in stages
    ]
    return (*earlier, *later)


def saw_in_all(
    told: BundleTold, saw: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """The models that a bundle saw and those of the training after it; none where one is unknown.

    What was once trained on stays so, whichever part it is in elsewhere.
    """
    if not (told.saw and saw):
        return {}
    joined: dict[str, tuple[str, ...]] = {}
    before: set[str] = set()
    for part in PARTS:
        models = {*told.saw.get(part, ()), *saw.get(part, ())} - before
        joined[part] = tuple(sorted(models))
        before |= models
    return joined
