"""Whether training on a device is the same training: its losses, and its going on."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from bench.gpu.outcome import Outcome, judged
from bench.gpu.scale import Scale
from models.base.execution import Execution, Precision
from tests.support.tiny_shards import write_shards
from train.data.batch import CPU
from train.data.order import Share
from train.data.samples import Splits, open_splits
from train.loss.vgg import Vgg16
from train.plan.plan import TrainingPlan, Upkeep
from train.plan.stages import STAGES, Stage, build_network
from train.run.checkpoint import Checkpoint, load_checkpoint, numbered
from train.run.loop import train_stage
from train.run.run import Run
from train.run.trainee import Trainee

NEAR: Mapping[Precision, float] = {"float32": 0.01, "bfloat16": 0.05, "float16": 0.03}
"""How far a loss may lie from the CPU's in float32, relative to that."""

_FIRST_SCALE = 65536.0  # torch's GradScaler's, halved at each step that is left out
_EQUAL = 10.0
"""Two runs that differ so many times as much as two alike still count as alike."""


def open_run(
    folder: Path, plan: TrainingPlan, splits: Splits, device: torch.device, compiled: bool
) -> Run:
    """A run that keeps a checkpoint of every step; in the card's memory format unless float32."""
    batch = plan.stages["morpher"].batch
    torch.manual_seed(0)
    return Run(
        folder,
        plan,
        Upkeep(1 << 30, batch, 1 << 30, 1 << 30, plan.precision != "float32", compiled),
        splits.train,
        splits.validation,
        splits.train.fingerprint(),
        Vgg16().to(device),
        device,
        Share(),
    )


@dataclass(frozen=True)
class Trained:
    """The loss of every step of a stage; how many steps float16 left out to find its scale."""

    losses: list[float]
    left_out: int


def trained(run: Run, stage: Stage) -> Trained:
    """Train a stage to its end."""
    train_stage(run, stage, None)
    settings = run.plan.stages[stage.name]
    folder = run.folder / stage.name
    means = [
        load_checkpoint(numbered(folder, step * settings.batch)).loss
        for step in range(1, settings.steps + 1)
    ]
    last = dict(load_checkpoint(run.rolling(stage.name)).scaler)
    left_out = round(math.log2(_FIRST_SCALE / last["scale"])) if last else 0
    return Trained(_undone([mean for mean in means if mean is not None]), left_out)


def _undone(means: Sequence[float], memory: float = 0.99) -> list[float]:
    """The numbers whose running mean, begun at the first, came to ``means``."""
    rest = ((now - memory * past) / (1 - memory) for past, now in pairwise(means))
    return [means[0], *rest]


def stages(
    device: torch.device, precision: Precision, compiled: bool, scale: Scale, folder: Path
) -> list[Outcome]:
    """Every stage on the device, in a precision, beside the CPU in float32."""
    size = scale.learning.network.size
    splits = open_splits(write_shards(folder / "shards", samples=12, size=size))
    there_plan = replace(scale.learning, precision=precision)
    here = open_run(folder / "cpu", scale.learning, splits, CPU, False)
    there = open_run(folder / "device", there_plan, splits, device, compiled)
    return [_stage(stage, here, there) for stage in STAGES.values()]


def _stage(stage: Stage, here: Run, there: Run) -> Outcome:
    wanted, there_trained = trained(here, stage).losses, trained(there, stage)
    found = there_trained.losses
    furthest = max(abs(a - b) / abs(b) for a, b in zip(found, wanted, strict=True))
    precision = there.plan.precision
    layout = ", channels_last" if there.upkeep.channels_last else ""
    way = f"{precision}{layout}{', compiled' if there.upkeep.compiled else ''}"
    said = (
        f"loss {found[0]:.4f} to {found[-1]:.4f} in {len(found)} steps; the furthest from the "
        f"CPU's {100 * furthest:.2f} %"
    )
    numbers = {
        "way": way,
        "losses": found,
        "losses_on_cpu": wanted,
        "furthest": furthest,
        "steps_left_out": there_trained.left_out,
    }
    return judged(f"{stage.name}, {precision}", furthest <= NEAR[precision], said, numbers)


# Going on.


def resume(
    device: torch.device, stage: Stage, precision: Precision, scale: Scale, folder: Path
) -> Outcome:
    """A stage in one go, the same again, and one that is left in the middle and gone on with."""
    plan = replace(scale.learning, precision=precision)
    splits = open_splits(write_shards(folder / "shards", size=plan.network.size))
    with _repeatable():
        ends = []
        for name in ("one", "again", "resumed"):
            run = open_run(folder / name, plan, splits, device, False)
            if name == "resumed":
                train_stage(run, stage, None, stop_after=plan.stages[stage.name].steps // 2)
            train_stage(run, stage, None)
            ends.append(load_checkpoint(run.rolling(stage.name)))
    one, again, resumed = ends
    usual, apart = _apart(one, again), _apart(one, resumed)
    restored = _is_restored(resumed, stage, plan, device)
    holds = restored and one.step == resumed.step and apart <= _EQUAL * usual
    exactly = "bit for bit" if apart == 0 else f"up to {apart:.1e}, two whole runs {usual:.1e}"
    said = f"resumed and whole agree ({exactly}); the state is {'' if restored else 'NOT '}restored"
    name = f"resume, {stage.name}, {precision}"
    return judged(name, holds, said, {"apart": apart, "usual": usual, "restored": restored})


@contextmanager
def _repeatable() -> Iterator[None]:
    """Inside, what torch can compute the same way twice it does."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _apart(one: Checkpoint, other: Checkpoint) -> float:
    """The largest difference of two weights."""
    return max(
        float((tensor - other.network[name]).abs().max()) for name, tensor in one.network.items()
    )


def _is_restored(kept: Checkpoint, stage: Stage, plan: TrainingPlan, device: torch.device) -> bool:
    """Whether a trainee on the device that is given a checkpoint has just that state."""
    network = build_network(stage.kind, plan.network, plan.seed)
    trainee = Trainee(network, plan, device, replace(_execution(plan), compiled=False))
    trainee.restore(kept)
    found = trainee.checkpoint(stage.name, kept.decides)
    return _same(vars(kept), vars(found))


def _execution(plan: TrainingPlan) -> Execution:
    return Execution(plan.precision != "float32", plan.precision)


def _same(one: object, other: object) -> bool:
    """Whether two states are equal, wherever their tensors lie."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one.cpu(), other.cpu())
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


# Two at once.


def two_processes(device: torch.device, scale: Scale, folder: Path) -> Outcome:
    """One process, and two under torchrun (NCCL on cards, else gloo), come to the same weights."""
    name = "two processes"
    if device.type == "cuda" and torch.cuda.device_count() < 2:
        return Outcome(name, "skipped", "one card here; NCCL between two wants two")
    shards = write_shards(folder / "shards", size=scale.learning.network.size)
    ends = []
    for processes in (1, 2):
        out = folder / str(processes)
        done = _train(shards, out, processes, device, scale.learning)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
            return Outcome(name, "failed", f"with {processes}: {last:.200}")
        ends.append(load_checkpoint(out / "morpher" / "checkpoint.pt"))
    apart = _apart(*ends)
    said = f"weights after {ends[0].step} steps differ by {apart:.1e} at most from one process'"
    return judged(name, ends[0].step == ends[1].step and apart < 1e-3, said, {"apart": apart})


def _train(
    shards: Path, out: Path, processes: int, device: torch.device, plan: TrainingPlan
) -> subprocess.CompletedProcess[str]:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    settings = plan.stages["morpher"]
    changes = [f"network.{field}={value}" for field, value in plan.network.to_json().items()]
    changes += [f"all.batch={settings.batch}", f"all.samples={settings.samples}"]
    words = [word for change in changes for word in ("--set", change)]
    command = ["-m", "train.cli", "all", str(shards), "-o", str(out), "--preset", "demo"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if device.type == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return subprocess.run(
        [
            sys.executable,
            *(launch if processes > 1 else []),
            *command,
            "--stage",
            "morpher",
            *words,
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
