"""The mouth: lips' rim, a line of paint around it, and the inside with teeth and tongue.

At rest the rim is a slit. The shapes a, i, u, e, o open it; the front of the cavity follows the
rim, its depths stay, hidden behind the face until the slit opens.
"""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, ease
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import Mouth
from characters.shape.face_shape import FaceShape
from characters.shape.head import MOUTH_POINTS, Opening

CAVITY_UV, TEETH_UV, TONGUE_UV, LINE_UV = (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)


def _rim() -> tuple[F64, F64]:
    """t in [-1, 1] and +1 (upper) or -1 (lower) of the rim's points, from the right corner."""
    half = MOUTH_POINTS // 2
    t = -np.cos(np.linspace(0, np.pi, half + 1))
    along = np.concatenate([t[:-1], t[:0:-1]])
    upper = np.concatenate([np.ones(half), -np.ones(half)])
    return along, upper


def _rest(mouth: Mouth, t: F64) -> F64:
    y = mouth.y + mouth.smile * (np.abs(t) ** 2.2 - 0.35)
    return np.stack([mouth.half_width * t, y], 1)


def _open(
    mouth: Mouth, t: F64, upper: F64, wide: float, up: float, down: float, square: float
) -> F64:
    """The rim opened to half width ``wide``, ``up`` above and ``down`` below the slit."""
    arc = np.maximum(1 - np.abs(t) ** (2 + 2 * square), 0) ** 0.5
    top = mouth.y + mouth.smile * 0.6 * np.abs(t) ** 2 + up * arc
    low = (
        mouth.y
        + mouth.smile * 0.6 * np.abs(t) ** 2
        - down * np.maximum(1 - np.abs(t) ** (1.7 + square), 0) ** (0.62)
    )
    return np.stack([wide * t, np.where(upper > 0, top, low)], 1)


def opening(mouth: Mouth) -> Opening:
    """The lips' rim with its shapes."""
    t, upper = _rim()
    wide, up, down, square = (
        mouth.open_half_width,
        mouth.open_up,
        mouth.open_down,
        mouth.squareness,
    )
    moved = {
        "a": _open(mouth, t, upper, wide, up, down, square),
        "i": _open(mouth, t, upper, wide * 1.12, up * 0.25, down * 0.28, 1.0),
        "u": _open(mouth, t, upper, wide * 0.42, up * 0.35, down * 0.32, 0.2),
        "e": _open(mouth, t, upper, wide * 1.0, up * 0.5, down * 0.55, 0.6),
        "o": _open(mouth, t, upper, wide * 0.62, up * 0.8, down * 0.85, 0.1),
        "grin": _open(mouth, t, upper, wide * 1.15, up * 0.0, down * 0.5, 0.8),
    }
    smile = _rest(mouth, t)
    smile[:, 1] += 0.018 * (np.abs(t) ** 2 - 0.3)
    smile[:, 0] *= 1.2
    moved["smile_mouth"] = smile
    frown = _rest(mouth, t)
    frown[:, 1] -= 0.018 * (np.abs(t) ** 2 - 0.4)
    moved["frown"] = frown
    return Opening(_rest(mouth, t), moved, falloff=1.2)


def line(shape: FaceShape, mouth: Mouth, rim: Opening, bone: int) -> Surface:
    """The dark line around the slit; opened, it outlines the mouth."""
    t, upper = _rim()
    weight = mouth.line * (0.45 + 0.55 * ease(np.abs(t), 1.02, 0.55))

    def rows(outline: F64, full: float) -> F64:
        ahead, behind = np.roll(outline, -1, 0), np.roll(outline, 1, 0)
        tangent = ahead - behind
        outward = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
        # At rest both lips share one curve, so "outward" is up for one and down for the other.
        vertical = np.stack([np.zeros(len(t)), upper], 1)
        direction = outward * full + vertical * (1 - full)
        return np.concatenate([outline - direction * 0.001, outline + direction * weight[:, None]])

    rest = shape.on(rows(rim.outline, 0.0), 0.004)
    shapes = {
        name: shape.on(rows(moved, 0.0 if name in ("smile_mouth", "frown") else 1.0), 0.004) - rest
        for name, moved in rim.moved.items()
    }
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(rest), 1))
    uv = np.tile(np.array(LINE_UV), (len(rest), 1))
    faces = grid_faces(grid(2, len(t), wrap=True))
    return surface(rest, uv, faces, bone, normals, shapes)


def inside(shape: FaceShape, mouth: Mouth, rim: Opening, bone: int) -> Surface:
    """The cavity: its first ring follows the lips, the others form a bag behind them."""
    t, upper = _rim()
    wide = _open(
        mouth, t, upper, mouth.open_half_width * 1.25, mouth.open_up + 0.03,
        mouth.open_down + 0.012, 0.6,
    )  # fmt: skip
    behind = shape.on(wide, -0.045)
    deep = shape.on(wide * [0.8, 1], -0.13)
    back = np.repeat(deep.mean(0, keepdims=True) + np.array([[0, 0, 0.02]]), len(t), 0)
    front = shape.on(rim.outline, -0.004)
    positions = np.concatenate([front, behind, deep, back])
    uv = np.tile(np.array(CAVITY_UV), (len(positions), 1))
    uv[: len(t), 1] += 0.2  # the texture is lighter there
    shapes = {}
    for name, moved in rim.moved.items():
        offsets = np.zeros_like(positions)
        offsets[: len(t)] = shape.on(moved, -0.004) - front
        shapes[name] = offsets
    faces = grid_faces(grid(4, len(t), wrap=True), flip=True)
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(positions), 1))
    return surface(positions, uv, faces, bone, normals, shapes)


def teeth(shape: FaceShape, mouth: Mouth, bone: int) -> Surface:
    """The upper row: a white band behind the upper lip."""
    t = np.linspace(-1, 1, 11)
    x = t * mouth.open_half_width * 0.86
    top = mouth.y + mouth.open_up + 0.012 - 0.012 * t**2
    low = mouth.y + mouth.open_up - 0.018 + 0.020 * t**2
    rows = np.concatenate([np.stack([x, low], 1), np.stack([x, top], 1)])
    positions = shape.on(rows, -0.026)
    uv = np.tile(np.array(TEETH_UV), (len(positions), 1))
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(positions), 1))
    return surface(positions, uv, grid_faces(grid(2, len(t))), bone, normals)


def tongue(shape: FaceShape, mouth: Mouth, bone: int) -> Surface:
    """A mound on the floor of the mouth."""
    rings, around = 4, 16
    radius = np.linspace(0, 1, rings)[:, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    x = radius * np.cos(angle) * mouth.open_half_width * 0.66
    y = mouth.y - mouth.open_down * 0.95 + radius * np.sin(angle) * mouth.open_down * 0.52
    z = 0.045 + 0.03 * radius**2 * np.ones_like(angle)
    flat = np.stack([x.ravel(), y.ravel()], 1)
    positions = shape.on(flat, -z.ravel())
    uv = np.tile(np.array(TONGUE_UV), (len(positions), 1))
    uv[:, 1] += -0.18 * (y.ravel() - y.min()) / np.ptp(y)
    faces = grid_faces(grid(rings, around, wrap=True), flip=True)
    return surface(positions, uv, faces, bone)
