"""What a plan will cost, measured on a little noise per stage before anything is trained."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.bundle import Network
from models.execution import Execution
from train.losses import PerceptualLoss, PictureLoss, l1_loss
from train.plan import Plan
from train.stages import STAGES, Stage, build_network, combiner_input, pictures_of
from train.vgg import Vgg16

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
