"""Bones: hierarchy, order, append, fixed axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from renderer.deform.quaternion import Quat, from_axis_angle, multiply, rotate
from renderer.deform.skeleton import Skeleton
from renderer.formats.model import Append, Bone, Vec3
from tests.support.hand_models import QUARTER_X, QUARTER_Y, QUARTER_Z, bone


def carried(
    bones: Sequence[Bone],
    point: Vec3,
    on: int,
    rotations: Mapping[int, Quat],
    moves: Mapping[int, Vec3] | None = None,
    *,
    parents_first: bool = False,
) -> npt.NDArray[np.float64]:
    """Where a point that hangs on bone ``on`` ends up."""
    skeleton = Skeleton(bones, parents_first=parents_first)
    transforms = skeleton.pose(rotations, moves or {})
    slot = transforms.slots[on]
    x, y, z, w = transforms.rotations[slot].tolist()
    return np.asarray(np.array(rotate((x, y, z, w), point)) + transforms.offsets[slot])


def append(source: int, ratio: float, *, local: bool = False, move: bool = False) -> Append:
    return Append(source, ratio, rotation=not move, translation=move, local=local)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    bones = [bone((1.0, 0.0, 0.0))]
    np.testing.assert_allclose(
        carried(bones, (2.0, 0.0, 0.0), 0, {0: QUARTER_Z}), [1, 1, 0], atol=1e-12
    )


def test_head_signs_of_the_files_own_numbers() -> None:
    """+x looks up, +y turns the nose to screen left, +z leans counter-clockwise."""
    nose, crown = (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)
    assert carried([bone()], nose, 0, {0: QUARTER_X})[1] > 0
    assert carried([bone()], nose, 0, {0: QUARTER_Y})[0] < 0
    assert carried([bone()], crown, 0, {0: QUARTER_Z})[0] < 0


def test_everything_rests_at_rest() -> None:
    transforms = Skeleton([bone(), bone(parent=0)], parents_first=False).pose({}, {})
    assert len(transforms.rotations) == 1
    assert transforms.slots.tolist() == [0, 0]


def test_a_child_turns_about_its_turned_joint() -> None:
    bones = [bone(), bone((1.0, 0.0, 0.0), 0)]
    point = carried(bones, (2.0, 0.0, 0.0), 1, {0: QUARTER_Z, 1: QUARTER_Z})
    np.testing.assert_allclose(point, [-1, 1, 0], atol=1e-12)


def test_a_child_may_stand_before_its_parent() -> None:
    bones = [bone((1.0, 0.0, 0.0), 1), bone()]
    point = carried(bones, (2.0, 0.0, 0.0), 0, {0: QUARTER_Z, 1: QUARTER_Z})
    np.testing.assert_allclose(point, [-1, 1, 0], atol=1e-12)


def test_moves_are_made_in_the_parents_axes() -> None:
    bones = [bone(), bone((1.0, 0.0, 0.0), 0)]
    point = carried(
        bones, (1.0, 0.0, 0.0), 1, {0: QUARTER_Z}, {1: (0.0, 0.0, 0.0), 0: (0.0, 0.0, 3.0)}
    )
    np.testing.assert_allclose(point, [0, 1, 3], atol=1e-12)
    point = carried(bones, (1.0, 0.0, 0.0), 1, {0: QUARTER_Z}, {1: (1.0, 0.0, 0.0)})
    np.testing.assert_allclose(point, [0, 2, 0], atol=1e-12)


def test_bones_that_move_as_one_share_a_slot() -> None:
    bones = [bone(), bone(parent=0), bone(parent=1), bone()]
    transforms = Skeleton(bones, parents_first=False).pose({0: QUARTER_X}, {})
    assert transforms.slots.tolist() == [1, 1, 1, 0]


def turn_of(
    bones: Sequence[Bone], on: int, rotations: Mapping[int, Quat], *, parents_first: bool = False
) -> float:
    """Degrees by which a point on the x axis turns about z."""
    x, y, _ = carried(bones, (1.0, 0.0, 0.0), on, rotations, parents_first=parents_first)
    return math.degrees(math.atan2(y, x))


def about_z(degrees: float) -> Quat:
    return from_axis_angle((0.0, 0.0, 1.0), math.radians(degrees))


@pytest.mark.parametrize("ratio", [1.0, 0.5, -0.5, 2.0])
def test_append_takes_a_share_of_the_rotation(ratio: float) -> None:
    bones = [bone(), bone(append=append(0, ratio))]
    assert turn_of(bones, 1, {0: about_z(40)}) == pytest.approx(40 * ratio)


def test_append_adds_to_the_bones_own_rotation() -> None:
    bones = [bone(), bone(append=append(0, 0.5))]
    assert turn_of(bones, 1, {0: about_z(40), 1: about_z(10)}) == pytest.approx(30)


def test_own_rotation_acts_after_the_appended_one() -> None:
    bones = [bone(), bone(append=append(0, 1.0))]
    point = carried(bones, (0.0, 0.0, -1.0), 1, {0: QUARTER_X, 1: QUARTER_Z})
    np.testing.assert_allclose(
        point, rotate(multiply(QUARTER_Z, QUARTER_X), (0, 0, -1)), atol=1e-12
    )


def test_append_takes_a_share_of_the_translation() -> None:
    bones = [bone(), bone(append=append(0, -0.5, move=True))]
    point = carried(bones, (0.0, 0.0, 0.0), 1, {}, {0: (2.0, 0.0, 0.0)})
    np.testing.assert_allclose(point, [-1, 0, 0])


def test_append_chains_pass_on_what_was_appended() -> None:
    bones = [bone(), bone(append=append(0, 0.5)), bone(append=append(1, 0.5))]
    assert turn_of(bones, 2, {0: about_z(40)}) == pytest.approx(10)


def test_local_append_takes_only_the_sources_own_motion() -> None:
    bones = [bone(), bone(append=append(0, 1.0)), bone(append=append(1, 1.0, local=True))]
    assert turn_of(bones, 2, {0: about_z(40), 1: about_z(10)}) == pytest.approx(10)


def test_append_follows_layers_not_only_indices() -> None:
    """In one layer the later source has not been appended to yet; in a lower one it has."""
    late = [bone(append=append(1, 1.0)), bone(append=append(2, 1.0)), bone()]
    assert turn_of(late, 0, {2: about_z(40)}) == pytest.approx(0)
    layered = [bone(append=append(1, 1.0), layer=1), bone(append=append(2, 1.0)), bone()]
    assert turn_of(layered, 0, {2: about_z(40)}) == pytest.approx(40)


def test_after_physics_comes_after_every_layer() -> None:
    bones = [
        bone(append=append(1, 1.0), after_physics=True),
        bone(append=append(2, 1.0), layer=5),
        bone(),
    ]
    assert turn_of(bones, 0, {2: about_z(40)}) == pytest.approx(40)


def test_in_a_pmd_parents_act_first() -> None:
    bones = [bone(parent=2, append=append(1, 1.0)), bone(append=append(3, 1.0)), bone(), bone()]
    rotations = {3: about_z(40)}
    assert turn_of(bones, 0, rotations) == pytest.approx(0)
    assert turn_of(bones, 0, rotations, parents_first=True) == pytest.approx(40)


def test_a_fixed_axis_keeps_the_turn_about_it() -> None:
    bones = [bone(fixed_axis=(0.0, 0.0, 2.0))]
    assert turn_of(bones, 0, {0: about_z(30)}) == pytest.approx(30)
    np.testing.assert_allclose(carried(bones, (1, 2, 3), 0, {0: QUARTER_X}), [1, 2, 3], atol=1e-12)


def test_rotations_need_not_be_normalised() -> None:
    assert turn_of([bone()], 0, {0: (0.0, 0.0, 2.0, 2.0)}) == pytest.approx(90)
    assert turn_of([bone()], 0, {0: (0.0, 0.0, 0.0, -1.0)}) == pytest.approx(0)


def test_only_what_wanted_bones_depend_on_is_computed() -> None:
    bones = [bone(), bone(parent=0), bone(append=append(1, 1.0)), bone(), bone(parent=3)]
    rotations = {0: about_z(10), 1: about_z(20), 3: about_z(30)}
    whole = Skeleton(bones, parents_first=False).pose(rotations, {})
    part = Skeleton(bones, parents_first=False, wanted=[2]).pose(rotations, {})
    np.testing.assert_allclose(
        part.rotations[part.slots[2]], whole.rotations[whole.slots[2]], atol=1e-15
    )
    assert part.slots[4] == 0 and whole.slots[4] != 0


def test_deep_hierarchies_do_not_recurse() -> None:
    bones = [bone(parent=k - 1) for k in range(5000)]
    assert turn_of(bones, 4999, {0: about_z(90)}) == pytest.approx(90)
