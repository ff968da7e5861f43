"""THE loop: every stage is trained here, and goes on where it stopped when it is called again."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from contract.errors import InputError, TrainingError
from models.networks.face_rotator import FaceRotator
from train.data.augmentation import augmented
from train.data.batch import StoredBatch
from train.data.holes import tear_holes
from train.data.order import SampleOrder, Share, batches
from train.data.pathways import Pathways
from train.data.transfer import asked_for
from train.loss.traced import flow_error, motions, uncopied
from train.plan.plan import StageSettings, stage_loss
from train.plan.stages import Stage, build_network, run_stage
from train.run.checkpoint import (
    HEAD_START,
    Checkpoint,
    load_checkpoint,
    naming_damage,
    numbered,
    require_same,
    save_checkpoint,
)
from train.run.precompute import precompute
from train.run.run import Run
from train.run.trainee import Trainee
from train.run.watch import Watch

BEFORE_FAILURE = "before-failure.pt"
_EXPLODED = 20.0
_CALM_STEPS = 50
_ONE_PRESS_SECONDS = 1.0
"""Steps before a loss can count as exploded: the first ones are wild by nature."""


def train_stage(run: Run, stage: Stage, watch: Watch | None, stop_after: int | None = None) -> None:
    """Train one stage from its newest checkpoint, or from its start, to its end.

    watch: where the first process shows what it does; None: nowhere.
    stop_after: leave after this many steps all the same, with a checkpoint.

    Raises:
        TrainingError: the loss exploded or is not a number, or memory ran out.
        InputError: a checkpoint is damaged or of another plan, or a stage before is missing.
        ShardError: a picture is damaged.
    """
    with explaining_memory(stage.name):
        # Begin or resume.
        work = _begin(run, stage, watch, stop_after)
        trainee, settings = work.trainee, work.settings
        if watch:
            watch.begin(run, stage, trainee, work.rotator)

        with stopping_softly() as stop:
            for batch in _batches(work):
                # Step.
                started = time.perf_counter()
                at = trainee.step * settings.batch
                trainee.set_learning_rate(settings.learning_rate_at(at))
                loss = _loss(work, batch)
                tell_mean = _over_all(loss.detach(), run.share)
                trainee.find_gradient(loss)
                mean_loss = tell_mean()
                _check(work, mean_loss)
                half_life = settings.half_life_at(at, run.plan.ema_samples)
                trainee.step_back(mean_loss, settings.batch, half_life)
                trainee.seconds += time.perf_counter() - started
                over = trainee.step == work.last

                # Report.
                if watch and (over or work.passed(run.upkeep.log_samples)):
                    watch.report(trainee, mean_loss)
                if watch and (over or work.passed(run.upkeep.grid_samples)):
                    watch.show_held_out(trainee)

                # Save.
                if run.share.rank == 0:
                    for path in _due(work, over or bool(stop)):
                        save_checkpoint(path, trainee.checkpoint(stage.name, run.decides(stage)))
                if stop:
                    raise KeyboardInterrupt
        if watch:
            watch.end(trainee)


@dataclass(frozen=True)
class _Work:
    """A stage with all that its steps use.

    last: the step to leave after. network: the trainee's, over all processes.
    """

    run: Run
    stage: Stage
    settings: StageSettings
    last: int
    order: SampleOrder
    trainee: Trainee
    network: nn.Module
    rotator: FaceRotator | None
    pathways: Pathways | None

    def passed(self, interval: int) -> bool:
        """Whether the last step went over a multiple of ``interval`` samples."""
        batch, step = self.settings.batch, self.trainee.step
        return (step - 1) * batch // interval < step * batch // interval


# Begin or resume.


def _begin(run: Run, stage: Stage, watch: Watch | None, stop_after: int | None) -> _Work:
    settings = run.plan.stages[stage.name]
    rotator, pathways = _frozen(run, stage.rotator), None
    if rotator and run.upkeep.precompute:
        if run.plan.augmentation.switched_on():
            raise InputError(
                "precompute keeps pictures as they are, but augmentation changes them at every "
                "step; train without --precompute, or without augmentation"
            )
        pathways = precompute(run, stage, rotator, watch.note if watch else lambda _: None)
    trainee = _begin_trainee(run, stage)
    last = settings.steps if stop_after is None else trainee.step + stop_after
    order = SampleOrder(len(run.samples), run.plan.seed)
    network: nn.Module = trainee.network
    if run.share.ranks > 1:
        network = DistributedDataParallel(network)
    last = min(last, settings.steps)
    return _Work(run, stage, settings, last, order, trainee, network, rotator, pathways)


def _frozen(run: Run, name: str | None) -> FaceRotator | None:
    """The finished rotator of another stage, frozen."""
    if name is None:
        return None
    network = FaceRotator(run.plan.network)
    with naming_damage(run.rolling(name)):
        network.load_state_dict(run.finished(name).weights)
    network.to(run.device).requires_grad_(False).eval()
    run.execution.prepare(network)
    return network


def _begin_trainee(run: Run, stage: Stage) -> Trainee:
    """The stage as its newest checkpoint has it, else as it starts."""
    network = build_network(stage.kind, run.plan.network, run.plan.seed)
    trainee = Trainee(network, run.plan, run.device, run.execution)
    torch.manual_seed(run.plan.seed)
    path = run.rolling(stage.name)
    if path.exists():
        checkpoint = load_checkpoint(path)
        require_same(path, checkpoint, run.decides(stage))
        with naming_damage(path):
            trainee.restore(checkpoint)
    elif run.begins_with and stage.name in run.begins_with.networks:
        trainee.start_from(run.begins_with.networks[stage.name].state_dict())
    elif start := _start(run, stage):
        path, checkpoint = start
        with naming_damage(path):
            trainee.start_from(checkpoint.weights)
    return trainee


def _start(run: Run, stage: Stage) -> tuple[Path, Checkpoint] | None:
    """The state of another stage that this one starts from, and where it lies."""
    if stage.starts_from:
        path = run.folder / stage.starts_from / HEAD_START
        return path, load_checkpoint(path)
    if run.plan.stages[stage.name].from_l1 and stage.sibling:
        return run.rolling(stage.sibling), run.finished(stage.sibling)
    return None


# Step.


def _batches(work: _Work) -> Iterator[StoredBatch]:
    """This process' part of the batches of all steps that are left."""
    run, batch = work.run, work.settings.batch
    positions = range(work.trainee.step * batch, work.last * batch, batch)
    threads = run.upkeep.loader_threads
    samples, names = run.samples, work.stage.pictures
    return batches(
        samples,
        work.order,
        names,
        positions,
        run.share,
        threads,
        work.pathways,
        traced=work.settings.needs_origins is not None,
    )


def _positions(work: _Work) -> list[int]:
    """Where in the order the samples of this process' part of the next step stand."""
    batch = work.settings.batch
    return list(map(int, work.run.share.of(np.arange(batch) + work.trainee.step * batch)))


def _loss(work: _Work, batch: StoredBatch) -> Tensor:
    """The loss of the pictures at hand, weighed so that the mean over all processes is right."""
    run, stage, at = work.run, work.stage, work.trainee.step * work.settings.batch
    loss_of = stage_loss(work.settings, run.vgg if stage.loss == "P" else None, at)
    here = batch.to_network(run.device, run.plan.network.size)
    here = augmented(here, run.plan.augmentation, run.plan.seed, _positions(work))
    share, positions = work.settings.hole_share, _positions(work)
    tear = partial(tear_holes, share=share, seed=run.plan.seed, positions=positions)
    with run.execution.autocast(run.device):
        made = run_stage(
            stage,
            work.network,
            work.rotator,
            here.image,
            here.pose,
            here.pathways,
            tear if share else None,
        )
        loss = loss_of(here.image, here.target, made.pictures)
        if here.traces:
            told = motions(here.traces, here.image)
            if made.flow is not None:
                loss = loss + work.settings.flow_weight * flow_error(made.flow, told)
            if made.copied is not None:
                loss = loss + work.settings.copy_weight * uncopied(made.copied, told)
    return len(batch.numbers) * run.share.ranks / work.settings.batch * loss


def _over_all(loss: Tensor, share: Share) -> Callable[[], float]:
    """What tells the mean over all processes; called later, it need not be waited for."""
    if share.ranks > 1:
        distributed.all_reduce(loss)
    tell = asked_for(loss)
    return lambda: tell() / share.ranks


def _check(work: _Work, loss: float) -> None:
    """Stop before a step that would spoil the weights."""
    run, stage, trainee = work.run, work.stage, work.trainee
    calm = trainee.step < _CALM_STEPS or trainee.loss is None
    if math.isfinite(loss) and (calm or loss <= _EXPLODED * (trainee.loss or math.inf)):
        return
    path = run.folder / stage.name / BEFORE_FAILURE
    if run.share.rank == 0:
        save_checkpoint(path, trainee.checkpoint(stage.name, run.decides(stage)))
    start = trainee.step * work.settings.batch
    whole = work.order.between(start, start + work.settings.batch)
    names = ", ".join(run.samples.identify(number) for number in whole.tolist())
    raise TrainingError(
        f"stage {stage.name}, step {trainee.step}: the loss is {loss:.4g} after a mean of "
        f"{trainee.loss or math.nan:.4g}; samples {names}; the state before this step is in {path}:"
        f" look at these samples, or lower {stage.name}.learning_rate in a new run"
    )


# Save.


def _due(work: _Work, at_once: bool) -> Iterator[Path]:
    """The checkpoints that are to be written after a step."""
    run, step, batch = work.run, work.trainee.step, work.settings.batch
    folder = run.folder / work.stage.name
    head_start, ends = folder / HEAD_START, step == work.settings.steps
    passes = (step - 1) * batch < run.plan.head_start_samples <= step * batch
    if passes or (ends and not head_start.exists()):
        yield head_start
    if work.passed(run.upkeep.numbered_samples):
        yield numbered(folder, step * batch)
    if at_once or work.passed(run.upkeep.checkpoint_samples):
        yield run.rolling(work.stage.name)


# What may come from outside.


@contextmanager
def stopping_softly() -> Iterator[list[float]]:
    """Collects a first Ctrl-C or SIGTERM, to be heeded between two steps; a second one is heard.

    What follows within ``_ONE_PRESS_SECONDS`` is the first again: a terminal tells every process
    of a training, and torchrun passes on what it was told.
    """
    stop: list[float] = []

    def note(number: int, _frame: FrameType | None) -> None:
        stop.append(time.monotonic())
        if stop[-1] - stop[0] > _ONE_PRESS_SECONDS:
            signal.signal(number, former[number])
            raise KeyboardInterrupt

    former: dict[int, Any] = {}
    with suppress(ValueError):  # only the main thread may listen
        former = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def explaining_memory(stage: str) -> Iterator[None]:
    """Raises ``TrainingError``, which says what to lower, where memory runs out inside."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_memory and "allocate memory" not in text and "not enough memory" not in text:
            raise
        raise TrainingError(
            f"stage {stage}: memory ran out; give a smaller batch (--set {stage}.batch=N)"
            " or smaller networks (--set network.channels=N); --dry-run estimates both"
        ) from error
