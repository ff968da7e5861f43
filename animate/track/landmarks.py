"""Finds the landmarks of a person's face, by mediapipe."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from animate.track.capture import Rgb, quiet
from contract.errors import InputError

Landmarks = npt.NDArray[np.float64]


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
