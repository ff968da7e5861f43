"""The skull top by geometry, measured in distances between the eyes.

It is the highest point of the dome that skull and flat hair make, seen from above:
narrow things that stand out of it (tufts, bands) fall to a median, parts that never come down to
the brows (hats, bows) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from renderer.fit.confidence import Found, ramp
from renderer.fit.eyes import Eyes
from renderer.fit.head_bones import Flags
from renderer.fit.raycast import first_hits
from renderer.formats.model import MmdModel, face_materials

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

# In units of the distance between the eyes.
_DOME_STEP, _DOME_HALF_WIDTH, _DOME_HALF_DEPTH = 0.1, 0.6, 0.9
_DOME_MEDIAN_CELLS = 2  # each side of a cell
_CROWN_DEPTH = 0.1  # below the dome's top: what makes it
_MAX_PEELED = 3
_FRINGE = 0.35, 0.8  # above the eyes
_DOMES_APART = 0.05  # of the height of the head: more makes another head of it
_TOO_TALL, _MUCH_LIKELIER, _TALL_HOOD = 2.4, 1.4, 1.2  # standard deviations
_BROWS = 0.7  # above the eyes: what stays above is no hair
_CROWN = 0.8  # above the eyes: where the dome may begin

# Where the face puts the skull top above the eyes, by the chin's distance below them; on 23 real
# models it deviates by 0.12, which is 4.5 % of the head's height.
_TOP_AT_EYES, _TOP_BY_CHIN, _TOP_DEVIATION = 1.44, 0.47, 0.12
_LOWEST, _HIGHEST = -3.5, 3.3  # standard deviations: a dome beyond is none of this head
F32 = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]


def find_skull_top(
    model: MmdModel, eyes: Eyes, chin_y: float, head: Flags, skin: Flags | None = None
) -> Found:
    """The height of the skull top; ``head`` (V,) marks what hangs on the head bone.

    ``skin`` (F,) marks faces that are skin: never hair under a hat.
    """
    materials = face_materials(model)
    on_head = head[model.faces].all(axis=1) & (materials >= 0)
    faces = model.faces[on_head]
    bare = np.zeros(len(faces), np.bool_) if skin is None else skin[on_head]
    paints = materials[on_head]
    parts = connected_parts(model.vertices.positions, faces)
    hair = _comes_down(model, faces, parts, eyes.y + _BROWS * eyes.spacing)
    for kept, reason in ((hair, "dome"), (np.ones_like(hair), "dome-with-headgear")):
        domes = _peeled(model.vertices.positions, faces[kept], paints[kept], bare[kept], eyes)
        fringe = _fringe(model.vertices.positions, faces[kept], paints[kept], bare[kept], eyes)
        domes = [replace(dome, fringe=bool(dome.materials & fringe)) for dome in domes]
        fitting = [dome for dome in domes if _LOWEST <= _excess(dome.top, eyes, chin_y) <= _HIGHEST]
        if fitting:
            return _skull_top(fitting, reason, eyes, chin_y)
    return Found(_by_face(eyes, chin_y), "skull-top:proportion", {"seen": 0.45})


def _skull_top(domes: Sequence[_Dome], reason: str, eyes: Eyes, chin_y: float) -> Found:
    """The outermost dome, but one below where that looks like headgear by material or height."""
    hair = [dome for dome in domes if dome.comes_down] or domes
    heights = [dome.top - chin_y for dome in hair]
    excess = [_excess(dome.top, eyes, chin_y) for dome in hair]
    likeliest = int(np.argmin(np.abs(excess)))
    hooded = _hood_like(hair, heights)
    too_tall = excess[0] > (_TALL_HOOD if hooded else _TOO_TALL)
    too_tall &= abs(excess[likeliest]) < excess[0] - (0 if hooded else _MUCH_LIKELIER)
    chosen = likeliest if too_tall else 0
    another = max(heights[0] - height for height in heights) > _DOMES_APART * heights[0]
    checks = {
        "no-headgear": 1.0 if reason == "dome" else 0.4,
        "crown-of-hair": 1.0 if domes[0].comes_down else 0.75 if hair is not domes else 0.4,
        "one-dome": ramp(excess[0], _TOO_TALL, 1.7, 0.45) if another else 1.0,
        "crown-as-fringe": 0.45 if hooded else 1.0,
        "proportions": ramp(abs(excess[chosen]), 3.3, 2.4, 0.3),
    }
    found = f"skull-top:{reason}:{chosen}-of-{len(hair)}:excess={excess[chosen]:+.1f}"
    return Found(hair[chosen].top, found, checks)


def _hood_like(domes: Sequence[_Dome], heights: Sequence[float]) -> bool:
    """Whether the fringe belongs to a dome well under the outermost one, but not to that."""
    under = [height for dome, height in zip(domes[1:], heights[1:], strict=True) if dome.fringe]
    return bool(under) and not domes[0].fringe and heights[0] - under[0] > _DOMES_APART * heights[0]


def _fringe(
    positions: npt.NDArray[np.float32],
    faces: I32,
    materials: I32,
    bare: Flags,
    eyes: Eyes,
) -> frozenset[int]:
    """The materials that are seen above the brows from ahead, but for skin."""
    x = eyes.centre_x + eyes.spacing * np.linspace(-0.7, 0.7, 9)
    y = eyes.y + eyes.spacing * np.linspace(*_FRINGE, 5)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    seen = first_hits(positions[faces[~bare]].astype(np.float64), points).triangles
    return frozenset(materials[~bare][seen[seen >= 0]].tolist())


def _by_face(eyes: Eyes, chin_y: float) -> float:
    """The height of the skull top that goes with the face."""
    return eyes.y + _TOP_AT_EYES * eyes.spacing + _TOP_BY_CHIN * (eyes.y - chin_y)


def _excess(top: float, eyes: Eyes, chin_y: float) -> float:
    """By how many standard deviations the face calls a skull top too high."""
    return (top - _by_face(eyes, chin_y)) / (_TOP_DEVIATION * eyes.spacing)


@dataclass(frozen=True)
class _Dome:
    """``top`` in model units; ``crown``: rows of the triangles there, of these ``materials``.

    ``comes_down``: whether they reach below the eyes, as those of hair do and those of hats do not;
    ``fringe``: whether the fringe has them too.
    """

    top: float
    crown: npt.NDArray[np.intp]
    materials: frozenset[int] = frozenset()
    comes_down: bool = True
    fringe: bool = True


def _peeled(
    positions: npt.NDArray[np.float32],
    faces: I32,
    materials: I32,
    bare: Flags,
    eyes: Eyes,
) -> list[_Dome]:
    """Domes, outermost first: of all, then without the materials that made the dome's crown.

    Under a hat or hood lies a dome of hair; under hair, skin (which is left out), nothing, or
    other hair.
    """
    low = np.full(int(materials.max(initial=0)) + 1, np.inf)
    np.minimum.at(low, materials, positions[faces].min(axis=1)[:, 1])
    domes: list[_Dome] = []
    for _ in range(_MAX_PEELED + 1):
        dome = _dome(positions[faces].astype(np.float64), eyes)
        if dome is None:
            break
        crown = materials[dome.crown]
        hair = float((low[crown] < eyes.y).mean()) > 0.5
        domes.append(replace(dome, materials=frozenset(crown.tolist()), comes_down=hair))
        kept = ~(np.isin(materials, crown) | bare)
        faces, materials, bare = faces[kept], materials[kept], bare[kept]
    return domes


def _comes_down(model: MmdModel, faces: I32, parts: npt.NDArray[np.intp], y: float) -> Flags:
    """Whether each face (n,) belongs to a connected part that reaches below ``y``."""
    low = np.full(len(model.vertices), np.inf)
    np.minimum.at(low, parts, model.vertices.positions[faces].min(axis=1)[:, 1])
    return np.asarray(low[parts] < y)


def _dome(corners: F64, eyes: Eyes) -> _Dome | None:
    """The dome of the triangles (n, 3, 3), seen from above; ``None`` if it is too sparse."""
    unit = eyes.spacing
    high = np.flatnonzero(corners[:, :, 1].max(axis=1) > eyes.y + _CROWN * unit)
    if not len(high):
        return None
    corners = corners[high]
    z0, z1 = corners[:, :, 2].min(), corners[:, :, 2].max()
    x = eyes.centre_x + unit * np.arange(-_DOME_HALF_WIDTH, _DOME_HALF_WIDTH + 1e-9, _DOME_STEP)
    z = np.arange(
        max(z0, (z0 + z1) / 2 - _DOME_HALF_DEPTH * unit),
        min(z1, (z0 + z1) / 2 + _DOME_HALF_DEPTH * unit),
        _DOME_STEP * unit,
    )
    points = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
    hits = first_hits(corners[:, :, [0, 2, 1]] * [1, 1, -1], points)
    smooth = _median_filtered(-hits.z.reshape(len(x), len(z)), _DOME_MEDIAN_CELLS)
    top = float(smooth.max()) if smooth.size else -np.inf
    if not np.isfinite(top) or top <= eyes.y + _CROWN * unit:
        return None
    crown = hits.triangles[-hits.z > top - _CROWN_DEPTH * unit]
    return _Dome(top, high[np.unique(crown)])


def _median_filtered(heights: F64, cells: int) -> F64:
    """The median around each cell that is at least ``cells`` from the border."""
    size = 2 * cells + 1
    if min(heights.shape) < size:
        return np.empty((0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(heights, (size, size))
    return np.asarray(np.median(windows, axis=(2, 3)))


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
