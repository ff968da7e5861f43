"""What is worn around the neck: bands, scarves, bows, ties, pendants."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, unit
from characters.base.rigging import BONE
from characters.base.surface import Surface, grid, grid_faces, merge, surface, tube, weighted
from characters.design.spec import CharacterSpec
from characters.shape.body import Torso, upper_weights


def on_torso(part: Surface) -> Surface:
    """A surface that moves as the torso below it does."""
    return weighted(part, *upper_weights(part.positions))


def neck_band(
    spec: CharacterSpec, low: float, high: float, wide_low: float, wide_high: float, colour: str
) -> Surface:
    """A tube of cloth around the neck."""
    angle = np.linspace(-np.pi, np.pi, 28, endpoint=False)
    n = spec.body.neck
    rings: list[F64] = []
    for t in (0.0, 0.5, 0.9, 1.0, 1.0):
        y = low + (high - low) * t
        r = n + wide_low + (wide_high - wide_low) * t - 0.012 * (len(rings) == 4)
        rings.append(np.stack([r * np.sin(angle), np.full(28, y), 0.075 - r * np.cos(angle)], 1))
    xyz = np.concatenate(rings)
    uv = cell(colour, 0.5, np.repeat([0.7, 0.3, 0.0, 0.0, 0.6], 28))
    return on_torso(surface(xyz, uv, grid_faces(grid(5, 28, wrap=True)), 0))


def build_neckwear(spec: CharacterSpec, torso: Torso) -> list[Surface]:
    """What hangs from the neck or lies around it."""
    chest = BONE["上半身2"]
    low = {
        "sailor": -0.47,
        "blazer": -0.225,
        "vest": -0.225,
        "shirt": -0.215,
        "crew": -0.2,
        "dress": -0.34,
    }
    y = low.get(spec.body.outfit, -0.2)
    collared = spec.body.outfit in ("shirt", "blazer", "vest")
    front = torso.at(np.array([0.0]), np.array([y]), 0.10 if collared else 0.05)[0]
    parts: list[Surface] = []
    match spec.body.neckwear:
        case "ribbon":
            parts = [build_bow(front, 0.15, "accent", chest, lift=0.12)]
        case "tie":
            parts = [_tie(torso, y, chest)]
        case "scarf":
            parts = [
                neck_band(spec, -0.17, -0.01, 0.075, 0.055, "accent"),
                neck_band(spec, -0.13, -0.03, 0.095, 0.075, "accent"),
            ]
        case "choker":
            parts = [neck_band(spec, -0.105, -0.075, 0.004, 0.004, "black")]
        case "big_scarf":
            parts = _big_scarf(spec, torso)
        case "bell":
            ring = neck_band(spec, -0.115, -0.075, 0.006, 0.006, "accent")
            parts = [ring, _bead(np.array([0.0, -0.115, 0.03 - spec.body.neck]), 0.038, "gold")]
        case "pendant":
            parts = _pendant(torso)
        case "headphones":
            parts = _headphones(spec)
    return parts


def _ring(line: F64, radius: F64, colour: str, around: int = 10, t: float = 0.3) -> Surface:
    """A tube on the torso."""
    bones, weights = upper_weights(line)
    uv = cell(colour, 0.5, np.full(len(line), t))
    return tube(line, radius, uv, bones, weights, around)


def _bead(centre: F64, radius: float, colour: str) -> Surface:
    t = np.linspace(-1, 1, 7)
    line = centre + np.array([0.0, 1.0, 0.0]) * radius * t[:, None]
    return _ring(line, radius * np.sqrt(np.maximum(1 - t**2, 0.02)), colour)


def _big_scarf(spec: CharacterSpec, torso: Torso) -> list[Surface]:
    """Two thick rolls up to the chin or over it, and one end that hangs down before the chest."""
    high = 0.045 * ((spec.seed // 3) % 4)
    angle = np.linspace(-np.pi, np.pi, 33)
    parts = []
    for middle, wide, thick in ((-0.145, 0.275, 0.085), (-0.055 + high, 0.285, 0.080)):
        r = wide + 0.02 * np.cos(3 * angle + middle * 9)
        level = middle + 0.018 * np.sin(2 * angle) - 0.03 * np.cos(angle) * (middle < -0.1)
        line = np.stack([r * np.sin(angle), level, 0.03 - r * np.cos(angle)], 1)
        parts.append(_ring(line, np.full(33, thick), "accent", 12))
    y = np.linspace(-0.20, -0.95, 10)
    x = (0.13 if spec.seed % 2 else -0.13) + 0.04 * (y + 0.2)
    strip = torso.at(np.arcsin(np.clip(x / torso.half_width(y), -1, 1)), y, 0.05)
    strip[0, 2] = strip[1, 2] = min(strip[0, 2], strip[1, 2], -0.26)
    half = np.interp(np.arange(10), [0, 2, 9], [0.05, 0.085, 0.10])
    rows = np.stack([strip - [1, 0, 0] * half[:, None], strip - [0, 0, 0.02],
                     strip + [1, 0, 0] * half[:, None]], 1)  # fmt: skip
    uv = cell("accent", 0.5, np.tile([0.5, 0.1, 0.5], 10))
    faces = grid_faces(grid(10, 3), flip=True)
    return [*parts, on_torso(surface(rows.reshape(-1, 3), uv, faces, 0))]


def _pendant(torso: Torso) -> list[Surface]:
    t = np.linspace(-1, 1, 21)
    y = -0.50 + 0.37 * np.abs(t) ** 1.4
    cord = torso.at(0.62 * np.sign(t) * np.abs(t) ** 0.7, y, 0.014)
    stone = torso.at(np.array([0.0]), np.array([-0.53]), 0.03)[0]
    return [_ring(cord, np.full(21, 0.006), "gold", 5), _bead(stone, 0.042, "accent")]


def _headphones(spec: CharacterSpec) -> list[Surface]:
    """Headphones that lie around the neck."""
    angle = np.linspace(0.75, 2 * np.pi - 0.75, 25)
    r = spec.body.neck + 0.085
    y = -0.14 - 0.02 * np.cos(angle)
    line = np.stack([r * np.sin(angle), y, 0.06 - r * np.cos(angle)], 1)
    parts = [_ring(line, np.full(25, 0.020), "black", 8)]
    for end, before in ((line[0], line[2]), (line[-1], line[-3])):
        way = unit(end - before)
        t = np.array([0.0, 0.01, 0.05, 0.06, 0.065])
        cup = end + way * 0.05 + np.array([0.0, 0.0, -1.0]) * t[:, None]
        parts.append(_ring(cup, np.array([0.06, 0.085, 0.085, 0.06, 0.004]), "accent", 16))
    return parts


def _tie(torso: Torso, top: float, bone: int) -> Surface:
    y = np.linspace(top, top - 0.62, 11)
    front = torso.at(np.zeros(11), y, 0.03)
    half = np.interp(y - top, [-0.62, -0.57, -0.07, -0.06, 0], [0.004, 0.062, 0.03, 0.026, 0.036])
    t = np.array([-1.0, 0.0, 1.0])
    xyz = np.repeat(front[:, None], 3, 1)
    xyz[..., 0] += t * half[:, None]
    xyz[:, 1, 2] -= 0.014
    uv = cell("accent", 0.5, np.tile([0.5, 0.0, 0.5], 11))
    faces = grid_faces(grid(11, 3), flip=True)
    return surface(xyz.reshape(-1, 3), uv, faces, bone)


def build_bow(centre: F64, width: float, colour: str, bone: int, lift: float = 0.3) -> Surface:
    """A bow facing -z: two loops, a knot and two tails."""
    parts = []
    for sign in (-1, 1):
        t = np.linspace(0, 1, 9)
        half = width * (0.02 + 0.42 * np.sin(np.pi * (0.07 + 0.92 * t**1.15)) ** 0.9)
        x = sign * width * t
        y = width * lift * t * (1 - 0.5 * t)
        thick = width * 0.20 * np.sin(np.pi * np.clip(t * 0.9 + 0.08, 0, 1))
        parts.append(_pillow(centre, np.stack([x, y], 1), half, thick, colour, bone))
        down = np.stack([sign * width * (0.08 + 0.42 * t), -width * (0.1 + 0.75 * t)], 1)
        parts.append(
            _pillow(
                centre + np.array([0, 0, 0.01]),
                down,
                width * (0.08 + 0.10 * t),
                0.02 + 0 * t,
                colour,
                bone,
            )
        )
    knot = np.stack([np.linspace(-1, 1, 5) * width * 0.14, np.zeros(5)], 1)
    parts.append(
        _pillow(
            centre - np.array([0, 0, 0.012]), knot,
            width * np.array([0.10, 0.17, 0.19, 0.17, 0.10]),
            width * np.array([0.02, 0.12, 0.15, 0.12, 0.02]), colour, bone,
        )
    )  # fmt: skip
    return merge(parts)


def _pillow(centre: F64, line: F64, half: F64, thick: F64, colour: str, bone: int) -> Surface:
    """A flat lens swept along a line in the xy plane; half widths lie across the line."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    profile = np.array([(-1, 0.0), (-0.5, -0.8), (0, -1.0), (0.5, -0.8), (1, 0.0), (0, 0.6)])
    xy = line[:, None] + across[:, None] * (profile[:, :1] * half[:, None, None])
    z = profile[None, :, 1] * thick[:, None]
    xyz = np.concatenate([xy, z[..., None]], -1).reshape(-1, 3) + centre
    index = grid(len(line), len(profile), wrap=True)
    t = np.broadcast_to(np.abs(profile[:, 0]) * 0.9, (len(line), len(profile))).ravel()
    part = surface(xyz, cell(colour, 0.5, t), grid_faces(index), bone)
    middle = np.repeat(np.concatenate([line, np.zeros((len(line), 1))], 1) + centre, 6, 0)
    if np.sum((xyz - middle) * part.normals) < 0:
        part = surface(xyz, part.uv, part.faces[:, ::-1], bone)
    return part
