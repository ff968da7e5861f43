"""What is worn over the torso: collars, lapels, ties and bows."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, ease, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface, grid, grid_faces, merge, surface, tube, weighted
from characters.design.spec import CharacterSpec
from characters.shape.body import Torso, upper_weights


def build_clothes(spec: CharacterSpec, torso: Torso) -> list[Surface]:
    """Collar and neckwear of the outfit."""
    parts: list[Surface] = []
    match spec.body.outfit:
        case "sailor":
            parts += _sailor(torso)
        case "shirt":
            parts.append(_shirt_collar(spec, "cloth"))
        case "blazer":
            parts += [_shirt_collar(spec, "white"), *_lapels(torso)]
        case "vest":
            parts.append(_shirt_collar(spec, "white"))
        case "gakuran":
            parts.append(_band(spec, -0.16, 0.00, 0.022, 0.016, "cloth"))
        case "turtleneck":
            parts += [
                _band(spec, -0.16, 0.01, 0.030, 0.020, "cloth"),
                _band(spec, -0.11, 0.012, 0.040, 0.030, "cloth"),
            ]
        case "hoodie":
            parts += _hood(spec)
        case "kimono":
            parts += _kimono(torso)
    parts += _neckwear(spec, torso)
    return parts


def _on_torso(part: Surface) -> Surface:
    return weighted(part, *upper_weights(part.positions))


def _patch(
    torso: Torso, angle: F64, inner: F64, outer: F64, colour: str, out: float, rows: int = 5
) -> Surface:
    """A piece of cloth lying on the torso between two edges (A,) given by height at ``angle``."""
    t = np.linspace(0, 1, rows)[:, None]
    y = outer + (inner - outer) * t
    lift = out + 0.012 * np.sin(np.pi * t) * np.ones_like(y)
    lift[0] = out * 0.6
    xyz = torso.at(np.broadcast_to(angle, y.shape), y, lift).reshape(-1, 3)
    s = np.broadcast_to((angle - angle.min()) / max(np.ptp(angle), 1e-6), y.shape).ravel()
    uv = cell(colour, s, 0.55 * (1 - np.repeat(t[:, 0], len(angle))))
    return _on_torso(surface(xyz, uv, grid_faces(grid(rows, len(angle))), 0))


def _sailor(torso: Torso) -> list[Surface]:
    angle = np.linspace(-np.pi, np.pi, 49)
    front = np.abs(angle)
    inner = -0.150 - 0.30 * ease(front, 0.55, 0.0)
    outer = np.interp(front, [0, 0.14, 0.75, 1.25, 1.7, 2.2, np.pi],
                      [-0.46, -0.52, -0.47, -0.335, -0.335, -0.52, -0.56])  # fmt: skip
    return [_patch(torso, angle, inner, outer, "sailor", 0.020, 7)]


def _lapels(torso: Torso) -> list[Surface]:
    parts = []
    for sign in (-1, 1):
        angle = sign * np.linspace(0.06, 1.0, 15)[::sign]
        front = np.abs(angle)
        inner = np.interp(front, [0.06, 0.30, 0.55, 1.0], [-0.80, -0.52, -0.33, -0.20])
        outer = np.interp(front, [0.06, 0.30, 0.55, 0.8, 1.0], [-0.84, -0.66, -0.46, -0.36, -0.24])
        parts.append(_patch(torso, angle, inner, outer, "cloth", 0.016))
    return parts


def _kimono(torso: Torso) -> list[Surface]:
    parts = []
    for sign, out in ((-1, 0.014), (1, 0.024)):
        angle = sign * np.linspace(-0.35, 2.9, 33)[::sign]
        front = sign * angle
        inner = np.interp(front, [-0.35, 0, 0.45, 1.0, 2.9], [-0.66, -0.46, -0.24, -0.165, -0.13])
        for colour, low, lift in (("trim", 0.085, 0.0), ("white", 0.02, 0.006)):
            outer = inner - low * np.interp(front, [-0.35, 0.4, 1.2], [1.2, 1.2, 0.8])
            parts.append(_patch(torso, angle, inner, outer, colour, out + lift, 4))
    return parts


def _band(
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
    return _on_torso(surface(xyz, uv, grid_faces(grid(5, 28, wrap=True)), 0))


def _shirt_collar(spec: CharacterSpec, colour: str) -> Surface:
    """A folded collar with two points in front."""
    angle = np.linspace(0.10, 2 * np.pi - 0.10, 41)
    turned = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    front = np.abs(turned)
    n = spec.body.neck
    fold_y = -0.055 + 0.012 * (front / np.pi)
    tip = np.interp(front, [0.10, 0.18, 0.42, 0.9, np.pi], [0.12, 0.165, 0.23, 0.15, 0.10])
    rows = []
    for t in (1.0, 0.5, 0.08, 0.0):
        y = fold_y - tip * t
        r = n + 0.018 + (0.075 + 0.02 * ease(front, 0.9, 0.3)) * t**1.2
        spread = turned * (1 + 0.15 * t * ease(front, 0.9, 0.2))
        rows.append(np.stack([r * np.sin(spread), y, 0.078 - r * 1.02 * np.cos(spread)], 1))
    inner = rows[-1] - [0, 0.06, 0]
    rows.append(inner)
    xyz = np.concatenate(rows)
    # Columns run from the front over the character's left, so they go towards +x in front.
    uv = cell(colour, 0.5, np.repeat([0.35, 0.15, 0.0, 0.0, 0.8], len(angle)))
    part = surface(xyz, uv, grid_faces(grid(5, len(angle))), 0)
    return _on_torso(part)


def _hood(spec: CharacterSpec) -> list[Surface]:
    """The thick rolled hood around the neck, and two strings."""
    angle = np.linspace(-np.pi + 0.01, np.pi - 0.01, 33)
    front = np.cos(angle)
    n = spec.body.neck
    r = n + 0.085 - 0.015 * front
    y = -0.135 - 0.055 * (front + 1) / 2 + 0.03 * (1 - front) / 2
    line = np.stack([r * np.sin(angle), y, 0.085 - r * np.cos(angle)], 1)
    radius = 0.055 + 0.030 * (1 - front) / 2
    bones, weights = upper_weights(line)
    parts = [tube(line, radius, cell("cloth", 0.5, np.full(33, 0.35)), bones, weights, 12)]
    for sign in (-1, 1):
        string = spline([(0.07 * sign, -0.20, -0.12), (0.085 * sign, -0.34, -0.20),
                         (0.08 * sign, -0.46, -0.21)], 8)  # fmt: skip
        bones, weights = upper_weights(string)
        parts.append(tube(string, np.full(8, 0.009), cell("white", 0.5, np.full(8, 0.3)),
                          bones, weights, 6))  # fmt: skip
    return parts


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


def _neckwear(spec: CharacterSpec, torso: Torso) -> list[Surface]:
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
    match spec.body.neckwear:
        case "ribbon":
            return [build_bow(front, 0.15, "accent", chest, lift=0.12)]
        case "tie":
            return [_tie(torso, y, chest)]
        case "scarf":
            return [
                _band(spec, -0.17, -0.01, 0.075, 0.055, "accent"),
                _band(spec, -0.13, -0.03, 0.095, 0.075, "accent"),
            ]
        case "choker":
            return [_band(spec, -0.105, -0.075, 0.004, 0.004, "black")]
    return []


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
