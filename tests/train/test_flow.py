"""Flows that are told where things come from: rotators trained on shards with origins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from contract.errors import InputError
from contract.pose import JOINTS
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.cli import main
from train.data.augmentation import Augmentation
from train.data.batch import read_batch
from train.data.holes import EMPTY, tear_holes
from train.loss.traced import flow_error, motions, uncopied
from train.plan.plan import StageSettings, TrainingPlan, Upkeep, changed
from train.plan.stages import STAGES, build_network, run_stage
from train.run.assemble import assemble
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.run import write_run

ROTATOR = STAGES["rotator-L1"]
PLAN = tiny_plan(StageSettings(4, 24, 1e-2, 8, "cosine"))


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("traced"), traced=True)


def _plan(weight: float, steps: int = 6) -> TrainingPlan:
    rotator = replace(PLAN.stages[ROTATOR.name], samples=4 * steps, flow_weight=weight)
    return replace(PLAN, stages={**PLAN.stages, ROTATOR.name: rotator}, mirror=True)


def test_a_flow_that_is_told_its_origins_is_nearer_to_them(traced: Path, tmp_path: Path) -> None:
    errors = {}
    for weight in (0.0, 1.0):
        run = open_run(traced, tmp_path / str(weight), _plan(weight, 60))
        train_stage(run, ROTATOR, None)
        network = build_network("rotator", run.plan.network, 0)
        network.load_state_dict(load_checkpoint(run.rolling(ROTATOR.name)).network)
        stored = read_batch(run.held_out, range(8), ("expression", "posed"), traced=True)
        batch = stored.to_network(run.device, run.plan.network.size)
        assert batch.traces is not None
        with torch.no_grad():
            flow = network(batch.image, batch.pose[:, JOINTS]).offset
        errors[weight] = float(flow_error(flow, motions(batch.traces, batch.image)))
    assert errors[1.0] < 0.7 * errors[0.0]


def test_three_steps_and_three_more_with_origins_are_six_bit_for_bit(
    traced: Path, tmp_path: Path
) -> None:
    plan = replace(_plan(0.5), augmentation=Augmentation(scale=0.1, shift=0.05))
    whole, parts = (open_run(traced, tmp_path / name, plan) for name in ("whole", "parts"))
    train_stage(whole, ROTATOR, None)
    train_stage(parts, ROTATOR, None, stop_after=3)
    train_stage(parts, ROTATOR, None)
    one, other = (load_checkpoint(run.rolling(ROTATOR.name)).network for run in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_shards_without_origins_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards")
    arguments = ["all", str(shards), "-o", str(tmp_path / "run"), "--losses", "L1"]
    arguments += ["--preset", "demo", "--set", "rotator-L1.flow_weight=1", "--resize"]
    arguments += ["--set", "network.size=16"]
    made = CliRunner().invoke(main, arguments)
    assert made.exit_code == 1
    said = "shard-00000.h5: has no origins, which rotator-L1.flow_weight needs; build shards with"
    assert said in made.output
    assert "or give --set all.flow_weight=0 --set all.copy_weight=0" in made.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("morpher.flow_weight", "it has no flow"),
        ("combiner-L1-L1.flow_weight", "it has no flow"),
        ("morpher.copy_weight", "it combines nothing"),
        ("rotator-L1.copy_weight", "it combines nothing"),
        ("morpher.hole_share", "it combines nothing"),
    ],
)
def test_weights_are_refused_where_there_is_nothing_to_weigh(field: str, fault: str) -> None:
    with pytest.raises(InputError, match=f"{field} is 1: {fault}"):
        changed(PLAN, Upkeep(), [f"{field}=1"])


def test_a_combiner_that_is_asked_to_copy_copies_more(traced: Path, tmp_path: Path) -> None:
    shares = {}
    for weight in (0.0, 1.0):
        combiner = replace(PLAN.stages["combiner-L1-L1"], samples=160, copy_weight=weight)
        plan = replace(PLAN, stages={**PLAN.stages, "combiner-L1-L1": combiner})
        run = open_run(traced, tmp_path / str(weight), plan)
        for name in ("rotator-L1", "combiner-L1-L1"):
            train_stage(run, STAGES[name], None)
        write_run(run, {})
        bundle = assemble(run.folder)
        stored = read_batch(run.held_out, range(8), ("expression", "posed"), traced=True)
        batch = stored.to_network(run.device, run.plan.network.size)
        assert batch.traces is not None
        rotator, network = bundle.rotators["L1"], bundle.combiners["L1", "L1"]
        with torch.no_grad():
            made = run_stage(
                STAGES["combiner-L1-L1"], network, rotator, batch.image, batch.pose
            ).copied
        assert made is not None
        shares[weight] = float(uncopied(made, motions(batch.traces, batch.image)))
    assert shares[1.0] < 0.7 * shares[0.0]


def test_holes_are_torn_into_a_share_and_decided_by_seed_and_position() -> None:
    pictures = torch.rand(200, 4, 16, 16)
    made = tear_holes(pictures, 0.6, 3, range(200))
    holes = (made == EMPTY).all(1)
    assert torch.equal(made.where(~holes[:, None], pictures), pictures)
    assert 0.45 < float(holes.flatten(1).any(1).float().mean()) < 0.7
    share = holes[holes.flatten(1).any(1)].float().mean()
    assert 0.08 < float(share) < 0.4
    part = tear_holes(pictures[50:60], 0.6, 3, range(50, 60))
    assert torch.equal(part, made[50:60])
    assert not torch.equal(tear_holes(pictures, 0.6, 4, range(200)), made)
    assert torch.equal(tear_holes(pictures, 0.0, 3, range(200)), pictures)
    tear_holes(pictures[:1], 1.0, (1 << 63) - 1, [0])  # the largest seed that a plan may have


def test_a_combiner_learns_with_holes_and_goes_on_exactly(traced: Path, tmp_path: Path) -> None:
    combiner = replace(PLAN.stages["combiner-L1-L1"], copy_weight=0.5, hole_share=0.6)
    plan = replace(PLAN, stages={**PLAN.stages, "combiner-L1-L1": combiner})
    states = []
    for parts in (1, 2):
        run = open_run(traced, tmp_path / str(parts), plan)
        train_stage(run, STAGES["rotator-L1"], None)
        for stop in ((None,), (2, None))[parts - 1]:
            train_stage(run, STAGES["combiner-L1-L1"], None, stop_after=stop)
        states.append(load_checkpoint(run.rolling("combiner-L1-L1")).network)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
