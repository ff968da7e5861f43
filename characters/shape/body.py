"""Neck, torso, legs and arms: tubes of elliptic sections, skinned to the standard bones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from characters.base.atlas import cell, lower_uv, neck_uv, skin_patch, torso_uv
from characters.base.curves import F64, Profile, ease, unit
from characters.base.rigging import BONE, Arm, Joints, arm, joints
from characters.base.surface import I64, Surface, grid, grid_faces, surface, tube, weighted
from characters.design.spec import Body
from characters.shape.head import NECK_TOP_Y, neck_ring

AROUND = 28
Flags = npt.NDArray[np.bool_]
_STATIONS = 21
_FINGERS = ((-0.042, 0.095), (-0.014, 0.120), (0.014, 0.115), (0.040, 0.090))  # across, length


class Torso:
    """The torso's surface as a function of angle (0 in front, + to the left) and height."""

    def __init__(self, body: Body) -> None:
        k = joints(body).stretch
        s, n = body.shoulder, body.neck
        male = 1.0 if body.male else 0.0
        bust = body.bust
        low = -0.36
        self.bottom = -1.66 * k

        def at(y: float) -> float:
            return low + (y - low) * k

        rows = [
            (self.bottom, 0.34 + 0.0 * male, 0.20, 0.07),
            (at(-1.42), 0.37 - 0.02 * male, 0.22, 0.07),
            (at(-1.05), 0.27 + 0.05 * male, 0.175, 0.075),
            (at(-0.80), 0.30 + 0.05 * male, 0.19, 0.075),
            (at(-0.58), s * 0.86, 0.20 + 0.02 * male, 0.08),
            (-0.44, s * 0.97, 0.19, 0.09),
            (-0.365, s * 0.97, 0.165, 0.095),
            (-0.305, s * 0.82, 0.150, 0.095),
            (-0.255, s * 0.60, max(0.140, n * 1.18), 0.092),
            (-0.20, max(s * 0.42, n * 1.2), max(0.130, n * 1.12), 0.088),
            (-0.145, n * 1.08, n * 1.03, 0.08),
            (-0.08, n * 1.02, n * 0.98, 0.075),
        ]
        self.half_width = Profile([(y, w) for y, w, _, _ in rows])
        self.half_depth = Profile([(y, d) for y, _, d, _ in rows])
        self.centre_z = Profile([(y, z) for y, _, _, z in rows])
        self._bust = bust
        self._bust_y = at(-0.62)

    def at(self, angle: F64, y: F64, out: float | F64 = 0.0) -> F64:
        """Points (..., 3), ``out`` outside the surface."""
        x = (self.half_width(y) + out) * np.sin(angle)
        depth = self.half_depth(y) + out
        front = np.cos(angle)
        z = self.centre_z(y) - depth * np.sign(front) * np.abs(front) ** 0.85
        bulge = self._bust * np.exp(
            -(((np.abs(x) - 0.15) / 0.13) ** 2) - ((y - self._bust_y) / 0.16) ** 2
        )
        z = z - np.where(front > 0, bulge * 0.5, 0.0)
        return np.stack(np.broadcast_arrays(x, y, z), -1)


def upper_weights(points: F64) -> tuple[I64, F64]:
    """Bones (V, 2) and first shares of anything on the torso, by height and by side."""
    y, x = points[:, 1], points[:, 0]
    neck, chest, waist = BONE["首"], BONE["上半身2"], BONE["上半身"]
    bones = np.tile(np.array([chest, waist]), (len(points), 1))
    weights = ease(y, -0.9, -0.6)
    high = y > -0.25
    bones[high] = [chest, neck]
    weights[high] = 1 - 0.7 * ease(y[high], -0.24, -0.10) * ease(np.abs(x[high]), 0.26, 0.13)
    out = (np.abs(x) > 0.24) & (y < -0.2) & (y > -0.62)
    bones[out, 0] = chest
    bones[out, 1] = np.where(x[out] > 0, BONE["左肩"], BONE["右肩"])
    weights[out] = 1 - 0.5 * ease(np.abs(x[out]), 0.24, 0.42)
    low = y < -1.0
    bones[low] = [waist, BONE["下半身"]]
    weights[low] = ease(y[low], -1.25, -1.0)
    return bones, weights


def build_neck(body: Body) -> Surface:
    """The neck, from inside the head into the collar, bending smoothly from 首 to 頭."""
    rows = np.array([NECK_TOP_Y, 0.07, 0.02, -0.03, -0.07, -0.10, -0.13, -0.17])
    # Below the collar line the neck shrinks into the torso, which takes over there.
    n = body.neck
    radius = np.interp(rows, [-0.17, -0.13, -0.08, 0.13], [n * 0.86, n * 0.96, n, 0.125])
    angle = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
    rings = [neck_ring(angle, y, r) for y, r in zip(rows, radius, strict=True)]
    xyz = np.concatenate(rings)
    xyz[:, 2] += 0.016 * ease(xyz[:, 1], 0.1, -0.1)
    uv = neck_uv(np.tile(angle, len(rows)), xyz[:, 1])
    part = surface(xyz, uv, grid_faces(grid(len(rows), AROUND, wrap=True), flip=True), BONE["頭"])
    y = xyz[:, 1]
    bones = np.tile(np.array([BONE["頭"], BONE["首"]]), (len(xyz), 1))
    weights = ease(y, -0.10, 0.10)
    low = y < -0.10
    bones[low] = [BONE["首"], BONE["上半身2"]]
    weights[low] = 0.15 + 0.85 * ease(y[low], -0.26, -0.10)
    return weighted(part, bones, weights)


def build_torso(torso: Torso) -> Surface:
    """Shoulders to hips."""
    y = np.concatenate([np.linspace(torso.bottom, -0.45, 12), np.linspace(-0.40, -0.12, 9)])
    angle = np.linspace(-np.pi, np.pi, AROUND + 1)
    a, yy = np.meshgrid(angle, y)
    xyz = torso.at(a, yy).reshape(-1, 3)
    part = surface(xyz, torso_uv(a.ravel(), yy.ravel()), grid_faces(grid(*a.shape)), 0)
    # The seam at the back shares its normals.
    normals = part.normals.reshape(*a.shape, 3).copy()
    normals[:, 0] = normals[:, -1] = unit(normals[:, 0] + normals[:, -1])
    return weighted(replace(part, normals=normals.reshape(-1, 3)), *upper_weights(xyz))


def _limb(
    points: list[tuple[float, float, float]], chain: list[str], sign: int, count: int
) -> tuple[F64, F64, I64, F64]:
    """A limb's centre line, its parameter t in 0..2, bones and weights; joint 1 bends smoothly."""
    p = np.array(points) * [sign, 1, 1]
    t = np.linspace(0, 2, count)
    line = np.stack([np.interp(t, [0, 1, 2], p[:, k]) for k in range(3)], 1)
    upper = t < 1
    bones = np.where(
        upper[:, None], [[BONE[chain[0]], BONE[chain[1]]]], [[BONE[chain[1]], BONE[chain[0]]]]
    )
    weights = 0.5 + 0.5 * ease(np.abs(t - 1), 0.0, 0.25)
    return line, t, bones, weights


def build_legs(body: Body) -> tuple[list[Surface], list[Surface]]:
    """Bare legs, and what covers them (trousers or shoes)."""
    j = joints(body)
    skin, cloth = [], []
    for side, sign in (("左", 1), ("右", -1)):
        chain = [f"{side}足", f"{side}ひざ"]
        line, t, bones, weights = _limb([j.hip, j.knee, j.ankle], chain, sign, 13)
        radius = np.interp(t, [0, 0.3, 1, 1.3, 2], [0.16, 0.155, 0.105, 0.10, 0.062])
        if body.bottom == "trousers":
            uv = lower_uv(np.full(len(t), 0.5), 0.4 + 0.25 * t)
            cloth.append(tube(line, radius * 1.12 + 0.03, uv, bones, weights))
        else:
            skin.append(tube(line, radius, skin_patch(len(t)), bones, weights))
        cloth.append(_shoe(j, side, sign))
    return skin, cloth


def _shoe(j: Joints, side: str, sign: int) -> Surface:
    x, y, z = j.ankle
    low = j.floor_y + 0.07
    line = np.array([[x, y + 0.12, z], [x, low + 0.03, z], [x, low, z - 0.12], [x, low, z - 0.36]])
    bones = np.tile(np.array([BONE[f"{side}足首"], BONE[f"{side}ひざ"]]), (4, 1))
    radius = np.array([0.085, 0.09, 0.085, 0.03])
    return tube(line * [sign, 1, 1], radius, cell("shoe", 0.5, np.full(4, 0.5)), bones, np.ones(4))


def build_skirt(torso: Torso, body: Body) -> Surface:
    """A skirt with pleats, or the hips of trousers."""
    j = joints(body)
    top = j.waist_y + 0.02
    k = j.stretch
    length = {"skirt": 0.95, "long_skirt": 1.9, "trousers": 0.72}[body.bottom] * k
    rows, around = 9, 48
    t = np.linspace(1, 0, rows)
    angle = np.linspace(-np.pi, np.pi, around + 1)
    a, tt = np.meshgrid(angle, t)
    flare = {"skirt": 0.34, "long_skirt": 0.36, "trousers": 0.03}[body.bottom] * tt
    pleat = 0.02 * tt * np.cos(a * 16) * (body.bottom != "trousers")
    y = top - length * tt
    xyz = torso.at(a, np.maximum(y, torso.bottom), 0.025 + flare + pleat)
    xyz[..., 1] = y
    points = xyz.reshape(-1, 3)
    part = surface(points, lower_uv(a.ravel() / (2 * np.pi) + 0.5, tt.ravel()),
                   grid_faces(grid(*a.shape)), 0)  # fmt: skip
    bones = np.tile(np.array([BONE["下半身"], BONE["上半身"]]), (len(points), 1))
    return weighted(part, bones, np.clip(0.6 + tt.ravel() * 2, 0, 1))


def build_arms(body: Body, cloth: str) -> tuple[list[Surface], list[Surface]]:
    """Arms of skin with hands, and their sleeves."""
    thick = 0.078 + (0.02 if body.male else 0.0)
    skin, sleeves = [], []
    for side, sign in (("左", 1), ("右", -1)):
        posed = arm(body, sign)
        line, t = _line(body, posed, sign)
        upper = t < 1
        chain = np.array([BONE[f"{side}腕"], BONE[f"{side}ひじ"]])
        bones = np.where(upper[:, None], chain, chain[::-1])
        weights = 0.5 + 0.5 * ease(np.abs(t - 1), 0.0, 0.25)
        radius = np.interp(t, [0, 0.3, 1, 2], [thick, thick, thick * 0.8, thick * 0.6])
        skin.append(tube(line, radius, skin_patch(len(t)), bones, weights))
        skin += _hand(posed, side)
        if body.sleeve > 0:
            from_shoulder = 0.42 if body.outfit == "off_shoulder" else 0.0
            keep = (t <= body.sleeve + 1e-6) & (t >= from_shoulder)
            sleeves.append(_sleeve(line, t, radius, keep, bones, weights, cloth))
    return skin, sleeves


def _line(body: Body, posed: Arm, sign: int) -> tuple[F64, F64]:
    """The arm's centre line (N, 3) and t (N,): 0 inside the torso, 1 at the elbow, 2 the wrist."""
    x, y, z = joints(body).shoulder
    knots = np.array(
        [[sign * (x - 0.17), y - 0.015, z], [sign * (x - 0.035), y - 0.040, z], posed.elbow,
         posed.wrist]
    )  # fmt: skip
    t = np.linspace(0, 2, _STATIONS)
    line = np.stack([np.interp(t, [0, 0.24, 1, 2], knots[:, k]) for k in range(3)], 1)
    for _ in range(2):  # round off shoulder and elbow
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line, t


def _sleeve(
    line: F64,
    t: F64,
    radius: F64,
    keep: npt.NDArray[np.bool_],
    bones: I64,
    weights: F64,
    cloth: str,
) -> Surface:
    puff = 0.022 + 0.012 * ease(t[keep], 0.3, 1.0)
    part = tube(
        line[keep], radius[keep] + puff, cell(cloth, 0.5, t[keep] / 2.2),
        bones[keep], weights[keep],
    )  # fmt: skip
    # No outline where the sleeve comes out of the torso.
    seam = np.repeat(ease(t[keep], 0.25, 0.5), len(part.positions) // int(keep.sum()))
    return replace(part, edge_scales=seam)


def _hand(posed: Arm, side: str) -> list[Surface]:
    """A palm, four fingers and a thumb."""
    wrist, way, palm = np.array(posed.wrist), np.array(posed.way), np.array(posed.palm)
    palm = unit(palm - way * (palm @ way))
    across = np.cross(way, palm) * (1 if side == "左" else -1)
    t = np.array([-0.02, 0.03, 0.08, 0.13, 0.155])
    line = wrist + way * t[:, None]
    flat = _flattened(line, np.array([0.040, 0.052, 0.064, 0.062, 0.040]), palm, 0.55, side)
    parts = [flat]
    for aside, length in _FINGERS:
        start = wrist + way * (0.135 - 6.0 * aside**2) + across * aside
        parts.append(_finger(start, way, palm, length, 0.019, posed.curl, side))
    thumb = unit(way * 0.75 + across * 0.65 + palm * 0.3)
    start = wrist + way * 0.045 + across * 0.045
    parts.append(_finger(start, thumb, palm, 0.10, 0.021, 0.3 * posed.curl, side))
    return parts


def _finger(
    start: F64, way: F64, palm: F64, length: float, radius: float, curl: float, side: str
) -> Surface:
    t = np.linspace(0, 1, 6)
    angle = curl * t
    step = np.cos(angle)[:, None] * way + np.sin(angle)[:, None] * palm
    line = start + np.cumsum(step, 0) * length / len(t)
    return _of_hand(line, radius * np.array([0.9, 1.0, 1.0, 0.95, 0.8, 0.1]), side, 7)


def _flattened(line: F64, radius: F64, normal: F64, share: float, side: str) -> Surface:
    """A tube squeezed along ``normal``."""
    part = _of_hand(line, radius, side, 10)
    out = part.positions - np.repeat(line, 10, 0)
    squeezed = part.positions - (out @ normal)[:, None] * normal * (1 - share)
    return replace(part, positions=squeezed)


def _of_hand(line: F64, radius: F64, side: str, around: int) -> Surface:
    count = len(line)
    bones = np.tile(np.array([BONE[f"{side}手首"], BONE[f"{side}ひじ"]]), (count, 1))
    return tube(line, radius, skin_patch(count), bones, np.ones(count), around)
