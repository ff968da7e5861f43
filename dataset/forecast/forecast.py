"""From a plan and a trial to what the build takes: pictures, bytes, hours, waiting workers."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dataset.build.configuration import Configuration
from dataset.build.plan import BuildPlan, ShardPart, make_plan
from dataset.catalog.choose import Selection
from dataset.forecast.trial import Trial
from dataset.shards.records import SAMPLE_DTYPE

MOST_WAITING = 0.05
"""A share of the workers' time that may pass waiting for the last of them."""

_TABLE_BYTES = 8 + 4  # a frame's offset and checksum
_MODEL_BYTES = 4096  # a model's row, with terms


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
