"""Eyes as MMD modelers build them: an opening, lashes, lid line, a recessed white and an iris.

The opening's rim carries the shapes that close it: ``close_*`` brings both lids together on a
curve that sags like a sleeping eye's, ``smile_*`` on one that arches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from characters.base.curves import F64, bump, ease
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import Brow, Eye
from characters.shape.face_shape import FaceShape
from characters.shape.head import EYE_POINTS, Opening

WHITE_DEPTH, IRIS_DEPTH = 0.020, 0.013
_STRIP, _WING = 18, 6

LidCurve = Callable[[F64], F64]


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
        level = self.corner(t) - eye.down * (eye.close_at - 0.35)
        sag = 0.30 * min(eye.half_width, eye.up + eye.down)
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


def _strip(
    shape: FaceShape, centre: F64, across: F64, forward: float, uv: tuple[float, float], bone: int
) -> Surface:
    """A ribbon on the face: ``centre`` (N, 2), ``across`` (N, 2) from its lower to upper edge."""
    rows = np.concatenate([centre - across / 2, centre, centre + across / 2])
    return _ribbon(shape, rows, forward, uv, bone)


def _ribbon(
    shape: FaceShape, rows: F64, forward: float, uv: tuple[float, float], bone: int
) -> Surface:
    """A ribbon on the face from its three rows of points (3N, 2), lowest first."""
    xyz = shape.on(rows, forward)
    count = len(rows) // 3
    faces = grid_faces(grid(3, count), flip=rows[count - 1, 0] < rows[0, 0])
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(xyz), 1))
    return surface(xyz, np.tile(np.array(uv), (len(xyz), 1)), faces, bone, normals)


def _moved(shape: FaceShape, strip: Surface, xy: F64, forward: float) -> F64:
    return shape.on(xy, forward) - strip.positions


def _lash_rows(lids: LidCurves, line: LidCurve, thin: float, droop: float) -> F64:
    """An upper lash (3 rows of points, 2) along ``line``, leaving it near the outer corner.

    ``thin`` scales its thickness, ``droop`` turns the wing down (radians).
    """
    eye = lids.eye
    end = 0.90
    t = end * (1 - np.cos(np.linspace(0.25, np.pi, _STRIP))) / 2
    path = np.stack([lids.x(t), line(t)], 1)
    heading = path[-1] - path[-3]
    out = np.arctan2(heading[1], heading[0] * lids.sign)
    reach = np.linspace(0, 1, _WING + 1)[1:]
    turn = out + (0.20 - droop - out) * ease(reach, -0.2, 0.8)
    step = np.stack([lids.sign * np.cos(turn), np.sin(turn)], 1)
    wing = np.cumsum(step, 0) * (eye.wing * 2 * eye.half_width / _WING)
    path = np.concatenate([path, path[-1] + wing])
    tangent = np.gradient(path, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) * lids.sign
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    along = np.concatenate([t / end, 1 + reach])
    swell = 0.22 + 0.78 * ease(along, 0.0, 0.5)
    tail = np.clip((2.0 - along) / 1.05, 0, 1) ** 0.8
    width = (eye.lash * thin * swell * tail)[:, None] * normal
    return np.concatenate([path - 0.12 * width, path + 0.4 * width, path + 0.88 * width])


def upper_lash(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The dark upper lash line with its wing; it follows the lid and droops when shut."""
    lids = LidCurves(eye, sign)
    side = "left" if sign > 0 else "right"
    forward = 0.009

    def calm(t: F64) -> F64:
        return lids.upper(t) + 0.45 * (lids.shut(t) - lids.upper(t))

    rest = _lash_rows(lids, lids.upper, 1.0, 0.0)
    strip = _ribbon(shape, rest, forward, (0.25, 0.25), bone)
    shapes = {
        f"{name}_{side}": _moved(shape, strip, _lash_rows(lids, line, thin, droop), forward)
        for name, line, thin, droop in (
            ("close", lids.shut, 0.66, 0.30),
            ("smile", lids.smiling, 0.66, 0.10),
            ("calm", calm, 0.92, 0.1),
        )
    }
    return _with(strip, shapes)


def lash_ticks(shape: FaceShape, eye: Eye, sign: int, bone: int) -> list[Surface]:
    """Single lashes that stand off the outer end of the upper one, none or a few."""
    lids = LidCurves(eye, sign)
    side = "left" if sign > 0 else "right"
    root = np.linspace(0.70, 0.90, max(eye.ticks, 1))
    length = eye.lash * np.linspace(1.25, 0.95, len(root))

    def rows(line: LidCurve, lean: float) -> F64:
        at = np.stack([lids.x(root), line(root)], 1)
        way = np.stack([sign * np.cos(lean - root), np.sin(lean - root)], 1)
        across = np.stack([way[:, 1], -way[:, 0]], 1) * 0.16 * eye.lash
        return np.concatenate([at - across, at + across, at + way * length[:, None] * 1.6])

    if not eye.ticks:
        return []
    rest = shape.on(rows(lids.upper, 1.5), 0.009)
    k = np.arange(eye.ticks)
    faces = np.stack([k, k + 2 * eye.ticks, k + eye.ticks], 1)
    faces = faces if sign > 0 else faces[:, ::-1]
    shapes = {
        f"{name}_{side}": shape.on(rows(line, lean), 0.009) - rest
        for name, line, lean in (("close", lids.shut, 0.2), ("smile", lids.smiling, 0.4))
    }
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(rest), 1))
    uv = np.tile(np.array([0.25, 0.25]), (len(rest), 1))
    return [surface(rest, uv, faces, bone, normals, shapes)]


def lower_lash(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The thin lower lash line; it hides under the upper one when the eye shuts."""
    lids = LidCurves(eye, sign)
    t = (1 - np.cos(np.linspace(0.9, 2.85, _STRIP))) / 2
    side = "left" if sign > 0 else "right"
    weight = eye.lower_lash * ease(t, 0.15, 0.7) * ease(t, 1.02, 0.8)
    across = np.stack([np.zeros(len(t)), weight], 1)
    centre = np.stack([lids.x(t), lids.lower(t)], 1) - across * 0.3
    strip = _strip(shape, centre, across, 0.006, (0.25, 0.25), bone)
    shapes = {}
    for name, line in (
        ("close", lids.shut(t)),
        ("smile", lids.smiling(t)),
        ("calm", lids.lower(t) + 0.45 * (lids.shut(t) - lids.lower(t))),
    ):
        rest = np.stack([lids.x(t), line], 1)
        rows = np.stack([rest, rest + across * 0.1, rest + across * 0.2]).reshape(-1, 2)
        shapes[f"{name}_{side}"] = _moved(shape, strip, rows, 0.006)
    return _with(strip, shapes)


def lid_line(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The fold above the upper lash."""
    lids = LidCurves(eye, sign)
    t = np.linspace(0.14, 0.96, _STRIP)
    side = "left" if sign > 0 else "right"
    gap = eye.lash * 0.9 + 0.020
    width = 0.0055 * eye.double_lid * np.sqrt(bump(t, 0.55, 0.35))
    across = np.stack([np.zeros(len(t)), width], 1)
    centre = np.stack([lids.x(t), lids.upper(t) + gap], 1)
    strip = _strip(shape, centre, across, 0.004, (0.75, 0.25), bone)
    shapes = {}
    for name, line in (("close", lids.shut(t)), ("smile", lids.smiling(t))):
        drop = np.stack([lids.x(t), lids.upper(t) + gap + 0.35 * (line - lids.upper(t))], 1)
        rows = np.stack([drop, drop, drop]).reshape(-1, 2)
        shapes[f"{name}_{side}"] = _moved(shape, strip, rows, 0.004)
    return _with(strip, shapes)


def _with(part: Surface, shapes: dict[str, F64]) -> Surface:
    return surface(part.positions, part.uv, part.faces, int(part.bones[0, 0]), part.normals, shapes)


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


def brow(shape: FaceShape, spec: Brow, eye: Eye, sign: int, bone: int) -> Surface:
    """A tapered brow with its shapes: up, down, angry, sad."""
    t = np.linspace(-1, 1, _STRIP)
    x = sign * (eye.x + 0.01 + t * spec.half_length)
    y = spec.y + spec.tilt * t + spec.arch * (1 - (t - 0.05) ** 2)
    thickness = spec.thickness * (0.55 + 0.45 * ease(t, -1.05, -0.5)) * ease(t, 1.02, 0.0)
    across = np.stack([np.zeros(len(t)), thickness], 1)
    centre = np.stack([x, y], 1)
    strip = _strip(shape, centre, across, 0.007, (0.25, 0.75), bone)
    rows = np.tile(t, 3)
    flat = strip.positions[:, :2]
    shapes = {}
    for name, rise in (
        ("brow_up", np.full(len(rows), 0.035)),
        ("brow_down", np.full(len(rows), -0.022)),
        ("brow_angry", -0.012 + 0.026 * rows),
        ("brow_sad", 0.010 - 0.028 * rows),
    ):
        shapes[name] = _moved(shape, strip, flat + np.stack([0 * rise, rise], 1), 0.007)
    return _with(strip, shapes)


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
