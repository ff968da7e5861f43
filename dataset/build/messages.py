"""What is said of a shard's making, beside what every job says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataset.build.plan import ShardPart
from dataset.catalog.choose import PlannedModel
from dataset.jobs.messages import Job, JobDone, ModelDrawn


@dataclass(frozen=True)
class ShardJob(Job):
    """One shard to make; ``models`` holds those that ``parts`` names."""

    models: Mapping[int, PlannedModel]
    path: Path
    parts: tuple[ShardPart, ...]


@dataclass(frozen=True)
class SampleDrawn(ModelDrawn):
    """One more sample is done; it took so many pictures."""

    pictures: int


@dataclass(frozen=True)
class ShardMade(JobDone):
    """A shard of ``parts`` is on disk, or none where ``parts`` is empty."""

    parts: tuple[ShardPart, ...]
