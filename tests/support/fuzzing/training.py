"""What a training leaves for the next: checkpoints and histories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support.fuzzing.mutation import any_number, anywhere, in_archive, in_lines
from tests.support.fuzzing.target import Seed, Target


@cache
def _trainee() -> object:
    import torch

    from models.base.config import NetworkConfig
    from models.base.execution import Execution
    from models.networks.face_morpher import FaceMorpher
    from tests.support.tiny_runs import tiny_plan
    from train.plan.plan import StageSettings
    from train.run.trainee import Trainee

    torch.manual_seed(0)
    plan = tiny_plan(StageSettings(4, 8, 1e-2, 8, "cosine", 0.5, 0.2))
    config = NetworkConfig(size=16, channels=1, max_channels=2, residual_blocks=1)
    trainee = Trainee(FaceMorpher(config), plan, torch.device("cpu"), Execution())
    loss = sum(parameter.square().sum() for parameter in trainee.network.parameters())
    trainee.find_gradient(loss)  # type: ignore[arg-type]
    trainee.step_back(1.0, 4, 16)
    return trainee


def _checkpoints(folder: Path) -> list[Seed]:
    from train.run.checkpoint import save_checkpoint
    from train.run.trainee import Trainee

    trainee = _trainee()
    assert isinstance(trainee, Trainee)
    decides = {"stage": {"samples": 8, "batch": 4}, "network": {"size": 16}, "data": "c0ffee"}
    save_checkpoint(folder / "checkpoint.pt", trainee.checkpoint("morpher", decides))
    data = (folder / "checkpoint.pt").read_bytes()
    return [Seed(data, (in_archive, in_archive, any_number, anywhere))]


def _read_checkpoint(path: Path) -> None:
    """Load, and go on with it."""
    from train.run.checkpoint import load_checkpoint, naming_damage, require_same
    from train.run.trainee import Trainee

    checkpoint = load_checkpoint(path)
    trainee = _trainee()
    assert isinstance(trainee, Trainee)
    with naming_damage(path):
        trainee.restore(checkpoint)
    require_same(path, checkpoint, checkpoint.decides)


def _histories(_folder: Path) -> list[Seed]:
    row = {"stage": "morpher", "samples": 8, "held_out_mse": {"image": 0.1}, "loss": 0.5}
    return [Seed(json.dumps(row).encode() + b"\n" + json.dumps(row).encode() + b"\n", (in_lines,))]


def _read_history(path: Path) -> None:
    from train.run.watch import read_history

    read_history(path.parent)


TARGETS: Mapping[str, Target] = {
    "checkpoints": Target("checkpoint.pt", _checkpoints, _read_checkpoint, share=2),
    "histories": Target("history.jsonl", _histories, _read_history),
}
