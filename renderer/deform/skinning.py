"""Vertices follow their bones: linear (BDEF), spherical (SDEF) and dual-quaternion (QDEF) blends.

Sources: the PMX 2.1 format description; for SDEF also MMD's own behaviour as other software
reproduces it; for QDEF: Kavan et al., "Skinning with Dual Quaternions" (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from renderer.deform.quaternion import multiply, to_rows
from renderer.deform.skeleton import BoneTransforms
from renderer.formats.model import F32, I32, U8, Vertices, WeightType

Floats = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

_MOST_KNOWN = 8
_BLENDED = WeightType.BDEF4, WeightType.SDEF, WeightType.QDEF
"""The kinds of vertices between bones; those of fewer bones are counted as BDEF4."""


@dataclass(frozen=True)
class _Tables:
    """Bone transforms by slot, in the forms that the blends need; float32."""

    matrices: F32  # (S, 3, 4): v' = M (v, 1)
    rotations: F32  # (S, 4)
    duals: F32  # (S, 4): half the offset times the rotation, as quaternions


class Skin:
    """How the vertices of a mesh hang on its bones.

    Weights are divided by their sum, so that a mesh at rest is the file's mesh; a vertex whose
    weights sum to nothing hangs on no bone and stays where it is.
    """

    def __init__(self, vertices: Vertices) -> None:
        bones, weights = _sorted_weights(vertices)
        width = max(1, int((weights != 0).sum(axis=1).max(initial=1)))
        # One row per influence: whole rows are compared at once.
        self._bones: Index = np.ascontiguousarray(bones[:, :width].T.astype(np.intp))
        self._weights: F32 = np.ascontiguousarray(weights[:, :width].T)
        self._kinds: U8 = np.where(
            vertices.weight_types >= WeightType.SDEF, vertices.weight_types, WeightType.BDEF4
        ).astype(np.uint8)
        self._spherical = _Spherical(vertices)
        self._known: dict[bytes, _Following] = {}

    def deform(self, positions: F32, normals: F32, transforms: BoneTransforms) -> tuple[F32, F32]:
        """Positions and unit normals, both (V, 3), carried by the bones.

        Where every bone rests, the arrays that were given come back.
        """
        moved, turns = self._moved(positions, transforms)
        return moved, turns.of(normals) if turns else normals

    def move(self, positions: F32, transforms: BoneTransforms) -> F32:
        """The positions alone."""
        return self._moved(positions, transforms)[0]

    def _moved(self, positions: F32, transforms: BoneTransforms) -> tuple[F32, _Turns | None]:
        """Positions, and how normals turn; None where every bone rests."""
        if len(transforms.rotations) == 1:
            return positions, None
        tables, follow = _tables(transforms), self._following(transforms.slots)
        main = tables.matrices[follow.main]
        moved = _all_turned(main, positions)
        moved += main[:, 3]
        moved[follow.still] = positions.take(follow.still, axis=0)
        matrices = tables.matrices.take(follow.slots[0].take(follow.rigid), axis=0)
        moved[follow.rigid] = _apply(matrices, positions.take(follow.rigid, axis=0))
        blended: list[tuple[Index, Floats]] = []
        for blend, rows in zip(
            (_blend_linear, self._spherical.blend, _blend_dual), follow.blended, strict=True
        ):
            if len(rows):
                slots, weights = follow.slots.take(rows, axis=1), self._weights.take(rows, axis=1)
                moved[rows], turns = blend(
                    rows, positions.take(rows, axis=0), slots, weights, tables
                )
                blended.append((rows, turns))
        return moved, _Turns(main, follow.still, (follow.rigid, matrices[:, :, :3]), tuple(blended))

    def _following(self, slots: I32) -> _Following:
        """Which vertices do what; the last answers are kept, for poses move the same bones."""
        key = slots.tobytes()
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            # Bone -1 reads the last entry: the slot of rest.
            self._known[key] = _follow(np.append(slots, 0).take(self._bones), self._kinds)
        return self._known[key]


@dataclass(frozen=True)
class _Following:
    """What the vertices do while certain bones move.

    slots: of each influence, (influences, V). main: the slot that the most vertices follow as a
    whole. still: those that rest; rigid: those that follow another slot as a whole; blended: those
    between slots, by ``_BLENDED``.
    """

    slots: Index
    main: int
    still: Index
    rigid: Index
    blended: tuple[Index, ...]


@dataclass(frozen=True)
class _Turns:
    """How normals turn: most by ``main`` (3, 4), some rows not at all, others by matrices (n, 3, 3)
    of their own; those of ``blended`` may change lengths."""

    main: F32
    still: Index
    rigid: tuple[Index, F32]
    blended: tuple[tuple[Index, Floats], ...]

    def of(self, normals: F32) -> F32:
        """Unit normals (V, 3), turned."""
        turned = _all_turned(self.main, normals)
        turned[self.still] = normals.take(self.still, axis=0)
        rows, matrices = self.rigid
        turned[rows] = _turn(matrices, normals.take(rows, axis=0))
        for rows, turns in self.blended:
            turned[rows] = unit_rows(_turn(turns, normals.take(rows, axis=0)))
        return turned


def _follow(slots: Index, kinds: U8) -> _Following:
    together = np.logical_and.reduce(slots[1:] == slots[0], axis=0)
    counts = np.bincount(slots[0][together], minlength=2)
    main = 1 + int(counts[1:].argmax())
    return _Following(
        slots,
        main,
        np.flatnonzero(together & (slots[0] == 0)),
        np.flatnonzero(together & (slots[0] != 0) & (slots[0] != main)),
        tuple(np.flatnonzero(~together & (kinds == kind)) for kind in _BLENDED),
    )


def unit_rows(vectors: F32) -> F32:
    """Rows (n, 3) at unit length; a row without length faces the viewer, -z."""
    lengths = np.sqrt(np.einsum("ni,ni->n", vectors, vectors))[:, None]
    found = lengths > 0
    unit: F32 = np.where(
        found, vectors / np.where(found, lengths, 1), np.array([0, 0, -1], np.float32)
    ).astype(np.float32)
    return unit


def _sorted_weights(vertices: Vertices) -> tuple[npt.NDArray[np.int32], F32]:
    """Bones and weights (V, 4), used influences first, weights summing to 1.

    SDEF keeps its order, which its constants refer to. Unused places repeat the first bone, so
    that a vertex whose places agree moves rigidly.
    """
    bones = vertices.bone_indices
    weights = vertices.bone_weights.astype(np.float64)
    total = weights.sum(axis=1, keepdims=True)
    usable = np.abs(total) > 1e-6
    weights = np.where(usable, weights / np.where(usable, total, 1), 0)
    order = np.argsort(weights == 0, axis=1, kind="stable")
    bones, weights = np.take_along_axis(bones, order, 1), np.take_along_axis(weights, order, 1)
    weights[:, 0] = np.where(usable[:, 0], weights[:, 0], 1)
    first = np.where(usable, bones[:, :1], -1)
    return np.where(weights == 0, first, bones), weights.astype(np.float32)


def _tables(transforms: BoneTransforms) -> _Tables:
    rotations, offsets = transforms.rotations, transforms.offsets
    matrices = np.concatenate([_matrices(rotations), offsets[:, :, None]], axis=2)
    pure = np.concatenate([offsets, np.zeros((len(offsets), 1))], axis=1)
    duals = 0.5 * _multiply(pure, rotations)
    return _Tables(*(table.astype(np.float32) for table in (matrices, rotations, duals)))


def _all_turned(matrix: F32, vectors: F32) -> F32:
    """The rotation of one matrix (3, 4) on (n, 3) vectors.

    Plane by plane: a third of the time of a matrix for each, and the same numbers on any machine.
    """
    turned = np.empty_like(vectors)
    x, y, z = vectors.T
    for row, (of_x, of_y, of_z, _) in enumerate(matrix):
        turned[:, row] = x * of_x + y * of_y + z * of_z
    return turned


def _apply(matrices: F32, points: Floats) -> F32:
    """(n, 3, 4) matrices on (n, 3) points."""
    moved: F32 = _turn(matrices[:, :, :3], points) + matrices[:, :, 3]
    return moved


def _turn(matrices: Floats, vectors: Floats) -> F32:
    turned: F32 = np.einsum("nij,nj->ni", matrices, vectors)
    return turned


def _blend_linear(
    _rows: Index, positions: F32, slots: Index, weights: F32, tables: _Tables
) -> tuple[F32, Floats]:
    """The weighted sum of the bones' matrices: positions, and matrices (n, 3, 3) for normals."""
    matrices = np.zeros((len(positions), 3, 4), np.float32)
    for slot, weight in zip(slots, weights, strict=True):
        matrices += tables.matrices.take(slot, axis=0) * weight[:, None, None]
    return _apply(matrices, positions), matrices[:, :, :3]


def _blend_dual(
    _rows: Index, positions: F32, slots: Index, weights: F32, tables: _Tables
) -> tuple[F32, Floats]:
    """The normalised weighted sum of the bones' dual quaternions (Kavan et al., section 3.4)."""
    pivot = tables.rotations.take(slots[0], axis=0)
    real = np.zeros((len(positions), 4), np.float32)
    dual = np.zeros_like(real)
    for slot, weight in zip(slots, weights, strict=True):
        rotations = tables.rotations.take(slot, axis=0)
        # q and -q are one rotation; sum those on the pivot's side.
        signed = (weight * np.where((rotations * pivot).sum(axis=1) < 0, -1, 1))[:, None]
        real += rotations * signed
        dual += tables.duals.take(slot, axis=0) * signed
    lengths = np.maximum(np.linalg.norm(real, axis=1, keepdims=True), 1e-6)
    real, dual = real / lengths, dual / lengths
    matrices = _matrices(real)
    conjugates = real * np.array([-1, -1, -1, 1], np.float32)
    offsets: F32 = 2 * _multiply(dual, conjugates)[:, :3].astype(np.float32)
    return _turn(matrices, positions) + offsets, matrices


class _Spherical:
    """SDEF: the rotation is the slerp of both bones'; the centre moves with both, weighted.

    With rw = R0 w0 + R1 w1, r0' = C + R0 - rw, r1' = C + R1 - rw, a vertex v goes to
    q (v - C) + M0 ((C + r0') / 2) w0 + M1 ((C + r1') / 2) w1.
    """

    def __init__(self, vertices: Vertices) -> None:
        rows = vertices.sdef_vertices
        self._places: Index = np.zeros(len(vertices), np.intp)
        self._places[rows] = np.arange(len(rows))
        w0, w1 = vertices.bone_weights[rows, :1], vertices.bone_weights[rows, 1:2]
        c, r0, r1 = vertices.sdef_c, vertices.sdef_r0, vertices.sdef_r1
        weighted = r0 * w0 + r1 * w1
        self._centre = c
        self._anchor0 = c + (r0 - weighted) / 2
        self._anchor1 = c + (r1 - weighted) / 2

    def blend(
        self, rows: Index, positions: F32, slots: Index, weights: F32, tables: _Tables
    ) -> tuple[F32, Floats]:
        places = self._places.take(rows)
        q0, q1 = tables.rotations.take(slots[0], axis=0), tables.rotations.take(slots[1], axis=0)
        turns = _matrices(_slerp(q0, q1, weights[1]))
        m0, m1 = tables.matrices.take(slots[0], axis=0), tables.matrices.take(slots[1], axis=0)
        centre = (
            _apply(m0, self._anchor0.take(places, axis=0)) * weights[0][:, None]
            + _apply(m1, self._anchor1.take(places, axis=0)) * weights[1][:, None]
        )
        arms = positions - self._centre.take(places, axis=0)
        return _turn(turns, arms) + centre, turns


def _slerp(a: F32, b: F32, share: F32) -> F32:
    """Unit quaternions (n, 4) at ``share`` (n,) of the short way from a to b."""
    dot = np.einsum("ni,ni->n", a, b)
    sign = np.where(dot < 0, -1, 1).astype(np.float32)
    angle = np.arccos(np.minimum(np.abs(dot), 1))
    sine = np.sin(angle)
    near = sine < 1e-4
    safe = np.where(near, 1, sine)
    of_a = np.where(near, 1 - share, np.sin((1 - share) * angle) / safe)
    of_b = np.where(near, share, np.sin(share * angle) / safe) * sign
    mixed: F32 = a * of_a[:, None] + b * of_b[:, None]
    unit: F32 = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return unit


def _matrices(q: Floats) -> Floats:
    """Rotation matrices (n, 3, 3) of unit quaternions (n, 4)."""
    matrices = np.empty((len(q), 3, 3), q.dtype)
    for i, row in enumerate(to_rows(_components(q))):
        for j, entries in enumerate(row):
            matrices[:, i, j] = entries
    return matrices


def _multiply(a: Floats, b: Floats) -> Floats:
    """Hamilton products of rows (n, 4)."""
    return np.stack(multiply(_components(a), _components(b)), axis=1)


def _components(q: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    x, y, z, w = q.T
    return x, y, z, w
