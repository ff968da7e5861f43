"""OpenSeeFace: a tracker's packets of one or more faces.

Source: OpenSeeFace's README and what its receiver says of the fields. Little-endian, for each face:
time (double), id (int32), width and height of the picture, openness of the right and the left eye
(0 to 1), whether the face's place was found (byte), the fit's error, quaternion x y z w, Euler
angles, translation, 68 confidences, 68 landmarks (x, y in pixels), 70 points in space and, in newer
versions, 14 features; all not said are floats.

Its tracker hands (row, column) to OpenCV where (x, y) is meant, so the turn is from a face with x
to the picture's left, y up and z to the viewer into a camera with x down, y to the right and z into
the picture; and its quaternion is that of the transposed matrix.
"""

from __future__ import annotations

import struct

import numpy as np
from scipy.spatial.transform import Rotation

from animate.listen.packet import NO_FACE, PacketError, measures
from animate.track.face_measures import F64

_HEAD = struct.Struct("<d i 2f 2f B f 4f 3f 3f".replace(" ", ""))
_LANDMARKS, _POINTS, _FEATURES = 68, 70, 14
_CONFIDENCES_AT = _HEAD.size
_LANDMARKS_AT = _CONFIDENCES_AT + 4 * _LANDMARKS
_OLD_SIZE = _LANDMARKS_AT + 8 * _LANDMARKS + 12 * _POINTS
_SIZES = (_OLD_SIZE + 4 * _FEATURES, _OLD_SIZE)

# Indices of landmarks: where the nose begins, the chin, the inner lips' middles.
_BRIDGE, _CHIN, _UPPER_LIP, _LOWER_LIP = 27, 8, 60, 64
_FACE_HEIGHT = 1.4  # hair line to chin, in distances from bridge to chin
_WIDE_GAP = 0.25  # of the face's height

# The tracker's camera and its face as columns of x to the screen's right, y up, z to the viewer.
_CAMERA: F64 = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
_FACE: F64 = np.diag([-1.0, 1.0, 1.0])


class OpenSeeFaceDecoder:
    """Stays with one face as long as it is there."""

    def __init__(self) -> None:
        self._face: int | None = None

    def take(self, packet: bytes) -> F64 | None:
        """See ``animate.listen.packet.Decoder``."""
        size = next((size for size in _SIZES if packet and len(packet) % size == 0), None)
        if size is None:
            raise PacketError("a length that no number of faces has")
        faces = {
            int(_HEAD.unpack_from(packet, start)[1]): packet[start : start + size]
            for start in range(0, len(packet), size)
        }
        chosen = self._face if self._face in faces else next(iter(faces))
        made = _measures(faces[chosen])
        self._face = chosen
        return made


def _measures(face: bytes) -> F64:
    _, _, _, _, right_open, left_open, is_found, _, *rest = _HEAD.unpack_from(face, 0)
    if not is_found:
        return NO_FACE
    x, y, z, w = rest[:4]
    if not 0.5 < np.linalg.norm((x, y, z, w)) < 2:
        raise PacketError("a turn that is none")
    turn = Rotation.from_quat([-x, -y, -z, w]).as_matrix()
    mouth = _mouth_gap(face) / _WIDE_GAP
    return measures(_CAMERA @ turn @ _FACE, 1 - left_open, 1 - right_open, mouth)


def _mouth_gap(face: bytes) -> float:
    """Between the lips, beside the height of the face."""
    places = np.frombuffer(face, "<f4", 2 * _LANDMARKS, _LANDMARKS_AT).reshape(-1, 2)
    with np.errstate(invalid="ignore"):  # signalling NaNs would warn
        used = places[[_BRIDGE, _CHIN, _UPPER_LIP, _LOWER_LIP]].astype(np.float64)
    if not np.isfinite(used).all():
        raise PacketError("a landmark that is nowhere")
    bridge, chin, upper, lower = used
    height = _FACE_HEIGHT * float(np.linalg.norm(chin - bridge))
    return float(np.linalg.norm(lower - upper)) / max(height, 1e-9)
