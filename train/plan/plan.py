"""What a run will do: the plan, and changes to it from the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from itertools import groupby
from typing import Any, Literal, TypeVar, cast, get_args

from contract.errors import InputError
from models.base.config import NetworkConfig
from models.base.execution import Execution, Precision
from train.data.augmentation import Augmentation
from train.fields import check_types, require, require_between
from train.loss.losses import StageLoss
from train.loss.vgg import Vgg16
from train.plan.stages import STAGES

EPOCH_SAMPLES = 500_000
"""The paper's epoch."""

_LATER_SETTINGS = (
    "squared_weight",
    "gradient_weight",
    "coarse_weight",
    "similarity_weight",
    "level",
    "flow_weight",
    "copy_weight",
    "hole_share",
)
_LEVEL_HALF_LIFE = 0.3
"""Of the level stretch: that of the running mean of weights there."""

Decay = Literal["none", "cosine", "linear"]
Record = TypeVar("Record", "StageSettings", "TrainingPlan", "Upkeep", NetworkConfig, Augmentation)


@dataclass(frozen=True)
class StageSettings:
    """How one stage is trained; lengths are in samples.

    learning_rate: reached after ``warmup_samples``, kept, or with ``decay`` lowered to zero at the
    end, along half a cosine or a line. level: the share of ``samples`` that comes after that end,
    at ``level_rate`` of the learning rate, while the running mean of weights looks back over much
    of it: so it comes to lie in a flat place of the loss, where unseen kinds of pictures fare
    better (stochastic weight averaging, Izmailov et al. 2018). focus: weight of the mean error over
    the pixels that the pose changes, beside that over the whole picture (0, the paper's: none).
    squared_weight: likewise of the squared error, which draws lines that L1 leaves out.
    perceptual_weight: of the perceptual loss. from_l1: a combiner with the perceptual loss starts
    from the finished one with L1 (the paper's starts from nothing). gradient_weight,
    coarse_weight, similarity_weight: of three substitutes of the perceptual loss, as ``StageLoss``
    has them; the third from where the level stretch begins, for it is dear, and tells little of
    pictures that do not yet nearly match. flow_weight: a rotator's alone, of ``flow_error``.
    copy_weight: a combiner's alone, of ``uncopied``. Both for data sets with origins. hole_share:
    a combiner's alone, the share of samples whose pathway 1 gets holes (``tear_holes``).

    Raises:
        InputError: a value that no stage can have.
    """

    batch: int
    samples: int
    learning_rate: float = 1e-4
    warmup_samples: int = 0
    decay: Decay = "none"
    focus: float = 0.0
    perceptual_weight: float = 0.0
    from_l1: bool = False
    gradient_weight: float = 0.0
    coarse_weight: float = 0.0
    similarity_weight: float = 0.0
    level: float = 0.0
    level_rate: float = 0.5
    flow_weight: float = 0.0
    copy_weight: float = 0.0
    hole_share: float = 0.0
    squared_weight: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        require(self, "batch", 1 <= self.batch <= 1 << 16, "lie in [1, 65536]")
        require(self, "samples", self.samples >= 1, "be 1 or more")
        require(self, "learning_rate", 0 < self.learning_rate <= 1, "lie in (0, 1]")
        require(self, "warmup_samples", self.warmup_samples >= 0, "be 0 or more")
        require(self, "decay", self.decay in get_args(Decay), "be none, cosine or linear")
        require(self, "level", 0 <= self.level < 1, "lie in [0, 1)")
        require(self, "level_rate", 0 < self.level_rate <= 1, "lie in (0, 1]")
        measures = "perceptual", "squared", "gradient", "coarse", "similarity"
        weights = (f"{measure}_weight" for measure in measures)
        require_between(self, 0, 1000, "focus", "flow_weight", "copy_weight", *weights)
        require_between(self, 0, 1, "hole_share")
        if self.similarity_weight:
            require(self, "level", self.level > 0, "be over 0 where similarity_weight is")

    @property
    def needs_origins(self) -> str | None:
        """The field that needs a data set with origins, if there is one."""
        fields_with = [name for name in ("flow_weight", "copy_weight") if getattr(self, name)]
        return fields_with[0] if fields_with else None

    @property
    def steps(self) -> int:
        """How many batches make up at least ``samples``."""
        return -(-self.samples // self.batch)

    def learning_rate_at(self, samples: int) -> float:
        """The rate at a position: linear warm-up, then constant, or down to zero, then level."""
        if self._is_level(samples):
            return self.learning_rate * self.level_rate
        rate, done = self.learning_rate, samples / self._level_from
        if self.decay == "cosine":
            rate *= (1 + math.cos(math.pi * done)) / 2
        elif self.decay == "linear":
            rate *= 1 - done
        if samples < self.warmup_samples:
            rate *= (samples + self.batch) / (self.warmup_samples + self.batch)
        return rate

    def half_life_at(self, samples: int, usual: int) -> float:
        """That of the running mean of weights at a position, in samples; ``usual``: the plan's."""
        stretch = self.level * self.steps * self.batch
        return max(usual, _LEVEL_HALF_LIFE * stretch) if self._is_level(samples) else usual

    def similarity_at(self, samples: int) -> float:
        """``similarity_weight``, or 0 before the level stretch."""
        return self.similarity_weight if self._is_level(samples) else 0.0

    @property
    def _level_from(self) -> float:
        return (1 - self.level) * self.steps * self.batch

    def _is_level(self, samples: int) -> bool:
        return self.level > 0 and samples >= self._level_from


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides the trained weights, besides the data.

    preset: the name of what it was made of. head_start_samples: where the L1 rotator is kept for
    the P rotator to start from. ema_samples: half-life of the running mean of weights that is used
    after training; 0: the last weights themselves. precision: of convolutions and features. mirror:
    train on mirror images as well, on as many; they are samples of their own. augmentation: how
    pictures are changed by chance in training.

    Raises:
        InputError: a value that no plan can have.
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
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        check_types(self)
        require(self, "seed", 0 <= self.seed < 1 << 63, "be 0 or more, and below 2^63")
        require(self, "beta1", 0 <= self.beta1 < 1, "lie in [0, 1)")
        require(self, "beta2", 0 <= self.beta2 < 1, "lie in [0, 1)")
        require(self, "head_start_samples", self.head_start_samples >= 0, "be 0 or more")
        require(self, "ema_samples", self.ema_samples >= 0, "be 0 or more")
        if any(stage.level for stage in self.stages.values()):
            require(
                self, "ema_samples", self.ema_samples > 0, "be over 0 where a stage has a level end"
            )
        for name, stage in self.stages.items():
            kind = STAGES[name].kind
            if stage.flow_weight and kind != "rotator":
                raise InputError(f"{name}.flow_weight is {stage.flow_weight}: it has no flow")
            for field_name in ("copy_weight", "hole_share"):
                if (value := getattr(stage, field_name)) and kind != "combiner":
                    raise InputError(f"{name}.{field_name} is {value}: it combines nothing")
        known = get_args(Precision)
        require(self, "precision", self.precision in known, f"be {' or '.join(known)}")

    def to_json(self) -> dict[str, Any]:
        """The plan, as JSON can hold it."""
        whole = asdict(replace(self, stages=dict(self.stages)))
        return whole | {"network": self.network.to_json()}

    def decides(self, stage: str) -> dict[str, Any]:
        """The part of the plan that decides one stage's weights; resuming needs it unchanged.

        What is off is left out of the fields that came later, so that runs go on that were begun
        before there were any.
        """
        whole, settings = self.to_json(), asdict(self.stages[stage])
        del whole["preset"], whole["stages"], whole["augmentation"]
        if changes := self.augmentation.switched_on():
            whole["augmentation"] = changes
        if not settings["level"]:
            del settings["level_rate"]
        return whole | {
            "stage": {k: v for k, v in settings.items() if v or k not in _LATER_SETTINGS}
        }


@dataclass(frozen=True)
class Upkeep:
    """How a run runs, what it keeps and shows; none of it changes the weights, but for rounding.

    Intervals are in samples. channels_last, compiled: as ``Execution`` has them. loader_threads:
    how many read and decode. precompute: keep a frozen rotator's pictures on disk for its
    combiners, instead of making them anew at every step.

    Raises:
        InputError: a value that no run can have.
    """

    checkpoint_samples: int = 25_000
    numbered_samples: int = 500_000
    grid_samples: int = 25_000
    log_samples: int = 500
    channels_last: bool = False
    compiled: bool = False
    loader_threads: int = 2
    precompute: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("checkpoint_samples", "numbered_samples", "grid_samples", "log_samples"):
            require(self, name, getattr(self, name) >= 1, "be 1 or more")
        require(self, "loader_threads", 1 <= self.loader_threads <= 256, "lie in [1, 256]")


def execution(plan: TrainingPlan, upkeep: Upkeep) -> Execution:
    """How the networks of a run are run."""
    return Execution(upkeep.channels_last, plan.precision, upkeep.compiled)


def stage_loss(settings: StageSettings, vgg: Vgg16 | None, samples: int) -> StageLoss:
    """What a stage minimises at a position; ``vgg``: where it has the perceptual loss."""
    return StageLoss(
        vgg,
        settings.perceptual_weight,
        settings.focus,
        settings.squared_weight,
        settings.gradient_weight,
        settings.coarse_weight,
        settings.similarity_at(samples),
    )


# Changes.


def changed(
    plan: TrainingPlan, upkeep: Upkeep, changes: Sequence[str]
) -> tuple[TrainingPlan, Upkeep]:
    """``plan`` and ``upkeep`` with changes as the command line writes them.

    Such as ``seed=1``, ``network.size=64``, ``morpher.batch=8``, ``all.samples=1000`` (every stage)
    or ``upkeep.log_samples=100``.

    Changes of one group that follow one another are made at once, for a field may allow what
    another asks for.

    Raises:
        InputError: no such field, or a value that it cannot have.
    """
    for group, some in groupby(changes, _group):
        together = tuple(some)
        try:
            values = dict(map(_named_value, together))
            plan, upkeep = _changed(plan, upkeep, group, values)
        except InputError as error:
            raise InputError(f"--set {' --set '.join(together)}: {error}") from error
    return plan, upkeep


def _group(change: str) -> str:
    return change.partition("=")[0].rpartition(".")[0]


def _named_value(change: str) -> tuple[str, object]:
    name, parted, text = change.partition("=")
    if not parted or name.startswith("."):
        raise InputError("give NAME=VALUE")
    return name.rpartition(".")[2], _value(text)


def _changed(
    plan: TrainingPlan, upkeep: Upkeep, group: str, values: Mapping[str, object]
) -> tuple[TrainingPlan, Upkeep]:
    if not group:
        return _replaced(plan, values), upkeep
    if group == "upkeep":
        return plan, _replaced(upkeep, values)
    if group == "network":
        return replace(plan, network=_replaced(plan.network, values)), upkeep
    if group == "augmentation":
        return replace(plan, augmentation=_replaced(plan.augmentation, values)), upkeep
    if group in (*STAGES, "all"):
        stages = {
            stage: _replaced(settings, values) if group in (stage, "all") else settings
            for stage, settings in plan.stages.items()
        }
        return replace(plan, stages=stages), upkeep
    known = ", ".join(("network", "augmentation", "upkeep", "all", *STAGES))
    raise InputError(f"no group is called {group}; there are {known}")


def _value(text: str) -> object:
    """What JSON reads, else the text itself; the field's record checks it."""
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError):
        return text


def _replaced(record: Record, values: Mapping[str, Any]) -> Record:
    given = [one.name for one in fields(record) if _can_be_set(record, one.name)]
    unknown = [name for name in values if name not in given]
    if unknown:
        raise InputError(f"no field is called {unknown[0]}; there are {', '.join(given)}")
    return replace(record, **values)


def _can_be_set(record: Record, name: str) -> bool:
    value = getattr(record, name)
    return name != "preset" and not is_dataclass(value) and not isinstance(value, Mapping)
