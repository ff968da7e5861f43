"""The mouth: lips' rim, a line of paint around it, and the inside with teeth and tongue.

At rest the rim is a slit. The shapes a, i, u, e, o open it; the front of the cavity follows the
rim, its depths stay, hidden behind the face until the slit opens.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from characters.base.curves import F64, ease
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import CharacterSpec, Mouth
from characters.shape.face_shape import FaceShape
from characters.shape.head import MOUTH_POINTS, Opening, mouth_room

CAVITY_UV, TEETH_UV, TONGUE_UV, LINE_UV = (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)
_CLOSED = ("smile_mouth", "frown")
_SHRINKS, _SKIN = 20, 0.030  # how much skin stays below the lip
_FILLED = 0.9  # of the block of the face that is cut out for the mouth, at most
_ROOMY = 1.15  # half widths of the open mouth that the bag behind it takes
_TEETH_DEPTH, _FANG_DEPTH = 0.026, 0.022


def _rim() -> tuple[F64, F64]:
    """t in [-1, 1] and +1 (upper) or -1 (lower) of the rim's points, from the right corner."""
    half = MOUTH_POINTS // 2
    t = -np.cos(np.linspace(0, np.pi, half + 1))
    along = np.concatenate([t[:-1], t[:0:-1]])
    upper = np.concatenate([np.ones(half), -np.ones(half)])
    return along, upper


def _lip(mouth: Mouth, t: F64) -> F64:
    """The height of the closed lips at t: a smile, a smirk, or a cat's two waves."""
    curve = mouth.smile * (np.abs(t) ** 2.2 - 0.35) + mouth.crooked * t
    height: F64 = mouth.y + curve + mouth.cat * (0.5 - np.abs(np.sin(np.pi * t)))
    return height


def _arc(t: F64, power: float) -> F64:
    """1 in the middle, 0 at both ends: a triangle for 1, an ellipse for 2, a box for more."""
    arc: F64 = np.maximum(1 - np.abs(t) ** power, 0) ** (1 / power)
    return arc


def _opened_middle(mouth: Mouth, t: F64, wide: float) -> F64:
    """The height of the line between the opened lips."""
    slope = mouth.crooked * wide / mouth.half_width
    middle: F64 = mouth.y + mouth.smile * 0.6 * np.abs(t) ** 2 + slope * t
    return middle


def _open(mouth: Mouth, wide: float, up: float, down: float, box: float = 0.0) -> F64:
    """The rim opened to half width ``wide``, ``up`` above and ``down`` below the slit.

    ``box`` is added to the exponents of the arcs.
    """
    t, upper = _rim()
    middle = _opened_middle(mouth, t, wide)
    wave = mouth.cat * (0.5 - np.abs(np.sin(np.pi * t))) * (wide / mouth.half_width) ** 0.5
    top = middle + wave * 0.8 + up * _arc(t, mouth.top + box)
    low = middle - down * _arc(t, mouth.low + box)
    return np.stack([wide * t, np.where(upper > 0, top, np.minimum(low, top))], 1)


def within_jaw(spec: CharacterSpec, shape: FaceShape) -> Mouth:
    """The mouth, smaller where the jaw leaves no room for it when it is wide open."""
    mouth, room = spec.mouth, _FILLED * mouth_room(spec)
    for _ in range(_SHRINKS):
        rim = opening(mouth).moved["a"]
        above = rim[:, 1] > shape.jaw_y(_ROOMY * rim[:, 0]) + _SKIN
        if np.all(above & (np.abs(rim[:, 0]) < room * shape.half_width(rim[:, 1]))):
            break
        mouth = replace(
            mouth,
            open_half_width=0.94 * mouth.open_half_width,
            open_down=0.90 * mouth.open_down,
            crooked=0.85 * mouth.crooked,
        )
    return mouth


def opening(mouth: Mouth) -> Opening:
    """The lips' rim with its shapes."""
    t, _ = _rim()
    wide, up, down = mouth.open_half_width, mouth.open_up, mouth.open_down
    rest = np.stack([mouth.half_width * t, _lip(mouth, t)], 1)
    moved = {
        "a": _open(mouth, wide, up, down),
        "i": _open(mouth, wide * 1.12, up * 0.25, down * 0.28, 1.0),
        "u": _open(mouth, wide * 0.42, up * 0.35, down * 0.32),
        "e": _open(mouth, wide, up * 0.5, down * 0.55, 0.5),
        "o": _open(mouth, wide * 0.62, up * 0.8, down * 0.85),
        "grin": _open(mouth, wide * 1.15, 0.0, down * 0.5, 0.5),
    }
    for name, bend, broad in (("smile_mouth", 1.0, 1.2), ("frown", -1.0, 1.0)):
        closed = rest * [broad, 1.0]
        closed[:, 1] += bend * 0.3 * mouth.half_width * (np.abs(t) ** 2 - 0.35)
        moved[name] = closed
    return Opening(rest, moved, falloff=1.2)


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
        name: shape.on(rows(moved, 0.0 if name in _CLOSED else 1.0), 0.004) - rest
        for name, moved in rim.moved.items()
    }
    return _painted(rest, LINE_UV, grid_faces(grid(2, len(t), wrap=True)), bone, shapes)


def inside(shape: FaceShape, mouth: Mouth, rim: Opening, bone: int) -> list[Surface]:
    """The cavity, and the tongue and teeth in it."""
    parts = [_cavity(shape, mouth, rim, bone), _tongue(shape, mouth, bone)]
    if mouth.teeth in ("upper", "both"):
        parts.append(_row(shape, mouth, bone, lower=False))
    if mouth.teeth == "both":
        parts.append(_row(shape, mouth, bone, lower=True))
    if mouth.teeth in ("fang", "fangs"):
        parts.append(_fangs(shape, mouth, bone))
    return parts


def _cavity(shape: FaceShape, mouth: Mouth, rim: Opening, bone: int) -> Surface:
    """The first ring follows the lips, the others form a bag behind them.

    Its floor rises with the underside of the head, which would be seen in it otherwise.
    """
    t, _ = _rim()
    roomy = _open(
        mouth, mouth.open_half_width * _ROOMY, mouth.open_up + 0.03, mouth.open_down + 0.012, 1.0
    )
    behind = shape.on(_floored(roomy, shape, 0.050), -0.045)
    deep = shape.on(_floored(roomy * [0.8, 1], shape, 0.115), -0.13)
    back = np.repeat(deep.mean(0, keepdims=True) + np.array([[0, 0, 0.02]]), len(t), 0)
    front = shape.on(rim.outline, -0.004)
    positions = np.concatenate([front, behind, deep, back])
    shapes = {}
    for name, moved in rim.moved.items():
        offsets = np.zeros_like(positions)
        offsets[: len(t)] = shape.on(moved, -0.004) - front
        shapes[name] = offsets
    faces = grid_faces(grid(4, len(t), wrap=True), flip=True)
    bag = _painted(positions, CAVITY_UV, faces, bone, shapes)
    bag.uv[: len(t), 1] += 0.2  # the texture is lighter there
    return bag


def _floored(ring: F64, shape: FaceShape, above: float) -> F64:
    """Points (N, 2) no lower than ``above`` the jaw."""
    return np.stack([ring[:, 0], np.maximum(ring[:, 1], shape.jaw_y(ring[:, 0]) + above)], 1)


def _row(shape: FaceShape, mouth: Mouth, bone: int, lower: bool) -> Surface:
    """A row of teeth: a white band behind the upper or the lower lip."""
    t = np.linspace(-1, 1, 11)
    x = t * mouth.open_half_width * 0.86
    tall = 0.24 * (mouth.open_up + mouth.open_down)
    middle = _opened_middle(mouth, 0.86 * t, mouth.open_half_width)
    if lower:
        low = middle - mouth.open_down - 0.012 + 0.012 * t**2
        top = middle - mouth.open_down + tall * (0.75 - 0.9 * t**2)
    else:
        top = middle + mouth.open_up + 0.012 - 0.012 * t**2
        low = middle + mouth.open_up - tall * (0.8 - 0.9 * t**2)
    rows = np.concatenate([np.stack([x, low], 1), np.stack([x, top], 1)])
    return _painted(shape.on(rows, -_TEETH_DEPTH), TEETH_UV, grid_faces(grid(2, len(t))), bone)


def _fangs(shape: FaceShape, mouth: Mouth, bone: int) -> Surface:
    """One or two pointed teeth behind the upper lip."""
    at = np.array([0.55] if mouth.teeth == "fang" else [-0.55, 0.55])
    middle = _opened_middle(mouth, at, mouth.open_half_width)
    top = middle + mouth.open_up * _arc(at, mouth.top)
    wide = 0.20 * mouth.open_half_width
    tall = 0.30 * (mouth.open_up + mouth.open_down)
    x = at * mouth.open_half_width
    corners = np.concatenate(
        [
            np.stack([x - wide, top + 0.012], 1),
            np.stack([x + wide, top + 0.012], 1),
            np.stack([x, top - tall], 1),
        ]
    )
    k = np.arange(len(at))
    faces = np.stack([k, k + len(at), k + 2 * len(at)], 1)
    return _painted(shape.on(corners, -_FANG_DEPTH), TEETH_UV, faces, bone)


def _tongue(shape: FaceShape, mouth: Mouth, bone: int) -> Surface:
    """A mound on the floor of the mouth."""
    rings, around = 4, 16
    radius = np.linspace(0, 1, rings)[:, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    x = radius * np.cos(angle) * mouth.open_half_width * 0.60
    y = mouth.y - mouth.open_down * (1 - mouth.tongue * (1 + radius * np.sin(angle)))
    z = 0.015 + 0.02 * radius**2 * np.ones_like(angle)
    flat = np.stack([x.ravel(), y.ravel()], 1)
    positions = shape.on(flat, -z.ravel())
    uv = np.tile(np.array(TONGUE_UV), (len(positions), 1))
    uv[:, 1] += -0.18 * (y.ravel() - y.min()) / np.ptp(y)
    faces = grid_faces(grid(rings, around, wrap=True), flip=True)
    return surface(positions, uv, faces, bone)


def _painted(
    positions: F64,
    uv: tuple[float, float],
    faces: npt.NDArray[np.int64],
    bone: int,
    shapes: dict[str, F64] | None = None,
) -> Surface:
    """Something of one colour that faces the viewer."""
    count = len(positions)
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (count, 1))
    return surface(positions, np.tile(np.array(uv), (count, 1)), faces, bone, normals, shapes)
