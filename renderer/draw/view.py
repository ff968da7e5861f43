"""Where the camera stands; it looks straight ahead, always."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyrr import Matrix44

from contract.image import CHIN_FRACTION, SKULL_TOP_FRACTION
from contract.rig import HeadBox
from contract.space import MMD_TO_VIEW


@dataclass(frozen=True)
class Camera:
    """Orthographic, looking straight at the character; a square of model units fills the picture.

    ``centre_x``, ``centre_y``, ``half_height``, ``depth``: model units; what lies within ``depth``
    of z = 0 is seen.
    """

    centre_x: float
    centre_y: float
    half_height: float
    depth: float

    def mmd_to_clip(self) -> npt.NDArray[np.float32]:
        """4x4, acts on column vectors: a point in MMD's numbers -> clip space."""
        # pyrr takes row vectors and floats only (integers silently give zeros).
        projection = Matrix44.orthogonal_projection(
            float(self.centre_x - self.half_height),
            float(self.centre_x + self.half_height),
            float(self.centre_y - self.half_height),
            float(self.centre_y + self.half_height),
            -float(self.depth),
            float(self.depth),
            dtype=np.float64,
        )
        return (np.asarray(projection).T @ MMD_TO_VIEW).astype(np.float32)


def frame_head(head: HeadBox, depth: float) -> Camera:
    """The camera that puts skull top and chin on the edges of the picture's middle half."""
    height = (head.skull_top_y - head.chin_y) / (CHIN_FRACTION - SKULL_TOP_FRACTION)
    centre_y = head.skull_top_y - height * (0.5 - SKULL_TOP_FRACTION)
    return Camera(head.centre_x, centre_y, height / 2, depth)
