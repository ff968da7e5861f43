"""Vertex normals to be lit by, where the file's were authored for unshaded toon.

Nobody sees such normals in MMD, and under real shading they draw what is not there: where some
point inward, the colour between runs through black; where the skin of a face is built of panels
and sockets, their rims show as boxes and goggles. The first are turned round; skin that leans
strongly away from the face's own smoothed surface takes that surface's normals. All others stay
the author's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.pose import REST, Pose
from contract.rig import HeadBox, Rig
from renderer.deform.deformer import Deformer, morph_uses
from renderer.deform.skinning import unit_rows
from renderer.fit.raycast import Hits, first_hits
from renderer.formats.model import F32, MmdModel, face_materials

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

# Where faces of opposite winding share a vertex there is no outside, and nothing is mended.
_MIN_AGREEMENT = 0.5
_NO_LENGTH = 1e-4

# In heights of the head; places are given from its middle and upward from the chin.
_HALF_WIDTH, _BOTTOM, _TOP = 0.5, -0.06, 0.8
_CELL, _SMOOTHED = 0.02, 0.05  # of the grid over the face; the deviation of the blur
# What lies further from the smoothed surface is no part of the front of the face; faces with wrong
# normals are built of layers.
_NEAR, _NEAR_OF_WRONG = 0.08, 0.3
_NOSE_HALF_WIDTH, _NOSE_TOP = 0.08, 0.5
_FAINT = 1e-9  # weight of a blur: nothing seen near
_LOWER_HALF_WIDTH, _LOWER_TOP = 0.2, 0.3
_MOVED = 1e-3
_MIN_SHARE = 0.1  # of what is seen of the lower face: less is lips, teeth and tongue
_OPAQUE = 0.5
_KEPT, _REPLACED = np.cos(np.radians([50.0, 70.0]))  # lean between these, and normals are mixed
# A face is replaced as a whole where more of it leans by more; on real faces it is 0.04 to 0.15.
_WRONG_COSINE, _MAX_WRONG = np.cos(np.radians(30.0)), 0.25
_FRONTAL = 0.6  # cosine: beyond, the smoothed surface falls away from the viewer


def lit_normals(model: MmdModel, rig: Rig, deformer: Deformer) -> F32:
    """The model's normals (V, 3) as Phong shading wants them; ``deformer`` poses all of it."""
    normals = unit_rows(outward_normals(model))
    faces = _face_skin(model, rig, deformer)
    front = _front_of_face(model, faces, rig.head_box)
    if front is None:
        return normals
    smooth, depth = front.at(model.vertices.positions)
    skin = np.zeros(len(normals), np.bool_)
    skin[model.faces[faces]] = True
    if front.wrong_share(model, normals) > _MAX_WRONG:
        skin |= _nose(model, rig.head_box)
        share = np.where(skin & (depth < _NEAR_OF_WRONG), 1.0, 0.0)
    else:
        lean = (_KEPT - (smooth * normals).sum(axis=1)) / (_KEPT - _REPLACED)
        share = np.where(skin & (depth < _NEAR), lean.clip(0, 1), 0.0)
    return unit_rows((normals + share[:, None] * (smooth - normals)).astype(np.float32))


def outward_normals(model: MmdModel) -> F32:
    """The model's normals (V, 3), turned round where they point into their own faces.

    Normals without length are made from the faces; they stay so where these have no outside, as
    those of a mesh that holds every triangle twice, once of each winding.
    """
    areas = _areas(model)
    sums, totals = np.zeros((len(model.vertices), 3)), np.zeros(len(model.vertices))
    for corner in range(3):
        np.add.at(sums, model.faces[:, corner], areas)
        np.add.at(totals, model.faces[:, corner], np.linalg.norm(areas, axis=1))
    has_outside = (np.linalg.norm(sums, axis=1) > _MIN_AGREEMENT * totals)[:, None]
    normals = model.vertices.normals
    inward = (normals * sums).sum(axis=1)[:, None] < 0
    missing = np.linalg.norm(normals, axis=1)[:, None] < _NO_LENGTH
    outward = np.where(inward & has_outside, -normals, normals)
    return np.where(
        missing, np.where(has_outside, unit_rows(sums.astype(np.float32)), 0), outward
    ).astype(np.float32)


def _areas(model: MmdModel) -> F64:
    """Twice the area of each face (F, 3), pointing out of its front."""
    a, b, c = model.vertices.positions.astype(np.float64)[model.faces].transpose(1, 0, 2)
    return np.cross(b - a, c - a)


def _face_skin(model: MmdModel, rig: Rig, deformer: Deformer) -> Flags:
    """Whether each face (F,) has a material of the face's skin: the mouth moves it, and it shows.

    Hair that hides half of a face is not moved; lips and teeth show little.
    """
    height = rig.head_box.skull_top_y - rig.head_box.chin_y
    opened, closed = (
        deformer.skin(deformer.morph(morph_uses(rig, pose)), {}).positions
        for pose in (REST, Pose(mouth=0))
    )
    moved = (np.abs(opened - closed) > _MOVED * height).any(axis=1)
    materials = face_materials(model)
    touched = np.isin(materials, materials[moved[model.faces].any(axis=1)])
    box = rig.head_box
    x, y = _grid(box, _LOWER_HALF_WIDTH, 0, _LOWER_TOP)
    rows, hits = _seen(model, touched, x, y)
    seen = np.bincount(materials[rows[hits.triangles[hits.triangles >= 0]]])
    return np.isin(materials, np.flatnonzero(seen > _MIN_SHARE * seen.sum()))


def _grid(box: HeadBox, half_width: float, bottom: float, top: float) -> tuple[F64, F64]:
    """x and y, model units, of the lines of a grid over a part of the face."""
    height = box.skull_top_y - box.chin_y
    x = box.centre_x + height * np.arange(-half_width, half_width + _CELL / 2, _CELL)
    return x, box.chin_y + height * np.arange(bottom, top + _CELL / 2, _CELL)


def _seen(model: MmdModel, chosen: Flags, x: F64, y: F64) -> tuple[Index, Hits]:
    """What of the chosen faces a viewer sees at (y, x); hits name entries of the rows returned."""
    both = np.array([material.double_sided for material in model.materials] + [False])
    opaque = np.array([m.diffuse[3] >= _OPAQUE for m in model.materials] + [False])
    materials = face_materials(model)
    shown = (both[materials] | (_areas(model)[:, 2] < 0)) & opaque[materials]
    rows = np.flatnonzero(chosen & shown)
    corners = model.vertices.positions[model.faces[rows]].astype(np.float64)
    return rows, first_hits(corners, np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))


def _nose(model: MmdModel, box: HeadBox) -> Flags:
    """Vertices (V,) where a nose may be, which may be a plate of a material of its own."""
    x, y, _ = model.vertices.positions.T
    up = (y - box.chin_y) / (box.skull_top_y - box.chin_y)
    aside = np.abs(x - box.centre_x) / (box.skull_top_y - box.chin_y)
    return np.asarray((aside < _NOSE_HALF_WIDTH) & (up > 0) & (up < _NOSE_TOP))


@dataclass(frozen=True)
class _Front:
    """The smoothed front of a face over a grid of I rows and J columns; model units.

    ``faces``: the model's faces that it was made of; ``hits`` (I * J rays) name entries of these.
    """

    x: F64  # (J,)
    y: F64  # (I,)
    z: F64  # (I, J)
    normals: F64  # (I, J, 3), toward the viewer
    faces: Index
    hits: Hits

    def at(self, positions: F32) -> tuple[F64, F64]:
        """The front's normals (n, 3) there, and the distance to it along z, in head heights.

        Beside the grid the distance is infinite.
        """
        cell = self.x[1] - self.x[0]
        column = np.rint((positions[:, 0] - self.x[0]) / cell).astype(np.intp)
        row = np.rint((positions[:, 1] - self.y[0]) / cell).astype(np.intp)
        inside = (column >= 0) & (column < len(self.x)) & (row >= 0) & (row < len(self.y))
        at = row.clip(0, len(self.y) - 1), column.clip(0, len(self.x) - 1)
        depth = np.abs(positions[:, 2] - self.z[at]) * (_CELL / cell)
        return self.normals[at], np.where(inside, depth, np.inf)

    def wrong_share(self, model: MmdModel, normals: F32) -> float:
        """How much of the face, as seen, has normals (V, 3) that lean far from the front's."""
        corners = normals[model.faces[self.faces[self.hits.triangles]]]
        seen = unit_rows(np.einsum("nk,nkd->nd", self.hits.weights, corners).astype(np.float32))
        smooth = self.normals.reshape(-1, 3)
        counted = (self.hits.triangles >= 0) & (smooth[:, 2] < -_FRONTAL)
        wrong = (seen * smooth).sum(axis=1)[counted] < _WRONG_COSINE
        return float(wrong.mean()) if wrong.size else 0.0


def _front_of_face(model: MmdModel, skin: Flags, box: HeadBox) -> _Front | None:
    """The front of the face's skin, blurred; ``None`` where none is seen.

    Blurring what is seen from the front, not the mesh, knows no seams between panels, and the walls
    of a socket, seen edge on, hardly count.
    """
    x, y = _grid(box, _HALF_WIDTH, _BOTTOM, _TOP)
    faces, hits = _seen(model, skin, x, y)
    z = hits.z.reshape(len(y), len(x))
    known = np.isfinite(z)
    if not known.any():
        return None
    vertical, across = _blur(len(y)), _blur(len(x))
    total = vertical @ known @ across
    sums = vertical @ np.where(known, z, 0) @ across
    depth = np.where(total > _FAINT, sums / np.maximum(total, _FAINT), np.inf)
    with np.errstate(invalid="ignore"):
        upward, aside = np.gradient(depth, y[1] - y[0], x[1] - x[0])
    normals = np.stack([aside, upward, np.full_like(depth, -1)], axis=-1)
    normals[~np.isfinite(normals).all(axis=-1)] = (0, 0, -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return _Front(x, y, depth, normals, faces, hits)


def _blur(count: int) -> F64:
    """Weights (count, count) of a Gaussian blur along the lines of the grid."""
    places = np.arange(count)
    return np.exp(-(((places[:, None] - places) * _CELL / _SMOOTHED) ** 2) / 2)
