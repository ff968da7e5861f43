"""What a face's landmarks say: how the head is turned, how far eyes and mouth are open.

mediapipe finds the landmarks. The head's turn is the one under which a rigid face would appear
where they are (PnP), by the points that speech and blinks leave alone.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from animate.track.capture import Rgb, quiet
from contract.errors import InputError
from contract.pose import JOINT_RADIANS_AT_ONE

F64 = npt.NDArray[np.float64]

MEASURES = ("head_x", "head_y", "neck_z", "left_open", "right_open", "mouth_open")

# Index in the face mesh: where it is on a face of usual size, in cm: x to the person's left, y up,
# z toward the viewer; pairs are the person's right, which is at -x, and left.
_MIDDLE = {
    10: (0.0, 8.26, 4.48),  # the hair line
    9: (0.0, 4.89, 5.39),
    168: (0.0, 3.27, 5.24),  # between the eyes
    6: (0.0, 2.47, 5.79),
    1: (0.0, -1.13, 7.48),  # the nose's tip
}
_SIDES = {
    (33, 263): (4.45, 2.66, 3.17),  # outer corners of the eyes
    (133, 362): (1.86, 2.59, 3.76),  # inner corners
    (127, 356): (7.74, 2.36, -2.01),  # before the ears
    (234, 454): (7.66, 0.67, -2.44),
}
FACE_POINTS: Mapping[int, tuple[float, float, float]] = {
    **_MIDDLE,
    **{pair[0]: (-x, y, z) for pair, (x, y, z) in _SIDES.items()},
    **{pair[1]: (x, y, z) for pair, (x, y, z) in _SIDES.items()},
}
"""Where on a rigid face a landmark is, by its index."""
_FACE: F64 = np.array([*FACE_POINTS.values()])
# A lens that sees about 53 degrees; heads turn no otherwise under a somewhat different one.
_FOCAL_LENGTH_IN_WIDTHS = 1.0

# Pairs of lid points from above and below, then the corners.
_LIDS = {
    "left_open": (((385, 380), (386, 374), (387, 373)), (263, 362)),
    "right_open": (((160, 144), (159, 145), (158, 153)), (33, 133)),
}
_AWAY = math.cos(math.radians(75))  # further turned, landmarks are guesses
_LIPS, _FACE_HEIGHT = (13, 14), (10, 152)
Landmarks = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measures:
    """``values`` (frames, 6) in the order of ``MEASURES``, NaN without a face; ``seconds``.

    The head in the axes' units (15 degrees at 1) as the picture shows it; openings as ratios.
    """

    seconds: F64
    values: F64

    @property
    def has_face(self) -> npt.NDArray[np.bool_]:
        """In which frames a face was found."""
        return ~np.isnan(self.values[:, 0])


def measure(landmarks: Landmarks, width: int, height: int) -> F64:
    """The six numbers of ``MEASURES`` of a face in a picture of that size.

    NaN where it is as good as none: a profile, or landmarks that lie as those of no face can.
    """
    import cv2  # noqa: PLC0415

    try:
        rotation = head_rotation(landmarks, width, height)
    except cv2.error:
        return np.full(len(MEASURES), np.nan)
    if not rotation[2, 2] > _AWAY:
        return np.full(len(MEASURES), np.nan)
    head = joints_of_matrix(rotation)
    left, right = (_lid_ratio(landmarks, *_LIDS[name]) for name in ("left_open", "right_open"))
    mouth = _distance(landmarks, *_LIPS) / max(_distance(landmarks, *_FACE_HEIGHT), 1e-9)
    return np.array([*head, left, right, mouth])


def _lid_ratio(
    landmarks: Landmarks, lids: tuple[tuple[int, int], ...], corners: tuple[int, int]
) -> float:
    gap = sum(_distance(landmarks, *pair) for pair in lids) / len(lids)
    return gap / max(_distance(landmarks, *corners), 1e-9)


def _distance(landmarks: Landmarks, a: int, b: int) -> float:
    return math.dist(landmarks[a], landmarks[b])


def head_rotation(landmarks: Landmarks, width: int, height: int) -> F64:
    """The head's turn (3, 3) on column vectors: x to the screen's right, y up, z to the viewer.

    Zero turn looks at the camera, also where the head is at the picture's side: what perspective
    adds there is taken out.
    """
    import cv2  # noqa: PLC0415

    focal = _FOCAL_LENGTH_IN_WIDTHS * max(width, height)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
    to_camera = np.diag([1.0, -1.0, -1.0])  # OpenCV's y is down, its z into the picture
    _, turn, place = cv2.solvePnP(
        _FACE @ to_camera, landmarks[[*FACE_POINTS]], camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    rotation = to_camera @ cv2.Rodrigues(turn)[0] @ to_camera
    return _toward(to_camera @ place.reshape(3)).T @ rotation


def _toward(place: F64) -> F64:
    """The turn of a head at ``place`` that looks at the camera, without a lean."""
    forward = -place / np.linalg.norm(place)
    right = np.cross((0.0, 1.0, 0.0), forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], axis=1)


def joints_of_matrix(rotation: F64) -> F64:
    """head_x, head_y, neck_z of a turn: first about x, then y, then z, each axis' own way.

    Positive are up, to the viewer's left, and a lean to the viewer's left.
    """
    about_x = math.atan2(rotation[2, 1], rotation[2, 2])
    about_y = -math.asin(min(1.0, max(-1.0, float(rotation[2, 0]))))
    about_z = math.atan2(rotation[1, 0], rotation[0, 0])
    # z is toward the viewer here, so a turn about x lowers the face and one about y turns it to
    # the viewer's right.
    return np.array([-about_x, -about_y, about_z]) / JOINT_RADIANS_AT_ONE


class FaceFinder:
    """Follows one face from frame to frame: of several the largest, then the one it was.

    faces: how many it looks for; one is quicker, but which of several that is, is chance.

    Raises:
        InputError: mediapipe is not installed.
    """

    def __init__(self, faces: int = 1) -> None:
        try:
            from mediapipe.python.solutions.face_mesh import FaceMesh  # noqa: PLC0415
        except ImportError as error:
            raise InputError(
                "tracking needs mediapipe; install it with: pip install 'opentha[track]'"
            ) from error
        warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype", UserWarning)
        with quiet():
            self._mesh: Any = FaceMesh(refine_landmarks=True, max_num_faces=faces)
            self._followed: Landmarks | None = None
            # The first picture makes it load the rest of itself.
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more is found."""
        self._mesh.close()

    def find(self, picture: Rgb) -> Landmarks | None:
        """(478, 2) x right, y down in pixels, in the order of the face mesh; None without a face.

        The mesh's left is the person's, as far as the picture is not mirrored.
        """
        found = self._mesh.process(picture).multi_face_landmarks or ()
        height, width = picture.shape[:2]
        faces = [
            np.array([(point.x * width, point.y * height) for point in face.landmark])
            for face in found
        ]
        self._followed = chosen(faces, self._followed)
        return self._followed


def chosen(faces: Sequence[Landmarks], last: Landmarks | None) -> Landmarks | None:
    """Of some faces the one that is where the ``last`` one was; the largest where none is."""
    if last is not None:
        centre, reach = last.mean(axis=0), np.ptp(last[:, 0]) / 2
        near = [face for face in faces if np.hypot(*(face.mean(axis=0) - centre)) < reach]
        faces = near or faces
    return max(faces, key=lambda face: float(np.ptp(face, axis=0).prod()), default=None)
