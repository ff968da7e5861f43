"""What a supervisor and its workers tell each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import OpenthaError
from dataset.catalog import Described
from dataset.plan import Part, PlannedModel
from dataset.provenance import ModelFile
from dataset.quarantine import Stage


@dataclass(frozen=True)
class Job:
    """Models to look at; the keys are what messages call them by."""

    number: int
    models: Mapping[int, ModelFile]


@dataclass(frozen=True)
class ShardJob(Job):
    """One shard to make; ``models`` holds those that ``parts`` names."""

    models: Mapping[int, PlannedModel]
    path: Path
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Ready:
    """The worker has opened what it works with."""


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
class ModelScanned:
    """What was found out about a model; its rest picture is on disk."""

    model: int
    described: Described


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
    """The model at hand is dealt with; what follows is no model's fault."""


@dataclass(frozen=True)
class JobDone:
    """The job is done."""


@dataclass(frozen=True)
class ShardMade(JobDone):
    """A shard of ``parts`` is on disk, or none where ``parts`` is empty."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Stopped:
    """Something went wrong that no model is to blame for: the run cannot go on."""

    error: OpenthaError


Message = (
    Ready | ModelStarted | SampleDrawn | ModelScanned | ModelFailed | ModelDone | JobDone | Stopped
)
Report = Callable[[Message], None]
