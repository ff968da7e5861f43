"""Which faces hang together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]


def connected_parts(positions: F32, faces: I32) -> Index:
    """A number for each face (n,), equal where faces are connected through equal positions."""
    used, corners = np.unique(faces, return_inverse=True)
    _, places = np.unique(positions[used], axis=0, return_inverse=True)
    corners = places.reshape(-1)[corners.reshape(-1, 3)]
    labels = np.arange(len(used))
    while True:
        lowest = labels[corners].min(axis=1)
        new = labels.copy()
        for corner in corners.T:
            np.minimum.at(new, labels[corner], lowest)
        new = new[new]
        if (new == labels).all():
            return labels[corners[:, 0]]
        labels = new
