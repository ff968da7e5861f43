"""Hair that leaves the head: ponytails, twin tails, braids, buns, antennae."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from characters.base.atlas import cell
from characters.base.curves import F64, ease, spline, unit
from characters.base.surface import I64, Surface, grid, grid_faces, surface, tube, weighted
from characters.design.spec import Hair
from characters.shape.hair_shell import TILES, BoneChain, Shell, hair_v, lock_u
from characters.shape.sweep import sweep, taper

Rng = np.random.Generator
Kind = Literal["bundle", "braid", "drill"]
_STATIONS = 18


@dataclass(frozen=True)
class Tail:
    """A bundle: its centre line (K, 3) control points, thickness, and how it is worn.

    fan: how much wider it is at its tip than where it is widest else; negative: narrower.
    """

    line: F64
    radius: float
    kind: Kind
    bone_name: str
    fan: float = -0.45


def tails(hair: Hair, shell: Shell, rng: Rng) -> list[Tail]:
    """The tails of a style."""
    bulk = hair.tail_bulk
    thick = 0.09 * (0.8 + 0.4 * hair.clump)
    fan = -0.45 + bulk * rng.uniform(0, 1)
    match hair.tails:
        case "twin" | "drills":
            kind: Kind = "drill" if hair.tails == "drills" else "bundle"
            out = rng.uniform(0.10, 0.26) + bulk * rng.uniform(0, 0.35)
            slant = bulk * rng.uniform(-0.1, 0.5)
            wide = thick * rng.uniform(0.95, 1.35) * (1 + 1.2 * bulk)
            behind = _behind(rng)
            return [
                Tail(_hanging(hair, shell, side, out, slant, behind), wide, kind, name, fan)
                for side, name in ((1, "左ツイン"), (-1, "右ツイン"))
            ]
        case "low_twin":
            return [_low(hair, side, "bundle", thick * 0.8) for side in (1, -1)]
        case "braids":
            return [_low(hair, side, "braid", thick * 0.66) for side in (1, -1)]
        case "side":
            side = int(rng.choice([-1, 1]))
            out, slant = rng.uniform(0.08, 0.2), bulk * rng.uniform(0, 0.3)
            line = _hanging(hair, shell, side, out, slant, _behind(rng))
            return [Tail(line, thick * (1 + bulk), "bundle", "サイド", fan)]
        case "ponytail" | "half":
            return [_ponytail(hair, shell, thick * 1.35 * (1 + 0.8 * bulk), fan, rng)]
    return []


def _behind(rng: Rng) -> float:
    """How far behind the ear a tail is tied and hangs; apart from all else that is drawn."""
    return float(rng.spawn(1)[0].uniform(0.08, 0.50))


def _hanging(hair: Hair, shell: Shell, side: int, out: float, slant: float, behind: float) -> F64:
    """The line of a tail tied high at the side of the head, which falls away from it by slant."""
    y, end = hair.tail_height, hair.tail_y
    azimuth = (1.80 + 1.1 * behind) * side
    x, _, z = shell.at(np.array(azimuth), np.array(y), np.array(-0.02)).tolist()
    line = [
        [x, y, z],
        [x + side * (0.06 + out * 0.8), y + 0.05, z + 0.03 + 0.8 * behind],
        [x + side * (0.08 + out * 1.25), y - 0.22, z + 0.05 + behind],
        [x + side * (0.06 + out * 1.15 + slant / 2), (y + end) / 2, z + 0.05 + behind],
        [x + side * (out * 0.85 + slant), end, z + 0.08 + behind],
    ]
    return np.array(line)


def _ponytail(hair: Hair, shell: Shell, radius: float, fan: float, rng: Rng) -> Tail:
    """A tail tied at the back, that swings to one side far enough to be seen from the front."""
    y, end = hair.tail_height, hair.tail_y
    z = float(shell.at(np.array(np.pi), np.array(y), np.array(-0.02))[2])
    swing = float(rng.choice([-1, 1]) * rng.uniform(0.15, 0.55))
    high = 0.07 * float(ease(y, 0.70, 0.88))
    line = [
        [0.0, y, z],
        [0.12 * swing, y + 0.06 + high, z + 0.13],
        [0.55 * swing, y - 0.10 + high, z + 0.20],
        [0.95 * swing, (y + end) / 2, z + 0.14],
        [0.80 * swing, end, z + 0.06],
    ]
    return Tail(np.array(line), radius, "bundle", "ポニテ", fan)


def _low(hair: Hair, side: int, kind: Kind, radius: float) -> Tail:
    """A tail tied behind the ear that falls over the front of the shoulder."""
    end = hair.tail_y
    line = [
        [0.28 * side, 0.16, 0.20],
        [0.37 * side, 0.04, 0.12],
        [0.38 * side, -0.16, -0.04],
        [0.33 * side, (end - 0.16) / 2, -0.17],
        [0.30 * side, end, -0.20],
    ]
    return Tail(np.array(line), radius, kind, "左おさげ" if side > 0 else "右おさげ")


def build_tail(tail: Tail, bones: BoneChain, rng: Rng) -> Surface:
    """The bundle as locks twisted loosely, plaited, or curled."""
    line = spline(tail.line, _STATIONS * 3)
    length = np.linalg.norm(np.diff(line, axis=0), axis=1)
    walked = np.concatenate([[0], np.cumsum(length)])
    stations = _STATIONS * {"bundle": 1, "braid": 2, "drill": 3}[tail.kind]
    even = np.linspace(0, walked[-1], stations)
    line = np.stack([np.interp(even, walked, line[:, k]) for k in range(3)], 1)
    tangent = unit(np.gradient(line, axis=0))
    right = unit(np.cross(tangent, np.array([0.0, 0.0, 1.0])))
    ahead = unit(np.cross(right, tangent))
    match tail.kind:
        case "braid":
            return _braid(tail, line, right, ahead, bones)
        case "drill":
            return _drill(tail, line, right, ahead, bones)
    return _bundle(tail, line, right, ahead, bones, rng)


def build_tie(tail: Tail, bone: int) -> Surface:
    """The band that holds a tail."""
    start, way = tail.line[0], unit(tail.line[1] - tail.line[0])
    line = start + way * np.linspace(0.005, 0.075, 6)[:, None]
    wide = tail.radius * (0.75 if tail.kind == "braid" else 0.62)
    radius = wide * np.array([0.5, 1.0, 1.12, 1.12, 1.0, 0.5])
    index = np.full((6, 2), bone)
    return tube(line, radius, cell("ribbon", 0.5, np.full(6, 0.25)), index, np.ones(6), 10)


def _drill(tail: Tail, line: F64, right: F64, ahead: F64, bones: BoneChain) -> Surface:
    """A curl like a drill: a cone with a spiral step."""
    stations, around = len(line), 14
    t = np.linspace(0, 1, stations)[:, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    step = ((angle / (2 * np.pi) + 5.5 * t) % 1.0 - 0.5) * 0.34
    cone = ease(t, -0.05, 0.16) * np.clip((1.02 - t) / 0.75, 0, 1) ** 0.6
    radius = tail.radius * 1.15 * cone * (1 + step)
    ring = np.cos(angle)[..., None] * right[:, None] + np.sin(angle)[..., None] * ahead[:, None]
    xyz = (line[:, None] + ring * radius[..., None]).reshape(-1, 3)
    wave = np.abs((angle / (2 * np.pi) + 5.5 * t) % 1.0 * 2 - 1)
    u = (0.08 + 0.84 * wave) / TILES / 2  # the first lock of the outer half
    uv = np.stack([u.ravel(), hair_v(xyz[:, 1])], 1)
    index, weight = bones.follow(xyz)
    part = surface(xyz, uv, grid_faces(grid(stations, around, wrap=True)), 0)
    if np.sum((xyz - np.repeat(line, around, 0)) * part.normals) < 0:
        part = surface(xyz, uv, part.faces[:, ::-1], 0)
    return weighted(part, index, weight)


def _bundle(tail: Tail, line: F64, right: F64, ahead: F64, bones: BoneChain, rng: Rng) -> Surface:
    """Six thick locks around the centre line and one within; they part toward their tips."""
    count, stations = 7, len(line)
    t = np.linspace(0, 1, stations)
    angle = np.arange(count) * 2 * np.pi / 6 + rng.uniform(0, 1)
    angle = angle[:, None] + 0.8 * t * rng.uniform(-1, 1)
    swell = 0.22 + 0.78 * ease(t, 0.0, 0.28) * (1 + tail.fan * ease(t, 0.45, 1.0))
    ring = np.where(np.arange(count) < 6, 1.0, 0.0)[:, None]
    spread = tail.radius * 0.66 * swell * ring * rng.uniform(0.9, 1.1, (count, 1))
    out = np.cos(angle)[..., None] * right + np.sin(angle)[..., None] * -ahead
    stop = np.append(rng.uniform(0.80, 1.0, count - 1), 1.0)
    place = np.clip(t * stop[:, None] * (stations - 1), 0, stations - 1.001)
    low = place.astype(np.int64)
    part = (place - low)[..., None]
    rows = np.arange(count)[:, None]
    centres = line + out * spread[..., None]
    centres = centres[rows, low] * (1 - part) + centres[rows, low + 1] * part
    bulk = taper(stations, 0.30, 0.25, 0.50, 0.9)
    grown = 1 + max(tail.fan, 0) * ease(t, 0.45, 1.0)
    width = tail.radius * 0.66 * bulk * grown * np.ones((count, 1))
    index, weight = bones.follow(centres)
    u = lock_u(rng.integers(0, TILES, count))
    return sweep(centres, out, width, width * 0.85, u, hair_v(centres[..., 1]), index, weight)


def _braid(tail: Tail, line: F64, right: F64, ahead: F64, bones: BoneChain) -> Surface:
    stations = len(line)
    t = np.linspace(0, 1, stations)
    turns = 2 * np.pi * 4.5
    phase = np.array([0, 2 * np.pi / 3, 4 * np.pi / 3])[:, None]
    narrow = tail.radius * (1 - 0.35 * t)
    across = np.sin(turns * t + phase) * narrow * 0.8
    depth = np.sin(2 * (turns * t + phase)) * narrow * 0.45
    centres = line + across[..., None] * right - depth[..., None] * ahead
    width = narrow * 0.72 * taper(stations, 0.6, 0.1, 0.86)[None] * np.ones((3, 1))
    index, weight = bones.follow(centres)
    u = lock_u(np.arange(3) % TILES)
    outward = np.broadcast_to(-ahead, centres.shape)
    return sweep(centres, outward, width, width * 0.8, u, hair_v(centres[..., 1]), index, weight)


def build_bun(centre: F64, radius: float, bone: int) -> Surface:
    """A ball of hair."""
    rows, columns = 9, 16
    polar = np.linspace(0.02, np.pi - 0.02, rows)[::-1, None]
    azimuth = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    out = np.stack(
        np.broadcast_arrays(
            np.sin(polar) * np.sin(azimuth), np.cos(polar), -np.sin(polar) * np.cos(azimuth)
        ),
        -1,
    ).reshape(-1, 3)
    xyz = centre + out * np.array([1.0, 0.92, 1.0]) * radius
    u = np.broadcast_to(np.linspace(0, 0.45, columns), (rows, columns)).ravel()
    uv = np.stack([u, hair_v(xyz[:, 1] - 0.1)], 1)
    index: I64 = grid(rows, columns, wrap=True)
    return surface(xyz, uv, grid_faces(index), bone, out)


def build_antenna(line: F64, bone: int) -> Surface:
    """One ahoge."""
    stations = 10
    centres = spline(line, stations)[None]
    outward = np.broadcast_to(np.array([0.0, 0.35, -1.0]), centres.shape)
    width = 0.026 * taper(stations, 0.7, 0.3, 0.4)[None]
    index = np.full((1, stations, 2), bone)
    u = lock_u(np.array([1]))
    return sweep(
        centres, outward, width, width * 0.7, u,
        np.full((1, stations), 0.16), index, np.ones((1, stations)),
    )  # fmt: skip
