"""Plans: the presets, changes from the command line, what is refused, and what a plan will cost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from contract.errors import InputError
from models.base.config import NetworkConfig
from models.base.execution import Execution
from train.plan.estimate import estimate
from train.plan.plan import StageSettings, Upkeep, changed, execution, stage_loss
from train.plan.presets import DEMO, PRESETS
from train.plan.stages import STAGES

TINY = NetworkConfig(size=16, channels=4, max_channels=8, residual_blocks=1)


def test_the_paper_preset_is_the_papers() -> None:
    plan, _ = PRESETS["paper"]
    assert plan.network == NetworkConfig(256, 64, 512, 6)
    lengths = {name: (s.batch, s.samples) for name, s in plan.stages.items()}
    assert lengths == {
        "morpher": (25, 3_000_000),
        "rotator-L1": (25, 3_000_000),
        "rotator-P": (8, 3_000_000),
        "combiner-L1-L1": (20, 1_500_000),
        "combiner-L1-P": (12, 1_500_000),
        "combiner-P-L1": (20, 1_500_000),
        "combiner-P-P": (12, 1_500_000),
    }
    assert plan.head_start_samples == 250_000 and plan.ema_samples == 0
    assert (plan.beta1, plan.beta2) == (0.5, 0.999)
    for settings in plan.stages.values():
        assert (settings.learning_rate, settings.decay, settings.focus) == (1e-4, "none", 0)
    weights = {name: s.perceptual_weight for name, s in plan.stages.items()}
    assert weights["rotator-P"] == 1 / 5 and weights["combiner-P-P"] == 1 / 25
    assert {weight for name, weight in weights.items() if name.endswith("L1")} == {0}


def test_changes_reach_one_field_of_one_stage_or_of_all() -> None:
    plan, upkeep = changed(
        *PRESETS["paper"],
        ["all.batch=2", "rotator-P.batch=3", "upkeep.log_samples=7", "network.size=64", "seed=5"],
    )
    batches = {name: settings.batch for name, settings in plan.stages.items()}
    assert batches == dict.fromkeys(STAGES, 2) | {"rotator-P": 3}
    assert (upkeep.log_samples, plan.network.size, plan.seed) == (7, 64, 5)


def test_fields_that_allow_one_another_are_changed_at_once() -> None:
    """A look of 96 is no part of a picture of 128 pixels, and one of 48 is."""
    sizes = ["network.size=128", "network.face_sees=48"]
    for changes in (sizes, sizes[::-1]):
        network = changed(*PRESETS["live"], changes)[0].network
        assert (network.size, network.face_sees) == (128, 48)
    later = changed(*PRESETS["live"], [*sizes, "seed=1", "all.batch=3", "morpher.batch=4"])[0]
    assert (later.stages["morpher"].batch, later.stages["rotator-L1"].batch) == (4, 3)
    with pytest.raises(InputError, match=r"--set network.size=128 --set network.sees=7: network"):
        changed(*PRESETS["live"], ["network.size=128", "network.sees=7"])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("seed", "give NAME=VALUE"),
        (".seed=1", "give NAME=VALUE"),
        (
            "nothing.batch=1",
            "no group is called nothing; there are network, augmentation, upkeep, all, "
            + ", ".join(STAGES),
        ),
        ("seed=-1", "seed is -1; it must be 0 or more, and below 2^63"),
        ("seed=many", "seed is 'many'; give a number (int)"),
        ("seed=true", "seed is True; give a number (int)"),
        ("mirror=1", "mirror is 1; give true or false"),
        ("beta2=1", "beta2 is 1; it must lie in [0, 1)"),
        ("head_start_samples=-1", "head_start_samples is -1; it must be 0 or more"),
        ("precision=half", "precision is half; it must be float32 or bfloat16 or float16"),
        ("morpher.batch=0", "batch is 0; it must lie in [1, 65536]"),
        ("all.learning_rate=2", "learning_rate is 2; it must lie in (0, 1]"),
        ("all.learning_rate=NaN", "learning_rate is nan; it must lie in (0, 1]"),
        (f"morpher.samples={10**400}", "samples is too large; give a number below 2^63"),
        (
            f"head_start_samples={1 << 63}",
            "head_start_samples is too large; give a number below 2^63",
        ),
        ("all.focus=Infinity", "focus is too large; give a number below 2^63"),
        ("morpher.decay=steep", "decay is steep; it must be none, cosine or linear"),
        ("morpher.gradient_weight=-1", "gradient_weight is -1; it must lie in [0, 1000]"),
        ("augmentation.scale=1", "scale is 1; it must lie in [0, 0.5]"),
        ("augmentation.jpeg=true", "jpeg is True; give a number (float)"),
        ("augmentation.gain_high=0.5", "gain_high is 0.5; it must be gain_low or more"),
        ("augmentation.gain_low=0", "gain_low is 0; it must lie in [0.01, 100]"),
        ("rotator-P.perceptual_weight=-1", "perceptual_weight is -1; it must lie in [0, 1000]"),
        ("network.size=17", "network: size is 17; it must be a multiple of 8 from 16 to 2048"),
        ("upkeep.loader_threads=0", "loader_threads is 0; it must lie in [1, 256]"),
        ("upkeep.grid_samples=0", "grid_samples is 0; it must be 1 or more"),
        ("upkeep.compiled=2", "compiled is 2; give true or false"),
        ("seed=" + "[" * 100_000, None),
    ],
)
def test_what_no_plan_can_have_is_refused_with_the_rule(change: str, fault: str | None) -> None:
    with pytest.raises(InputError) as caught:
        changed(*PRESETS["demo"], [change])
    assert fault is None or str(caught.value) == f"--set {change}: {fault}"


@pytest.mark.parametrize("group", ["", "network.", "augmentation.", "upkeep.", "morpher."])
def test_every_field_that_is_offered_can_be_set_and_no_other(group: str) -> None:
    plan, upkeep = PRESETS["demo"]
    records: dict[str, Any] = {
        "": plan,
        "network.": plan.network,
        "augmentation.": plan.augmentation,
        "upkeep.": upkeep,
        "morpher.": plan.stages["morpher"],
    }
    with pytest.raises(InputError, match="no field is called nothing; there are ") as caught:
        changed(plan, upkeep, [f"{group}nothing=1"])
    offered = str(caught.value).partition("there are ")[2].split(", ")
    refused = set(vars(records[group])) - set(offered)
    assert refused == ({"preset", "network", "augmentation", "stages"} if not group else set())
    for name in offered:
        same = json.dumps(getattr(records[group], name))
        assert changed(plan, upkeep, [f"{group}{name}={same}"]) == (plan, upkeep)
    for name in refused:
        with pytest.raises(InputError, match=f"no field is called {name}"):
            changed(plan, upkeep, [f"{name}=1"])


def test_how_networks_are_run_can_be_said_and_precision_is_the_plans_alone() -> None:
    plan, upkeep = PRESETS["paper"]
    assert execution(plan, upkeep) == Execution()
    said = ["precision=bfloat16", "upkeep.channels_last=true", "upkeep.compiled=true"]
    assert execution(*changed(plan, upkeep, said)) == Execution(True, "bfloat16", True)
    assert {name for name in vars(upkeep) if "precision" in name} == set()
    assert changed(plan, upkeep, said)[0].decides("morpher")["precision"] == "bfloat16"


def test_the_learning_rate_warms_up_and_decays() -> None:
    settings = StageSettings(4, 400, 1.0, 40, "cosine")
    rates = [settings.learning_rate_at(at) for at in range(0, 400, 4)]
    assert rates[0] == pytest.approx(4 / 44)
    assert max(rates) > 0.95
    assert rates[-1] < 0.01
    constant = StageSettings(4, 400)
    assert constant.learning_rate_at(0) == constant.learning_rate_at(399) == 1e-4


def test_a_level_end_comes_after_the_slope_with_a_longer_mean() -> None:
    """A quarter of 400 samples, at half the rate; the mean's half-life is 0.3 of that quarter."""
    settings = StageSettings(4, 400, 1.0, 40, "cosine", level=0.25)
    rates = [settings.learning_rate_at(at) for at in range(0, 400, 4)]
    assert rates[:75] == [
        StageSettings(4, 300, 1.0, 40, "cosine").learning_rate_at(4 * k) for k in range(75)
    ]
    assert rates[75:] == [0.5] * 25
    assert [settings.half_life_at(at, 8) for at in (0, 296, 300, 396)] == [8, 8, 30, 30]
    assert settings.half_life_at(396, 50) == 50
    assert StageSettings(4, 400).half_life_at(396, 8) == 8


def test_a_level_end_decides_the_weights_and_needs_their_mean() -> None:
    plan = replace(DEMO, stages=dict.fromkeys(STAGES, StageSettings(4, 400)))
    level = replace(plan, stages=dict.fromkeys(STAGES, StageSettings(4, 400, level=0.25)))
    assert not {"level", "level_rate"} & plan.decides("morpher")["stage"].keys()
    assert level.decides("morpher")["stage"].items() >= {"level": 0.25, "level_rate": 0.5}.items()
    with pytest.raises(InputError, match="ema_samples is 0; it must be over 0"):
        replace(level, ema_samples=0)
    with pytest.raises(InputError, match=r"level is 1.0; it must lie in \[0, 1\)"):
        StageSettings(4, 400, level=1.0)


def test_similarity_is_asked_for_at_the_level_end_alone() -> None:
    settings = StageSettings(4, 400, level=0.25, similarity_weight=2.0)
    weights = [stage_loss(settings, None, at).similarity_weight for at in (0, 296, 300, 396)]
    assert weights == [0, 0, 2, 2]
    with pytest.raises(InputError, match=r"level is 0\.0; it must be over 0 where"):
        StageSettings(4, 400, similarity_weight=2.0)
    plan = replace(DEMO, stages=dict.fromkeys(STAGES, settings))
    assert plan.decides("morpher")["stage"]["similarity_weight"] == 2
    assert "similarity_weight" not in DEMO.decides("morpher")["stage"]


@pytest.mark.parametrize("stage", ["morpher", "rotator-L1", "combiner-L1-L1"])
def test_an_estimate_counts_what_the_plans_precision_keeps(stage: str) -> None:
    """A step keeps its features for the way back: half the bytes at half the precision."""
    settings = StageSettings(4, 40)
    plan = replace(DEMO, network=TINY, stages=dict.fromkeys(STAGES, settings), ema_samples=0)
    costs = {}
    for precision in ("float32", "bfloat16"):
        said = replace(plan, precision=precision)
        costs[precision] = estimate(said, Upkeep(), STAGES[stage], torch.device("cpu"))
    weights = 16 * costs["float32"].parameters
    assert costs["bfloat16"].parameters == costs["float32"].parameters
    kept = {name: cost.memory_bytes - weights for name, cost in costs.items()}
    assert kept["bfloat16"] < 0.8 * kept["float32"]
    with_mean = estimate(replace(plan, ema_samples=1), Upkeep(), STAGES[stage], torch.device("cpu"))
    more = with_mean.memory_bytes - costs["float32"].memory_bytes
    assert more == weights / 4
