"""THE pose vector: six numbers, their ranges, rest values, meaning and order.

Source: the pose tables of the 2019 talking-head write-up ("Problem specification") and the signs
of its published clips. Left and right are the CHARACTER's; the viewer sees them mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from contract.errors import PoseError

POSE_VERSION = 1
JOINT_RADIANS_AT_ONE = math.radians(15.0)

Density = Literal["uniform", "ends"]


@dataclass(frozen=True)
class PoseAxis:
    """One component of the pose.

    ``density`` says how data sets sample it: "uniform" on [low, high], or "ends": p(v) = |v| on
    [-1, 1], nothing at the centre and most at the ends.
    """

    name: str
    low: float
    high: float
    rest: float
    density: Density
    meaning: str


AXES: tuple[PoseAxis, ...] = (
    PoseAxis("head_x", -1.0, 1.0, 0.0, "ends", "neck tip about x, 15 degrees at 1; + tilts up"),
    PoseAxis(
        "head_y", -1.0, 1.0, 0.0, "ends", "neck tip about y, 15 degrees at 1; + to viewer's left"
    ),
    PoseAxis(
        "neck_z", -1.0, 1.0, 0.0, "ends", "neck root about z, 15 degrees at 1; + to viewer's left"
    ),
    PoseAxis("left_eye", 0.0, 1.0, 0.0, "uniform", "closes the character's left eye; 1 closed"),
    PoseAxis("right_eye", 0.0, 1.0, 0.0, "uniform", "closes the character's right eye; 1 closed"),
    PoseAxis("mouth", 0.0, 1.0, 1.0, "uniform", "opens the mouth; 0 closed, 1 wide open"),
)
AXIS_NAMES: tuple[str, ...] = tuple(axis.name for axis in AXES)
JOINTS, FACE = slice(0, 3), slice(3, 6)
"""The parts of a pose vector: what turns the head, and what moves eyes and mouth."""
JOINT_AXES: tuple[str, ...] = AXIS_NAMES[JOINTS]
FACE_AXES: tuple[str, ...] = AXIS_NAMES[FACE]


@dataclass(frozen=True)
class Pose:
    """A pose; every value lies in its axis' range (``PoseError`` otherwise)."""

    head_x: float = 0.0
    head_y: float = 0.0
    neck_z: float = 0.0
    left_eye: float = 0.0
    right_eye: float = 0.0
    mouth: float = 1.0

    def __post_init__(self) -> None:
        for axis in AXES:
            value = getattr(self, axis.name)
            # Written so that NaN fails too.
            if not axis.low <= value <= axis.high:
                raise PoseError(
                    f"pose: {axis.name} is {value}; it must lie in [{axis.low:g}, {axis.high:g}]"
                )

    def to_vector(self) -> npt.NDArray[np.float32]:
        """The six numbers in the order of ``AXIS_NAMES``, float32 (6,)."""
        return np.array([getattr(self, name) for name in AXIS_NAMES], np.float32)

    def face_only(self) -> Pose:
        """The same eyes and mouth with the head at rest: the expression of a sample."""
        return Pose(left_eye=self.left_eye, right_eye=self.right_eye, mouth=self.mouth)


REST = Pose()


def mirrored_pose(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The pose (6,) whose picture is the mirror image, left for right, of that of ``vector``.

    For a character that is symmetric; light and camera are.
    """
    head_x, head_y, neck_z, left_eye, right_eye, mouth = vector
    return np.array([head_x, -head_y, -neck_z, right_eye, left_eye, mouth], np.float32)


def pose_from_vector(vector: npt.ArrayLike) -> Pose:
    """The pose of six numbers in the order of ``AXIS_NAMES``; ``PoseError`` on any other count."""
    values = np.asarray(vector, np.float64).reshape(-1)
    if values.shape != (len(AXES),):
        raise PoseError(f"pose: {values.size} numbers given; {len(AXES)} needed ({AXIS_NAMES})")
    return Pose(*map(float, values))


def pose_from_mapping(values: Mapping[str, float]) -> Pose:
    """The pose with the given axes set and the others at rest; ``PoseError`` on unknown names."""
    for name in values:
        if name not in AXIS_NAMES:
            raise PoseError(f"pose: no axis is called {name}; the axes are {', '.join(AXIS_NAMES)}")
    return Pose(**values)
