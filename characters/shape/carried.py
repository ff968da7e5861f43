"""What is carried before the chest or in a hand."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, unit
from characters.base.rigging import BONE, arm
from characters.base.surface import Surface, grid, grid_faces, surface, tube
from characters.design.spec import CharacterSpec
from characters.shape.body import Torso
from characters.shape.neckwear import on_torso

_CHEST = BONE["上半身2"]
_HELD_AT = np.array([0.0, -0.62, -0.58])  # between both hands


def build_carried(spec: CharacterSpec, torso: Torso) -> list[Surface]:
    """The thing, if any."""
    parts: list[Surface] = []
    match spec.body.carried:
        case "strap":
            parts = [_strap(spec, torso)]
        case "plush":
            parts = _plush()
        case "book":
            parts = [_box(_HELD_AT + np.array([0.0, 0.04, 0.03]), (0.21, 0.26, 0.035), "accent")]
        case "cup":
            parts = _cup()
        case "flowers":
            parts = _flowers()
        case "microphone":
            parts = _microphone(spec)
        case "staff":
            parts = _staff(spec)
    return parts


def _thing(line: F64, radius: F64, colour: str, around: int = 10, t: float = 0.3) -> Surface:
    """A tube of one colour that follows the chest."""
    bones = np.full((len(line), 2), _CHEST)
    uv = cell(colour, 0.5, np.full(len(line), t))
    return tube(line, radius, uv, bones, np.ones(len(line)), around)


def _ball(centre: F64, radii: tuple[float, float, float], colour: str) -> Surface:
    t = np.linspace(-1, 1, 9)
    line = np.array([0.0, 1.0, 0.0]) * t[:, None]
    part = _thing(line, np.sqrt(np.maximum(1 - t**2, 0.005)), colour, 14)
    return surface(part.positions * radii + centre, part.uv, part.faces, _CHEST)


def _box(centre: F64, half: tuple[float, float, float], colour: str) -> Surface:
    """A box whose sides have corners of their own."""
    corners: list[F64] = []
    faces = []
    for axis in range(3):
        for sign in (-1, 1):
            u, v = np.meshgrid([-1.0, 1.0], [-1.0, 1.0])
            side = np.empty((4, 3))
            side[:, axis] = sign
            side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = u.ravel(), v.ravel()
            quad = grid_faces(grid(2, 2), flip=sign > 0) + 4 * len(corners)
            corners.append(side)
            faces.append(quad)
    xyz = np.concatenate(corners) * half + centre
    shade = 0.15 + 0.35 * (np.concatenate(corners)[:, 1] < 0)
    return surface(xyz, cell(colour, 0.5, shade), np.concatenate(faces), _CHEST)


def _strap(spec: CharacterSpec, torso: Torso) -> Surface:
    """The strap of a bag, from one shoulder to the other hip."""
    sign = 1 if spec.seed % 2 else -1
    t = np.linspace(0, 1, 17)
    angle = sign * (1.25 - 2.3 * t)
    y = -0.19 - 1.01 * t**1.15
    middle = torso.at(angle, y, 0.030)
    way = np.gradient(middle, axis=0)
    across = unit(np.cross(way, middle - [0.0, 0.0, 0.09] - middle * [0, 1, 0])) * 0.042
    rows = np.stack([middle - across, middle + across * 0.0 - [0, 0, 0.006], middle + across], 1)
    uv = cell("accent", 0.5, np.tile([0.4, 0.0, 0.4], 17))
    part = surface(rows.reshape(-1, 3), uv, grid_faces(grid(17, 3)), 0)
    if part.normals[:, 2].mean() > 0:
        part = surface(part.positions, uv, part.faces[:, ::-1], 0)
    return on_torso(part)


def _plush() -> list[Surface]:
    """A bear's head and body."""
    x, y, z = _HELD_AT
    parts = [
        _ball(np.array([x, y + 0.12, z + 0.02]), (0.17, 0.15, 0.13), "flower"),
        _ball(np.array([x, y - 0.14, z + 0.06]), (0.16, 0.19, 0.12), "flower"),
        _ball(np.array([x, y + 0.075, z - 0.10]), (0.065, 0.05, 0.04), "white"),
    ]
    for sign in (-1, 1):
        parts.append(_ball(np.array([x + 0.13 * sign, y + 0.25, z + 0.03]), (0.06,) * 3, "flower"))
        parts.append(_ball(np.array([x + 0.06 * sign, y + 0.14, z - 0.105]), (0.018,) * 3, "black"))
    return parts


def _cup() -> list[Surface]:
    x, y, z = _HELD_AT
    t = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 0.9])
    line = np.stack([np.full(6, x), y - 0.10 + 0.28 * t, np.full(6, z)], 1)
    radius = np.array([0.01, 0.085, 0.10, 0.115, 0.10, 0.01])
    handle = np.linspace(-1.4, 1.4, 9)
    ring = np.stack([x + 0.10 + 0.07 * np.cos(handle), y + 0.04 + 0.07 * np.sin(handle),
                     np.full(9, z)], 1)  # fmt: skip
    return [_thing(line, radius, "white", 16), _thing(ring, np.full(9, 0.014), "white", 6)]


def _flowers() -> list[Surface]:
    x, y, z = _HELD_AT
    cone = np.stack([np.full(5, x), np.linspace(y - 0.32, y + 0.06, 5), np.full(5, z)], 1)
    parts = [_thing(cone, np.array([0.02, 0.05, 0.09, 0.13, 0.16]), "white", 14)]
    heads = ((0.0, 0.12), (-0.11, 0.10), (0.11, 0.11), (-0.055, 0.17), (0.06, 0.18))
    for k, (aside, up) in enumerate(heads):
        at = np.array([x + aside, y + up, z - 0.03 * (k % 2)])
        parts.append(_ball(at, (0.075, 0.06, 0.07), ("flower", "accent", "gold")[k % 3]))
    return parts


def _grip(spec: CharacterSpec, pose: str) -> F64:
    """Where the hand in that pose closes."""
    posed = arm(spec.body, 1 if spec.body.left_arm == pose else -1)
    return np.array(posed.wrist) + 0.13 * np.array(posed.way) + 0.05 * np.array(posed.palm)


def _microphone(spec: CharacterSpec) -> list[Surface]:
    grip = _grip(spec, "chin")
    way = unit(np.array([0.0, 0.06, -0.42]) - grip)
    stick = grip + way * np.linspace(-0.14, 0.10, 4)[:, None]
    head = grip + way * 0.13
    return [_thing(stick, np.array([0.02, 0.024, 0.028, 0.03]), "black", 10),
            _ball(head, (0.055, 0.055, 0.055), "metal")]  # fmt: skip


def _staff(spec: CharacterSpec) -> list[Surface]:
    grip = _grip(spec, "raised")
    rod = grip + np.array([0.0, 1.0, 0.0]) * np.linspace(-1.5, 0.62, 6)[:, None]
    return [_thing(rod, np.full(6, 0.024), "gold", 8),
            _ball(rod[-1] + [0, 0.06, 0], (0.085, 0.085, 0.085), "accent")]  # fmt: skip
