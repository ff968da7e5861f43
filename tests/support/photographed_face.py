"""A rigid face, turned, and where a camera sees its landmarks."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from animate.track.face_measures import FACE_POINTS
from contract.pose import JOINT_RADIANS_AT_ONE

F64 = npt.NDArray[np.float64]


def turned(head_x: float, head_y: float, neck_z: float) -> F64:
    """The matrix of a turn, x to the screen's right, y up, z toward the viewer; + as the axes."""
    # z is toward the viewer: positive about x would look down, about y to the viewer's right.
    a, b, c = (v * JOINT_RADIANS_AT_ONE for v in (-head_x, -head_y, neck_z))
    about_x = [[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]]
    about_y = [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]]
    about_z = [[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]]
    made: F64 = np.array(about_z) @ np.array(about_y) @ np.array(about_x)
    return made


def photographed(rotation: F64, offset: tuple[float, float] = (0, 0)) -> F64:
    """Where a camera 60 cm before a face sees its points, (478, 2), in a 640x480 picture."""
    landmarks = np.zeros((478, 2))
    for index, point in FACE_POINTS.items():
        x, y, z = rotation @ np.array(point) + (*offset, -60.0)
        landmarks[index] = 320 - 640 * x / z, 240 + 640 * y / z
    return landmarks
