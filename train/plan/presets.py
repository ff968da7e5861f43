"""The plans that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from models.base.config import NetworkConfig, copying
from train.loss.losses import COMBINER_WEIGHT, ROTATOR_WEIGHT
from train.plan.plan import EPOCH_SAMPLES, Plan, StageSettings, Upkeep
from train.plan.stages import STAGES, Kind


def _stages(lengths: Mapping[tuple[Kind, str], StageSettings]) -> Mapping[str, StageSettings]:
    return {name: lengths[stage.kind, stage.loss] for name, stage in STAGES.items()}


PAPER = Plan(
    "paper",
    NetworkConfig(),
    _stages(
        {
            ("morpher", "L1"): StageSettings(25, 6 * EPOCH_SAMPLES),
            ("rotator", "L1"): StageSettings(25, 6 * EPOCH_SAMPLES),
            ("rotator", "P"): StageSettings(8, 6 * EPOCH_SAMPLES, perceptual_weight=ROTATOR_WEIGHT),
            ("combiner", "L1"): StageSettings(20, 3 * EPOCH_SAMPLES),
            ("combiner", "P"): StageSettings(
                12, 3 * EPOCH_SAMPLES, perceptual_weight=COMBINER_WEIGHT
            ),
        }
    ),
)
"""Sizes, batches and lengths of the write-up, exactly."""


def _demo_stage(samples: int, **changes: Any) -> StageSettings:  # noqa: ANN401
    return StageSettings(
        batch=8,
        samples=samples,
        learning_rate=1e-3,
        warmup_samples=400,
        decay="cosine",
        **changes,
    )


DEMO = Plan(
    "demo",
    copying(NetworkConfig(size=64, channels=12, max_channels=96, residual_blocks=3)),
    _stages(
        {
            ("morpher", "L1"): _demo_stage(14_000, focus=1.0),
            ("rotator", "L1"): _demo_stage(18_000),
            ("rotator", "P"): _demo_stage(800, perceptual_weight=ROTATOR_WEIGHT),
            ("combiner", "L1"): _demo_stage(7_000),
            ("combiner", "P"): _demo_stage(600, perceptual_weight=COMBINER_WEIGHT, from_l1=True),
        }
    ),
    head_start_samples=18_000,
    ema_samples=500,
)
"""Small networks that learn in minutes on two cores; started so that they copy their input."""

PRESETS: Mapping[str, tuple[Plan, Upkeep]] = MappingProxyType(
    {
        "paper": (PAPER, Upkeep()),
        "demo": (DEMO, Upkeep(1_000, 6_000, 3_000, 80)),
    }
)
