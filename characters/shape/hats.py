"""What stands on the head: animal ears, horns and tiaras, hats, caps and hoods."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, ease, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface, grid, grid_faces, surface, tube
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


def hat(shell: Shell, kind: str, seed: int) -> list[Surface]:
    """A hat, beret, cap, beanie, witch's hat or hood; ``seed`` varies tilt and brim."""
    wide, deep = shell.side, (shell.front + shell.back) / 2
    middle = 0.05 + (shell.back - shell.front) / 2
    tilt = 0.13 if seed % 2 else -0.13
    if kind == "beret":
        centre = np.array([-0.7 * tilt, shell.top - 0.06, middle])
        puff = _dome(centre, (wide * 1.10, 0.185, deep * 1.04), -0.8, -tilt, "hat")
        stem = np.stack([np.zeros(4), np.linspace(0.15, 0.21, 4), np.zeros(4)], 1)
        stem = _tilted(stem, -tilt) + centre
        return [puff, on_head(stem, np.array([0.014, 0.014, 0.014, 0.002]), "hat", 8)]
    if kind == "hood":
        return _hood(shell)
    if kind == "beanie":
        return _beanie(shell, middle, seed)
    if kind == "witch":
        return _witch(shell, middle)
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


def _hood(shell: Shell) -> list[Surface]:
    """A hood pulled up over the hair, open before the face, with a rolled edge."""
    rows, columns = 12, 25
    t = np.linspace(0, 1, rows)[:, None]
    turn = np.linspace(-np.pi / 2, np.pi / 2, columns)  # from the character's right over the top
    # Rings from the face's edge backward, each an arch over the head.
    z = -shell.front * 0.42 + (shell.front * 0.42 + shell.back * 1.02) * t
    round_ = np.sqrt(np.maximum(1 - (np.maximum(t - 0.35, 0) / 0.66) ** 2, 0.0))
    wide = (shell.side + 0.085) * (0.25 + 0.75 * round_)
    high = (shell.top - 0.42 + 0.050) * (0.20 + 0.80 * round_)
    x = wide * np.sin(turn) * (1 - 0.08 * np.cos(turn) ** 2)
    y = np.where(np.cos(turn) > 0.0, 0.42 + high * np.cos(turn) ** 0.85, 0.42)
    arch = np.stack(np.broadcast_arrays(x, y, z), -1)
    skirt = arch[:, [0, -1]].copy()
    lower = []
    for drop, tuck in ((0.30, 0.92), (0.62, 0.66)):
        sides = skirt.copy()
        sides[..., 0] *= tuck
        sides[..., 1] -= drop
        lower.append(sides)
    left = np.stack([lower[1][:, 0], lower[0][:, 0]], 1)
    right = np.stack([lower[0][:, 1], lower[1][:, 1]], 1)
    sheet = np.concatenate([left, arch, right], 1)
    count = sheet.shape[1]
    uv = cell("cloth", 0.5, np.broadcast_to(0.15 + 0.5 * t, (rows, count)).ravel())
    shell_part = surface(sheet.reshape(-1, 3), uv, grid_faces(grid(rows, count)), _HEAD)
    if shell_part.normals[:, 1].sum() < 0:
        shell_part = surface(shell_part.positions, uv, shell_part.faces[:, ::-1], _HEAD)
    return [shell_part, on_head(sheet[0], np.full(count, 0.028), "cloth", 8, 0.1)]


def _beanie(shell: Shell, middle: float, seed: int) -> list[Surface]:
    """A knitted cap with a turned-up edge, some with a bobble."""
    wide, deep = shell.side, (shell.front + shell.back) / 2
    base = 0.80
    crown = np.array([0.0, base, middle])
    high = shell.top - base + 0.12
    parts = [_dome(crown, (wide * 1.01, high, deep * 1.03), 0.0, 0.0, "hat")]
    angle = np.linspace(-np.pi, np.pi, 41)
    ring = np.stack([wide * np.sin(angle), np.full(41, base + 0.02),
                     middle - deep * 1.02 * np.cos(angle)], 1)  # fmt: skip
    parts.append(on_head(ring, np.full(41, 0.055), "accent", 10, 0.2))
    if seed % 2:
        top = crown + np.array([0.0, high + 0.05, 0.0])
        t = np.linspace(-1, 1, 9)
        ball = top + np.array([0.0, 0.085, 0.0]) * t[:, None]
        parts.append(on_head(ball, 0.09 * np.sqrt(np.maximum(1 - t**2, 0.01)), "white", 12))
    return parts


def _witch(shell: Shell, middle: float) -> list[Surface]:
    """A pointed hat with a wide brim and a ribbon."""
    wide, base = shell.side, 0.84
    t = np.linspace(0, 1, 9)
    line = np.array([0.0, base, middle]) + np.stack([0.16 * t**2, 0.85 * t, 0.10 * t**2], 1)
    radius = wide * 1.0 * (1 - t) ** 0.75 * (1 - 0.25 * t) + 0.006
    cone = on_head(line, radius, "hat", 24, 0.25)
    band = on_head(line[:2] - np.array([0, 0.012, 0]), radius[:2] * 1.03, "accent", 24, 0.2)
    brim = _brim(line[0], wide * 0.9, wide * 1.62, 0.10, 0.0)
    return [cone, band, brim]
