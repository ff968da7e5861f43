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
from train.run.beginning import FIELD, Beginning, bundle_told
from train.run.checkpoint import ROLLING, Checkpoint, load_checkpoint, require_same

RUN_FILE = "run.json"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Run:
    """What the stages of a run share.

    vgg: for perceptual losses, where some stage has one. begins_with: networks that stages begin
    with, where there are some.
    """

    folder: Path
    plan: TrainingPlan
    upkeep: Upkeep
    samples: SampleSet
    held_out: SampleSet
    fingerprint: str
    vgg: Vgg16 | None
    device: torch.device
    share: Share
    begins_with: Beginning | None = None

    @property
    def execution(self) -> Execution:
        """How networks are run."""
        return execution(self.plan, self.upkeep)

    def decides(self, stage: Stage) -> dict[str, object]:
        """All that decides a stage's weights; a checkpoint of anything else is refused."""
        known = self.plan.decides(stage.name) | {"data": self.fingerprint}
        return known | ({FIELD: self.begins_with.told.checksum} if self.begins_with else {})

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
    """Keep the resolved plan and the upkeep beside the checkpoints, each part's sources and models
    (by SHA-256), and what there is to tell of the bundle that the run began with."""
    record: dict[str, object] = {
        "plan": run.plan.to_json(),
        "upkeep": asdict(run.upkeep),
        "sources": sources,
        "data": run.fingerprint,
        "models": models or {},
    }
    if run.begins_with:
        record[FIELD] = asdict(run.begins_with.told)
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


def require_same_bundle(run: Run) -> None:
    """Refuse another bundle to begin with than the stages in the run's folder had, all of them.

    Raises:
        InputError: it is another, or there is one where there was none, or none where there was.
    """
    path = run.folder / RUN_FILE
    if not (path.exists() and any(run.rolling(stage).exists() for stage in STAGES)):
        return
    begun, now = bundle_told(path, read_run(run.folder)), run.begins_with and run.begins_with.told
    if (begun and begun.checksum) != (now and now.checksum):
        raise InputError(
            f"{path}: begun with {begun or 'no bundle'}, now with {now or 'none'}; give "
            f"{'the same --begin-with' if begun else 'no --begin-with'}, or another run folder"
        )
