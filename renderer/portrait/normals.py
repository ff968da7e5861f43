"""Vertex normals that point out of the surface, whatever the file says.

Some models carry normals that point inward: their faces are authored for unshaded toon, where
nobody sees it. Under real shading the colour between an inward and an outward normal runs through
black. Only the sign is mended; which way a normal leans stays the author's.
"""

from __future__ import annotations

import numpy as np

from renderer.formats.model import F32, MmdModel

# Where faces of opposite winding share a vertex there is no outside, and nothing is mended.
_MIN_AGREEMENT = 0.5


def outward_normals(model: MmdModel) -> F32:
    """The model's normals (V, 3), turned round where they point into their own faces."""
    positions = model.vertices.positions.astype(np.float64)
    a, b, c = (positions[model.faces[:, corner]] for corner in range(3))
    areas = np.cross(b - a, c - a)
    sums = np.zeros_like(positions)
    totals = np.zeros(len(positions))
    for corner in range(3):
        np.add.at(sums, model.faces[:, corner], areas)
        np.add.at(totals, model.faces[:, corner], np.linalg.norm(areas, axis=1))
    has_outside = np.linalg.norm(sums, axis=1) > _MIN_AGREEMENT * totals
    inward = (model.vertices.normals * sums).sum(axis=1) < 0
    flip = (inward & has_outside)[:, None]
    return np.where(flip, -model.vertices.normals, model.vertices.normals)
