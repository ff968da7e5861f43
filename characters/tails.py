"""Hair that leaves the head: ponytails, twin tails, braids, buns, antennae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.curves import F64, ease, spline, unit
from characters.hair import BoneChain, hair_v
from characters.spec import Hair
from characters.strands import sweep, taper
from characters.surface import I64, Surface, grid, grid_faces, surface

Rng = np.random.Generator
_STATIONS = 18


@dataclass(frozen=True)
class Tail:
    """A bundle: its centre line (K, 3) control points, thickness, and whether it is braided."""

    line: F64
    radius: float
    braided: bool
    bone_name: str


def tails(hair: Hair, rng: Rng) -> list[Tail]:
    """The tails of a style."""
    y, end = hair.tail_height, hair.tail_y
    radius = 0.085 * (0.8 + 0.4 * hair.clump)
    out = rng.uniform(0.12, 0.24)

    def hanging(x: float, z: float, name: str, braided: bool = False) -> Tail:
        side = np.sign(x)
        line = np.array(
            [
                [x, y, z],
                [x + side * out * 0.8, y + 0.05, z + 0.04],
                [x + side * out * 1.25, y - 0.22, z + 0.06],
                [x + side * out * 1.15, (y + end) / 2, z + 0.06],
                [x + side * out * 0.85, end, z + 0.10],
            ]
        )
        return Tail(line, radius * (0.62 if braided else 1.0), braided, name)

    match hair.tails:
        case "twin":
            return [hanging(0.36, 0.12, "左ツイン"), hanging(-0.36, 0.12, "右ツイン")]
        case "low_twin":
            return [_low(hair, 1, False, radius), _low(hair, -1, False, radius)]
        case "braids":
            return [_low(hair, 1, True, radius), _low(hair, -1, True, radius)]
        case "side":
            return [hanging(0.34 * rng.choice([-1, 1]), 0.05, "サイド")]
        case "ponytail" | "half":
            line = np.array(
                [
                    [0.0, y, 0.40],
                    [0.0, y + 0.08, 0.56],
                    [0.02, y - 0.20, 0.66],
                    [0.04, (y + end) / 2, 0.62],
                    [0.0, end, 0.52],
                ]
            )
            return [Tail(line, radius * 1.25, False, "ポニテ")]
    return []


def _low(hair: Hair, side: int, braided: bool, radius: float) -> Tail:
    """A tail tied behind the ear that falls over the front of the shoulder."""
    end = hair.tail_y
    line = np.array(
        [
            [0.28 * side, 0.16, 0.20],
            [0.37 * side, 0.04, 0.12],
            [0.38 * side, -0.16, -0.04],
            [0.33 * side, (end - 0.16) / 2, -0.17],
            [0.30 * side, end, -0.20],
        ]
    )
    name = "左おさげ" if side > 0 else "右おさげ"
    return Tail(line, radius * (0.62 if braided else 0.72), braided, name)


def build_tail(tail: Tail, bones: BoneChain, rng: Rng) -> Surface:
    """The bundle as locks twisted loosely, or plaited."""
    line = spline(tail.line, _STATIONS * 3)
    length = np.linalg.norm(np.diff(line, axis=0), axis=1)
    walked = np.concatenate([[0], np.cumsum(length)])
    even = np.linspace(0, walked[-1], _STATIONS if not tail.braided else _STATIONS * 2)
    line = np.stack([np.interp(even, walked, line[:, k]) for k in range(3)], 1)
    tangent = unit(np.gradient(line, axis=0))
    right = unit(np.cross(tangent, np.array([0.0, 0.0, 1.0]) + 0 * tangent))
    ahead = unit(np.cross(right, tangent))
    return (
        _braid(tail, line, right, ahead, bones)
        if tail.braided
        else _bundle(tail, line, right, ahead, bones, rng)
    )


def _bundle(tail: Tail, line: F64, right: F64, ahead: F64, bones: BoneChain, rng: Rng) -> Surface:
    """Six thick locks around the centre line and one within; they part toward their tips."""
    count, stations = 7, len(line)
    t = np.linspace(0, 1, stations)
    angle = np.arange(count) * 2 * np.pi / 6 + rng.uniform(0, 1)
    angle = angle[:, None] + 0.8 * t * rng.uniform(-1, 1)
    swell = 0.22 + 0.78 * ease(t, 0.0, 0.28) * (1 - 0.45 * ease(t, 0.45, 1.0))
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
    width = tail.radius * 0.66 * bulk * np.ones((count, 1))
    index, weight = bones.follow(centres)
    u0 = rng.uniform(0, 0.7, count)
    return sweep(
        centres, out, width, width * 0.85, (u0, u0 + 0.3), hair_v(centres[..., 1]), index, weight
    )


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
    u0 = np.array([0.1, 0.4, 0.7])
    outward = np.broadcast_to(-ahead, centres.shape)
    return sweep(
        centres, outward, width, width * 0.8, (u0, u0 + 0.2), hair_v(centres[..., 1]), index, weight
    )


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
    one = np.array([0.3])
    return sweep(
        centres, outward, width, width * 0.7, (one, one + 0.2),
        np.full((1, stations), 0.16), index, np.ones((1, stations)),
    )  # fmt: skip
