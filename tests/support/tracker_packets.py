"""Packets as trackers send them, built from their public descriptions."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

F64 = npt.NDArray[np.float64]

Value = float | int | str
FLIP_X = np.diag([-1.0, 1.0, 1.0])


def turn(up: float, left: float, lean: float) -> F64:
    """A head's turn (3, 3), in degrees: up, to the viewer's left, leaning to the viewer's left.

    x to the screen's right, y up, z to the viewer.
    """
    return Rotation.from_euler("xyz", [-up, -left, lean], degrees=True).as_matrix()


# OSC and VMC.


def osc_text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return data + bytes(-len(data) % 4)


def osc(address: str, *values: Value) -> bytes:
    """One message."""
    types, data = ",", b""
    for value in values:
        kind = {str: "s", int: "i", float: "f"}[type(value)]
        types += kind
        data += osc_text(value) if isinstance(value, str) else struct.pack(f">{kind}", value)
    return osc_text(address) + osc_text(types) + data


def bundle(*elements: bytes) -> bytes:
    sized = b"".join(struct.pack(">i", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", 1) + sized


def vmc_bone(name: str, rotation: F64) -> bytes:
    """A bone's message; the turn as ``turn`` has it, sent as Unity has it."""
    quaternion = Rotation.from_matrix(FLIP_X @ rotation @ FLIP_X).as_quat()
    return osc("/VMC/Ext/Bone/Pos", name, 0.0, 1.4, 0.0, *map(float, quaternion))


def vmc_frame(rotation: F64, **weights: float) -> bytes:
    """All of a frame in one packet, the turn shared by neck and head."""
    half = Rotation.from_rotvec(Rotation.from_matrix(rotation).as_rotvec() / 2).as_matrix()
    return bundle(
        osc("/VMC/Ext/OK", 1, 3, 0, 1),
        osc("/VMC/Ext/T", 12.5),
        osc("/VMC/Ext/Root/Pos", "root", *[0.0] * 6, 1.0),
        *(vmc_bone(name, half) for name in ("Neck", "Head")),
        vmc_bone("LeftHand", turn(40, 30, 20)),
        bundle(*(osc("/VMC/Ext/Blend/Val", name, value) for name, value in weights.items())),
        osc("/VMC/Ext/Blend/Apply"),
    )


# OpenSeeFace.


def see_face_quaternion(pose: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """As its tracker finds it: landmarks of a turned head in a picture, given to OpenCV.

    The points are those of a rough face of our own, in the tracker's directions: x to the picture's
    left, y up, z to the viewer.
    """
    cv2 = pytest.importorskip("cv2")
    face = np.array(
        [
            [0, 0, 0], [0, 0.3, -0.1], [0, -0.55, -0.2], [0.5, 0.25, -0.6], [-0.5, 0.25, -0.6],
            [0.3, -0.4, -0.45], [-0.3, -0.4, -0.45], [0.45, 0, -0.6], [-0.45, 0, -0.6],
        ],
        np.float64,
    )  # fmt: skip
    ours = face * (-1, 1, 1) @ turn(*pose).T
    depth = 8 - ours[:, 2]
    columns = 320 + 640 * ours[:, 0] / depth
    rows = 240 - 640 * ours[:, 1] / depth
    # The camera's middle is the picture's, as it is given to the tracker.
    camera = np.array([[640, 0, 240], [0, 640, 320], [0, 0, 1.0]])
    picture = np.column_stack([rows, columns])
    _, vector, _ = cv2.solvePnP(face, picture, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    m = cv2.Rodrigues(vector)[0]
    w = math.sqrt(max(0.0, 1 + np.trace(m))) / 2
    if w > 1e-3:
        x, y, z = np.array([m[1, 2] - m[2, 1], m[2, 0] - m[0, 2], m[0, 1] - m[1, 0]]) / (4 * w)
    else:  # half a turn about an axis: its outer product, and the signs do not matter
        axis = np.linalg.eigh(m + m.T)[1][:, -1]
        x, y, z = axis
    return float(x), float(y), float(z), w


def see_face(
    quaternion: tuple[float, float, float, float],
    *,
    right_open: float = 1.0,
    left_open: float = 1.0,
    lips: float = 0.0,
    is_found: bool = True,
    face: int = 0,
    has_features: bool = True,
) -> bytes:
    """One face; lips: pixels between them, of a face 140 pixels high."""
    landmarks = np.zeros((68, 2), "<f4")
    landmarks[27], landmarks[8] = (320, 200), (320, 300)
    landmarks[60], landmarks[64] = (320, 260), (320, 260 + lips)
    head = struct.pack(
        "<di2f2fBf4f3f3f",
        1e9, face, 640, 480, right_open, left_open, is_found, 0.5, *quaternion, *[0.0] * 6,
    )  # fmt: skip
    rest = np.ones(68, "<f4").tobytes() + landmarks.tobytes() + bytes(4 * 3 * 70)
    return head + rest + bytes(4 * 14 * has_features)


# iFacialMocap.


def mocap(up: float, left: float, lean: float, weights: Mapping[str, float], sign: str) -> bytes:
    """A packet; angles in degrees as ``turn`` has them, weights 0 to 100."""
    shapes = "|".join(f"{name}{sign}{value:g}" for name, value in weights.items())
    head = f"=head#{-up:.6f},{-left:.6f},{lean:.6f},-0.03,-0.10,-0.66"
    return f"{shapes}|{head}|rightEye#6.0,2.4,0.25|leftEye#6.0,-1.6,-0.17|".encode()
