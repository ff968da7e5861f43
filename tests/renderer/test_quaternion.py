"""Tuples that turn vectors, against scipy's rotations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from renderer.deform.quaternion import (
    IDENTITY,
    Quat,
    from_axis_angle,
    inverse,
    multiply,
    normalised,
    rotate,
    share,
    to_rows,
    twist,
)

A = from_axis_angle((1.0, -2.0, 0.5), 1.1)
B = from_axis_angle((-0.3, 0.4, 2.0), -2.3)


def as_rotation(q: Quat) -> Rotation:
    return Rotation.from_quat(q)


def test_products_rotations_and_matrices_agree_with_scipy() -> None:
    v = (0.3, -1.2, 2.0)
    both = as_rotation(A) * as_rotation(B)
    np.testing.assert_allclose(rotate(multiply(A, B), v), both.apply(v))
    np.testing.assert_allclose(to_rows(A), as_rotation(A).as_matrix())
    np.testing.assert_allclose(rotate(inverse(A), rotate(A, v)), v)


@pytest.mark.parametrize("ratio", [-1.5, 0.0, 0.25, 1.0, 1.7])
def test_a_share_scales_the_turn(ratio: float) -> None:
    expected = Rotation.from_rotvec(as_rotation(A).as_rotvec() * ratio)
    np.testing.assert_allclose(to_rows(share(A, ratio)), expected.as_matrix(), atol=1e-12)


def test_a_share_goes_the_short_way() -> None:
    minus: Quat = (-A[0], -A[1], -A[2], -A[3])
    np.testing.assert_allclose(to_rows(share(minus, 0.5)), to_rows(share(A, 0.5)))


def test_a_twist_is_the_part_about_the_axis() -> None:
    axis = (0.0, 3.0, 0.0)
    swing = from_axis_angle((1.0, 0.0, 0.5), 0.6)
    turn = from_axis_angle(axis, 0.8)
    np.testing.assert_allclose(twist(multiply(swing, turn), axis), turn, atol=1e-12)
    assert twist(from_axis_angle((1, 0, 0), math.pi), axis) == IDENTITY


def test_lengths_that_say_nothing_become_the_identity() -> None:
    assert normalised((0.0, 0.0, 0.0, 0.0)) == IDENTITY
    assert from_axis_angle((0.0, 0.0, 0.0), 1.0) == IDENTITY
    assert normalised((0.0, 0.0, 0.0, 2.0)) == IDENTITY
