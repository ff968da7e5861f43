"""Every weight type against formulas worked out by hand or in float64, one vertex at a time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from renderer.deform.deformer import Deformer
from renderer.deform.quaternion import Quat, from_axis_angle, multiply, normalised, to_rows
from renderer.formats.model import Bone, Vec3, Vertices, WeightType
from tests.support.hand_models import HALF, QUARTER_X, QUARTER_Y, QUARTER_Z, bone, model, vertices

F64 = npt.NDArray[np.float64]
ELBOW = [bone(), bone((1.0, 0.0, 0.0), 0)]


def skinned(
    mesh: Vertices, rotations: dict[int, Quat], bones: list[Bone] | None = None
) -> tuple[F64, F64]:
    deformer = Deformer(model(mesh, bones or ELBOW))
    posed = deformer.skin(deformer.morph([]), rotations)
    return posed.positions.astype(np.float64), posed.normals.astype(np.float64)


def test_one_bone_turned_a_quarter() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)], [((1,), (1.0,))], WeightType.BDEF1)
    positions, normals = skinned(mesh, {1: QUARTER_Y})
    np.testing.assert_allclose(positions, [[1, 0, -1]], atol=1e-6)
    np.testing.assert_allclose(normals, [[-1, 0, 0]], atol=1e-6)


def test_two_bones_blend_linearly() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)], [((0, 1), (0.25, 0.75))], WeightType.BDEF2)
    positions, _ = skinned(mesh, {1: QUARTER_Z})
    np.testing.assert_allclose(positions, [[0.25 * 2 + 0.75, 0.75, 0]], atol=1e-6)


def test_four_bones_blend_linearly() -> None:
    bones = [bone(), bone(), bone(), bone()]
    mesh = vertices([(1.0, 0.0, 0.0)], [((0, 1, 2, 3), (0.1, 0.2, 0.3, 0.4))])
    positions, _ = skinned(mesh, {1: QUARTER_Z, 2: QUARTER_Y, 3: QUARTER_X}, bones)
    np.testing.assert_allclose(positions, [[0.5, 0.2, -0.3]], atol=1e-6)


def test_weights_that_do_not_sum_to_one_leave_the_rest_pose_alone() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)] * 2, [((0, 1), (0.5, 1.5)), ((0, 1), (0.0, 0.0))])
    positions, _ = skinned(mesh, {})
    np.testing.assert_allclose(positions, np.array([[2.0, 0, 0], [2, 0, 0]]))
    positions, _ = skinned(mesh, {1: QUARTER_Z})
    expected = np.array([[0.25 * 2 + 0.75, 0.75, 0], [2, 0, 0]])
    np.testing.assert_allclose(positions, expected, atol=1e-6)


def test_a_vertex_on_no_bone_stays() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)], [((-1,), (1.0,))])
    positions, normals = skinned(mesh, {0: QUARTER_Z})
    np.testing.assert_allclose(positions, [[2, 0, 0]])
    np.testing.assert_allclose(normals, [[0, 0, -1]])


def test_normals_are_of_unit_length_whatever_the_file_says() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)] * 3, [((0, 1), (0.5, 0.5))] * 3)
    mesh.normals[:] = [[0, 3, 0], [0, 0, 0], [0, 0, -1]]
    for rotations in ({}, {0: QUARTER_Z}, {1: QUARTER_Z}):
        _, normals = skinned(mesh, rotations)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


def rows(q: Quat) -> F64:
    return np.array(to_rows(q))


def slerped(a: Quat, b: Quat, share: float) -> Quat:
    angle = math.acos(float(np.dot(a, b)))
    first, second = math.sin((1 - share) * angle), math.sin(share * angle)
    return normalised([first * x + second * y for x, y in zip(a, b, strict=True)])


def sdef_by_hand(
    v: F64, q0: Quat, q1: Quat, w: tuple[float, float], c: F64, r0: F64, r1: F64
) -> F64:
    """The formula of the format's makers, with both joints at the origin."""
    weighted = r0 * w[0] + r1 * w[1]
    low, high = (c + (c + r0 - weighted)) / 2, (c + (c + r1 - weighted)) / 2
    turn = rows(slerped(q0, q1, w[1]))
    return np.asarray(turn @ (v - c) + rows(q0) @ low * w[0] + rows(q1) @ high * w[1])


def test_sdef_follows_its_formula() -> None:
    c, r0, r1 = (1.0, 0.1, 0.0), (0.7, 0.2, 0.0), (1.3, -0.1, 0.2)
    v: Vec3 = (1.1, 0.5, 0.3)
    mesh = vertices([v], [((0, 1), (0.3, 0.7))], WeightType.SDEF, [(c, r0, r1)])
    q0, q1 = from_axis_angle((1, 2, 3), 0.4), from_axis_angle((-1, 0, 2), 1.2)
    positions, normals = skinned(mesh, {0: q0, 1: q1}, [bone(), bone()])
    expected = sdef_by_hand(
        np.array(v), q0, q1, (0.3, 0.7), np.array(c), np.array(r0), np.array(r1)
    )
    np.testing.assert_allclose(positions[0], expected, atol=1e-6)
    np.testing.assert_allclose(normals[0], -rows(slerped(q0, q1, 0.7))[:, 2], atol=1e-6)


def test_sdef_keeps_the_girth_that_bdef2_loses() -> None:
    """A ring about the joint of a tube bent by 90 degrees keeps its distance from the axis."""
    ring = (0.0, 0.0, 0.5)
    on_joint = ((0.0, 0.0, 0.0),) * 3
    spherical = vertices([ring], [((0, 1), (0.5, 0.5))], WeightType.SDEF, [on_joint])
    linear = vertices([ring], [((0, 1), (0.5, 0.5))], WeightType.BDEF2)
    bones, bent = [bone(), bone()], {1: QUARTER_Y}
    assert np.linalg.norm(skinned(spherical, bent, bones)[0]) == pytest.approx(0.5, abs=1e-6)
    assert np.linalg.norm(skinned(linear, bent, bones)[0]) == pytest.approx(0.5 * HALF, abs=1e-6)


def test_sdef_on_bones_that_move_as_one_is_rigid() -> None:
    constants = ((0.3, 0.1, 0.2), (0.9, 0.4, 0.0), (0.1, 0.0, 0.5))
    mesh = vertices([(1.0, 2.0, 3.0)], [((0, 1), (0.5, 0.5))], WeightType.SDEF, [constants])
    positions, _ = skinned(mesh, {0: QUARTER_Z})
    np.testing.assert_allclose(positions, [[-2, 1, 3]], atol=1e-6)


def test_qdef_halves_a_turn_without_losing_girth() -> None:
    mesh = vertices([(1.0, 0.0, 0.0)], [((0, 1), (0.5, 0.5))], WeightType.QDEF)
    positions, normals = skinned(mesh, {1: QUARTER_Y}, [bone(), bone()])
    np.testing.assert_allclose(positions, [[HALF, 0, -HALF]], atol=1e-6)
    np.testing.assert_allclose(normals, [[-HALF, 0, -HALF]], atol=1e-6)


def test_qdef_blends_screws_about_a_distant_joint() -> None:
    """Half of a turn about a joint off the origin is half the turn about that same joint."""
    mesh = vertices([(3.0, 0.0, 0.0)], [((0, 1), (0.5, 0.5))], WeightType.QDEF)
    positions, _ = skinned(mesh, {1: QUARTER_Z}, [bone((2.0, 0.0, 0.0)), bone((2.0, 0.0, 0.0))])
    np.testing.assert_allclose(positions, [[2 + HALF, HALF, 0]], atol=1e-6)


def test_qdef_takes_the_short_way_between_opposite_quaternions() -> None:
    mesh = vertices([(1.0, 0.0, 0.0)], [((0, 1), (0.5, 0.5))], WeightType.QDEF)
    a, b = (
        from_axis_angle((0, 0, 1), math.radians(170)),
        from_axis_angle((0, 0, 1), math.radians(-170)),
    )
    positions, _ = skinned(mesh, {0: a, 1: b}, [bone(), bone()])
    np.testing.assert_allclose(positions, [[-1, 0, 0]], atol=1e-6)


def test_kinds_may_be_mixed_in_one_mesh() -> None:
    mesh = vertices([(2.0, 0.0, 0.0)] * 5, [((0, 1), (0.5, 0.5))] * 5, sdef=[((0.0,) * 3,) * 3] * 5)
    mesh.weight_types[:] = list(WeightType)
    together, _ = skinned(mesh, {0: QUARTER_X, 1: multiply(QUARTER_Y, QUARTER_Z)})
    for kind in WeightType:
        mesh.weight_types[:] = kind
        alone, _ = skinned(mesh, {0: QUARTER_X, 1: multiply(QUARTER_Y, QUARTER_Z)})
        np.testing.assert_array_equal(together[kind], alone[kind])


def test_whatever_moved_before_a_vertex_follows_the_bones_that_move_now() -> None:
    """Ten bones, a vertex on each and one between each two: more sets than are remembered."""
    count = 10
    bones = [bone((float(n), 0.0, 0.0)) for n in range(count)]
    alone = [((n,), (1.0,)) for n in range(count)]
    between = [((n, (n + 1) % count), (0.5, 0.5)) for n in range(count)]
    mesh = vertices([(n % count, 1.0, 0.0) for n in range(2 * count)], [*alone, *between])
    deformer = Deformer(model(mesh, bones))
    morphed = deformer.morph([])
    for turned in (*range(count), *range(count)):
        posed = deformer.skin(morphed, {turned: QUARTER_Z})
        assert np.array_equal(deformer.places(morphed, {turned: QUARTER_Z}), posed.positions)
        wanted = mesh.positions.copy()
        wanted[turned] = [turned - 1, 0, 0]
        wanted[count + turned] = [turned - 0.5, 0.5, 0]
        before = (turned - 1) % count  # its vertex lies over the bone before
        arm = np.array([before - turned, 1.0, 0])
        after = np.array([turned - arm[1], arm[0], 0])
        wanted[count + before] = (after + mesh.positions[before]) / 2
        np.testing.assert_allclose(posed.positions, wanted, atol=1e-5)
