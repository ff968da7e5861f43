"""What is worn over the torso: collars, lapels, hoods and capes."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, ease, spline
from characters.base.surface import Surface, grid, grid_faces, surface, tube
from characters.design.spec import CharacterSpec
from characters.shape.body import Torso, upper_weights
from characters.shape.carried import build_carried
from characters.shape.neckwear import build_neckwear, neck_band, on_torso


def build_clothes(spec: CharacterSpec, torso: Torso) -> list[Surface]:
    """Collar and neckwear of the outfit, and what is carried before it."""
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
            parts.append(neck_band(spec, -0.16, 0.00, 0.022, 0.016, "cloth"))
        case "turtleneck":
            parts += [
                neck_band(spec, -0.16, 0.01, 0.030, 0.020, "cloth"),
                neck_band(spec, -0.11, 0.012, 0.040, 0.030, "cloth"),
            ]
        case "hoodie":
            parts += _hood(spec)
        case "kimono":
            parts += _kimono(torso)
        case "coat":
            parts.append(_funnel(spec))
        case "cape":
            parts.append(_cape(torso))
            parts.append(_shirt_collar(spec, "cloth"))
    parts += build_neckwear(spec, torso)
    parts += build_carried(spec, torso)
    return parts


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
    return on_torso(surface(xyz, uv, grid_faces(grid(rows, len(angle))), 0))


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


def _funnel(spec: CharacterSpec) -> Surface:
    """A wide stiff collar that stands up to the chin, open in front."""
    angle = np.linspace(0.22, 2 * np.pi - 0.22, 41)
    turned = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    front = np.abs(turned)
    high = 0.02 + 0.05 * (spec.seed % 3) + 0.06 * ease(front, 0.5, 2.0)
    rows = []
    for t, wide in ((0.0, 0.0), (0.4, 0.10), (0.75, 0.16), (1.0, 0.20), (1.0, 0.18), (0.4, 0.09)):
        y = -0.235 + (high + 0.235) * t
        r = spec.body.neck + 0.06 + wide * (1 - 0.25 * ease(front, 1.2, 3.0))
        rows.append(np.stack([r * np.sin(turned), y, 0.06 - r * np.cos(turned)], 1))
    uv = cell("cloth", 0.5, np.repeat([0.5, 0.3, 0.1, 0.0, 0.6, 0.9], len(angle)))
    return on_torso(surface(np.concatenate(rows), uv, grid_faces(grid(6, len(angle))), 0))


def _cape(torso: Torso) -> Surface:
    """A short cape over shoulders and upper arms."""
    angle = np.linspace(-np.pi, np.pi, 49)
    rows = []
    for t in np.linspace(1, 0, 8):
        y = -0.13 - 0.55 * t - 0.03 * np.cos(7 * angle) * t
        out = 0.02 + 0.16 * t**0.7 + 0.02 * np.cos(9 * angle) * t
        on = torso.at(angle, np.maximum(y, -0.40), out)
        on[:, 1] = y
        rows.append(on)
    uv = cell("lower", 0.5, np.repeat(np.linspace(0.7, 0.0, 8), 49))
    return on_torso(surface(np.concatenate(rows), uv, grid_faces(grid(8, 49)), 0))


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
    return on_torso(part)


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
