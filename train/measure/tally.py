"""Measurements as they add up: per row of a table, per metric, per character.

Errors are of values in [-1, 1]; SSIM (Wang et al. 2004) of values mapped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity
from torch import Tensor

from contract.image import network_to_stored

REGIONS = "eyes", "mouth", "disoccluded"
METRICS = (
    "mse",
    "ssim",
    *(f"mse_{region}" for region in REGIONS),
    *(f"ssim_{region}" for region in REGIONS),
    "unlike",
)
"""unlike: the share of pixels that are stored in other bytes."""
_RESAMPLINGS = 2000
_INTERVAL = (2.5, 97.5)
_SSIM_RADIUS = 5

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Value:
    """A metric's mean and its 95% interval; NaN where there was nothing to measure."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One line of a table; ``values`` by metric."""

    bundle: str
    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Goal:
    """Pictures that are wanted, (N, 4, H, W), and their regions, each (N, H, W) bool.

    regions: as many of ``REGIONS`` as there are, in their order; what comes into view only for
    turned heads.
    """

    pictures: Tensor
    regions: tuple[Tensor, ...]


class Tally:
    """Sums and counts of every metric of one row, by character: (metrics, characters)."""

    def __init__(self, characters: int) -> None:
        self._sums: F64 = np.zeros((len(METRICS), characters))
        self._counts: F64 = np.zeros((len(METRICS), characters))

    def add(self, metric: str, character: int, values: float, count: float) -> None:
        """``count`` measurements that add up to ``values``."""
        self._sums[METRICS.index(metric), character] += values
        self._counts[METRICS.index(metric), character] += count

    def values(self) -> dict[str, Value]:
        """Means over all measurements, with intervals by drawing characters with replacement."""
        count = self._sums.shape[1]
        generator = np.random.Generator(np.random.PCG64(0))
        drawn = generator.multinomial(count, np.full(count, 1 / count), _RESAMPLINGS)
        found: dict[str, Value] = {}
        for number, metric in enumerate(METRICS):
            sums, counts = self._sums[number], self._counts[number]
            if not counts.any():
                found[metric] = Value(float("nan"), float("nan"), float("nan"))
                continue
            drawn_counts = drawn @ counts
            means = (drawn @ sums)[drawn_counts > 0] / drawn_counts[drawn_counts > 0]
            low, high = np.percentile(means, _INTERVAL)
            found[metric] = Value(float(sums.sum() / counts.sum()), float(low), float(high))
        return found


class Table:
    """The rows of a table as they fill; ``characters``: how many there are."""

    def __init__(self, characters: int) -> None:
        self._characters = characters
        self._tallies: dict[tuple[str, str], Tally] = {}

    def measure(self, bundle: str, name: str, character: int, goal: Goal, output: Tensor) -> F64:
        """Add N pictures (N, 4, H, W) to a row; their mean squared errors, (N,)."""
        tally = self._tallies.setdefault((bundle, name), Tally(self._characters))
        squares = (output - goal.pictures) ** 2
        errors: F64 = squares.mean((1, 2, 3)).double().cpu().numpy()
        tally.add("mse", character, float(errors.sum()), len(errors))
        pairs = zip(_unit(output), _unit(goal.pictures), strict=True)
        maps = np.stack([ssim_map(one, other) for one, other in pairs])
        tally.add("ssim", character, float(_within(maps).mean((1, 2)).sum()), len(maps))
        for place, region in zip(REGIONS, goal.regions, strict=False):
            inside = float((squares * region[:, None]).sum())
            tally.add(f"mse_{place}", character, inside, float(region.sum()) * squares.shape[1])
            likeness = float(maps[region.cpu().numpy()].sum())
            tally.add(f"ssim_{place}", character, likeness, float(region.sum()))
        return errors

    def measure_rest(
        self, bundle: str, name: str, character: int, wanted: Tensor, output: Tensor
    ) -> None:
        """Add what became of rest pictures (N, 4, H, W) that were to stay as they are."""
        self.measure(bundle, name, character, Goal(wanted, ()), output)
        unlike = (_stored(output) != _stored(wanted)).any(-1).mean((1, 2))
        self._tallies[bundle, name].add("unlike", character, float(unlike.sum()), len(unlike))

    def rows(self) -> tuple[Row, ...]:
        """The rows, in the order in which they were begun."""
        return tuple(Row(*names, tally.values()) for names, tally in self._tallies.items())


def _stored(pictures: Tensor) -> U8:
    """(N, 4, H, W) in network form -> (N, H, W, 4)."""
    return np.stack([network_to_stored(one) for one in pictures.float().cpu().numpy()])


def _unit(pictures: Tensor) -> F32:
    """(N, 4, H, W) in [-1, 1] -> (N, H, W, 4) in [0, 1]."""
    unit: F32 = ((pictures + 1) / 2).permute(0, 2, 3, 1).cpu().numpy()
    return unit


def ssim_map(one: F32, other: F32) -> F64:
    """SSIM around each pixel of two pictures (H, W, 4) in [0, 1]: (H, W), the channels' mean.

    scikit-image's, with the settings of Wang et al. 2004.
    """
    _, found = structural_similarity(  # type: ignore[no-untyped-call]
        one,
        other,
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    mean: F64 = found.mean(-1, dtype=np.float64)
    return mean


def _within(maps: F64) -> F64:
    """Maps (N, H, W) without the border, where windows leave the picture."""
    return maps[:, _SSIM_RADIUS:-_SSIM_RADIUS, _SSIM_RADIUS:-_SSIM_RADIUS]
