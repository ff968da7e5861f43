"""What a plan will cost, measured on a little noise per stage before anything is trained."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.base.execution import Execution
from models.files.bundle import Network
from train.data.pathways import Pathways
from train.data.samples import PARTS, Splits
from train.loss.losses import PerceptualLoss, PictureLoss, l1_loss
from train.loss.vgg import Vgg16
from train.plan.plan import Plan, Upkeep
from train.plan.stages import STAGES, Stage, build_network, combiner_input, pictures_of

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


def estimate(plan: Plan, stage: Stage, device: torch.device) -> Estimate:
    """Run a step on a small batch and scale it; the perceptual loss with random filters."""
    settings, execution = plan.stages[stage.name], Execution()
    count = max(1, min(settings.batch, _PIXELS // plan.network.size**2))
    network = build_network(stage.kind, plan.network, plan.seed).to(device)
    execution.prepare(network)
    rotator = None
    if stage.rotator:
        rotator = build_network(STAGES[stage.rotator].kind, plan.network, plan.seed).to(device)
        execution.prepare(rotator)
    loss_of: PictureLoss = l1_loss
    if stage.loss == "P":
        loss_of = PerceptualLoss(Vgg16().to(device), settings.perceptual_weight)
    seconds, kept = [], 0
    for _ in range(2):  # the first warms up
        started = time.perf_counter()
        kept = _step(stage, network, rotator, loss_of, _noise(plan, count, device))
        seconds.append(time.perf_counter() - started)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    copies = _COPIES_IN_TRAINING + (plan.ema_samples > 0)
    return Estimate(
        stage.name,
        parameters,
        min(seconds) / count * settings.steps * settings.batch,
        4 * copies * parameters + kept * settings.batch // count,
    )


def _noise(plan: Plan, count: int, device: torch.device) -> Tensor:
    size = plan.network.size
    return torch.rand(count, 4, size, size, device=device) * 2 - 1


def _step(
    stage: Stage,
    network: Network,
    rotator: nn.Module | None,
    loss_of: PictureLoss,
    image: Tensor,
) -> int:
    """One step without the optimizer; the bytes kept for the way back."""
    pose = image.new_zeros(len(image), 3)
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    inputs = (image,) if rotator is None else combiner_input(rotator, image, pose)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(image, *pictures_of(stage.kind, network(*inputs, pose)))
    loss.backward()  # type: ignore[no-untyped-call]
    if image.is_cuda:
        torch.cuda.synchronize()
    network.zero_grad()
    return sum(storages.values())


def describe(
    plan: Plan, upkeep: Upkeep, splits: Splits, stages: Sequence[Stage], device: torch.device
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
        cost = estimate(plan, stage, device)
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
