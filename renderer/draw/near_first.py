"""The order in which an opaque surface costs least: near faces first, which hide those behind them.

Which face is seen does not depend on it. A full sort would part neighbours, whose vertices are
computed once for both; a few layers of depth do not.
"""

from __future__ import annotations

import numpy as np

from renderer.formats.model import F32, I32

_LAYERS = 12


def near_first(faces: I32, depths: F32) -> I32:
    """The faces (F, 3) of one surface, those of nearer layers first, each layer in its old order.

    depths (V,): of the vertices, larger farther away. Faces of the same place stay in their order,
    for of these the last is seen.
    """
    if not len(faces):
        return faces
    nearest = depths[faces].min(axis=1)
    borders = np.quantile(nearest, np.linspace(0, 1, _LAYERS + 1)[1:-1])
    return faces[np.argsort(np.searchsorted(borders, nearest), kind="stable")]
