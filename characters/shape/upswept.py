"""Hair combed or spiked up from the forehead: its locks climb over the shell."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface
from characters.design.spec import Hair
from characters.shape.hair_shell import TILES, Shell, hair_v, lock_u
from characters.shape.sweep import sweep, taper

Rng = np.random.Generator
_HEAD = BONE["頭"]
_STATIONS = 14


def build_upswept(hair: Hair, shell: Shell, rng: Rng) -> Surface:
    """Two rows of locks from the hairline, temple to temple, up and back over the crown."""
    per_row = 8
    azimuth = np.tile(np.linspace(-1.15, 1.15, per_row), 2)
    azimuth = azimuth + rng.uniform(-0.06, 0.06, 2 * per_row)
    front = np.repeat([1.0, 0.0], per_row)
    foot = 0.84 - 0.16 * np.abs(azimuth) ** 2 + 0.06 * (1 - front)
    stands = rng.uniform(0.03, 0.10, 2 * per_row) * (0.5 + hair.messy) * (0.4 + 0.6 * front)
    lean = 0.14 * np.sign(hair.parting + 1e-6) * rng.uniform(0.3, 1.0, 2 * per_row)
    centres = np.stack(
        [
            _climbing(shell, *row)
            for row in zip(azimuth.tolist(), foot.tolist(), stands.tolist(), lean.tolist(),
                           strict=True)
        ]
    )  # fmt: skip
    middle = np.array([0.0, 0.52, 0.05])
    outward = centres - middle
    count = len(centres)
    width = 0.125 * hair.clump * rng.uniform(0.9, 1.2, (count, 1))
    width = width * taper(_STATIONS, 0.20, 0.40, 0.45, 0.85)
    u = lock_u(rng.integers(0, TILES, count))
    index = np.full((count, _STATIONS, 2), _HEAD)
    return sweep(
        centres, outward, width, width * 0.42, u, hair_v(centres[..., 1]), index,
        np.ones((count, _STATIONS)),
    )  # fmt: skip


def _climbing(shell: Shell, azimuth: float, foot: float, stands: float, lean: float) -> F64:
    """A centre line (N, 3) from the hairline over the dome; its tip ``stands`` off the hair."""
    heights = np.array([foot, 0.5 * foot + 0.5 * shell.top - 0.01, shell.top - 0.03])
    swell = np.array([-0.05, 0.040, 0.045])
    on = shell.at(np.full(3, azimuth), heights, swell)
    x, y, z = on[-1].tolist()
    tip = [1.25 * x + lean, y + 0.03 + stands, z + 0.22]
    return spline(np.concatenate([on, [tip]]), _STATIONS)
