"""Things worn on the head: bands, bows, headphones, clips, flowers, earrings, glasses."""

from __future__ import annotations

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, spline
from characters.base.rigging import BONE
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import CharacterSpec
from characters.shape.face_shape import FaceShape
from characters.shape.hair_shell import Shell
from characters.shape.hats import animal_ears, hat, horns, on_head, tiara
from characters.shape.neckwear import build_bow

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


def build_accessories(spec: CharacterSpec, shell: Shell, face: FaceShape) -> list[Surface]:
    """All accessories of the character."""
    parts: list[Surface] = []
    for name in spec.accessories:
        match name:
            case "headband":
                parts.append(_arch(shell, 0.035, "accent", 0.02))
            case "bow":
                parts.append(_bow_on_top(shell, spec))
            case "headphones":
                parts += _headphones(shell)
            case "clips":
                parts += _clips(shell, spec)
            case "flower":
                parts += _flower(shell)
            case "glasses":
                parts += build_glasses(spec, face)
            case "earrings":
                parts += _earrings(spec)
            case _:
                parts += _headgear(name, spec, shell)
    return parts


def _headgear(name: str, spec: CharacterSpec, shell: Shell) -> list[Surface]:
    """What rises above the hair."""
    if name.endswith("_ears"):
        return animal_ears(shell, name)
    match name:
        case "horns":
            return horns(shell)
        case "tiara":
            return tiara(shell)
        case "frill":
            return _frill(shell)
        case _:
            return hat(shell, name, spec.seed)


def _arch(shell: Shell, radius: float, colour: str, forward: float) -> Surface:
    """A band from ear to ear over the top."""
    turn = np.linspace(-1.72, 1.72, 27)
    x = (shell.side + 0.05) * np.sin(turn)
    y = 0.50 + (shell.top - 0.50 + 0.034) * np.cos(turn)
    z = np.full(27, 0.02 - forward)
    line = np.stack([x, y, z], 1)
    part = on_head(line, np.full(27, radius), colour)
    squeezed = part.positions.copy()
    middle = np.repeat(line, 8, 0)
    # Flat like a ribbon: broad along z, thin away from the head.
    squeezed[:, :2] = middle[:, :2] + (squeezed[:, :2] - middle[:, :2]) * 0.45
    return surface(squeezed, part.uv, part.faces, _HEAD)


def _frill(shell: Shell) -> list[Surface]:
    """A maid's band: a ruffle that stands up from ear to ear."""
    turn = np.linspace(-1.05, 1.05, 57)
    rows = []
    for out, z in ((0.02, -0.06), (0.085, -0.075), (0.115, -0.05), (0.03, -0.02)):
        wave = 0.020 * np.cos(turn * 24) * (out > 0.05)
        x = (shell.side + out + wave) * np.sin(turn)
        y = 0.50 + (shell.top - 0.50 + out + wave) * np.cos(turn)
        rows.append(np.stack([x, y, np.full(57, z)], 1))
    uv = cell("white", 0.5, np.repeat([0.7, 0.1, 0.0, 0.5], 57))
    frill = surface(np.concatenate(rows), uv, grid_faces(grid(4, 57)), _HEAD)
    return [frill, _arch(shell, 0.030, "black", 0.03)]


def _bow_on_top(shell: Shell, spec: CharacterSpec) -> Surface:
    side = 1 if spec.seed % 2 else -1
    azimuth, y = 0.85 * side * (1 if spec.seed % 3 else 0), 0.92
    place = shell.at(np.array(azimuth), np.array(y), np.array(0.07))
    return build_bow(place, 0.25, "ribbon", _HEAD, lift=0.22)


def _headphones(shell: Shell) -> list[Surface]:
    parts = [_arch(shell, 0.040, "black", 0.0)]
    for sign in (-1, 1):
        x = np.array([0.0, 0.03, 0.08, 0.10, 0.11]) + shell.side + 0.025
        line = np.stack([sign * x, np.full(5, 0.40), np.full(5, 0.02)], 1)
        parts.append(on_head(line, np.array([0.13, 0.15, 0.145, 0.11, 0.004]), "accent", 18, 0.2))
    return parts


def _clips(shell: Shell, spec: CharacterSpec) -> list[Surface]:
    sign = 1 if spec.seed % 2 else -1
    parts = []
    for k in range(2):
        a = np.linspace(0.62, 0.92, 5) * sign
        y = np.linspace(0.66, 0.61, 5) - 0.06 * k
        line = shell.at(a, y, np.full(5, 0.055))
        parts.append(
            on_head(line, np.full(5, 0.014), "gold" if spec.seed % 3 else "accent", 8, 0.1)
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
        part = on_head(line, radius, "flower", 8, 0.1)
        xyz = part.positions.copy()
        xyz[:, 2] = line[0, 2] + (xyz[:, 2] - line[0, 2]) * 0.4
        parts.append(surface(xyz, part.uv, part.faces, _HEAD))
    core = np.stack([np.zeros(5), np.zeros(5), np.linspace(0, -0.045, 5)], 1) + centre
    parts.append(on_head(core, np.array([0.03, 0.034, 0.03, 0.02, 0.002]), "gold", 10, 0.1))
    return parts


def _earrings(spec: CharacterSpec) -> list[Surface]:
    parts = []
    for sign in (-1, 1):
        t = np.linspace(0, 1, 7)
        x = sign * (spec.face.half_width + 0.035)
        line = np.stack([np.full(7, x), 0.245 - 0.075 * t, np.full(7, 0.0)], 1)
        radius = 0.022 * np.sin(np.pi * (0.05 + 0.9 * t)) + 0.002
        parts.append(on_head(line, radius, "gold", 8, 0.1))
    return parts


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
