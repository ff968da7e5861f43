"""A piece of surface: what every builder makes and the assembly joins.

Lengths are in head heights: the chin is at y = 0 and the top of the skull at y = 1, whatever the
size of the character; x to the character's left, the face looks along -z.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from characters.base.curves import F64, unit

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Surface:
    """V vertices and F triangles; a triangle's (b - a) x (c - a) points out of the surface.

    ``bones`` (V, 2) with ``weights`` (V,): the share of the first bone, the rest is the second's.
    ``shapes``: by name, the offset (V, 3) of every vertex when that shape is fully on.
    ``edge_scales`` (V,): outline width relative to the material's.
    """

    positions: F64
    normals: F64
    uv: F64
    faces: I64
    bones: I64
    weights: F64
    edge_scales: F64
    shapes: Mapping[str, F64] = field(default_factory=dict)


def surface(
    positions: F64,
    uv: F64,
    faces: I64,
    bone: int,
    normals: F64 | None = None,
    shapes: Mapping[str, F64] | None = None,
) -> Surface:
    """A surface that follows one bone; normals default to the area-weighted ones."""
    count = len(positions)
    return Surface(
        positions=positions,
        normals=smooth_normals(positions, faces) if normals is None else normals,
        uv=uv,
        faces=faces,
        bones=np.tile(np.array([bone, bone], np.int64), (count, 1)),
        weights=np.ones(count),
        edge_scales=np.ones(count),
        shapes=shapes or {},
    )


def smooth_normals(positions: F64, faces: I64) -> F64:
    """Unit vertex normals (V, 3), each the area-weighted mean of its triangles' normals."""
    a, b, c = (positions[faces[:, k]] for k in range(3))
    across: F64 = np.cross(b - a, c - a)
    total: F64 = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), len(positions))
            for axis in range(3)
        ],
        axis=1,
    )
    return unit(total)


def grid_faces(index: I64, flip: bool = False) -> I64:
    """Two triangles (2(R-1)(C-1), 3) for each cell of a grid of vertex indices (R, C).

    With rows going up and columns going to +x the triangles face -z; ``flip`` turns them round.
    """
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)])
    return faces[:, ::-1] if flip else faces


def grid(rows: int, columns: int, wrap: bool = False) -> I64:
    """Vertex indices (rows, columns) in reading order; ``wrap`` repeats the first column."""
    index = np.arange(rows * columns).reshape(rows, columns)
    return np.concatenate([index, index[:, :1]], axis=1) if wrap else index


def weighted(part: Surface, bones: I64, weights: F64) -> Surface:
    """The surface with other weights."""
    return replace(part, bones=bones, weights=weights)


def tube(line: F64, radius: F64, uv: F64, bones: I64, weights: F64, around: int = 14) -> Surface:
    """A round tube along ``line`` (N, 3) with ``radius`` (N,); uv (N, 2), bones (N, 2)."""
    tangent = unit(np.gradient(line, axis=0))
    # The axis that the line never runs along keeps the ring from flipping.
    axis = np.eye(3)[np.argmin(np.abs(tangent).max(0))]
    right = unit(np.cross(tangent, axis))
    ahead = unit(np.cross(right, tangent))
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = np.cos(angle)[:, None] * right[:, None] + np.sin(angle)[:, None] * ahead[:, None]
    xyz = (line[:, None] + ring * radius[:, None, None]).reshape(-1, 3)
    faces = grid_faces(grid(len(line), around, wrap=True), flip=True)
    part = surface(xyz, np.repeat(uv, around, 0), faces, 0)
    middle = np.repeat(line, around, 0)
    if np.sum((xyz - middle) * part.normals) < 0:
        part = replace(part, faces=faces[:, ::-1], normals=-part.normals)
    return weighted(part, np.repeat(bones, around, 0), np.repeat(weights, around))


def merge(parts: Sequence[Surface]) -> Surface:
    """All ``parts`` as one surface; a shape that a part lacks leaves it at rest."""
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    names = dict.fromkeys(name for part in parts for name in part.shapes)
    shapes = {
        name: np.concatenate(
            [part.shapes.get(name, np.zeros_like(part.positions)) for part in parts]
        )
        for name in names
    }
    return Surface(
        positions=np.concatenate([part.positions for part in parts]),
        normals=np.concatenate([part.normals for part in parts]),
        uv=np.concatenate([part.uv for part in parts]),
        faces=np.concatenate(
            [part.faces + start for part, start in zip(parts, starts, strict=False)]
        ),
        bones=np.concatenate([part.bones for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        edge_scales=np.concatenate([part.edge_scales for part in parts]),
        shapes=shapes,
    )


def compact(part: Surface) -> Surface:
    """The same surface without the vertices that no triangle uses."""
    used = np.zeros(len(part.positions), bool)
    used[part.faces] = True
    return replace(
        part,
        positions=part.positions[used],
        normals=part.normals[used],
        uv=part.uv[used],
        faces=(np.cumsum(used) - 1)[part.faces],
        bones=part.bones[used],
        weights=part.weights[used],
        edge_scales=part.edge_scales[used],
        shapes={name: offsets[used] for name, offsets in part.shapes.items()},
    )
