"""Everything that decides the pictures of a data set, apart from the models."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from contract.errors import InputError
from contract.image import DEFAULT_SIZE
from contract.light import DEFAULT_AMBIENT
from dataset.build.sampling import DEFAULT_LIGHT_LEVELS, SAMPLING_VERSION, LightRange
from dataset.shards.codec import CODECS, DEFAULT_CODEC, Codec
from dataset.shards.schema import (
    CONVENTIONS,
    DATA_SHADINGS,
    MAX_PICTURE_SIDE,
    MIN_PICTURE_SIDE,
    DataShading,
)

MAX_POSES, MAX_LIGHT_LEVELS = 1_000_000, 1_000
"""Of a model."""


def generator_name() -> str:
    """This program and its version, as shards record it."""
    return f"opentha {importlib.metadata.version('opentha')}"


@dataclass(frozen=True)
class Configuration:
    """The options of a run that a data set remembers.

    ``poses``: samples per model. ``size``: pixels a side. ``samples_per_shard`` 0: to be chosen
    when the number of models is known. ``origins``: whether shards hold those of each sample.

    Raises:
        InputError: a value outside its limits.
    """

    poses: int
    seed: int = 0
    size: int = DEFAULT_SIZE
    shading: DataShading = "phong"
    ambient_low: float = DEFAULT_AMBIENT
    ambient_high: float = DEFAULT_AMBIENT
    light_levels: int = DEFAULT_LIGHT_LEVELS
    codec: Codec = DEFAULT_CODEC
    samples_per_shard: int = 0
    sampling_version: int = SAMPLING_VERSION
    generator: str = field(default_factory=generator_name)
    origins: bool = False

    def __post_init__(self) -> None:
        # A plan may come from a stranger: what is planned is counted out.
        if not (1 <= self.poses <= MAX_POSES and 1 <= self.light_levels <= MAX_LIGHT_LEVELS):
            raise InputError(
                f"poses {self.poses:.3g}, light levels {self.light_levels:.3g}: give 1 to "
                f"{MAX_POSES} and 1 to {MAX_LIGHT_LEVELS} a model"
            )
        if self.seed < 0 or self.samples_per_shard < 0:
            raise InputError("seed and samples-per-shard must be at least 0")
        if not MIN_PICTURE_SIDE <= self.size <= MAX_PICTURE_SIDE:
            raise InputError(
                f"size {self.size}: give {MIN_PICTURE_SIDE} to {MAX_PICTURE_SIDE} pixels a side"
            )
        if self.codec not in CODECS:
            raise InputError(f"codec {self.codec}: give one of {', '.join(CODECS)}")
        if self.shading not in DATA_SHADINGS:
            raise InputError(f"shading {self.shading}: give one of {', '.join(DATA_SHADINGS)}")
        _ = self.light

    @property
    def light(self) -> LightRange:
        """The range that the ambient light is drawn from."""
        return LightRange(self.ambient_low, self.ambient_high, self.light_levels)

    def hash(self) -> str:
        """sha256 of all values and of the conventions they are read under."""
        values = asdict(self)
        if not self.origins:
            del values["origins"]  # data sets of before there were any go on
        text = json.dumps(CONVENTIONS | values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, other: Configuration) -> tuple[str, ...]:
        """Each value that differs, as "name 256 -> 128" (ours first)."""
        ours, theirs = asdict(self), asdict(other)
        return tuple(
            f"{name} {ours[name]} -> {theirs[name]}" for name in ours if ours[name] != theirs[name]
        )


def configuration_from(values: Mapping[str, object]) -> Configuration:
    """The configuration of saved values; ``TypeError`` or ``InputError`` when they are none."""
    values = {"origins": False, **values}
    for name, default in asdict(Configuration(1)).items():
        if type(values.get(name)) is not type(default):
            raise TypeError(f"{name} is {values.get(name)!r:.80}")
    return Configuration(**values)  # type: ignore[arg-type]  # checked by name just above
