"""A pose's six numbers -> the morphs and bone rotations that realise them on a rigged model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from contract.pose import FACE_AXES, JOINT_RADIANS_AT_ONE, Pose
from renderer.rig import MorphUse, Rig

Quaternion = npt.NDArray[np.float64]  # (4,): x, y, z, w


def morph_uses(rig: Rig, pose: Pose) -> tuple[MorphUse, ...]:
    """The morphs of a pose's eyes and mouth, weighted; those of weight 0 are left out."""
    return tuple(
        replace(use, weight=use.weight * value)
        for axis in FACE_AXES
        for use in rig.drives[axis]
        if (value := getattr(pose, axis)) != 0
    )


def bone_rotations(rig: Rig, pose: Pose) -> Mapping[int, Quaternion]:
    """Rotations of head and neck bone, in MMD's numbers; empty with the head at rest.

    The head first tilts about its own x, then turns about y: a turned head nods toward where it
    looks. All three positive directions are MMD's own.
    """
    rotations: dict[int, Quaternion] = {}
    if pose.head_x or pose.head_y:
        tilt = axis_rotation(0, pose.head_x * JOINT_RADIANS_AT_ONE)
        turn = axis_rotation(1, pose.head_y * JOINT_RADIANS_AT_ONE)
        rotations[rig.head_bone] = _product(turn, tilt)
    if pose.neck_z:
        rotations[rig.neck_bone] = axis_rotation(2, pose.neck_z * JOINT_RADIANS_AT_ONE)
    return rotations


def axis_rotation(axis: int, radians: float) -> Quaternion:
    """The rotation by ``radians`` about coordinate axis 0, 1 or 2."""
    quaternion = np.zeros(4)
    quaternion[axis], quaternion[3] = math.sin(radians / 2), math.cos(radians / 2)
    return quaternion


def _product(first: Quaternion, second: Quaternion) -> Quaternion:
    """The Hamilton product: ``second`` acts first."""
    (x1, y1, z1, w1), (x2, y2, z2, w2) = first, second
    return np.array(
        [
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        ]
    )
