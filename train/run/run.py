"""A run: a folder, a plan, and what its stages share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from train.data.batch import Share
from train.data.samples import SampleSet
from train.loss.vgg import Vgg16
from train.plan.plan import Plan, Upkeep
from train.plan.stages import STAGES, Stage
from train.run.checkpoint import ROLLING, load_checkpoint, require_same


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
