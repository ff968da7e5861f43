"""THE convention: what two programs must agree on to use one another's pictures and networks.

Whatever is written to be read again carries it, and what disagrees is refused by the entry that
does. One record in three spellings, each as far as its format goes: in full (bundles and
checkpoints), as flat attributes (shards: HDF5 has no nested values), and with the axes' names alone
(ONNX exports).
"""

from __future__ import annotations

from collections.abc import Mapping

from contract.image import PICTURE_CONVENTION, PICTURE_VERSION
from contract.pose import AXES, AXIS_NAMES, JOINT_RADIANS_AT_ONE, POSE_VERSION
from contract.space import AXES_DESCRIPTION

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
