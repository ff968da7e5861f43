"""Glasses: rims of several shapes, bridge and temples."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import CharacterSpec
from characters.shape.face_shape import FaceShape
from characters.shape.headgear import on_head

_HEAD = BONE["頭"]
# Power of the outline (1 round, less square), height by width, share of the rim from where to
# where (turns from the outer end, up), thickness of the wire.
_STYLES: tuple[tuple[float, float, tuple[float, float], float], ...] = (
    (0.75, 0.72, (0.0, 1.0), 0.0075),
    (1.0, 0.95, (0.0, 1.0), 0.0055),
    (0.45, 0.62, (0.0, 1.0), 0.0100),
    (0.60, 0.66, (0.5, 1.0), 0.0080),
    (0.60, 0.60, (0.0, 0.5), 0.0090),
    (0.80, 0.80, (0.0, 1.0), 0.0150),
)


def build_glasses(spec: CharacterSpec, face: FaceShape) -> list[Surface]:
    """Glasses that sit before both eyes."""
    eye = spec.eye
    power, aspect, (start, end), wire = _STYLES[(spec.seed // 5) % len(_STYLES)]
    angle = 2 * np.pi * np.linspace(start, end, 25)
    # Both rims leave room for the bridge.
    wide = min(max(eye.half_width * 1.15, 0.095), eye.x - 0.022)
    high = max(wide * aspect, 0.55 * (eye.up + eye.down) * (end - start))
    middle = eye.y + (eye.up - eye.down) / 2 - 0.012
    colour = ("black", "accent", "gold", "metal")[(spec.seed // 7) % 4]
    flat = float(face.depth(np.array([eye.x]), np.array([eye.y]))[0]) - 0.05

    def before(x: F64) -> F64:
        bent: F64 = flat + 0.30 * x**2
        return bent

    parts = []
    for sign in (-1, 1):
        cos, sin = np.cos(angle), np.sin(angle)
        x = sign * (eye.x + wide * np.sign(cos) * np.abs(cos) ** power)
        y = middle + high * np.sign(sin) * np.abs(sin) ** power
        rim = np.stack([x, y, before(x)], 1)
        parts.append(on_head(rim, np.full(25, wire), colour, 6, 0.2))
        hinge = np.array([sign * (eye.x + wide), middle])
        wall = spec.face.half_width + 0.018
        z = float(before(hinge[0]))
        temple = spline(
            [(hinge[0], middle, z), (sign * wall, middle + 0.01, -0.12),
             (sign * wall, middle + 0.01, 0.06)], 8
        )  # fmt: skip
        parts.append(on_head(temple, np.full(8, 0.8 * wire), colour, 5, 0.2))
    inner = eye.x - wide
    low = float(before(np.array(inner)))
    bridge = spline(
        [(-inner, middle, low), (0, middle + 0.015, low - 0.01), (inner, middle, low)], 8
    )
    parts.append(on_head(bridge, np.full(8, 0.8 * wire), colour, 5, 0.2))
    if (spec.seed // 11) % 5 == 0 and end - start == 1.0:
        parts += [_lens(eye.x * sign, middle, wide, high, power, flat) for sign in (-1, 1)]
    return parts


def _lens(x0: float, y0: float, wide: float, high: float, power: float, flat: float) -> Surface:
    """A gleam across a lens: two slanted stripes."""
    corners = []
    for low, top in ((-0.35, -0.15), (-0.05, 0.03)):
        for u, v in ((low, -0.55), (top, -0.55), (low + 0.45, 0.55), (top + 0.45, 0.55)):
            x = x0 + u * wide
            corners.append((x, y0 + v * high * power, flat + 0.30 * x**2 - 0.004))
    faces = np.concatenate([grid_faces(grid(2, 2)), 4 + grid_faces(grid(2, 2))])
    return surface(np.array(corners), cell("white", 0.5, np.zeros(8)), faces, _HEAD)
