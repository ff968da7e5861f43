"""The running mean of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.base.execution import Execution
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.plan.plan import StageSettings
from train.plan.stages import STAGES, build_network
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.trainee import Trainee

STAGE = "morpher"


def test_after_a_half_life_half_of_the_mean_is_new() -> None:
    plan = tiny_plan(StageSettings(4, 400))
    network = build_network("morpher", plan.network, 0)
    trainee = Trainee(network, plan, torch.device("cpu"), Execution())
    assert trainee.ema is not None
    trainee.step = 1000  # far from the start, where the mean forgets faster
    old = {name: tensor.clone() for name, tensor in trainee.ema.items()}
    loss = torch.stack([p.square().sum() for p in network.parameters()]).sum()
    trainee.find_gradient(loss)
    trainee.step_back(0.0, batch=4, half_life=4.0)
    for name, now in network.state_dict().items():
        torch.testing.assert_close(trainee.ema[name], (old[name] + now) / 2)


def test_the_device_at_hand_decides_how_the_optimizer_runs() -> None:
    """A graphics card's checkpoint goes on here, with the optimizer that is exact here."""
    plan = tiny_plan(StageSettings(4, 400))
    trainees = [
        Trainee(build_network("morpher", plan.network, 0), plan, torch.device("cpu"), Execution())
        for _ in range(2)
    ]
    given, made = trainees
    given.find_gradient(torch.stack([p.square().sum() for p in given.network.parameters()]).sum())
    given.step_back(0.0, batch=4, half_life=4.0)
    saved = given.checkpoint(STAGE, {})
    on_card = [group | {"fused": True} for group in saved.optimizer["param_groups"]]
    made.restore(replace(saved, optimizer={**saved.optimizer, "param_groups": on_card}))
    assert made.optimizer.param_groups[0]["fused"] is None
    assert made.optimizer.param_groups[0]["betas"] == (plan.beta1, plan.beta2)


def test_a_level_end_is_trained_at_its_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred steps of four samples; 60 is 0.3 of the level half, 16 the plan's half-life."""
    seen: list[tuple[float, float]] = []
    step_back = Trainee.step_back

    def watched(self: Trainee, *given: object) -> None:
        seen.append((self.optimizer.param_groups[0]["lr"], float(str(given[2]))))
        step_back(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainee, "step_back", watched)
    settings = StageSettings(4, 400, 1e-2, 0, "linear", level=0.5, level_rate=0.25)
    run = open_run(write_shards(tmp_path / "shards"), tmp_path / "run", tiny_plan(settings))
    train_stage(run, STAGES[STAGE], None)
    assert [rate for rate, _ in seen[:2]] == [1e-2, pytest.approx(0.98e-2)]
    assert seen[49][0] == pytest.approx(0.02e-2) and seen[49][1] == 16
    assert set(seen[50:]) == {(0.25e-2, 60.0)}
    assert load_checkpoint(run.rolling(STAGE)).step == 100
