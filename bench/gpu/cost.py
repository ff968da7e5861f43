"""What the preset ``paper`` takes on a device: memory at its batch sizes, and hours a stage."""

from __future__ import annotations

import gc
import time
from dataclasses import asdict, dataclass, replace
from statistics import median

import torch

from bench.gpu.outcome import Outcome, judged
from bench.gpu.scale import Scale
from contract.pose import AXES
from models.base.execution import Execution
from train.loss.vgg import Vgg16
from train.plan.plan import TrainingPlan, stage_loss
from train.plan.stages import STAGES, Stage, build_network, run_stage
from train.run.trainee import Trainee

WARM, TIMED = 2, 3
WAYS = (Execution(), Execution(channels_last=True, precision="bfloat16"))
"""The write-up's arithmetic, and what is fastest on most cards; not compiled, for want of time."""


@dataclass(frozen=True)
class Cost:
    """One stage at one batch size: seconds a step, and the most bytes that it had on the card."""

    stage: str
    batch: int
    wanted_batch: int
    step_seconds: float
    peak_bytes: int | None


def costs(device: torch.device, scale: Scale) -> list[Outcome]:
    """Memory and pace of every stage in each way, and what all stages come to."""
    outcomes: list[Outcome] = []
    for way in WAYS:
        plan = replace(scale.costly, precision=way.precision)
        found = [cost(stage, plan, way, device) for stage in STAGES.values()]
        outcomes += [_memory(one, way) for one in found]
        outcomes.append(estimate(plan, way, found))
    return outcomes


def cost(stage: Stage, plan: TrainingPlan, way: Execution, device: torch.device) -> Cost:
    """Steps on noise at the plan's batch size, or at the largest half of it that fits.

    Raises:
        torch.OutOfMemoryError: not even one picture fits.
    """
    wanted = batch = plan.stages[stage.name].batch
    while True:
        try:
            seconds, peak = _steps(stage, plan, way, device, batch)
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
        else:
            return Cost(stage.name, batch, wanted, seconds, peak)
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _steps(
    stage: Stage, plan: TrainingPlan, way: Execution, device: torch.device, batch: int
) -> tuple[float, int | None]:
    """(median seconds of a step, the most bytes)."""
    on_card = device.type == "cuda"
    if on_card:
        torch.cuda.reset_peak_memory_stats(device)
    trainee = Trainee(build_network(stage.kind, plan.network, 0), plan, device, way)
    rotator = None
    if stage.rotator:
        rotator = build_network(STAGES[stage.rotator].kind, plan.network, 0).to(device)
        rotator.requires_grad_(False).eval()
        way.prepare(rotator)
    vgg = Vgg16().to(device) if stage.loss == "P" else None
    loss_of = stage_loss(plan.stages[stage.name], vgg, 0)
    size = plan.network.size
    image, target = (torch.rand(batch, 4, size, size, device=device) * 2 - 1 for _ in range(2))
    pose = torch.zeros(batch, len(AXES), device=device)
    seconds = []
    for _ in range(WARM + TIMED):
        began = time.perf_counter()
        with way.autocast(device):
            outputs = run_stage(stage, trainee.network, rotator, image, pose).pictures
            loss = loss_of(image, target, outputs)
        trainee.find_gradient(loss)
        trainee.step_back(float(loss.detach()), batch, plan.ema_samples)
        if on_card:
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    peak = torch.cuda.max_memory_allocated(device) if on_card else None
    return median(seconds[WARM:]), peak


def _memory(found: Cost, way: Execution) -> Outcome:
    fits = found.batch == found.wanted_batch
    taken = "not counted here" if found.peak_bytes is None else f"{found.peak_bytes / 1e9:.1f} GB"
    said = f"batch {found.wanted_batch}: {taken}, {found.step_seconds:.3f} s a step"
    if not fits:
        said = f"batch {found.wanted_batch} does not fit; {found.batch} do: {taken}"
    return judged(f"cost, {found.stage}, {way.precision}", fits, said, asdict(found))


def estimate(plan: TrainingPlan, way: Execution, found: list[Cost]) -> Outcome:
    """Hours that the stages take at the pace measured; reading pictures is not in it."""
    hours = {one.stage: hours_of(plan, one) for one in found}
    each = ", ".join(f"{stage} {taken:.1f}" for stage, taken in hours.items())
    said = f"{sum(hours.values()):.1f} hours of steps ({each})"
    name = f"preset {plan.preset}, {way.precision}"
    return Outcome(name, "passed", said, {"hours": hours, "total": sum(hours.values())})


def hours_of(plan: TrainingPlan, found: Cost) -> float:
    """Of all samples of a stage, at the batch that fits."""
    return plan.stages[found.stage].samples / found.batch * found.step_seconds / 3600
