"""Rotations of single bones as plain tuples: a few at a time, where numpy would only add overhead.

A quaternion is (x, y, z, w), of unit length, and acts on the file's own numbers as v' = q v q^-1.
``multiply(a, b)`` turns by b first, then by a. ``multiply`` and ``to_rows`` take arrays of
components as well, for many rotations at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from renderer.formats.model import Vec3

Quat = tuple[float, float, float, float]
Number = TypeVar("Number", float, npt.NDArray[np.floating[Any]])
_Four = tuple[Number, Number, Number, Number]
_Three = tuple[Number, Number, Number]
IDENTITY: Quat = (0.0, 0.0, 0.0, 1.0)


def from_axis_angle(axis: Vec3, radians: float) -> Quat:
    """The turn by ``radians`` about ``axis``, of any length; about a zero axis there is none."""
    length = math.hypot(*axis)
    if length == 0:
        return IDENTITY
    share = math.sin(radians / 2) / length
    return axis[0] * share, axis[1] * share, axis[2] * share, math.cos(radians / 2)


def normalised(q: Sequence[float]) -> Quat:
    """``q`` at unit length; the identity where there is no length."""
    length = math.hypot(*q)
    if length == 0:
        return IDENTITY
    x, y, z, w = q
    return x / length, y / length, z / length, w / length


def multiply(a: _Four[Number], b: _Four[Number]) -> _Four[Number]:
    """The Hamilton product: b first, then a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(q: Quat) -> Quat:
    """The opposite turn."""
    return -q[0], -q[1], -q[2], q[3]


def rotate(q: Quat, v: Vec3) -> Vec3:
    """``v`` turned by ``q``."""
    x, y, z, w = q
    tx, ty, tz = 2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def share(q: Quat, ratio: float) -> Quat:
    """``ratio`` of the turn, the short way round; negative and above 1 are welcome."""
    x, y, z, w = q if q[3] >= 0 else (-q[0], -q[1], -q[2], -q[3])
    half = math.atan2(math.hypot(x, y, z), w)
    return from_axis_angle((x, y, z), 2 * half * ratio)


def twist(q: Quat, axis: Vec3) -> Quat:
    """The part of ``q`` that turns about ``axis`` (swing-twist decomposition)."""
    length = math.hypot(*axis)
    if length == 0:
        return q
    along = (q[0] * axis[0] + q[1] * axis[1] + q[2] * axis[2]) / (length * length)
    return normalised((axis[0] * along, axis[1] * along, axis[2] * along, q[3]))


def to_rows(q: _Four[Number]) -> tuple[_Three[Number], _Three[Number], _Three[Number]]:
    """The three rows of the rotation matrix, which acts on column vectors."""
    x, y, z, w = q
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
