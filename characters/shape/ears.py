"""Ears: a cupped shell at the side of the head, round or pointed."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import face_uv
from characters.base.curves import bump
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import Face
from characters.shape.face_shape import FaceShape

CENTRE_Y = 0.345


def build_ear(shape: FaceShape, face: Face, sign: int, bone: int) -> Surface:
    """One ear; its cup faces forward and outward."""
    around = 18
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    # (share of the outline, how far out of the head) from the root over the rim into the cup.
    rings = (
        (0.62, -0.02),
        (1.0, 0.035),
        (0.98, 0.060),
        (0.78, 0.062),
        (0.55, 0.030),
        (0.05, 0.022),
    )
    tall, deep = 0.084, 0.050
    rows = []
    for share, out in rings:
        y = np.cos(angle) * tall * share
        z = np.sin(angle) * deep * share * (1 + 0.25 * np.cos(angle))
        x = out + 0.30 * z + 0.12 * y
        if face.elf_ears:
            stretch = bump(angle, 0.0, 0.7) + bump(angle, 2 * np.pi, 0.7)
            x = x + 0.19 * stretch * share
            y = y + 0.05 * stretch * share
        side = float(shape.half_width(np.array(CENTRE_Y)))
        rows.append(np.stack([sign * (side - 0.012 + x), CENTRE_Y + y, 0.035 + z], 1))
    xyz = np.concatenate(rows)
    faces = grid_faces(grid(len(rings), around, wrap=True), flip=sign > 0)
    uv = face_uv(xyz * [0.0, 1.0, 1.0] + [sign * 0.405, 0.0, 0.0])
    return surface(xyz, uv, faces, bone)
