"""A pose's six numbers -> the morphs and bone rotations that realise them on a rigged model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contract.pose import FACE_AXES, JOINT_RADIANS_AT_ONE, Pose
from contract.rig import MorphUse, Rig
from renderer.deform.quaternion import Quat, from_axis_angle, multiply


def morph_uses(rig: Rig, pose: Pose) -> tuple[MorphUse, ...]:
    """The morphs of a pose's eyes and mouth, weighted; those of weight 0 are left out."""
    return tuple(
        replace(use, weight=use.weight * value)
        for axis in FACE_AXES
        for use in rig.drives[axis]
        if (value := getattr(pose, axis)) != 0
    )


def bone_rotations(rig: Rig, pose: Pose) -> Mapping[int, Quat]:
    """Rotations of head and neck bone, in MMD's numbers; empty with the head at rest.

    The head first tilts about its own x, then turns about y: a turned head nods toward where it
    looks. All three positive directions are MMD's own.
    """
    rotations: dict[int, Quat] = {}
    if pose.head_x or pose.head_y:
        tilt = from_axis_angle((1.0, 0.0, 0.0), pose.head_x * JOINT_RADIANS_AT_ONE)
        turn = from_axis_angle((0.0, 1.0, 0.0), pose.head_y * JOINT_RADIANS_AT_ONE)
        rotations[rig.head_bone] = multiply(turn, tilt)
    if pose.neck_z:
        rotations[rig.neck_bone] = from_axis_angle(
            (0.0, 0.0, 1.0), pose.neck_z * JOINT_RADIANS_AT_ONE
        )
    return rotations
