"""THE convention: what two programs must agree on to use one another's pictures and networks.

Whatever is written to be read again carries it, and what disagrees is refused by the entry that
does. One record in three spellings, each as far as its format goes: in full (bundles and
checkpoints), as flat attributes (shards: HDF5 has no nested values), and with the axes' names alone
(ONNX exports).

THE axes: MMD's numbers and ours, and the only flip between them. MMD's (a file's own numbers) are
left-handed, y up, the character faces -z and its left is +x, which is the right of the screen. One
unit is about 8 cm; a character is about 20 units tall. Ours: x to the right of the screen, y up, z
out of the picture toward the viewer: MMD's z mirrored. All arrays before the camera stay in MMD's
numbers; the flip happens once, in the camera matrix. In MMD's numbers a rotation quaternion
(x, y, z, w) acts as v' = q v q^-1, and positive turns of the head bone are exactly the positive
directions of head_x, head_y and neck_z.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from contract.image import PICTURE_CONVENTION, PICTURE_VERSION
from contract.pose import AXES, AXIS_NAMES, JOINT_RADIANS_AT_ONE, POSE_VERSION

AXES_DESCRIPTION = "x right on screen (the character's left), y up, z toward the viewer"

MMD_TO_VIEW: npt.NDArray[np.float64] = np.diag([1.0, 1.0, -1.0, 1.0])
"""4x4, acts on column vectors: a point in MMD's numbers -> our axes. Its own inverse."""

CONVENTION: Mapping[str, object] = {
    "pose_version": POSE_VERSION,
    "pose_axes": [
        {"name": axis.name, "low": axis.low, "high": axis.high, "rest": axis.rest} for axis in AXES
    ],
    "joint_radians_at_one": JOINT_RADIANS_AT_ONE,
    "picture_version": PICTURE_VERSION,
    "picture_convention": PICTURE_CONVENTION,
    "space_axes": AXES_DESCRIPTION,
}
"""The whole record; its values are JSON's."""

AS_ATTRIBUTES: Mapping[str, str] = {
    "pose_axes": " ".join(AXIS_NAMES),
    "axes": AXES_DESCRIPTION,
    "picture_convention": PICTURE_CONVENTION,
}
"""The record as attributes of a file; a version of that file's schema stands for the numbers."""

NAMES_ONLY: Mapping[str, object] = {
    "pose_version": POSE_VERSION,
    "pose_axes": list(AXIS_NAMES),
    "picture_version": PICTURE_VERSION,
    "picture_convention": PICTURE_CONVENTION,
}
"""The record for networks that run elsewhere; the pose's version stands for its ranges."""


def disagreement(found: object, ours: Mapping[str, object]) -> str | None:
    """What ``found`` says otherwise than ``ours`` or not at all, in words; None when they agree.

    Entries of ``found`` beside ours do not count.
    """
    given = found if isinstance(found, Mapping) else {}
    for name, value in ours.items():
        other = given.get(name)
        # By type first: what a file holds may compare to an array, or to another kind of number.
        if type(other) is not type(value) or other != value:
            return f"{name} is {other!r:.80}, here {value!r:.80}"
    return None
