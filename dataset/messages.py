"""What a supervisor and its workers tell each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import OpenthaError
from dataset.plan import Part, PlannedModel
from dataset.quarantine import Stage


@dataclass(frozen=True)
class Job:
    """One shard to make; ``models`` holds those that ``parts`` names."""

    number: int
    path: Path
    parts: tuple[Part, ...]
    models: Mapping[int, PlannedModel]


@dataclass(frozen=True)
class Ready:
    """The studio is open."""


@dataclass(frozen=True)
class ModelStarted:
    """A model of the job at hand is being opened."""

    model: int


@dataclass(frozen=True)
class SampleDrawn:
    """One more sample is done; it took so many pictures."""

    model: int
    pictures: int


@dataclass(frozen=True)
class ModelFailed:
    """A model is of no use; the job goes on without it, unless ``worker_ends``."""

    model: int
    code: str
    message: str
    stage: Stage
    worker_ends: bool = False


@dataclass(frozen=True)
class ModelDone:
    """The model at hand is drawn; what follows is no model's fault."""


@dataclass(frozen=True)
class ShardMade:
    """The job is done: a shard of ``parts`` is on disk, or none where ``parts`` is empty."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Stopped:
    """Something went wrong that no model is to blame for: the run cannot go on."""

    error: OpenthaError


Message = Ready | ModelStarted | SampleDrawn | ModelFailed | ModelDone | ShardMade | Stopped
Report = Callable[[Message], None]
