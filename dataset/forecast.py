"""From a plan to what the build takes: pictures, bytes, hours, waiting workers.

By a trial: a few models drawn for a few poses on this machine.
"""

from __future__ import annotations

import heapq
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

from contract.errors import InputError
from contract.files import scratch_folder
from dataset.build.build_worker import SampleDrawn, ShardJob, WorkerSetup, run_worker
from dataset.build.configuration import Configuration
from dataset.build.plan import BuildPlan, ShardPart, make_plan, shard_name
from dataset.catalog.choose import PlannedModel, Selection
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs.messages import Message, ModelFailed, ModelStarted
from dataset.jobs.pool import Crew, Pool
from dataset.shards.records import SAMPLE_DTYPE
from dataset.shards.shard import ShardReader

MOST_WAITING = 0.05
"""A share of the workers' time that may pass waiting for the last of them."""

_TABLE_BYTES = 8 + 4  # a frame's offset and checksum
_MODEL_BYTES = 4096  # a model's row, with terms
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
            return float(reader.frame_bytes.sum()) / len(reader.picture_frames)


def _picture_seconds(times: Sequence[tuple[float, int]]) -> float:
    """Of the pictures after the first sample's, which the model's opening comes before."""
    pictures = sum(count for _, count in times[1:])
    return (times[-1][0] - times[0][0]) / pictures


@dataclass(frozen=True)
class Forecast:
    """What building a part takes; ``waiting``: the share of all workers' time that passes idle.

    ``seconds``: from the first picture to the last shard.
    """

    models: int
    samples: int
    pictures: int
    shards: int
    samples_per_shard: int
    shard_bytes: int
    largest_shard_bytes: int
    seconds: float
    waiting: float


def forecast(plan: BuildPlan, trial: Trial, workers: int) -> Forecast:
    """What building this plan takes with so many workers as the one that was tried."""
    configuration, shards = plan.configuration, plan.shards()
    seconds = [sum(_seconds(configuration, trial, part) for part in shard) for shard in shards]
    sizes = [_bytes(configuration, trial.frame_bytes, shard) for shard in shards]
    largest = [_bytes(configuration, trial.largest_frame_bytes, shard) for shard in shards]
    took = _makespan(seconds, workers)
    return Forecast(
        models=len(plan.models),
        samples=sum(part.count for shard in shards for part in shard),
        pictures=round(sum(_pictures(configuration, p.count) for shard in shards for p in shard)),
        shards=len(shards),
        samples_per_shard=configuration.samples_per_shard,
        shard_bytes=round(sum(sizes)),
        largest_shard_bytes=round(max(largest, default=0)),
        seconds=took,
        waiting=max(0.0, 1 - sum(seconds) / (workers * took)) if took else 0.0,
    )


def fitting_plan(
    selection: Selection,
    wanted: Configuration,
    trial: Trial,
    workers: int,
    most_shard_bytes: int | None,
) -> BuildPlan:
    """The plan with the largest shards that keep within the limits of size and of waiting.

    Where no size of shards lets workers wait so little, as with few models, the one that lets them
    wait least is taken; one sample a shard is the least there is. A size that is wished for stays.
    """
    if wanted.samples_per_shard:
        return make_plan(selection, wanted)
    plans: list[tuple[float, BuildPlan]] = []
    for limit in _limits(make_plan(selection, wanted).configuration):
        plan = make_plan(selection, replace(wanted, samples_per_shard=limit))
        told = forecast(plan, trial, workers)
        is_small = most_shard_bytes is None or told.largest_shard_bytes <= most_shard_bytes
        if is_small and told.waiting <= MOST_WAITING:
            return plan
        if is_small or limit == 1:
            plans.append((told.waiting, plan))
    return min(plans, key=lambda one: one[0])[1]


def _limits(configuration: Configuration) -> Iterator[int]:
    """Samples a shard, descending: whole models first, then ever smaller pieces of one."""
    poses, largest = configuration.poses, configuration.samples_per_shard
    yield from range(largest - largest % poses, 0, -poses)
    pieces = 2
    while (piece := -(-poses // pieces)) > 1:
        if piece <= largest:
            yield piece
        pieces *= 2
    yield 1


def _pictures(configuration: Configuration, samples: int) -> float:
    """So many pictures are to be expected: two a sample, and one for each light that is met."""
    levels = configuration.light_levels
    if configuration.ambient_low == configuration.ambient_high:
        levels = 1
    return 2 * samples + levels * (1 - (1 - 1 / levels) ** samples)


def _seconds(configuration: Configuration, trial: Trial, part: ShardPart) -> float:
    return trial.open_seconds + trial.picture_seconds * _pictures(configuration, part.count)


def _bytes(configuration: Configuration, frame: float, shard: Sequence[ShardPart]) -> float:
    return sum(
        _pictures(configuration, part.count) * (frame + _TABLE_BYTES)
        + part.count * SAMPLE_DTYPE.itemsize
        + _MODEL_BYTES
        for part in shard
    )


def _makespan(seconds: Iterable[float], workers: int) -> float:
    """When all is done, if whoever is free takes the longest job that is left."""
    free = [0.0] * workers
    for job in sorted(seconds, reverse=True):
        heapq.heapreplace(free, free[0] + job)
    return max(free)
