"""Eyes as MMD modelers build them: an opening, a recessed white and an iris; lines come apart.

The opening's rim carries the shapes that close it: ``close_*`` brings both lids together on a
curve that sags like a sleeping eye's, ``smile_*`` on one that arches.

Lids may move by bones instead. A shape moves every point of a lid straight, each by its own length.
One bone that goes as far as the farthest, and weights that say each point's share of that, come to
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from characters.base.curves import F64
from characters.base.rigging import BONE, BoneSpec, Vec3
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import Eye
from characters.shape.face_shape import FaceShape
from characters.shape.head import EYE_POINTS, Opening

WHITE_DEPTH, IRIS_DEPTH = 0.020, 0.013

LidCurve = Callable[[F64], F64]
_HEAD = BONE["頭"]
_STILL = 1e-5
_SHUT_SLANT = 0.1  # how much of its slant a shut eye keeps


@dataclass(frozen=True)
class LidCurves:
    """y of one eye's curves over its width, by t in [0, 1] from inner to outer corner."""

    eye: Eye
    sign: int  # +1 the character's left, -1 its right

    def x(self, t: F64) -> F64:
        """x at ``t``."""
        return self.sign * (self.eye.x + self.eye.half_width * (2 * t - 1))

    def corner(self, t: F64) -> F64:
        """The line through both corners."""
        return self.eye.y + self.eye.slant * (t - 0.5)

    def _arc(self, t: F64, peak: float, fullness: float) -> F64:
        skewed = np.clip(t, 0, 1) ** (np.log(0.5) / np.log(peak))
        side = np.abs(2 * skewed - 1)
        arc: F64 = np.maximum(1 - side**fullness, 0) ** (1 / fullness)
        return arc

    def upper(self, t: F64) -> F64:
        """The upper lid's edge, open."""
        return self.corner(t) + self.eye.up * self._arc(t, self.eye.peak, self.eye.fullness)

    def lower(self, t: F64) -> F64:
        """The lower lid's edge, open."""
        return self.corner(t) - self.eye.down * self._arc(t, 0.54, 2.0)

    def shut(self, t: F64) -> F64:
        """The lash line of the closed eye: it sags."""
        eye = self.eye
        level = eye.y + _SHUT_SLANT * eye.slant * (t - 0.5) - eye.down * (eye.close_at - 0.35)
        sag = 0.36 * min(eye.half_width, eye.up + eye.down)
        return level + sag * (0.35 - (1 - (2 * t - 1) ** 2) * 0.8)

    def smiling(self, t: F64) -> F64:
        """The lash line of the smiling eye: it arches."""
        eye = self.eye
        level = self.corner(t) - eye.down * 0.55
        arch = 0.55 * min(eye.half_width, eye.up + eye.down)
        return level + arch * ((1 - (2 * t - 1) ** 2) * 0.95 - 0.3)


def opening(eye: Eye, sign: int) -> Opening:
    """The eye's rim on the face, with its closing shapes."""
    lids = LidCurves(eye, sign)
    half = EYE_POINTS // 2
    t = (1 - np.cos(np.linspace(0, np.pi, half + 1))) / 2
    upper = np.stack([lids.x(t), lids.upper(t)], 1)[:-1]
    lower = np.stack([lids.x(t), lids.lower(t)], 1)[:0:-1]
    outline = np.concatenate([upper, lower])
    along = np.concatenate([t[:-1], t[:0:-1]])
    side = "left" if sign > 0 else "right"
    moved = {}
    for name, curve in (("close", lids.shut(along)), ("smile", lids.smiling(along))):
        moved[f"{name}_{side}"] = np.stack([outline[:, 0], curve], 1)
    squint = outline.copy()
    squint[:, 1] += 0.45 * (lids.shut(along) - outline[:, 1])
    moved[f"calm_{side}"] = squint
    return Opening(outline, moved)


def white(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The white: a patch a little larger than the opening, behind it."""
    rows, columns = 7, 9
    u, v = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    x = sign * eye.x + u * eye.half_width * 1.12
    top, bottom = eye.y + eye.up + abs(eye.slant), eye.y - eye.down - abs(eye.slant)
    y = (top + bottom) / 2 + v * ((top - bottom) / 2 * 1.1)
    xyz = shape.on(np.stack([x.ravel(), y.ravel()], 1), -WHITE_DEPTH)
    uv = np.stack([(u.ravel() + 1) / 2, (1 - v.ravel()) / 2], 1)
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(xyz), 1))
    return surface(xyz, uv, grid_faces(grid(rows, columns)), bone, normals)


def iris(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The iris disc between white and lids; its texture fills the unit square.

    Shapes: ``small_pupil`` shrinks it (surprise).
    """
    rings, around = 5, 24
    radius = np.linspace(0, 1, rings)[:, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    u, v = radius * np.cos(angle), radius * np.sin(angle)
    x0 = sign * (eye.x - 0.03 * eye.half_width)
    y0 = eye.y - eye.down + 0.93 * eye.iris_height + eye.iris_drop
    wide, high = eye.iris_width, eye.iris_height
    xy = np.stack([(x0 + u * wide).ravel(), (y0 + v * high).ravel()], 1)
    xyz = shape.on(xy, -IRIS_DEPTH)
    uv = np.stack([(1 + u.ravel() * 0.98) / 2, (1 - v.ravel() * 0.98) / 2], 1)
    index = grid(rings, around, wrap=True)
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(xyz), 1))
    shrunk = shape.on((xy - [x0, y0]) * 0.62 + [x0, y0], -IRIS_DEPTH) - xyz
    shapes = {"small_pupil": shrunk}
    return surface(xyz, uv, grid_faces(index, flip=True), bone, normals, shapes)


def blush(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """A patch of blush that waits inside the head; the shape ``blush`` brings it to the cheek."""
    rows, columns = 5, 7
    u, v = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    x = sign * (eye.x + 0.02) + 0.085 * u.ravel()
    xy = np.stack([x, eye.y - eye.down - 0.05 + 0.045 * v.ravel()], 1)
    hidden = shape.on(xy, -0.05)
    uv = np.stack([(u.ravel() + 1) / 2, (1 - v.ravel()) / 2], 1)
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(hidden), 1))
    shapes = {"blush": shape.on(xy, 0.005) - hidden}
    return surface(hidden, uv, grid_faces(grid(rows, columns)), bone, normals, shapes)


@dataclass(frozen=True)
class LidBones:
    """``moves``: by shape, which bones (by index) go how far; lengths in head heights."""

    surface: Surface
    bones: list[BoneSpec]
    moves: Mapping[str, tuple[tuple[int, Vec3], ...]]


def hang_lids(whole: Surface, eye: Eye, first: int) -> LidBones:
    """The character's surface with its lids on four bones, numbered from ``first``."""
    bones: list[BoneSpec] = []
    moves: dict[str, tuple[tuple[int, Vec3], ...]] = {}
    index, weights = whole.bones.copy(), whole.weights.copy()
    for side, letter, sign in (("left", "左", 1), ("right", "右", -1)):
        offsets = whole.shapes[f"close_{side}"]
        far = []
        for lid, place, going in (("上", "upper", -1), ("下", "lower", 1)):
            rows = np.flatnonzero(offsets[:, 1] * going > _STILL)
            rise = offsets[rows, 1]
            farthest = float(rise[np.argmax(np.abs(rise))])
            depth = float(offsets[rows, 2] @ rise / (rise @ rise)) * farthest
            index[rows] = [_HEAD, first + len(bones)]
            weights[rows] = 1 - rise / farthest
            far.append((first + len(bones), (0.0, farthest, depth)))
            name, english = f"{letter}{lid}まぶた", f"{place} lid_{side[0].upper()}"
            bones.append(BoneSpec(name, english, "頭", (sign * eye.x, eye.y, 0.0)))
        moves[f"close_{side}"] = tuple(far)
    return LidBones(replace(whole, bones=index, weights=weights), bones, moves)
