"""Smooth curves through a few control points, and the easing functions shapes are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contract.easing import smoothstep

F64 = npt.NDArray[np.float64]


def spline(points: npt.ArrayLike, count: int) -> F64:
    """``count`` points (count, D) of the uniform Catmull-Rom curve through ``points`` (N, D)."""
    knots = np.asarray(points, np.float64)
    ends = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    at = np.linspace(0, len(knots) - 1, count)
    span = np.minimum(at.astype(np.int64), len(knots) - 2)
    t = (at - span)[:, None]
    p0, p1, p2, p3 = (ends[span + k] for k in range(4))
    slope = p2 - p0
    square = 2 * p0 - 5 * p1 + 4 * p2 - p3
    cube = 3 * p1 - p0 - 3 * p2 + p3
    curve: F64 = p1 + (slope * t + square * t**2 + cube * t**3) / 2
    return curve


class Profile:
    """A function y -> value given by a smooth curve through (y, value) points, y ascending."""

    def __init__(self, points: npt.ArrayLike, samples: int = 240) -> None:
        dense = spline(points, samples)
        # A spline may step back a little in y; a function may not.
        self._y = np.maximum.accumulate(dense[:, 0]) + np.arange(samples) * 1e-12
        self._value = dense[:, 1]

    def __call__(self, y: npt.ArrayLike) -> F64:
        """The value at ``y`` (any shape), held constant beyond the ends."""
        return np.interp(np.asarray(y, np.float64), self._y, self._value)


def ease(value: npt.ArrayLike, low: float | F64 = 0.0, high: float | F64 = 1.0) -> F64:
    """Smoothstep: 0 at ``low``, 1 at ``high`` (which may be the smaller one), flat outside."""
    t = np.clip((np.asarray(value, np.float64) - low) / (high - low), 0, 1)
    return smoothstep(t)


def bump(value: npt.ArrayLike, centre: float, width: float) -> F64:
    """Gaussian of height 1 around ``centre``."""
    return np.exp(-(((np.asarray(value, np.float64) - centre) / width) ** 2))


def unit(vectors: F64) -> F64:
    """``vectors`` (..., D) scaled to length 1; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: F64 = vectors / np.maximum(length, 1e-12)
    return scaled
