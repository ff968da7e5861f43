"""IK chains: they reach, they respect limits, and they rest where nothing changed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from renderer.deform import ik as ik_module
from renderer.deform.quaternion import Quat, from_axis_angle, to_rows
from renderer.deform.skeleton import BoneTransforms, Skeleton
from renderer.formats.model import Bone, Ik, IkLink, Vec3
from tests.support.hand_models import bone

GOAL, ROOT, MIDDLE, TIP = range(4)
FREE = (None, None)
KNEE = ((-math.pi, 0.0, 0.0), (-math.radians(0.5), 0.0, 0.0))


def leg(
    goal: Vec3,
    middle_limits: tuple[Vec3 | None, Vec3 | None] = FREE,
    iterations: int = 40,
    step: float = 2.0,
    bend: float = 0.0,
) -> list[Bone]:
    """A chain of two bones of length 1 hanging down from the origin, and its goal."""
    links = (IkLink(MIDDLE, *middle_limits), IkLink(ROOT, None, None))
    return [
        bone(goal, ik=Ik(TIP, iterations, step, links)),
        bone((0.0, 0.0, 0.0)),
        bone((0.0, -1.0, -bend), ROOT),
        bone((0.0, -2.0, 0.0), MIDDLE),
    ]


def place(transforms: BoneTransforms, bones: list[Bone], index: int) -> npt.NDArray[np.float64]:
    slot = transforms.slots[index]
    x, y, z, w = transforms.rotations[slot].tolist()
    point = np.array(to_rows((x, y, z, w))) @ np.array(bones[index].position)
    return np.asarray(point + transforms.offsets[slot])


def pose(bones: list[Bone], **kwargs: dict[int, Vec3] | dict[int, Quat]) -> BoneTransforms:
    skeleton = Skeleton(bones, parents_first=False)
    return skeleton.pose(kwargs.get("rotations", {}), kwargs.get("moves", {}))  # type: ignore[arg-type]


@pytest.mark.parametrize("goal", [(0.0, -1.5, 0.5), (1.2, -0.3, 0.4), (0.0, 1.0, 1.0)])
def test_the_tip_reaches_a_goal_within_its_reach(goal: Vec3) -> None:
    bones = leg(goal, bend=0.01)
    transforms = pose(bones)
    np.testing.assert_allclose(place(transforms, bones, TIP), goal, atol=2e-3)


def test_bones_keep_their_lengths() -> None:
    bones = leg((0.7, -1.0, 0.4), bend=0.01)
    transforms = pose(bones)
    knee, tip = place(transforms, bones, MIDDLE), place(transforms, bones, TIP)
    assert np.linalg.norm(knee) == pytest.approx(np.hypot(1, 0.01))
    assert np.linalg.norm(tip - knee) == pytest.approx(np.hypot(1, 0.01))


def test_the_goal_follows_its_own_motion() -> None:
    bones = leg((0.0, -2.0, 0.0), bend=0.01)
    transforms = pose(bones, moves={GOAL: (0.0, 0.5, 0.3)})
    np.testing.assert_allclose(place(transforms, bones, TIP), [0, -1.5, 0.3], atol=2e-3)


def test_a_goal_out_of_reach_is_pointed_at() -> None:
    bones = leg((0.0, -3.0, 3.0), bend=0.01)
    tip = place(pose(bones), bones, TIP)
    np.testing.assert_allclose(
        tip / np.linalg.norm(tip), [0, -np.sqrt(0.5), np.sqrt(0.5)], atol=0.01
    )


def test_a_knee_bends_backward_about_x_only() -> None:
    bones = leg((0.0, -1.4, 0.0), KNEE, bend=0.02)
    transforms = pose(bones)
    knee = place(transforms, bones, MIDDLE)
    tip = place(transforms, bones, TIP)
    np.testing.assert_allclose(tip, [0, -1.4, 0], atol=5e-3)
    assert knee[0] == pytest.approx(0, abs=1e-6)
    assert knee[2] < -0.5  # the character faces -z: the knee goes forward, the shin back


def test_a_knee_never_bends_forward() -> None:
    """A goal that a knee bent the other way would reach at once."""
    transforms = pose(leg((0.0, -1.9999, -0.3), KNEE))
    x, y, z, w = transforms.rotations[transforms.slots[MIDDLE]].tolist()
    root = transforms.rotations[transforms.slots[ROOT]]
    bend = 2 * math.atan2(x, w) - 2 * math.atan2(root[0], root[3])
    assert y == pytest.approx(0, abs=1e-9) and z == pytest.approx(0, abs=1e-9)
    assert -math.pi <= bend <= -math.radians(0.5) + 1e-6


@pytest.mark.parametrize("axis", range(3))
def test_every_angle_stays_within_its_limits(axis: int) -> None:
    wide = [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]
    wide[0][axis], wide[1][axis] = -2.0, 2.0  # each choice makes another order of Euler angles
    low, high = tuple(wide[0]), tuple(wide[1])
    rotation = from_axis_angle((0.3, -0.8, 0.5), 2.5)
    assert len(low) == 3 and len(high) == 3
    limits = ik_module._limits(IkLink(0, low, high))
    assert limits is not None
    once = ik_module._limited(rotation, limits, mirror=False)
    np.testing.assert_allclose(ik_module._limited(once, limits, mirror=False), once, atol=1e-9)
    loose = ik_module._limits(IkLink(0, (-1.5, -3.2, -3.2), (1.5, 3.2, 3.2)))
    assert loose is not None
    small = from_axis_angle((0.3, -0.8, 0.5), 0.7)
    np.testing.assert_allclose(ik_module._limited(small, loose, mirror=True), small, atol=1e-12)


def test_the_step_limits_one_iteration() -> None:
    bones = leg((2.0, 0.0, 0.0), iterations=1, step=0.1)
    bones[GOAL] = bone((2.0, 0.0, 0.0), ik=Ik(TIP, 1, 0.1, (IkLink(ROOT, None, None),)))
    transforms = pose(bones)
    angle = 2 * math.acos(min(1.0, transforms.rotations[transforms.slots[ROOT]][3]))
    assert angle == pytest.approx(0.1)


def test_a_chain_carried_as_a_whole_stays_as_it_rests() -> None:
    """A common ancestor's turn must not start the solver anew: the outcome is the same bytes."""
    bones = [*leg((0.0, -1.8, 0.1), bend=0.01), bone((0.0, 3.0, 0.0))]
    carried = [bone(b.position, 4 if b.parent < 0 else b.parent, ik=b.ik) for b in bones[:4]]
    skeleton = Skeleton([*carried, bones[4]], parents_first=False)
    at_rest = skeleton.pose({}, {})
    turned = skeleton.pose({4: from_axis_angle((0, 0, 1), 1.0)}, {})
    local = [
        transforms.rotations[transforms.slots[MIDDLE]]
        @ transforms.rotations[transforms.slots[ROOT]]
        for transforms in (at_rest, turned)
    ]
    assert local[0] == pytest.approx(local[1], abs=1e-12)


def test_links_that_do_not_carry_the_effector_are_ignored() -> None:
    bones = leg((1.0, -1.0, 0.0), bend=0.01)
    bones.append(bone((5.0, 0.0, 0.0)))
    goal = bones[GOAL]
    assert goal.ik is not None
    stray = Ik(TIP, 40, 2.0, (IkLink(4, None, None), IkLink(TIP, None, None), *goal.ik.links))
    bones[GOAL] = bone(goal.position, ik=stray)
    transforms = pose(bones)
    assert transforms.slots[4] == 0
    np.testing.assert_allclose(place(transforms, bones, TIP), [1, -1, 0], atol=2e-3)


def test_a_chain_without_usable_links_does_nothing() -> None:
    bones = [bone(ik=Ik(1, 10, 1.0, ())), bone((0.0, 1.0, 0.0))]
    assert len(pose(bones).rotations) == 1
