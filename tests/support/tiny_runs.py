"""Runs on drawn faces, of networks small enough to train within a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from models.base.config import NetworkConfig
from tests.support.tiny_shards import SIZE
from train.data.augmentation import Augmentation
from train.data.order import Share
from train.data.samples import open_splits
from train.loss.vgg import Vgg16
from train.plan.plan import StageSettings, TrainingPlan, Upkeep
from train.plan.presets import DEMO
from train.plan.stages import STAGES
from train.run.run import Run

TINY = NetworkConfig(size=SIZE, channels=4, max_channels=8, residual_blocks=1, flow_scale=0.0)


def tiny_plan(settings: StageSettings) -> TrainingPlan:
    """Every stage with the same settings."""
    stages = dict.fromkeys(STAGES, settings)
    plain = replace(DEMO, mirror=False, augmentation=Augmentation())
    return replace(plain, network=TINY, stages=stages, head_start_samples=8, ema_samples=16)


def open_run(shards: Path, folder: Path, plan: TrainingPlan, vgg: Vgg16 | None = None) -> Run:
    """A run on the CPU, in this process, that keeps and shows something every few steps."""
    splits = open_splits(shards)
    train = splits.train.with_mirror_images() if plan.mirror else splits.train
    parts, data = (train, splits.validation), splits.train.fingerprint()
    upkeep = Upkeep(8, 16, 8, 4)
    return Run(folder, plan, upkeep, *parts, data, vgg, torch.device("cpu"), Share())
