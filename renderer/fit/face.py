"""The face of a model around its eyes and mouth, and how each morph changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from renderer.deform.deformer import Deformer
from renderer.fit.eyes import EYE_DEPTH, Eyes, morphed_positions
from renderer.fit.head_bones import Flags, carried_by
from renderer.fit.raycast import first_hits
from renderer.formats.model import (
    I32,
    BoneOffsets,
    GroupOffsets,
    MmdModel,
    VertexOffsets,
    face_materials,
)

F64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

# In units of the distance between the eyes, which scales with everything in a face.
_REGION_HALF_WIDTH, _REGION_ABOVE, _REGION_BELOW, _REGION_BEHIND = 1.3, 0.8, 1.6, 1.0
_CHIN_HALF_WIDTH, _CHIN_BELOW_LIPS = 0.2, (0.08, 0.2)
_STILL = 1e-3


@dataclass(frozen=True)
class Change:
    """What one morph at weight 1 does to the face: the moves of its vertices."""

    morph: int
    moved: F64  # (n, 3) positions after
    moves: F64  # (n, 3)
    touched: I32  # faces that it moves, rows of ``Face.triangles``

    def at(self, weight: float) -> Change:
        """The morph at another weight; its moves taken to be straight."""
        moves = weight * self.moves
        return replace(self, moved=self.moved - self.moves + moves, moves=moves)


class Face:
    """The front of the head around eyes and mouth; n vertices, at rest at ``positions`` (n, 3).

    ``triangles`` (t, 3) are rows of ``positions``, without those of the irises, which are
    ``iris_triangles``; ``faces`` (t,) are the former as rows of the model's faces; none is without
    a material. ``materials`` (F,) is the
    material of each of the model's faces, -1 for none. ``eye_depth`` (model units): how far behind
    the front of an iris its ``behind_z`` lies.
    """

    def __init__(self, model: MmdModel, head: int, eyes: Eyes) -> None:
        self.model = model
        self.eyes = eyes
        on_head = carried_by(model, head) | eyes.iris
        rows = np.flatnonzero(_in_region(model, eyes) & on_head).astype(np.int32)
        self._deformer = Deformer(model, rows)
        self.rows = rows
        self.positions = model.vertices.positions[rows].astype(np.float64)
        row_of = np.full(len(model.vertices), -1, np.int32)
        row_of[rows] = np.arange(len(rows), dtype=np.int32)
        triangles = row_of[model.faces]
        self.materials = face_materials(model)
        inside: Flags = (triangles >= 0).all(axis=1) & (self.materials >= 0)
        of_iris = eyes.iris[rows]
        whole = of_iris[triangles].all(axis=1) & inside
        self.iris_triangles = triangles[whole]
        inside &= ~whole
        self.triangles = triangles[inside]
        self.faces = np.flatnonzero(inside)
        self.eye_depth = EYE_DEPTH * eyes.spacing

    def changes(self) -> Iterator[Change]:
        """Every morph that moves something of the face, in the file's order."""
        for index, morph in enumerate(self.model.morphs):
            if isinstance(morph.offsets, VertexOffsets | GroupOffsets | BoneOffsets):
                change = self.change(index)
                if len(change.touched):
                    yield change

    def change(self, morph: int) -> Change:
        """What one morph moves of the face."""
        moved = morphed_positions(self._deformer, morph)
        moves = moved - self.positions
        touching: Flags = np.asarray((np.abs(moves) > _STILL * self.eyes.spacing).any(axis=1))
        touched = np.flatnonzero(touching[self.triangles].any(axis=1)).astype(np.int32)
        return Change(morph, moved, moves, touched)

    def faces_below(self, lips_y: float) -> Index:
        """The model's faces that are seen around the lower lip and chin: skin, most likely."""
        unit, eyes = self.eyes.spacing, self.eyes
        x = eyes.centre_x + unit * np.linspace(-_CHIN_HALF_WIDTH, _CHIN_HALF_WIDTH, 5)
        y = lips_y - unit * np.linspace(*_CHIN_BELOW_LIPS, 3)
        points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        seen = first_hits(self.positions[self.triangles], points).triangles
        return self.faces[seen[seen >= 0]]


def _in_region(model: MmdModel, eyes: Eyes) -> Flags:
    x, y, z = model.vertices.positions.T
    unit = eyes.spacing
    return np.asarray(
        (np.abs(x - eyes.centre_x) < _REGION_HALF_WIDTH * unit)
        & (y < eyes.y + _REGION_ABOVE * unit)
        & (y > eyes.y - _REGION_BELOW * unit)
        & (z < max(eyes.left.behind_z, eyes.right.behind_z) + _REGION_BEHIND * unit)
    )
