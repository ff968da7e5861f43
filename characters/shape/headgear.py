"""Tubes on the head, and what is made of them: animal ears, horns, tiara."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface, surface, tube
from characters.shape.hair_shell import Shell

_HEAD = BONE["頭"]


def on_head(line: F64, radius: F64, colour: str, around: int = 8, t: float = 0.3) -> Surface:
    """A tube of one colour of cloth.png that follows 頭; ``t`` from light (0) to shaded (1)."""
    bones = np.full((len(line), 2), _HEAD)
    uv = cell(colour, 0.5, np.full(len(line), t))
    return tube(line, radius, uv, bones, np.ones(len(line)), around)


def animal_ears(shell: Shell, kind: str) -> list[Surface]:
    """A pair of furry ears: of a cat, a fox, a rabbit, a dog or a bear."""
    reach, out, wide = {
        "cat_ears": (0.27, 0.13, 0.125),
        "fox_ears": (0.34, 0.09, 0.135),
        "rabbit_ears": (0.62, 0.10, 0.085),
        "dog_ears": (0.0, 0.0, 0.13),
        "bear_ears": (0.16, 0.07, 0.105),
    }[kind]
    parts = []
    for sign in (-1, 1):
        t = np.linspace(0, 1, 9)
        azimuth = 0.55 if kind == "rabbit_ears" else 0.95
        base = shell.at(np.array(azimuth * sign), np.array(0.95), np.array(-0.03))
        line = base + np.array([out * sign, reach, -0.02]) * t[:, None]
        radius = wide * (1 - t**1.4) + 0.004
        if kind == "dog_ears":  # they rise, fold over and hang
            bend = np.array([[0, 0, 0], [0.10, 0.07, 0], [0.17, -0.08, 0], [0.19, -0.40, 0]])
            line = base + spline(bend * [sign, 1, 1], len(t)) - [0.0, 0.06, 0.02]
            radius = wide * (0.35 + 0.45 * np.sin(np.pi * t**1.3)) * (1 - t**6) + 0.004
        if kind == "bear_ears":
            radius = wide * np.sqrt(np.maximum(1 - (2 * t - 1) ** 4, 0.002))
        if kind == "rabbit_ears":
            radius = wide * (0.5 + np.sin(np.pi * t**0.8) ** 0.8 * 0.55) * (1 - t**6) + 0.003
        layers = [("ear_out", 0.5, 1.0, 0.0), ("ear_in", 0.28, 0.68, 0.045)]
        if kind == "dog_ears":  # which show their backs
            layers.pop()
        for colour, flat, scale, ahead in layers:
            middle = line + np.array([0, 0.01, -ahead * wide / 0.125])
            parts.append(
                _flattened(on_head(middle, radius * scale, colour, 10, 0.15), middle, flat)
            )
    return parts


def _flattened(part: Surface, line: F64, share: float) -> Surface:
    """A tube squeezed along z to ``share`` of its depth."""
    middle = np.repeat(line, len(part.positions) // len(line), 0)
    xyz = part.positions.copy()
    xyz[:, 2] = middle[:, 2] + (xyz[:, 2] - middle[:, 2]) * share
    return surface(xyz, part.uv, part.faces, _HEAD)


def horns(shell: Shell) -> list[Surface]:
    """Two horns that bend up."""
    parts = []
    for sign in (-1, 1):
        x, y, z = shell.at(np.array(1.0 * sign), np.array(0.86), np.array(-0.02)).tolist()
        points = [
            (x, y, z),
            (x + 0.09 * sign, y + 0.05, z - 0.03),
            (x + 0.13 * sign, y + 0.17, z - 0.05),
            (x + 0.09 * sign, y + 0.28, z - 0.03),
        ]
        line = spline(points, 12)
        t = np.linspace(0, 1, 12)
        ridges = 1 + 0.07 * np.cos(t * 2 * np.pi * 6)
        parts.append(on_head(line, 0.055 * (1 - t) ** 0.8 * ridges + 0.002, "black", 10, 0.1))
    return parts


def tiara(shell: Shell) -> list[Surface]:
    """A golden band with points and a jewel, above the fringe."""
    azimuth = np.linspace(-1.1, 1.1, 21)
    level = 0.90 + 0.0 * azimuth
    band = shell.at(azimuth, level, np.full(21, 0.045))
    parts = [on_head(band, np.full(21, 0.014), "gold", 6, 0.1)]
    for at, high in ((0.0, 0.11), (-0.4, 0.07), (0.4, 0.07), (-0.8, 0.045), (0.8, 0.045)):
        foot = shell.at(np.array(at), np.array(0.90), np.array(0.045))
        point = foot + np.array([0.0, high, 0.03]) * np.linspace(0, 1, 5)[:, None]
        parts.append(on_head(point, np.array([0.03, 0.022, 0.014, 0.008, 0.002]), "gold", 6, 0.1))
    stone = shell.at(np.zeros(5), np.full(5, 0.915), 0.05 + np.linspace(0.0, 0.03, 5))
    parts.append(on_head(stone, np.array([0.020, 0.028, 0.026, 0.016, 0.002]), "accent", 8, 0.1))
    return parts
