"""How much is checked: all of it on a graphics card, or the same things small on a CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.base.config import NetworkConfig
from train.data.augmentation import Augmentation
from train.plan.plan import StageSettings, TrainingPlan
from train.plan.presets import DEMO, PAPER
from train.plan.stages import STAGES


@dataclass(frozen=True)
class Scale:
    """learning: short stages of small networks, whose losses are compared. costly: the plan whose
    memory and pace are measured. compiled: whether torch.compile is among what is compared.
    characters, poses, size: of the pictures that are compared.
    """

    learning: TrainingPlan
    costly: TrainingPlan
    compiled: bool
    characters: int
    poses: int
    size: int


def _short(network: NetworkConfig, batch: int, steps: int) -> TrainingPlan:
    """All stages alike; the perceptual loss weighs as in the write-up."""
    stages = {
        name: StageSettings(
            batch,
            batch * steps,
            3e-4,
            perceptual_weight=PAPER.stages[name].perceptual_weight,
        )
        for name in STAGES
    }
    plain = replace(DEMO, mirror=False, augmentation=Augmentation())
    return replace(plain, network=network, stages=stages, head_start_samples=1, ema_samples=0)


_TINY = NetworkConfig(size=16, channels=16, max_channels=16, residual_blocks=1, flow_scale=0.0)
_SMALL = NetworkConfig(size=64, channels=16, max_channels=128, residual_blocks=3, flow_scale=0.0)
_TWO_AT_A_TIME = {name: replace(one, batch=2) for name, one in PAPER.stages.items()}

WHOLE = Scale(_short(_SMALL, 8, 8), PAPER, True, 6, 16, 256)
TINY = Scale(
    _short(_TINY, 2, 3), replace(PAPER, network=_TINY, stages=_TWO_AT_A_TIME), False, 1, 2, 64
)
