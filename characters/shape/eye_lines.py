"""The drawn lines of the eyes as ribbons on the face: lashes, the fold above the lid, brows."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, bump, ease
from characters.base.surface import Surface, grid, grid_faces, surface
from characters.design.spec import Brow, Eye
from characters.shape.eye_shape import LidCurve, LidCurves
from characters.shape.face_shape import FaceShape

_STRIP, _WING = 18, 6
# Cells of lash.png.
_LASH_UV, _FOLD_UV, _BROW_UV = (0.25, 0.25), (0.75, 0.25), (0.25, 0.75)


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
    strip = _ribbon(shape, rest, forward, _LASH_UV, bone)
    shapes = {
        f"{name}_{side}": _moved(shape, strip, _lash_rows(lids, line, thin, droop), forward)
        for name, line, thin, droop in (
            ("close", lids.shut, eye.shut_lash, 0.30),
            ("smile", lids.smiling, eye.shut_lash, 0.10),
            ("calm", calm, 0.92, 0.1),
        )
    }
    return _with(strip, shapes)


def lash_ticks(shape: FaceShape, eye: Eye, sign: int, bone: int) -> list[Surface]:
    """Single lashes that stand off the outer end of the upper and the lower one, none or a few."""
    lids = LidCurves(eye, sign)
    parts = []
    if eye.ticks:
        root = np.linspace(0.70, 0.90, eye.ticks)
        length = eye.lash * np.linspace(2.0, 1.5, eye.ticks)
        leans = (1.5, 0.2, 0.4)  # at rest, shut, smiling
        parts.append(_ticks(shape, lids, lids.upper, root, length, leans, bone))
    if eye.lower_ticks:
        root = np.linspace(0.62, 0.84, eye.lower_ticks)
        length = np.full(eye.lower_ticks, 0.022)
        parts.append(_ticks(shape, lids, lids.lower, root, length, (-0.4, -0.4, -0.4), bone))
    return parts


def _ticks(
    shape: FaceShape, lids: LidCurves, lid: LidCurve, root: F64, length: F64,
    leans: tuple[float, float, float], bone: int,
) -> Surface:  # fmt: skip
    """Slim triangles that stand on a lid at ``root`` and lean by so many radians."""
    sign, count = lids.sign, len(root)
    side = "left" if sign > 0 else "right"

    def rows(line: LidCurve, lean: float) -> F64:
        at = np.stack([lids.x(root), line(root)], 1)
        way = np.stack([sign * np.cos(lean - root), np.sin(lean - root)], 1)
        across = np.stack([way[:, 1], -way[:, 0]], 1) * 0.10 * length[:, None]
        return np.concatenate([at - across, at + across, at + way * length[:, None]])

    rest = shape.on(rows(lid, leans[0]), 0.009)
    k = np.arange(count)
    faces = np.stack([k, k + 2 * count, k + count], 1)
    faces = faces if sign > 0 else faces[:, ::-1]
    shapes = {
        f"{name}_{side}": shape.on(rows(line, lean), 0.009) - rest
        for name, line, lean in (
            ("close", lids.shut, leans[1]), ("smile", lids.smiling, leans[2])
        )
    }  # fmt: skip
    normals = np.tile(np.array([0.0, 0.0, -1.0]), (len(rest), 1))
    return surface(rest, np.tile(_LASH_UV, (len(rest), 1)), faces, bone, normals, shapes)


def lower_lash(shape: FaceShape, eye: Eye, sign: int, bone: int) -> Surface:
    """The thin lower lash line; it hides under the upper one when the eye shuts."""
    lids = LidCurves(eye, sign)
    t = (1 - np.cos(np.linspace(0.9, 2.85, _STRIP))) / 2
    side = "left" if sign > 0 else "right"
    weight = eye.lower_lash * ease(t, 0.15, 0.7) * ease(t, 1.02, 0.8)
    across = np.stack([np.zeros(len(t)), weight], 1)
    centre = np.stack([lids.x(t), lids.lower(t)], 1) - across * 0.3
    strip = _strip(shape, centre, across, 0.006, _LASH_UV, bone)
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
    strip = _strip(shape, centre, across, 0.004, _FOLD_UV, bone)
    shapes = {}
    for name, line in (("close", lids.shut(t)), ("smile", lids.smiling(t))):
        drop = np.stack([lids.x(t), lids.upper(t) + gap + 0.35 * (line - lids.upper(t))], 1)
        rows = np.stack([drop, drop, drop]).reshape(-1, 2)
        shapes[f"{name}_{side}"] = _moved(shape, strip, rows, 0.004)
    return _with(strip, shapes)


def _with(part: Surface, shapes: dict[str, F64]) -> Surface:
    return surface(part.positions, part.uv, part.faces, int(part.bones[0, 0]), part.normals, shapes)


def brow(shape: FaceShape, spec: Brow, eye: Eye, sign: int, bone: int) -> Surface:
    """A tapered brow with its shapes: up, down, angry, sad."""
    t = np.linspace(-1, 1, _STRIP)
    x = sign * (eye.x + 0.01 + t * spec.half_length)
    y = spec.y + spec.tilt * t + spec.arch * (1 - (t - 0.05) ** 2)
    thickness = spec.thickness * (0.55 + 0.45 * ease(t, -1.05, -0.5)) * ease(t, 1.02, 0.0)
    across = np.stack([np.zeros(len(t)), thickness], 1)
    centre = np.stack([x, y], 1)
    strip = _strip(shape, centre, across, 0.007, _BROW_UV, bone)
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
