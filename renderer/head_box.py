"""Chin and skull top by geometry, measured in distances between the eyes.

The chin is where the profile of the face, followed down from the mouth, turns back under the head.
The skull top is the highest point of the dome that skull and flat hair make, seen from above:
narrow things that stand out of it (tufts, bands) fall to a median, parts that never come down to
the brows (hats, bows) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderer.face import Eyes
from renderer.formats.model import MmdModel
from renderer.head_bones import Flags
from renderer.raycast import first_hits

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

# In units of the distance between the eyes.
_PROFILE_STEP = 0.01
_PROFILE_LENGTH = 1.5  # down from the lips
_PROFILE_OFFSETS = (-0.05, 0.0, 0.05)
_CHIN_RECESS, _CHIN_WINDOW = 0.15, 0.2
_DOME_STEP, _DOME_HALF_WIDTH, _DOME_HALF_DEPTH = 0.1, 0.6, 0.9
_DOME_MEDIAN_CELLS = 2  # each side of a cell
_BROWS = 0.7  # above the eyes: what stays above is no hair
_CROWN = 0.8  # above the eyes: where the dome may begin

# Of the height from chin to skull top; on 60 models the eyes stand at 0.28 to 0.43 of it.
_EYE_SHARE, _EYE_SHARE_LOW, _EYE_SHARE_HIGH = 0.36, 0.25, 0.47


@dataclass(frozen=True)
class HeadBox:
    """Chin, skull top and middle of the head; model units in the file's coordinates."""

    chin_y: float
    skull_top_y: float
    centre_x: float


def find_chin(model: MmdModel, eyes: Eyes, lips_y: float, skin: Flags) -> float | None:
    """The height of the chin's tip; ``skin`` (F,) marks the faces of the face's own skin.

    ``None`` where the profile never turns back.
    """
    corners = model.vertices.positions[model.faces[skin]].astype(np.float64)
    unit = eyes.spacing
    y = lips_y - unit * np.arange(0, _PROFILE_LENGTH, _PROFILE_STEP)
    chins = []
    for offset in _PROFILE_OFFSETS:
        x = np.full_like(y, eyes.centre_x + offset * unit)
        z = first_hits(corners, np.stack([x, y], axis=1)).z / unit
        chin = _turn(z)
        if chin is not None:
            chins.append(float(y[chin]))
    return min(chins) if chins else None


def _turn(z: F64) -> int | None:
    """The last place before the profile ``z``, read downward, falls back from the front."""
    window = round(_CHIN_WINDOW / _PROFILE_STEP)
    for place in range(1, len(z)):
        front = z[max(0, place - window) : place].min()
        if np.isfinite(front) and z[place] > front + _CHIN_RECESS:
            return place - 1
    return None


def find_skull_top(model: MmdModel, eyes: Eyes, chin_y: float, head: Flags) -> tuple[float, str]:
    """The height of the skull top and why; ``head`` (V,) marks what hangs on the head bone."""
    faces = model.faces[head[model.faces].all(axis=1)]
    hair = faces[_comes_down(model, faces, eyes.y + _BROWS * eyes.spacing)]
    for candidates, reason in ((hair, "skull-top:dome"), (faces, "skull-top:dome-with-headgear")):
        top = _dome_top(model.vertices.positions[candidates].astype(np.float64), eyes)
        if top is not None:
            share = (eyes.y - chin_y) / (top - chin_y)
            if _EYE_SHARE_LOW <= share <= _EYE_SHARE_HIGH:
                return top, reason
    return chin_y + (eyes.y - chin_y) / _EYE_SHARE, "skull-top:proportion"


def _comes_down(model: MmdModel, faces: I32, y: float) -> Flags:
    """Whether each face (n,) belongs to a connected part that reaches below ``y``."""
    low = np.full(len(model.vertices), np.inf)
    parts = _parts(model.vertices.positions, faces)
    np.minimum.at(low, parts, model.vertices.positions[faces].min(axis=1)[:, 1])
    return np.asarray(low[parts] < y)


def _parts(positions: npt.NDArray[np.float32], faces: I32) -> npt.NDArray[np.intp]:
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


def _dome_top(corners: F64, eyes: Eyes) -> float | None:
    """The top of the dome of the triangles (n, 3, 3), seen from above; ``None`` if too sparse."""
    unit = eyes.spacing
    corners = corners[corners[:, :, 1].max(axis=1) > eyes.y + _CROWN * unit]
    if not len(corners):
        return None
    z0, z1 = corners[:, :, 2].min(), corners[:, :, 2].max()
    x = eyes.centre_x + unit * np.arange(-_DOME_HALF_WIDTH, _DOME_HALF_WIDTH + 1e-9, _DOME_STEP)
    z = np.arange(
        max(z0, (z0 + z1) / 2 - _DOME_HALF_DEPTH * unit),
        min(z1, (z0 + z1) / 2 + _DOME_HALF_DEPTH * unit),
        _DOME_STEP * unit,
    )
    points = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
    above = corners[:, :, [0, 2, 1]] * [1, 1, -1]
    heights = -first_hits(above, points).z.reshape(len(x), len(z))
    smooth = _median_filtered(heights, _DOME_MEDIAN_CELLS)
    top = float(smooth.max()) if smooth.size else -np.inf
    return top if np.isfinite(top) and top > eyes.y + _CROWN * unit else None


def _median_filtered(heights: F64, cells: int) -> F64:
    """The median around each cell that is at least ``cells`` from the border."""
    size = 2 * cells + 1
    if min(heights.shape) < size:
        return np.empty((0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(heights, (size, size))
    return np.asarray(np.median(windows, axis=(2, 3)))
