"""Things worn on the head: bands, bows, hats, cat ears, headphones, clips, glasses, earrings."""

from __future__ import annotations

import numpy as np

from characters.atlas import cell
from characters.body import tube
from characters.clothes import build_bow
from characters.curves import F64, ease, spline
from characters.face_shape import FaceShape
from characters.hair import Shell
from characters.rigging import BONE
from characters.spec import CharacterSpec
from characters.surface import Surface, grid, grid_faces, surface

_HEAD = BONE["頭"]


def build_accessories(spec: CharacterSpec, shell: Shell, face: FaceShape) -> list[Surface]:
    """All accessories of the character."""
    parts: list[Surface] = []
    for name in spec.accessories:
        match name:
            case "headband":
                parts.append(_arch(shell, 0.035, "accent", 0.02))
            case "bow":
                parts.append(_bow_on_top(shell, spec))
            case "hat" | "beret" | "cap":
                parts += _hat(shell, name, spec.seed)
            case "cat_ears":
                parts += _cat_ears(shell)
            case "headphones":
                parts += _headphones(shell)
            case "clips":
                parts += _clips(shell, spec)
            case "flower":
                parts += _flower(shell)
            case "glasses":
                parts += _glasses(spec, face)
            case "earrings":
                parts += _earrings(spec)
    return parts


def _on_head(line: F64, radius: F64, colour: str, around: int = 8, t: float = 0.3) -> Surface:
    bones = np.full((len(line), 2), _HEAD)
    uv = cell(colour, 0.5, np.full(len(line), t))
    return tube(line, radius, uv, bones, np.ones(len(line)), around)


def _arch(shell: Shell, radius: float, colour: str, forward: float) -> Surface:
    """A band from ear to ear over the top."""
    turn = np.linspace(-1.72, 1.72, 27)
    x = (shell.side + 0.05) * np.sin(turn)
    y = 0.50 + (shell.top - 0.50 + 0.045) * np.cos(turn)
    z = np.full(27, 0.02 - forward)
    line = np.stack([x, y, z], 1)
    part = _on_head(line, np.full(27, radius), colour)
    squeezed = part.positions.copy()
    middle = np.repeat(line, 8, 0)
    # Flat like a ribbon: broad along z, thin away from the head.
    squeezed[:, :2] = middle[:, :2] + (squeezed[:, :2] - middle[:, :2]) * 0.45
    return surface(squeezed, part.uv, part.faces, _HEAD)


def _bow_on_top(shell: Shell, spec: CharacterSpec) -> Surface:
    side = 1 if spec.seed % 2 else -1
    azimuth, y = 0.85 * side * (1 if spec.seed % 3 else 0), 0.92
    place = shell.at(np.array(azimuth), np.array(y), np.array(0.07))
    return build_bow(place, 0.25, "ribbon", _HEAD, lift=0.22)


def _dome(
    centre: F64, radii: tuple[float, float, float], low: float, tilt: float, colour: str
) -> Surface:
    """An ellipsoid from ``low`` (-1 bottom .. 1 top) up, tilted about z by ``tilt`` radians."""
    rows, columns = 10, 28
    polar = np.linspace(np.arcsin(low), np.pi / 2 - 0.01, rows)[:, None]
    azimuth = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    out = np.stack(
        np.broadcast_arrays(
            np.cos(polar) * np.sin(azimuth), np.sin(polar), -np.cos(polar) * np.cos(azimuth)
        ),
        -1,
    ).reshape(-1, 3)
    xyz = _tilted(out * np.array(radii), tilt) + centre
    uv = cell(colour, 0.5, 0.75 * ease(out[:, 1], 0.7, -0.6))
    return surface(xyz, uv, grid_faces(grid(rows, columns, wrap=True)), _HEAD)


def _tilted(points: F64, angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    turned: F64 = points @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return turned


def _brim(centre: F64, inner: float, outer: float, droop: float, tilt: float) -> Surface:
    """A round brim with both sides, ``droop`` lower at its edge than at the crown."""
    columns = 36
    azimuth = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    rings = []
    for t, thick in (
        (0.0, 0.0),
        (0.5, 0.0),
        (1.0, 0.0),
        (1.0, -0.012),
        (0.5, -0.012),
        (0.0, -0.012),
    ):
        r = inner + (outer - inner) * t
        y = -droop * t**1.5 * (0.6 + 0.4 * np.sin(azimuth) ** 2) + thick
        rings.append(np.stack([r * np.sin(azimuth), y, -r * np.cos(azimuth)], 1))
    xyz = _tilted(np.concatenate(rings), tilt) + centre
    uv = cell("hat", 0.5, np.repeat([0.3, 0.1, 0.0, 0.5, 0.8, 1.0], columns))
    return surface(xyz, uv, grid_faces(grid(6, columns, wrap=True), flip=True), _HEAD)


def _hat(shell: Shell, kind: str, seed: int) -> list[Surface]:
    wide, deep = shell.side, (shell.front + shell.back) / 2
    middle = 0.05 + (shell.back - shell.front) / 2
    tilt = 0.13 if seed % 2 else -0.13
    if kind == "beret":
        centre = np.array([-0.7 * tilt, shell.top - 0.06, middle])
        puff = _dome(centre, (wide * 1.10, 0.185, deep * 1.04), -0.8, -tilt, "hat")
        stem = np.stack([np.zeros(4), np.linspace(0.15, 0.21, 4), np.zeros(4)], 1)
        stem = _tilted(stem, -tilt) + centre
        return [puff, _on_head(stem, np.array([0.014, 0.014, 0.014, 0.002]), "hat", 8)]
    base = 0.80
    crown = np.array([0.0, base, middle - 0.01])
    high = shell.top - base + 0.06
    round_ = (wide * 1.02, high, deep * 1.04)
    if kind == "cap":
        return [_dome(crown, round_, 0.0, 0.0, "hat"), _peak(shell, base)]
    band = (wide * 1.035, high * 0.99, deep * 1.055)
    ribbon = _dome(crown, band, 0.0, 0.0, "accent")
    keep = ribbon.positions[ribbon.faces].max(1)[:, 1] < base + 0.10
    ribbon = surface(ribbon.positions, ribbon.uv, ribbon.faces[keep], _HEAD, ribbon.normals)
    brim = _brim(crown, wide * 0.95, wide * (1.42 + 0.12 * (seed % 3)), 0.07, 0.0)
    return [_dome(crown, round_, 0.0, 0.0, "hat"), ribbon, brim]


def _peak(shell: Shell, y: float) -> Surface:
    a = np.linspace(-0.85, 0.85, 15)
    rows = []
    for out, drop in ((0.03, 0.02), (0.14, -0.02), (0.26, -0.09), (0.14, -0.04), (0.03, 0.0)):
        r = out * np.cos(a * 1.1) ** 0.5
        rows.append(
            np.stack([(shell.side + r) * np.sin(a), np.full(15, y + drop + 0.02),
                      0.05 - (shell.front + r) * np.cos(a)], 1)
        )  # fmt: skip
    xyz = np.concatenate(rows)
    faces = grid_faces(grid(5, 15), flip=True)
    return surface(xyz, cell("accent", 0.5, np.repeat([0.2, 0.2, 0.3, 0.9, 0.9], 15)), faces, _HEAD)


def _cat_ears(shell: Shell) -> list[Surface]:
    parts = []
    for sign in (-1, 1):
        t = np.linspace(0, 1, 7)
        base = shell.at(np.array(0.95 * sign), np.array(0.93), np.array(-0.03))
        tip = base + np.array([0.13 * sign, 0.27, -0.02])
        line = base + (tip - base) * t[:, None]
        radius = 0.125 * (1 - t**1.4) + 0.004
        for colour, flat, scale, ahead in (
            ("ear_out", 0.5, 1.0, 0.0),
            ("ear_in", 0.28, 0.68, 0.045),
        ):
            part = _on_head(line + np.array([0, 0.01, -ahead]), radius * scale, colour, 10, 0.15)
            middle = np.repeat(line + np.array([0, 0.01, -ahead]), 10, 0)
            xyz = part.positions.copy()
            xyz[:, 2] = middle[:, 2] + (xyz[:, 2] - middle[:, 2]) * flat
            parts.append(surface(xyz, part.uv, part.faces, _HEAD))
    return parts


def _headphones(shell: Shell) -> list[Surface]:
    parts = [_arch(shell, 0.040, "black", 0.0)]
    for sign in (-1, 1):
        x = np.array([0.0, 0.03, 0.08, 0.10, 0.11]) + shell.side + 0.025
        line = np.stack([sign * x, np.full(5, 0.40), np.full(5, 0.02)], 1)
        parts.append(_on_head(line, np.array([0.13, 0.15, 0.145, 0.11, 0.004]), "accent", 18, 0.2))
    return parts


def _clips(shell: Shell, spec: CharacterSpec) -> list[Surface]:
    sign = 1 if spec.seed % 2 else -1
    parts = []
    for k in range(2):
        a = np.linspace(0.62, 0.92, 5) * sign
        y = np.linspace(0.66, 0.61, 5) - 0.06 * k
        line = shell.at(a, y, np.full(5, 0.055))
        parts.append(
            _on_head(line, np.full(5, 0.014), "gold" if spec.seed % 3 else "accent", 8, 0.1)
        )
    return parts


def _flower(shell: Shell) -> list[Surface]:
    centre = shell.at(np.array(0.85), np.array(0.80), np.array(0.06))
    parts = []
    for k in range(5):
        angle = 2 * np.pi * k / 5
        way = np.array([np.cos(angle), np.sin(angle), 0.0])
        t = np.linspace(0, 1, 6)
        line = centre + way * (0.02 + 0.085 * t[:, None]) + [0, 0, -0.01]
        radius = 0.045 * np.sin(np.pi * (0.12 + 0.82 * t)) ** 0.8
        part = _on_head(line, radius, "flower", 8, 0.1)
        xyz = part.positions.copy()
        xyz[:, 2] = line[0, 2] + (xyz[:, 2] - line[0, 2]) * 0.4
        parts.append(surface(xyz, part.uv, part.faces, _HEAD))
    core = np.stack([np.zeros(5), np.zeros(5), np.linspace(0, -0.045, 5)], 1) + centre
    parts.append(_on_head(core, np.array([0.03, 0.034, 0.03, 0.02, 0.002]), "gold", 10, 0.1))
    return parts


def _glasses(spec: CharacterSpec, face: FaceShape) -> list[Surface]:
    eye = spec.eye
    parts = []
    angle = np.linspace(0, 2 * np.pi, 25)
    wide, high = eye.half_width * 1.12, (eye.up + eye.down) * 0.60
    colour = "black" if spec.seed % 3 else "accent"
    for sign in (-1, 1):
        x = sign * eye.x + wide * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.75
        y = eye.y - 0.008 + high * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.75
        flat = float(face.depth(np.array([eye.x]), np.array([eye.y]))[0]) - 0.05
        z = flat + 0.10 * np.abs(x) ** 2 * 3
        parts.append(_on_head(np.stack([x, y, z], 1), np.full(25, 0.0075), colour, 6, 0.2))
        wall = spec.face.half_width + 0.018
        hinge = (sign * (eye.x + wide), eye.y, z[0])
        ear = [(sign * wall, eye.y + 0.01, -0.12), (sign * wall, eye.y + 0.01, 0.06)]
        side = spline([hinge, *ear], 8)
        parts.append(_on_head(side, np.full(8, 0.006), colour, 5, 0.2))
    low = float(face.depth(np.array([0.0]), np.array([eye.y]))[0]) - 0.03
    bridge = spline(
        [
            (-(eye.x - wide), eye.y, low + 0.0),
            (0, eye.y + 0.015, low - 0.01),
            (eye.x - wide, eye.y, low),
        ],
        8,
    )
    parts.append(_on_head(bridge, np.full(8, 0.006), colour, 5, 0.2))
    return parts


def _earrings(spec: CharacterSpec) -> list[Surface]:
    parts = []
    for sign in (-1, 1):
        t = np.linspace(0, 1, 7)
        x = sign * (spec.face.half_width + 0.035)
        line = np.stack([np.full(7, x), 0.20 - 0.075 * t, np.full(7, 0.0)], 1)
        radius = 0.022 * np.sin(np.pi * (0.05 + 0.9 * t)) + 0.002
        parts.append(_on_head(line, radius, "gold", 8, 0.1))
    return parts
