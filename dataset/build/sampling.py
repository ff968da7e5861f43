"""Which pose and which light a sample has: pure functions of (seed, model sha256, index).

Densities: the 2019 write-up's data set. Eyes and mouth are uniform on [0, 1]; the joints follow
p(v) = |v| on [-1, 1]. The ambient light is fixed or uniform on a range; so that the rest picture
need not be drawn once per sample, a model has a handful of light levels and a sample picks one.
Where shading is mixed, each level is toon or Phong by equal chance.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.errors import InputError
from contract.light import DEFAULT_AMBIENT, MAX_AMBIENT, SHADINGS, Shading
from contract.pose import AXES, Density, Pose, pose_from_vector
from dataset.shards.schema import MIXED, DataShading

SAMPLING_VERSION = 1
"""Raised whenever the same (seed, sha256, index) would give another sample."""

DEFAULT_LIGHT_LEVELS = 8
MIXED_AMBIENT = 0.5, 1.2  # the range of the 2019 write-up's final morpher

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LightRange:
    """Magnitudes of the ambient light, in [0, ``MAX_AMBIENT``]; ``levels`` of them per model.

    Raises:
        InputError: the range is empty or leaves the limits.
    """

    low: float = DEFAULT_AMBIENT
    high: float = DEFAULT_AMBIENT
    levels: int = DEFAULT_LIGHT_LEVELS

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        if not (0 <= self.low <= self.high <= MAX_AMBIENT and self.levels >= 1):
            raise InputError(
                f"ambient {self.low:g}..{self.high:g}: give one number or low..high, "
                f"both in 0..{MAX_AMBIENT:g}"
            )


@dataclass(frozen=True)
class SampleDraw:
    """What was drawn for one sample; ``light`` numbers one of the model's light levels."""

    pose: Pose
    light: int


def sample_generator(seed: int, sha256: str, index: int) -> np.random.Generator:
    """The generator of sample ``index`` (0, 1, ...) of the model with this ``sha256``."""
    return _generator(f"sample {seed} {sha256} {index}")


def light_generator(seed: int, sha256: str) -> np.random.Generator:
    """The generator of a model's light levels."""
    return _generator(f"light {seed} {sha256}")


def _generator(name: str) -> np.random.Generator:
    # Hashing the text keeps neighbouring seeds and indices independent.
    entropy = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
    return np.random.Generator(np.random.PCG64(entropy))


def draw_pose(generator: np.random.Generator) -> Pose:
    """A pose with every component drawn independently by its axis' density, float32 values."""
    # Only ``random`` is used: NumPy keeps its stream, not that of other distributions.
    uniform = generator.random(len(AXES))
    values = [
        _quantile(axis.density, axis.low, axis.high, float(u))
        for axis, u in zip(AXES, uniform, strict=True)
    ]
    return pose_from_vector(np.array(values, np.float32))


def _quantile(density: Density, low: float, high: float, u: float) -> float:
    """The value below which a share ``u`` in [0, 1) of the density lies."""
    if density == "uniform":
        return low + (high - low) * u
    # "ends": F(v) = (1 + v|v|) / 2 on [-1, 1], so v|v| = 2u - 1.
    signed_square = 2 * u - 1
    return math.copysign(math.sqrt(abs(signed_square)), signed_square)


def draw_light_levels(generator: np.random.Generator, light: LightRange) -> F32:
    """The ambient levels of one model, ascending: float32 (levels,), or (1,) for a fixed light.

    Level k is uniform on the k-th of ``levels`` equal parts of the range, so that a level picked
    at random is exactly uniform on the whole range.
    """
    if light.low == light.high:
        return np.array([light.low], np.float32)
    place = (np.arange(light.levels) + generator.random(light.levels)) / light.levels
    return (light.low + (light.high - light.low) * place).astype(np.float32)


def draw_light_shadings(
    seed: int, sha256: str, levels: int, shading: DataShading
) -> tuple[Shading, ...]:
    """The shading of each light level of one model; empty where all of a data set's are alike."""
    if shading != MIXED:
        return ()
    uniform = _generator(f"shading {seed} {sha256}").random(levels)
    return tuple(SHADINGS[int(u * len(SHADINGS))] for u in uniform)


def default_ambient(shading: DataShading) -> tuple[float, float]:
    """The range of the ambient light where none is wished for."""
    return MIXED_AMBIENT if shading == MIXED else (DEFAULT_AMBIENT, DEFAULT_AMBIENT)


def draw_sample(seed: int, sha256: str, index: int, levels: int) -> SampleDraw:
    """Sample ``index`` of a model that has ``levels`` light levels."""
    generator = sample_generator(seed, sha256, index)
    pose = draw_pose(generator)
    return SampleDraw(pose, int(generator.random() * levels))
