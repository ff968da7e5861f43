"""THE loop: every stage is trained here."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from contract.errors import TrainingError
from train.batch import SampleOrder, Share, StoredBatch, batches
from train.checkpoint import (
    HEAD_START,
    ROLLING,
    load_checkpoint,
    numbered,
    require_same,
    save_checkpoint,
)
from train.focus import changed_error
from train.losses import PerceptualLoss, PictureLoss, l1_loss
from train.plan import Plan, StageSettings, Upkeep
from train.samples import SampleSet
from train.stages import STAGES, Stage, build_network, combiner_input, pictures_of
from train.trainee import Trainee
from train.vgg import Vgg16
from train.watch import Watch

BEFORE_FAILURE = "before-failure.pt"
_EXPLODED = 20.0
_CALM_STEPS = 50
"""Steps before a loss can count as exploded: the first ones are wild by nature."""


@dataclass(frozen=True)
class Run:
    """What the stages of a run share. vgg: for perceptual losses, where some stage has one."""

    folder: Path
    plan: Plan
    upkeep: Upkeep
    samples: SampleSet
    held_out: SampleSet
    fingerprint: str
    vgg: Vgg16 | None
    device: torch.device
    share: Share

    def decides(self, stage: Stage) -> dict[str, object]:
        """All that decides a stage's weights; a checkpoint of anything else is refused."""
        return self.plan.decides(stage.name) | {"data": self.fingerprint}

    def rolling(self, stage: str) -> Path:
        """Where a stage's newest checkpoint lies."""
        return self.folder / stage / ROLLING

    def is_finished(self, stage: str) -> bool:
        """Whether a stage has a checkpoint of its last step, made under this very plan."""
        path = self.rolling(stage)
        if not path.exists():
            return False
        checkpoint = load_checkpoint(path)
        require_same(path, checkpoint, self.decides(STAGES[stage]))
        return checkpoint.step >= self.plan.stages[stage].steps


def train_stage(run: Run, stage: Stage, watch: Watch | None, stop_after: int | None = None) -> None:
    """Train one stage from its newest checkpoint, or from its start, to its end.

    watch: where the first process shows what it does; None: nowhere.
    stop_after: leave after this many steps all the same, with a checkpoint.

    Raises:
        TrainingError: the loss exploded or is not a number, or memory ran out.
        InputError: a checkpoint is damaged or of another plan, or a stage before is missing.
        ShardError: a picture is damaged.
    """
    settings, upkeep = run.plan.stages[stage.name], run.upkeep
    order = SampleOrder(len(run.samples), run.plan.seed)

    # Build, and resume where there is something to resume.
    rotator = _frozen(run, stage.rotator)
    trainee = _begin(run, stage)
    loss_of = _loss(run, stage, settings)
    network = trainee.network
    parallel = DistributedDataParallel(network) if run.share.ranks > 1 else network
    if watch:
        watch.begin(run, stage, trainee, rotator)

    last = settings.steps if stop_after is None else min(settings.steps, trainee.step + stop_after)
    positions = range(trainee.step * settings.batch, last * settings.batch, settings.batch)
    with _stopping_softly() as stop, _explaining_memory(stage):
        for batch in batches(
            run.samples,
            order,
            stage.pictures,
            positions,
            run.share,
            upkeep.loader_threads,
        ):
            # Step.
            started = time.perf_counter()
            trainee.set_learning_rate(learning_rate(settings, trainee.step * settings.batch))
            whole = order.between(*_ends(trainee.step, settings.batch))
            part = len(batch.numbers) * run.share.ranks / len(whole)
            loss = part * _forward(run, stage, settings, parallel, rotator, loss_of, batch)
            mean_loss = _over_all(loss.detach(), run.share)
            _check(run, stage, trainee, mean_loss, whole.tolist())
            trainee.step_back(loss, mean_loss, settings.batch, run.plan.ema_samples)
            trainee.seconds += time.perf_counter() - started

            # Report.
            before, now = _ends(trainee.step - 1, settings.batch)
            over = trainee.step == last
            if watch and (over or before // upkeep.log_samples < now // upkeep.log_samples):
                watch.report(trainee, mean_loss)
            if watch and (over or before // upkeep.grid_samples < now // upkeep.grid_samples):
                watch.show_held_out(trainee)

            # Save.
            if run.share.rank == 0:
                _save(run, stage, trainee, over or bool(stop))
            if stop:
                raise KeyboardInterrupt
    if watch:
        watch.end(trainee)


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
    elif stage.starts_from:
        start = load_checkpoint(run.folder / stage.starts_from / HEAD_START)
        trainee.start_from(start.weights)
    return trainee


def _frozen(run: Run, name: str | None) -> nn.Module | None:
    """The finished network of another stage, frozen."""
    if name is None:
        return None
    network = build_network(STAGES[name].kind, run.plan.network, run.plan.seed)
    network.load_state_dict(load_checkpoint(run.rolling(name)).weights)
    network.to(run.device).requires_grad_(False).eval()
    run.upkeep.execution.prepare(network)
    return network


def _loss(run: Run, stage: Stage, settings: StageSettings) -> PictureLoss:
    if stage.loss == "L1":
        return l1_loss
    assert run.vgg is not None  # the plan's check has seen to it
    return PerceptualLoss(run.vgg, settings.perceptual_weight)


def _forward(
    run: Run,
    stage: Stage,
    settings: StageSettings,
    network: nn.Module,
    rotator: nn.Module | None,
    loss_of: PictureLoss,
    batch: StoredBatch,
) -> Tensor:
    """The mean loss of the pictures at hand."""
    here = batch.to_network(run.device, run.plan.network.size)
    image, target, pose = here.image, here.target, here.pose[:, stage.axes]
    with torch.autocast(run.device.type, torch.bfloat16, run.plan.precision == "bfloat16"):
        inputs = (image,) if rotator is None else combiner_input(rotator, image, pose)
        outputs = pictures_of(stage.kind, network(*inputs, pose))
        loss = loss_of(target, *outputs)
        if settings.focus:
            loss = loss + settings.focus * changed_error(image, target, *outputs)
    return loss


def _over_all(loss: Tensor, share: Share) -> float:
    """The mean over all processes."""
    if share.ranks > 1:
        distributed.all_reduce(loss)
    return float(loss) / share.ranks


def _check(run: Run, stage: Stage, trainee: Trainee, loss: float, whole: list[int]) -> None:
    """Stop before a step that would spoil the weights."""
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


def _save(run: Run, stage: Stage, trainee: Trainee, at_once: bool) -> None:
    """Write the checkpoints that are due after a step."""
    batch, upkeep = run.plan.stages[stage.name].batch, run.upkeep
    before, now = _ends(trainee.step - 1, batch)

    def due(interval: int) -> bool:
        return before // interval < now // interval

    paths: list[Path] = []
    head_start = run.folder / stage.name / HEAD_START
    ends = trainee.step == run.plan.stages[stage.name].steps
    if before < run.plan.head_start_samples <= now or (ends and not head_start.exists()):
        paths.append(head_start)
    if due(upkeep.numbered_samples):
        paths.append(numbered(run.folder / stage.name, now))
    if at_once or due(upkeep.checkpoint_samples):
        paths.append(run.rolling(stage.name))
    for path in paths:
        save_checkpoint(path, trainee.checkpoint(stage.name, run.decides(stage)))


@contextmanager
def _stopping_softly() -> Iterator[list[int]]:
    """Collects a first Ctrl-C or SIGTERM, to be heeded between two steps; a second one is heard."""
    stop: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        stop.append(number)
        signal.signal(number, signal.default_int_handler)

    former = {}
    with suppress(ValueError):  # only the main thread may listen
        former = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _explaining_memory(stage: Stage) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_memory and "allocate memory" not in text and "not enough memory" not in text:
            raise
        raise TrainingError(
            f"stage {stage.name}: memory ran out; give a smaller batch (--set {stage.name}.batch=N)"
            " or smaller networks (--set network.channels=N); --dry-run estimates both"
        ) from error
