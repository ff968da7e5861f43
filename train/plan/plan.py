"""What a run will do: presets, changes from the command line, and the record of both."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from contract.errors import InputError
from models.base.config import NetworkConfig
from models.base.execution import Execution, Precision
from train.plan.stages import STAGES

EPOCH_SAMPLES = 500_000
"""The paper's epoch."""

Decay = Literal["none", "cosine"]


@dataclass(frozen=True)
class StageSettings:
    """How one stage is trained; lengths are in samples.

    learning_rate: reached after ``warmup_samples``, kept, or with ``decay`` "cosine" lowered to
    zero at the end. focus: weight of the mean error over the pixels that the pose changes, beside
    that over the whole picture (0, the paper's: none). perceptual_weight: of the perceptual loss.
    from_l1: a combiner with the perceptual loss starts from the finished one with L1 (the paper's
    starts from nothing).
    """

    batch: int
    samples: int
    learning_rate: float = 1e-4
    warmup_samples: int = 0
    decay: Decay = "none"
    focus: float = 0.0
    perceptual_weight: float = 0.0
    from_l1: bool = False

    def __post_init__(self) -> None:
        _check_types(self, "stage")
        _require("batch", self.batch, 1 <= self.batch <= 1 << 16, "it must lie in [1, 65536]")
        _require("samples", self.samples, self.samples >= 1, "it must be 1 or more")
        _require("learning_rate", self.learning_rate, 0 < self.learning_rate <= 1, "in (0, 1]")
        _require("warmup_samples", self.warmup_samples, self.warmup_samples >= 0, "0 or more")
        _require("decay", self.decay, self.decay in get_args(Decay), "none or cosine")
        _require("focus", self.focus, 0 <= self.focus <= 1000, "it must lie in [0, 1000]")
        _require(
            "perceptual_weight", self.perceptual_weight, 0 <= self.perceptual_weight <= 1000, "0..."
        )

    @property
    def steps(self) -> int:
        """How many batches make up at least ``samples``."""
        return -(-self.samples // self.batch)


@dataclass(frozen=True)
class Plan:
    """Everything that decides the trained weights, besides the data.

    head_start_samples: where the L1 rotator is kept for the P rotator to start from. ema_samples:
    half-life of the running mean of weights that is used after training; 0: the last weights
    themselves. mirror: train on mirror images as well, on as many; they are samples of their own.
    """

    preset: str
    network: NetworkConfig
    stages: Mapping[str, StageSettings]
    seed: int = 0
    beta1: float = 0.5
    beta2: float = 0.999
    head_start_samples: int = EPOCH_SAMPLES // 2
    ema_samples: int = 0
    precision: Precision = "float32"
    mirror: bool = False

    def __post_init__(self) -> None:
        _check_types(self, "plan")
        _require("seed", self.seed, 0 <= self.seed < 1 << 63, "0 or more")
        _require("beta1", self.beta1, 0 <= self.beta1 < 1, "it must lie in [0, 1)")
        _require("beta2", self.beta2, 0 <= self.beta2 < 1, "it must lie in [0, 1)")
        _require("ema_samples", self.ema_samples, self.ema_samples >= 0, "0 or more")
        known = get_args(Precision)
        _require("precision", self.precision, self.precision in known, " or ".join(known))

    def to_json(self) -> dict[str, Any]:
        """The plan, as JSON can hold it."""
        return asdict(replace(self, stages=dict(self.stages)))

    def decides(self, stage: str) -> dict[str, Any]:
        """The part of the plan that decides one stage's weights; resuming needs it unchanged."""
        whole = self.to_json()
        del whole["preset"], whole["stages"]
        return whole | {"stage": asdict(self.stages[stage])}


@dataclass(frozen=True)
class Upkeep:
    """What a run keeps and shows; none of it changes the weights, but for rounding.

    Intervals are in samples. precompute: keep a frozen rotator's pictures on disk for its
    combiners, instead of making them anew at every step.
    """

    checkpoint_samples: int = 25_000
    numbered_samples: int = 500_000
    grid_samples: int = 25_000
    log_samples: int = 500
    execution: Execution = field(default_factory=Execution)
    loader_threads: int = 2
    precompute: bool = False

    def __post_init__(self) -> None:
        _check_types(self, "upkeep")
        for name in ("checkpoint_samples", "numbered_samples", "grid_samples", "log_samples"):
            _require(name, getattr(self, name), getattr(self, name) >= 1, "it must be 1 or more")


def changed(plan: Plan, upkeep: Upkeep, changes: Sequence[str]) -> tuple[Plan, Upkeep]:
    """``plan`` and ``upkeep`` with changes as the command line writes them.

    Such as ``seed=1``, ``network.size=64``, ``morpher.batch=8``, ``all.samples=1000`` (every stage)
    or ``upkeep.log_samples=100``.

    Raises:
        InputError: no such field, or a value that it cannot have.
    """
    for change in changes:
        name, parted, text = change.partition("=")
        if not parted:
            raise InputError(f"--set {change}: give NAME=VALUE")
        group, dot, key = name.rpartition(".")
        value = _value(text)
        if not dot:
            plan = _replaced(plan, name, value)
        elif group == "network":
            plan = replace(plan, network=_replaced(plan.network, key, value))
        elif group == "upkeep":
            upkeep = _replaced(upkeep, key, value)
        elif group in (*STAGES, "all"):
            stages = {
                stage: _replaced(settings, key, value) if group in (stage, "all") else settings
                for stage, settings in plan.stages.items()
            }
            plan = replace(plan, stages=stages)
        else:
            known = ", ".join(("network", "upkeep", "all", *STAGES))
            raise InputError(f"--set {change}: no group is called {group}; there are {known}")
    return plan, upkeep


def _value(text: str) -> Any:  # noqa: ANN401  # what JSON holds; checked by the field's record
    try:
        return json.loads(text)
    except ValueError:
        return text


def _replaced(record: Any, name: str, value: object) -> Any:  # noqa: ANN401  # our own
    simple = [
        f.name for f in fields(record) if not dataclasses.is_dataclass(getattr(record, f.name))
    ]
    if name not in simple or name in ("stages", "preset"):
        raise InputError(f"--set {name}: no such field; there are {', '.join(simple)}")
    return replace(record, **{name: value})


def _check_types(record: StageSettings | Plan | Upkeep, thing: str) -> None:
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
    for one in fields(record):
        value = getattr(record, one.name)
        wanted = kinds.get(cast(str, one.type))
        is_mixed_up = isinstance(value, bool) != (wanted == (bool,))
        if wanted and (is_mixed_up or not isinstance(value, wanted)):
            remedy = "true or false" if wanted == (bool,) else f"a number ({one.type})"
            raise InputError(f"{thing}: {one.name} is {value!r}; give {remedy}")


def _require(name: str, value: object, holds: bool, rule: str) -> None:
    if not holds:
        raise InputError(f"plan: {name} is {value}; {rule}")
