"""The plans that there are by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from models.base.config import NetworkConfig, copying
from train.data.augmentation import Augmentation
from train.loss.losses import COMBINER_WEIGHT, ROTATOR_WEIGHT
from train.plan.plan import EPOCH_SAMPLES, StageSettings, TrainingPlan, Upkeep
from train.plan.stages import STAGES, Kind


def _stages(lengths: Mapping[tuple[Kind, str], StageSettings]) -> Mapping[str, StageSettings]:
    return {name: lengths[stage.kind, stage.loss] for name, stage in STAGES.items()}


PAPER = TrainingPlan(
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


DEMO = TrainingPlan(
    "demo",
    copying(
        NetworkConfig(
            size=64,
            channels=12,
            max_channels=96,
            residual_blocks=3,
            rests=True,
            skips=True,
            palette=8,
            rigid=True,
        )
    ),
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
    mirror=True,
    augmentation=Augmentation(scale=0.12, shift=0.07),
)
"""Small networks that learn in minutes on two cores; started so that they copy their input.

Few characters are learned by heart unless they are mirrored and moved about.
"""

_LIVE_STAGE = StageSettings(
    batch=8,
    samples=160_000,
    learning_rate=1e-3,
    warmup_samples=800,
    decay="cosine",
    gradient_weight=0.5,
    coarse_weight=0.25,
    level=0.25,
)

LIVE = TrainingPlan(
    "live",
    copying(
        NetworkConfig(
            channels=16,
            max_channels=128,
            residual_blocks=3,
            sees=64,
            looks_at="face",
            face_sees=96,
            rests=True,
            skips=True,
            palette=8,
            last_filter=3,
            rigid=True,
            boldness=0.5,
            copies_more=4.0,
            flow_outlines=True,
            both_sides=True,
        )
    ),
    _stages(
        {
            ("morpher", "L1"): replace(_LIVE_STAGE, focus=1.0),
            ("rotator", "L1"): replace(
                _LIVE_STAGE, samples=240_000, similarity_weight=2.5, flow_weight=0.1
            ),
            ("rotator", "P"): replace(
                _LIVE_STAGE, perceptual_weight=ROTATOR_WEIGHT, flow_weight=0.1
            ),
            ("combiner", "L1"): replace(
                _LIVE_STAGE, samples=80_000, similarity_weight=2.5, copy_weight=0.4, hole_share=0.6
            ),
            ("combiner", "P"): replace(
                _LIVE_STAGE,
                samples=80_000,
                perceptual_weight=COMBINER_WEIGHT,
                from_l1=True,
                copy_weight=0.4,
                hole_share=0.6,
            ),
        }
    ),
    head_start_samples=240_000,
    ema_samples=2_000,
    mirror=True,
    augmentation=Augmentation(
        scale=0.12,
        turn_radians=0.08,
        shift=0.07,
        gain_low=0.75,
        gain_high=1.2,
        hue_radians=0.15,
        brightness=0.1,
        contrast=0.15,
        lines=0.3,
        blur=0.6,
        jpeg=0.1,
    ),
)
"""Networks that look at reduced pictures and change whole ones of 256 pixels, for two cores."""

PRESETS: Mapping[str, tuple[TrainingPlan, Upkeep]] = MappingProxyType(
    {
        "paper": (PAPER, Upkeep()),
        "demo": (DEMO, Upkeep(1_000, 6_000, 3_000, 80)),
        "live": (LIVE, Upkeep(4_000, 80_000, 20_000, 160)),
    }
)
