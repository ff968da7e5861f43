"""Poses without jitter, without lag, and without holes where no face was seen."""

from __future__ import annotations

import math

import numpy as np

from animate.motion.motion import NEUTRAL
from animate.track.face_measures import F64
from contract.easing import smoothstep

HOLD_SECONDS, RETURN_SECONDS = 0.4, 0.8

# Hz at rest, and how much of it more per unit a second: lids and lips are quick, heads are not.
_LEAST_CUTOFF = np.array([1.5, 1.5, 1.5, 5.0, 5.0, 5.0])
_CUTOFF_PER_SPEED = np.array([1.5, 1.5, 1.5, 4.0, 4.0, 4.0])
_SPEED_CUTOFF = 8.0


def filled(seconds: F64, poses: F64) -> F64:
    """Poses where frames without a face (NaN) hold the last one, then return to neutral."""
    neutral = NEUTRAL.to_vector().astype(np.float64)
    made = poses.copy()
    last, seen = neutral, -math.inf
    for frame, (now, pose) in enumerate(zip(seconds, poses, strict=True)):
        if not np.isnan(pose).any():
            last, seen = pose, float(now)
            continue
        share = min(1.0, max(0.0, (float(now) - seen - HOLD_SECONDS) / RETURN_SECONDS))
        made[frame] = last + smoothstep(share) * (neutral - last)
    return made


def smoothed(seconds: F64, poses: F64) -> F64:
    """The one-euro filter: slow values are smoothed most, quick ones hardly at all.

    Source: Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012; each step by its own length.
    """
    made = poses.copy()
    speed = np.zeros(poses.shape[1])
    for frame in range(1, len(poses)):
        step = max(float(seconds[frame] - seconds[frame - 1]), 1e-3)
        change = (poses[frame] - made[frame - 1]) / step
        speed += _share(np.array(_SPEED_CUTOFF), step) * (change - speed)
        cutoff = _LEAST_CUTOFF + _CUTOFF_PER_SPEED * np.abs(speed)
        made[frame] = made[frame - 1] + _share(cutoff, step) * (poses[frame] - made[frame - 1])
    return made


def _share(cutoff: F64, step: float) -> F64:
    """How much of a new value an exponential filter of that cutoff (Hz) takes."""
    turn = 2 * math.pi * cutoff * step
    share: F64 = turn / (1 + turn)
    return share
