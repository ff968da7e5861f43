"""What a plan will cost, measured on a little noise per stage before anything is trained."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from weakref import WeakSet

import torch
from torch import Tensor

from contract.pose import AXES
from dataset.shards.split_file import PARTS
from models.base.execution import Execution
from models.files.bundle import Network
from train.data.pathways import Pathways
from train.data.samples import Splits
from train.loss.vgg import Vgg16
from train.plan.plan import TrainingPlan, Upkeep, execution, stage_loss
from train.plan.stages import STAGES, Stage, build_network, run_stage

_PIXELS = 8 * 64**2
"""About how many are measured: enough to matter, few enough not to wait for."""
_COPIES_IN_TRAINING = 4
"""Weights, gradients and Adam's two moments."""


@dataclass(frozen=True)
class Estimate:
    """One stage: numbers in its network, seconds for all its samples, bytes at its batch size."""

    stage: str
    parameters: int
    seconds: float
    memory_bytes: int


def estimate(plan: TrainingPlan, upkeep: Upkeep, stage: Stage, device: torch.device) -> Estimate:
    """Run a step on a small batch and scale it; the perceptual loss with random filters.

    As the run will run it, but not compiled: that takes longer than the whole estimate.
    """
    settings, way = plan.stages[stage.name], execution(plan, replace(upkeep, compiled=False))
    count = max(1, min(settings.batch, _PIXELS // plan.network.size**2))
    network = _network(plan, stage, way, device)
    rotator = _network(plan, STAGES[stage.rotator], way, device) if stage.rotator else None
    vgg = Vgg16().to(device) if stage.loss == "P" else None
    loss_of = stage_loss(settings, vgg, settings.samples)
    seconds, kept = [], 0
    for _ in range(2):  # the first warms up
        image, started = _noise(plan, count, device), time.perf_counter()
        with _keeping() as alive, way.autocast(device):
            outputs = run_stage(
                stage, network, rotator, image, image.new_zeros(count, len(AXES))
            ).pictures
            loss = loss_of(image, image, outputs)
        kept = _bytes_of(alive)
        loss.backward()  # type: ignore[no-untyped-call]
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        network.zero_grad()
        seconds.append(time.perf_counter() - started)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    copies = _COPIES_IN_TRAINING + (plan.ema_samples > 0)
    return Estimate(
        stage.name,
        parameters,
        min(seconds) / count * settings.steps * settings.batch,
        4 * copies * parameters + kept * settings.batch // count,
    )


def _network(plan: TrainingPlan, stage: Stage, way: Execution, device: torch.device) -> Network:
    network = build_network(stage.kind, plan.network, plan.seed).to(device)
    way.prepare(network)
    return network


def _noise(plan: TrainingPlan, count: int, device: torch.device) -> Tensor:
    size = plan.network.size
    return torch.rand(count, 4, size, size, device=device) * 2 - 1


class _Kept:
    """A tensor that is kept for the way back, as long as its graph lives."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


@contextmanager
def _keeping() -> Iterator[WeakSet[_Kept]]:
    """Collects what is kept inside, and lets go of what no gradient needs after all."""
    alive: WeakSet[_Kept] = WeakSet()

    def keep(tensor: Tensor) -> _Kept:
        kept = _Kept(tensor)
        alive.add(kept)
        return kept

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        yield alive


def _bytes_of(alive: WeakSet[_Kept]) -> int:
    storages = [kept.tensor.untyped_storage() for kept in alive]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def describe(
    plan: TrainingPlan,
    upkeep: Upkeep,
    splits: Splits,
    stages: Sequence[Stage],
    device: torch.device,
) -> str:
    """All that a run is going to do and what it costs, for people; nothing is trained."""
    lines = [f"preset {plan.preset}, on {device}"]
    settings = plan.to_json()
    del settings["stages"]
    lines += [f"  {name} = {value}" for name, value in settings.items()]
    lines += [f"  upkeep.{name} = {value}" for name, value in asdict(upkeep).items()]
    for part in PARTS:
        found = splits.part(part)
        lines.append(
            f"{part}: {len(found)} samples of {len(found.characters)} characters "
            f"from {len(found.sources)} sources"
        )
    total = 0.0
    for stage in stages:
        cost = estimate(plan, upkeep, stage, device)
        total += cost.seconds
        lines.append(f"stage {stage.name}")
        lines += [f"  {k} = {v}" for k, v in asdict(plan.stages[stage.name]).items()]
        lines.append(
            f"  {plan.stages[stage.name].steps} steps; {cost.parameters} parameters; about "
            f"{_hours(cost.seconds)} and {cost.memory_bytes / 1e9:.2f} GB here"
        )
    if upkeep.precompute:
        kept = Pathways(Path(), len(splits.train), plan.network.size)
        size = kept.bytes_of(range(kept.parts)) / 1e9
        rotators = {stage.rotator for stage in stages if stage.rotator}
        lines += [f"kept pictures of {name}: {size:.2f} GB on disk" for name in sorted(rotators)]
    return "\n".join([*lines, f"all stages: about {_hours(total)} here"])


def _hours(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
