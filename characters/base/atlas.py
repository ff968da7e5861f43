"""Where everything lies in the textures: the one home of texture coordinates.

skin.png   face (left three quarters), neck and plain skin (right quarter)
eyes.png   left iris, right iris, white, small plain cells
mouth.png  four plain cells: cavity, teeth, tongue, line; lash.png: lash, brow, lid line
hair.png   left half the outer side of locks, right half the inner side; v by height
cloth.png  torso (left half), plain cells (upper right), skirt or trousers (lower right)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from characters.base.curves import F64

FACE_WIDTH, FACE_LOW, FACE_HIGH = 0.84, -0.03, 1.03
FACE_SHARE = 0.75
NECK_LOW, NECK_HIGH = -0.26, 0.14
TORSO_LOW, TORSO_HIGH = -1.75, -0.05
CELLS = (
    "cloth", "trim", "accent", "lower", "shoe", "white", "black", "metal",
    "ribbon", "ear_out", "ear_in", "hat", "glass", "sailor", "flower", "gold",
)  # fmt: skip


def face_uv(xyz: F64) -> F64:
    """Head skin (V, 3): projected from the front."""
    u = (xyz[:, 0] / FACE_WIDTH + 0.5) * FACE_SHARE
    v = (FACE_HIGH - xyz[:, 1]) / (FACE_HIGH - FACE_LOW)
    return np.clip(np.stack([u, v], 1), 0.002, 0.998)


def neck_uv(angle: F64, y: F64) -> F64:
    """Neck by angle (0 in front) and height: the right quarter's upper half."""
    u = FACE_SHARE + (1 - FACE_SHARE) * (0.06 + 0.88 * np.abs(angle) / np.pi)
    v = 0.02 + 0.46 * (NECK_HIGH - y) / (NECK_HIGH - NECK_LOW)
    return np.stack([u, v], 1)


def skin_patch(count: int) -> F64:
    """Plain lit skin for limbs."""
    return np.tile(np.array([0.875, 0.75]), (count, 1))


def torso_uv(angle: F64, y: F64) -> F64:
    """Torso by angle (-pi..pi) and height."""
    u = 0.5 * (0.004 + 0.992 * (angle / (2 * np.pi) + 0.5))
    v = (TORSO_HIGH - y) / (TORSO_HIGH - TORSO_LOW)
    return np.clip(np.stack([u, v], 1), 0.002, 0.998)


def lower_uv(u: F64, v: F64) -> F64:
    """Skirt or trousers, u around and v down, each in 0..1."""
    return np.stack([0.505 + 0.49 * np.clip(u, 0, 1), 0.505 + 0.49 * np.clip(v, 0, 1)], 1)


def cell(name: str, s: npt.ArrayLike, t: npt.ArrayLike) -> F64:
    """A plain cell of cloth.png; s across and t from light (0) to shaded (1)."""
    row, column = divmod(CELLS.index(name), 4)
    s, t = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(t, np.float64))
    u = 0.5 + (column + 0.08 + 0.84 * np.clip(s, 0, 1)) / 8
    v = (row + 0.08 + 0.84 * np.clip(t, 0, 1)) / 8
    return np.stack([u, v], -1)
