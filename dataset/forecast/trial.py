"""A trial: a few models drawn for a few poses, to know how long a build takes on this machine."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from contract.errors import InputError
from contract.files import scratch_folder
from dataset.build.build_worker import SampleDrawn, ShardJob, WorkerSetup, run_worker
from dataset.build.configuration import Configuration
from dataset.build.plan import ShardPart, shard_name
from dataset.catalog.choose import PlannedModel
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs.messages import Message, ModelFailed, ModelStarted
from dataset.jobs.pool import Crew, Pool
from dataset.shards.shard import ShardReader

TRIAL_POSES = 12


@dataclass(frozen=True)
class Trial:
    """What one worker of several that work at once came to; ``models``: how many were tried.

    ``largest_frame_bytes``: mean of the model whose pictures take most.
    """

    models: int
    open_seconds: float
    picture_seconds: float
    frame_bytes: float
    largest_frame_bytes: float


def try_models(
    models_folder: Path,
    models: Sequence[PlannedModel],
    wanted: Configuration,
    crew: Crew,
    open_renderer: OpenRenderer,
    count: int,
) -> Trial:
    """Draw ``count`` models, spread evenly over those given, into a folder that vanishes.

    Raises:
        InputError: none of them can be drawn. DeviceError: there is no OpenGL.
    """
    chosen = [models[len(models) * n // count] for n in range(min(count, len(models)))]
    with scratch_folder("trial") as folder:
        watch = _Watch(chosen, folder)
        setup = WorkerSetup(models_folder, wanted, open_renderer)
        pool = Pool(partial(run_worker, setup), crew, watch.job_of, watch.hear)
        pool.run(range(len(chosen)))
        return watch.trial()


class _Watch:
    """Takes the time of what workers say: model n is drawn by job n."""

    def __init__(self, models: Sequence[PlannedModel], folder: Path) -> None:
        self._models = models
        self._folder = folder
        self._failed: dict[int, str] = {}
        self._started: dict[int, float] = {}
        self._drawn: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)

    def job_of(self, number: int) -> ShardJob | None:
        if number in self._failed:
            return None
        part = ShardPart(number, 0, TRIAL_POSES)
        path = self._folder / shard_name(number)
        return ShardJob(number, {number: self._models[number]}, path, (part,))

    def hear(self, number: int, message: Message) -> None:
        now = time.monotonic()
        match message:
            case ModelStarted():
                self._started[number] = now
                self._drawn.pop(number, None)
            case SampleDrawn(_, pictures):
                self._drawn[number].append((now, pictures))
            case ModelFailed(_, _, text):
                self._failed[number] = text

    def trial(self) -> Trial:
        """The means over the models that could be drawn."""
        drawn = {n: times for n, times in self._drawn.items() if n not in self._failed}
        if not drawn:
            first = next(iter(self._failed.values()), "there are no models")
            raise InputError(f"no model that was tried can be drawn (the first: {first})")
        pace = {n: _picture_seconds(times) for n, times in drawn.items()}
        opening = [
            max(0.0, times[0][0] - self._started[n] - times[0][1] * pace[n])
            for n, times in drawn.items()
        ]
        frame_bytes = [self._frame_bytes(n) for n in drawn]
        return Trial(
            len(drawn), fmean(opening), fmean(pace.values()), fmean(frame_bytes), max(frame_bytes)
        )

    def _frame_bytes(self, number: int) -> float:
        with ShardReader(self._folder / shard_name(number)) as reader:
            return float(reader.frame_bytes.mean())


def _picture_seconds(times: Sequence[tuple[float, int]]) -> float:
    """Of the pictures after the first sample's, which the model's opening comes before."""
    pictures = sum(count for _, count in times[1:])
    return (times[-1][0] - times[0][0]) / pictures
