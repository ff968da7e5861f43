"""Chin and skull top by geometry, measured in distances between the eyes.

The chin is where the profile of the face, followed down from the mouth, turns back under the head.
The skull top is the highest point of the dome that skull and flat hair make, seen from above:
narrow things that stand out of it (tufts, bands) fall to a median, parts that never come down to
the brows (hats, bows) are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from renderer.fit.confidence import ramp
from renderer.fit.eyes import Eyes
from renderer.fit.head_bones import Flags
from renderer.fit.raycast import first_hits
from renderer.formats.model import MmdModel, face_materials

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

# In units of the distance between the eyes.
_PROFILE_STEP = 0.01
_PROFILE_LENGTH = 1.5  # down from the lips
_PROFILE_OFFSETS = (-0.05, 0.0, 0.05)
_FALL = 0.08  # down the profile, over which it is steep or not
_STEEP, _STEEPS = 2.0, (1.5, 2.0, 3.0)  # depth over height: a receding chin falls back by 0.6
_RETURN = 0.25  # below a fall: what comes forward again was a mouth, not a chin
_DOME_STEP, _DOME_HALF_WIDTH, _DOME_HALF_DEPTH = 0.1, 0.6, 0.9
_DOME_MEDIAN_CELLS = 2  # each side of a cell
_CROWN_DEPTH = 0.1  # below the dome's top: what makes it
_MAX_PEELED = 3
_FRINGE = 0.35, 0.8  # above the eyes
_DOMES_APART = 0.04  # of the height of the head: more makes another head of it
_TOO_TALL, _MUCH_LIKELIER = 1.7, 1.0  # standard deviations
_BROWS = 0.7  # above the eyes: what stays above is no hair
_CROWN = 0.8  # above the eyes: where the dome may begin

# Of the height from chin to skull top; on 60 models the eyes stand at 0.28 to 0.43 of it.
_EYE_SHARE, _EYE_SHARE_LOW, _EYE_SHARE_HIGH = 0.36, 0.25, 0.47
_EYE_SHARE_DEVIATION = 0.035
_SPACING_SHARE, _SPACING_SHARE_DEVIATION = 0.33, 0.023


@dataclass(frozen=True)
class Found:
    """A height (model units), why it was chosen, and the checks on it (``confidence.judged``)."""

    y: float
    evidence: str
    checks: Mapping[str, float]


def find_chin(model: MmdModel, eyes: Eyes, lips_y: float, skin: Flags) -> Found | None:
    """The height of the chin's tip; ``skin`` (F,) marks the faces of the face's own skin.

    ``None`` where the profile never turns back.
    """
    corners = model.vertices.positions[model.faces[skin]].astype(np.float64)
    unit = eyes.spacing
    y = lips_y - unit * np.arange(0, _PROFILE_LENGTH, _PROFILE_STEP)
    profiles = []
    for offset in _PROFILE_OFFSETS:
        x = np.full_like(y, eyes.centre_x + offset * unit)
        profiles.append(first_hits(corners, np.stack([x, y], axis=1)).z / unit)
    chins = {steep: _lowest_fall(profiles, y, steep) for steep in _STEEPS}
    chin_y = chins[_STEEP]
    if chin_y is None:
        return None
    others = [other for other in chins.values() if other is not None]
    spread = (max(others) - min(others)) / unit
    below_eyes = (eyes.y - chin_y) / unit
    checks = {
        "sharp": ramp(spread, 0.4, 0.12, 0.4),
        "below-eyes": min(ramp(below_eyes, 0.5, 0.75), ramp(below_eyes, 1.75, 1.45)),
    }
    return Found(chin_y, f"chin:fall:spread={spread:.2f}:below_eyes={below_eyes:.2f}", checks)


def _lowest_fall(profiles: Sequence[F64], y: F64, steep: float) -> float | None:
    falls = [fall for z in profiles if (fall := _fall(z, steep)) is not None]
    return float(y[max(falls)]) if falls else None


def _fall(z: F64, steep: float) -> int | None:
    """The last place before the profile ``z``, read downward, falls back for good."""
    window, below = round(_FALL / _PROFILE_STEP), round(_RETURN / _PROFILE_STEP)
    for place in range(len(z) - window - 1):
        front = z[place]
        if not np.isfinite(front) or z[place + window] - front <= steep * _FALL:
            continue
        if z[place + window : place + window + below].min() > front + _FALL:
            steps = np.diff(np.nan_to_num(z[place : place + window + 1], posinf=1e6))
            return place + int(steps.argmax())
    return None


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
    parts = _parts(model.vertices.positions, faces)
    hair = _comes_down(model, faces, parts, eyes.y + _BROWS * eyes.spacing)
    for kept, reason in ((hair, "dome"), (np.ones_like(hair), "dome-with-headgear")):
        domes = _peeled(model.vertices.positions, faces[kept], paints[kept], bare[kept], eyes)
        fringe = _fringe(model.vertices.positions, faces[kept], paints[kept], bare[kept], eyes)
        domes = [replace(dome, fringe=bool(dome.materials & fringe)) for dome in domes]
        fitting = [dome for dome in domes if _is_plausible(dome.top, eyes, chin_y)]
        if fitting:
            return _skull_top(fitting, reason, eyes, chin_y)
    top = chin_y + (eyes.y - chin_y) / _EYE_SHARE
    return Found(top, "skull-top:proportion", {"seen": 0.2})


def _skull_top(domes: Sequence[_Dome], reason: str, eyes: Eyes, chin_y: float) -> Found:
    """The outermost dome, but one below where that looks like headgear by material or height."""
    hair = [dome for dome in domes if dome.comes_down] or domes
    heights = [dome.top - chin_y for dome in hair]
    excess = [_excess(height, eyes, chin_y) for height in heights]
    likeliest = int(np.argmin(np.abs(excess)))
    too_tall = excess[0] > _TOO_TALL and abs(excess[likeliest]) < excess[0] - _MUCH_LIKELIER
    chosen = likeliest if too_tall else 0
    another = max(heights[0] - height for height in heights) > _DOMES_APART * heights[0]
    checks = {
        "no-headgear": 1.0 if reason == "dome" else 0.4,
        "crown-of-hair": 1.0 if domes[0].comes_down else 0.6 if hair is not domes else 0.4,
        "one-dome": ramp(excess[0], _TOO_TALL, 1.3, 0.45) if another else 1.0,
        "crown-as-fringe": 0.45 if another and _hood_like(hair) else 1.0,
        "proportions": ramp(abs(excess[chosen]), 2.6, 1.8, 0.3),
    }
    found = f"skull-top:{reason}:{chosen}-of-{len(hair)}:excess={excess[chosen]:+.1f}"
    return Found(hair[chosen].top, found, checks)


def _hood_like(domes: Sequence[_Dome]) -> bool:
    """Whether the fringe belongs to a dome under the outermost one, but not to that."""
    return not domes[0].fringe and any(dome.fringe for dome in domes[1:])


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


def _is_plausible(top: float, eyes: Eyes, chin_y: float) -> bool:
    return _EYE_SHARE_LOW <= (eyes.y - chin_y) / (top - chin_y) <= _EYE_SHARE_HIGH


def _excess(height: float, eyes: Eyes, chin_y: float) -> float:
    """By how many standard deviations the eyes' height and distance call the head too tall.

    A wrong skull top shifts both ratios one way; a face of its own proportions, seldom.
    """
    by_height = (_EYE_SHARE - (eyes.y - chin_y) / height) / _EYE_SHARE_DEVIATION
    by_width = (_SPACING_SHARE - eyes.spacing / height) / _SPACING_SHARE_DEVIATION
    return (by_height + by_width) / math.sqrt(2)


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
