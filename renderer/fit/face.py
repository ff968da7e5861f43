"""The face of a model: where its eyes are, and how a morph changes what surrounds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract.rig import MorphUse
from renderer.deform.deformer import Deformer
from renderer.fit.head_bones import Flags, carried_by, dominant_bones, eye_bones
from renderer.fit.morph_names import blink_hint
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
_EYE_DEPTH = 0.35
_REGION_HALF_WIDTH, _REGION_ABOVE, _REGION_BELOW, _REGION_BEHIND = 1.3, 0.8, 1.6, 1.0
_CHIN_HALF_WIDTH, _CHIN_BELOW_LIPS = 0.2, (0.08, 0.2)
_STILL = 1e-3


@dataclass(frozen=True)
class Eye:
    """The box that the front of an iris fills; model units. ``behind_z``: safely behind it."""

    centre_x: float
    centre_y: float
    half_width: float
    half_height: float
    behind_z: float


@dataclass(frozen=True)
class Eyes:
    """Both eyes, the character's left first; ``iris`` (V,) marks their vertices."""

    left: Eye
    right: Eye
    iris: Flags
    evidence: str

    @property
    def spacing(self) -> float:
        """The distance between the eyes: the yardstick of the face."""
        return self.left.centre_x - self.right.centre_x

    @property
    def centre_x(self) -> float:
        """The middle between the eyes."""
        return (self.left.centre_x + self.right.centre_x) / 2

    @property
    def inner_gap(self) -> float:
        """The distance between the irises."""
        return self.spacing - self.left.half_width - self.right.half_width

    @property
    def y(self) -> float:
        """The height of the eyes."""
        return (self.left.centre_y + self.right.centre_y) / 2


def find_eyes(model: MmdModel, head: int) -> Eyes | None:
    """The eyes by what hangs on the eye bones, else by what blinks; ``None`` without either."""
    middle_x = model.bones[head].position[0]
    positions = model.vertices.positions.astype(np.float64)
    iris = np.isin(dominant_bones(model), eye_bones(model))
    eyes = _eyes_at(positions[iris], iris, middle_x, "eyes:bones")
    if eyes is None:
        swept = _swept_by_blinks(model, carried_by(model, head))
        eyes = _eyes_at(swept, np.zeros_like(iris), middle_x, "eyes:blinking-vertices")
    return eyes


def _swept_by_blinks(model: MmdModel, head: Flags) -> F64:
    """Where morphs called blink take vertices of the head from and to, (n, 3).

    Vertices count that move by at least half of the morph's greatest move: the upper lids, which
    pass over the opening of the eye.
    """
    swept = [np.empty((0, 3))]
    for morph in model.morphs:
        offsets = morph.offsets
        if isinstance(offsets, VertexOffsets) and blink_hint(morph.name) > 1:
            moves = np.where(head[offsets.vertices, None], offsets.offsets, 0)
            lengths = np.linalg.norm(moves, axis=1)
            lids = (lengths > 0) & (lengths >= lengths.max(initial=0) / 2)
            start = model.vertices.positions[offsets.vertices[lids]]
            swept += [start, start + moves[lids]]
    return np.concatenate(swept)


def _eyes_at(points: F64, iris: Flags, middle_x: float, evidence: str) -> Eyes | None:
    left, right = points[points[:, 0] > middle_x], points[points[:, 0] < middle_x]
    if not len(left) or not len(right):
        return None
    spacing = float(np.median(left[:, 0]) - np.median(right[:, 0]))
    return Eyes(_eye(left, spacing), _eye(right, spacing), iris, evidence)


def _eye(points: F64, spacing: float) -> Eye:
    """The box of the front part: other pupils may be kept inside the head."""
    behind = float(points[:, 2].min()) + _EYE_DEPTH * spacing
    front = points[points[:, 2] < behind]
    (x0, y0), (x1, y1) = front[:, :2].min(axis=0), front[:, :2].max(axis=0)
    return Eye(
        float(x0 + x1) / 2,
        float(y0 + y1) / 2,
        max(float(x1 - x0) / 2, 1e-3 * spacing),
        max(float(y1 - y0) / 2, 1e-3 * spacing),
        behind,
    )


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
        self.eye_depth = _EYE_DEPTH * eyes.spacing

    def changes(self) -> Iterator[Change]:
        """Every morph that moves something of the face, in the file's order."""
        for index, morph in enumerate(self.model.morphs):
            if isinstance(morph.offsets, VertexOffsets | GroupOffsets | BoneOffsets):
                change = self.change(index)
                if len(change.touched):
                    yield change

    def change(self, morph: int) -> Change:
        """What one morph moves of the face."""
        moved = self._posed(morph)
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

    def _posed(self, morph: int) -> F64:
        morphed = self._deformer.morph([MorphUse(morph, 1.0)])
        if morphed.bone_rotations or morphed.bone_translations:
            return self._deformer.skin(morphed, {}).positions.astype(np.float64)
        return morphed.positions.astype(np.float64)


def _in_region(model: MmdModel, eyes: Eyes) -> Flags:
    x, y, z = model.vertices.positions.T
    unit = eyes.spacing
    return np.asarray(
        (np.abs(x - eyes.centre_x) < _REGION_HALF_WIDTH * unit)
        & (y < eyes.y + _REGION_ABOVE * unit)
        & (y > eyes.y - _REGION_BELOW * unit)
        & (z < max(eyes.left.behind_z, eyes.right.behind_z) + _REGION_BEHIND * unit)
    )
