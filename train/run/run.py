"""A run: a folder, a plan, and what its stages share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from contract.errors import InputError
from contract.files import read_file, write_bytes
from dataset.shards.split_file import SplitPart
from models.base.execution import Execution
from train.data.order import Share
from train.data.samples import SampleSet
from train.loss.vgg import Vgg16
from train.plan.plan import TrainingPlan, Upkeep, execution
from train.plan.stages import STAGES, Stage
from train.run.checkpoint import ROLLING, Checkpoint, load_checkpoint, require_same

RUN_FILE = "run.json"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Run:
    """What the stages of a run share. vgg: for perceptual losses, where some stage has one."""

    folder: Path
    plan: TrainingPlan
    upkeep: Upkeep
    samples: SampleSet
    held_out: SampleSet
    fingerprint: str
    vgg: Vgg16 | None
    device: torch.device
    share: Share

    @property
    def execution(self) -> Execution:
        """How networks are run."""
        return execution(self.plan, self.upkeep)

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

    def finished(self, stage: str) -> Checkpoint:
        """A stage's last state; ``InputError`` while it is not at its end."""
        path, steps = self.rolling(stage), self.plan.stages[stage].steps
        checkpoint = load_checkpoint(path)
        if checkpoint.step < steps:
            raise InputError(
                f"{path}: at step {checkpoint.step} of {steps}; train that stage first"
            )
        return checkpoint


def write_run(
    run: Run,
    sources: Mapping[SplitPart, list[str]],
    models: Mapping[SplitPart, list[str]] | None = None,
) -> None:
    """Keep the resolved plan and the upkeep beside the checkpoints, and each part's sources and
    models (by SHA-256)."""
    record = {
        "plan": run.plan.to_json(),
        "upkeep": asdict(run.upkeep),
        "sources": sources,
        "data": run.fingerprint,
        "models": models or {},
    }
    write_bytes(run.folder / RUN_FILE, json.dumps(record, indent=2).encode())


def read_run(folder: Path) -> dict[str, object]:
    """What ``write_run`` wrote; ``InputError`` when it is not there."""
    path = folder / RUN_FILE
    try:
        record = json.loads(read_file(path, _MOST_BYTES))
    except (InputError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: no record of a run; give the folder of `train all`") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: not a record of a run; give the folder of `train all`")
    return record
