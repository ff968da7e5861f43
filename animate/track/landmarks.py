"""Finds the landmarks of a person's face, by mediapipe."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from animate.track.capture import Rgb, quiet
from contract.errors import InputError

Landmarks = npt.NDArray[np.float64]


class FaceFinder:
    """Follows one face from frame to frame.

    Raises:
        InputError: mediapipe is not installed.
    """

    def __init__(self) -> None:
        try:
            from mediapipe.python.solutions.face_mesh import FaceMesh  # noqa: PLC0415
        except ImportError as error:
            raise InputError(
                "tracking needs mediapipe; install it with: pip install 'opentha[track]'"
            ) from error
        warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype", UserWarning)
        with quiet():
            self._mesh: Any = FaceMesh(refine_landmarks=True)
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
        self._mesh.close()

    def find(self, picture: Rgb) -> Landmarks | None:
        """(478, 2) x right, y down in pixels, in the order of the face mesh; None without a face.

        The mesh's left is the person's, as far as the picture is not mirrored.
        """
        found = self._mesh.process(picture).multi_face_landmarks
        if not found:
            return None
        height, width = picture.shape[:2]
        return np.array([(point.x * width, point.y * height) for point in found[0].landmark])
