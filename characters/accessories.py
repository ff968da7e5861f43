"""Things worn on the head: bands, bows, hats, cat ears, headphones, clips, glasses, earrings."""

from __future__ import annotations

import numpy as np

from characters.atlas import cell
from characters.body import tube
from characters.clothes import build_bow
from characters.curves import F64, spline
from characters.hair import Shell
from characters.head import FaceShape
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
                parts += _hat(shell, name)
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
    x = (shell.side + 0.025) * np.sin(turn)
    y = 0.50 + (shell.top - 0.50 + 0.03) * np.cos(turn)
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
    azimuth, y = 0.9 * side * (1 if spec.seed % 3 else 0), 0.93
    place = shell.at(np.array(azimuth), np.array(y), np.array(0.06))
    return build_bow(place, 0.20, "ribbon", _HEAD)


def _hat(shell: Shell, kind: str) -> list[Surface]:
    azimuth = np.linspace(-np.pi, np.pi, 32, endpoint=False)[None]
    y_low = 0.82 if kind != "beret" else 0.90
    rows = {
        "hat": [
            (1.30, y_low - 0.03),
            (1.06, y_low),
            (1.02, y_low + 0.02),
            (0.94, 1.12),
            (0.80, 1.19),
            (0.0, 1.22),
        ],
        "beret": [
            (0.92, y_low),
            (1.05, y_low + 0.02),
            (1.12, 1.04),
            (0.95, 1.13),
            (0.55, 1.18),
            (0.0, 1.19),
        ],
        "cap": [
            (1.03, y_low),
            (1.05, y_low + 0.05),
            (1.00, 1.0),
            (0.82, 1.12),
            (0.45, 1.18),
            (0.0, 1.20),
        ],
    }[kind]
    share = np.array([r for r, _ in rows])[:, None]
    y = np.array([h for _, h in rows])[:, None] * np.ones_like(azimuth)
    swell = 0.045
    x = (shell.side + swell) * share * np.sin(azimuth)
    depth = np.where(np.abs(azimuth) < np.pi / 2, shell.front, shell.back) + swell
    z = 0.05 - depth * share * np.cos(azimuth)
    if kind == "beret":
        x = x + 0.10 * share * (y > 0.95)
        y = y + 0.10 * np.sin(azimuth) * (share > 0.1) * (y > 0.95)
    xyz = np.stack([x, y, z], -1).reshape(-1, 3)
    t = np.repeat(np.linspace(0.7, 0.0, len(rows)), 32)
    parts = [surface(xyz, cell("hat", 0.5, t), grid_faces(grid(len(rows), 32, wrap=True)), _HEAD)]
    if kind == "cap":
        parts.append(_peak(shell, y_low))
    return parts


def _peak(shell: Shell, y: float) -> Surface:
    a = np.linspace(-0.85, 0.85, 15)
    rows = []
    for out, drop in ((0.03, 0.0), (0.12, -0.015), (0.22, -0.045), (0.12, -0.03), (0.03, -0.01)):
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
        x = np.array([0.0, 0.03, 0.07, 0.09, 0.10]) + shell.side - 0.015
        line = np.stack([sign * x, np.full(5, 0.40), np.full(5, 0.02)], 1)
        parts.append(_on_head(line, np.array([0.115, 0.13, 0.125, 0.09, 0.004]), "accent", 18, 0.2))
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
