"""THE loop: every stage is trained here."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from contract.errors import InputError, TrainingError
from models.base.execution import Execution
from models.networks.face_rotator import FaceRotator
from train.data.batch import SampleOrder, Share, StoredBatch, batches
from train.data.pathways import Pathways
from train.loss.focus import changed_error
from train.loss.losses import PerceptualLoss, PictureLoss, l1_loss
from train.plan.plan import StageSettings
from train.plan.stages import Stage, build_network, combiner_input, pictures_of
from train.run.checkpoint import (
    HEAD_START,
    Checkpoint,
    load_checkpoint,
    numbered,
    require_same,
    save_checkpoint,
)
from train.run.guard import explaining_memory, stopping_softly
from train.run.precompute import precompute
from train.run.run import Run
from train.run.trainee import Trainee
from train.run.watch import Watch

BEFORE_FAILURE = "before-failure.pt"
_EXPLODED = 20.0
_CALM_STEPS = 50
"""Steps before a loss can count as exploded: the first ones are wild by nature."""


@dataclass(frozen=True)
class _Work:
    """A stage with all that its steps use. network: the trainee's, over all processes."""

    run: Run
    stage: Stage
    settings: StageSettings
    order: SampleOrder
    trainee: Trainee
    network: nn.Module
    rotator: FaceRotator | None
    pathways: Pathways | None
    loss_of: PictureLoss


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
        work = _prepare(run, stage, watch)
        if watch:
            watch.begin(run, stage, work.trainee, work.rotator)
        _run_steps(work, watch, stop_after)
        if watch:
            watch.end(work.trainee)


def _run_steps(work: _Work, watch: Watch | None, stop_after: int | None) -> None:
    trainee, last = work.trainee, work.settings.steps
    if stop_after is not None:
        last = min(last, trainee.step + stop_after)
    with stopping_softly() as stop:
        for batch in _batches_until(work, last):
            loss = _step(work, batch)
            over = trainee.step == last
            if watch:
                _show(work, watch, loss, over)
            if work.run.share.rank == 0:
                _save(work, over or bool(stop))
            if stop:
                raise KeyboardInterrupt


def _prepare(run: Run, stage: Stage, watch: Watch | None) -> _Work:
    """Build, and resume where there is something to resume."""
    settings = run.plan.stages[stage.name]
    order = SampleOrder(len(run.samples), run.plan.seed)
    rotator, pathways = _frozen(run, stage.rotator), None
    if rotator and run.upkeep.precompute:
        pathways = precompute(run, stage, rotator, watch.note if watch else lambda _: None)
    trainee = _begin(run, stage)
    loss_of = _loss(run, stage, settings)
    network = trainee.network
    parallel = DistributedDataParallel(network) if run.share.ranks > 1 else network
    return _Work(run, stage, settings, order, trainee, parallel, rotator, pathways, loss_of)


def _batches_until(work: _Work, last: int) -> Iterator[StoredBatch]:
    """This process' part of the batches of all steps that are left before step ``last``."""
    run, batch = work.run, work.settings.batch
    positions = range(work.trainee.step * batch, last * batch, batch)
    threads = run.upkeep.loader_threads
    samples, names = run.samples, work.stage.pictures
    return batches(samples, work.order, names, positions, run.share, threads, work.pathways)


def _step(work: _Work, batch: StoredBatch) -> float:
    """One step; its loss, the mean over all processes."""
    run, settings, trainee = work.run, work.settings, work.trainee
    started = time.perf_counter()
    trainee.set_learning_rate(learning_rate(settings, trainee.step * settings.batch))
    whole = work.order.between(*_ends(trainee.step, settings.batch))
    part = len(batch.numbers) * run.share.ranks / len(whole)
    loss = part * _forward(work, batch)
    mean_loss = _over_all(loss.detach(), run.share)
    _check(work, mean_loss, whole.tolist())
    trainee.step_back(loss, mean_loss, settings.batch, run.plan.ema_samples)
    trainee.seconds += time.perf_counter() - started
    return mean_loss


def _show(work: _Work, watch: Watch, loss: float, over: bool) -> None:
    upkeep = work.run.upkeep
    if over or _passed(work, upkeep.log_samples):
        watch.report(work.trainee, loss)
    if over or _passed(work, upkeep.grid_samples):
        watch.show_held_out(work.trainee)


def _passed(work: _Work, interval: int) -> bool:
    """Whether the last step went over a multiple of ``interval`` samples."""
    before, now = _ends(work.trainee.step - 1, work.settings.batch)
    return before // interval < now // interval


def learning_rate(settings: StageSettings, samples: int) -> float:
    """The rate at a position: linear warm-up, then constant or half a cosine down to zero."""
    rate = settings.learning_rate
    if settings.decay == "cosine":
        rate *= (1 + math.cos(math.pi * samples / (settings.steps * settings.batch))) / 2
    if samples < settings.warmup_samples:
        rate *= (samples + settings.batch) / (settings.warmup_samples + settings.batch)
    return rate


def _ends(step: int, batch: int) -> tuple[int, int]:
    return step * batch, (step + 1) * batch


def _begin(run: Run, stage: Stage) -> Trainee:
    """The stage as its newest checkpoint has it, else as it starts."""
    network = build_network(stage.kind, run.plan.network, run.plan.seed)
    trainee = Trainee(network, run.plan, run.device, run.upkeep.execution)
    torch.manual_seed(run.plan.seed)
    path = run.rolling(stage.name)
    if path.exists():
        checkpoint = load_checkpoint(path)
        require_same(path, checkpoint, run.decides(stage))
        trainee.restore(checkpoint)
    elif start := _start(run, stage):
        trainee.start_from(start.weights)
    return trainee


def _start(run: Run, stage: Stage) -> Checkpoint | None:
    """The state of another stage that this one starts from."""
    if stage.starts_from:
        return load_checkpoint(run.folder / stage.starts_from / HEAD_START)
    if run.plan.stages[stage.name].from_l1 and stage.sibling:
        return _finished(run, stage.sibling)
    return None


def _frozen(run: Run, name: str | None) -> FaceRotator | None:
    """The finished rotator of another stage, frozen."""
    if name is None:
        return None
    network = FaceRotator(run.plan.network)
    network.load_state_dict(_finished(run, name).weights)
    network.to(run.device).requires_grad_(False).eval()
    run.upkeep.execution.prepare(network)
    return network


def _finished(run: Run, name: str) -> Checkpoint:
    """The last state of another stage; ``InputError`` while it is not at its end."""
    path, steps = run.rolling(name), run.plan.stages[name].steps
    checkpoint = load_checkpoint(path)
    if checkpoint.step < steps:
        raise InputError(f"{path}: at step {checkpoint.step} of {steps}; train that stage first")
    return checkpoint


def _loss(run: Run, stage: Stage, settings: StageSettings) -> PictureLoss:
    if stage.loss == "L1":
        return l1_loss
    assert run.vgg is not None  # the plan's check has seen to it
    return PerceptualLoss(run.vgg, settings.perceptual_weight)


def _forward(work: _Work, batch: StoredBatch) -> Tensor:
    """The mean loss of the pictures at hand."""
    run, stage, focus = work.run, work.stage, work.settings.focus
    here = batch.to_network(run.device, run.plan.network.size)
    image, target, pose = here.image, here.target, here.pose[:, stage.axes]
    with Execution(precision=run.plan.precision).autocast(run.device):
        inputs: tuple[Tensor, ...] = (image,)
        if work.rotator:
            inputs = here.pathways or combiner_input(work.rotator, image, pose)
        outputs = pictures_of(stage.kind, work.network(*inputs, pose))
        loss = work.loss_of(target, *outputs)
        if focus:
            loss = loss + focus * changed_error(image, target, *outputs)
    return loss


def _over_all(loss: Tensor, share: Share) -> float:
    """The mean over all processes."""
    if share.ranks > 1:
        distributed.all_reduce(loss)
    return float(loss) / share.ranks


def _check(work: _Work, loss: float, whole: list[int]) -> None:
    """Stop before a step that would spoil the weights."""
    run, stage, trainee = work.run, work.stage, work.trainee
    calm = trainee.step < _CALM_STEPS or trainee.loss is None
    if math.isfinite(loss) and (calm or loss <= _EXPLODED * (trainee.loss or math.inf)):
        return
    path = run.folder / stage.name / BEFORE_FAILURE
    if run.share.rank == 0:
        save_checkpoint(path, trainee.checkpoint(stage.name, run.decides(stage)))
    names = ", ".join(run.samples.identify(number) for number in whole)
    raise TrainingError(
        f"stage {stage.name}, step {trainee.step}: the loss is {loss:.4g} after a mean of "
        f"{trainee.loss or math.nan:.4g}; samples {names}; the state before this step is in {path}:"
        f" look at these samples, or lower {stage.name}.learning_rate in a new run"
    )


def _save(work: _Work, at_once: bool) -> None:
    """Write the checkpoints that are due after a step."""
    run, stage, trainee = work.run, work.stage, work.trainee
    before, now = _ends(trainee.step - 1, work.settings.batch)
    paths: list[Path] = []
    head_start = run.folder / stage.name / HEAD_START
    ends = trainee.step == work.settings.steps
    if before < run.plan.head_start_samples <= now or (ends and not head_start.exists()):
        paths.append(head_start)
    if _passed(work, run.upkeep.numbered_samples):
        paths.append(numbered(run.folder / stage.name, now))
    if at_once or _passed(work, run.upkeep.checkpoint_samples):
        paths.append(run.rolling(stage.name))
    for path in paths:
        save_checkpoint(path, trainee.checkpoint(stage.name, run.decides(stage)))
