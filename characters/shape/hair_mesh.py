"""All the hair of a character as surfaces, and the bones it brings along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.base.curves import F64, spline
from characters.base.rigging import BONE, BoneSpec, Vec3
from characters.base.surface import Surface, merge
from characters.design.spec import CharacterSpec, Hair
from characters.shape import hair_styles, tails
from characters.shape.hair_shell import (
    TILES,
    BoneChain,
    Shell,
    build_cap,
    build_locks,
    hair_v,
    lock_u,
)
from characters.shape.sweep import sweep, taper

Rng = np.random.Generator
_HEAD = BONE["頭"]


@dataclass(frozen=True)
class HairMesh:
    """``front`` is drawn before ``back``, the ``fringe`` first of all, or last if seen through.

    ``bones`` follow the standard ones.
    """

    fringe: Surface
    scalp: list[Surface]
    front: list[Surface]
    back: list[Surface]
    ties: list[Surface]
    bones: list[BoneSpec]


def build_hair(spec: CharacterSpec, shell: Shell, rng: Rng) -> HairMesh:
    """Cap, fringe, side locks, back hair and tails."""
    hair = spec.hair
    bones: list[BoneSpec] = []
    still = BoneChain(_HEAD)
    if hair.fringe == "up":
        fringe = build_upswept(hair, shell, rng)
    else:
        locks_of = hair_styles.fringe(hair, shell, rng)
        fringe = merge([build_locks(shell, locks, still, rng) for locks in locks_of])
    side = (
        _chain("横髪", [(0, 0.05, -0.05), (0, -0.15, -0.05)], bones)
        if hair.side_y < -0.1
        else still
    )
    front = [build_locks(shell, locks, side, rng) for locks in hair_styles.side_locks(hair, rng)]
    long = hair.back_y < -0.12
    points = [(0.0, float(y), 0.45) for y in np.linspace(0.0, hair.back_y + 0.15, 4)]
    chain = _chain("後髪", points, bones) if long else still
    scalp = [build_cap(shell, spec, _HEAD)]
    back = [build_locks(shell, locks, chain, rng) for locks in hair_styles.back(hair, shell, rng)]
    ties = []
    for tail in tails.tails(hair, shell, rng):
        falling = [
            p for k, p in enumerate(_joints(tail)) if k == 0 or p[1] < _joints(tail)[k - 1][1]
        ]
        back.append(tails.build_tail(tail, _chain(tail.bone_name, falling, bones), rng))
        ties.append(tails.build_tie(tail, _HEAD))
    if hair.tails == "buns":
        for sign in (-1, 1):
            centre = shell.at(np.array(1.05 * sign), np.array(0.95), np.array(0.05))
            back.append(tails.build_bun(centre, 0.135, _HEAD))
    front += [tails.build_antenna(line, _HEAD) for line in hair_styles.ahoge(hair, rng)]
    return HairMesh(fringe, scalp, front, back, ties, bones)


def _joints(tail: tails.Tail) -> list[Vec3]:
    """Where a tail's bones stand: four places along it."""
    return [(float(x), float(y), float(z)) for x, y, z in spline(tail.line, 6)[1:-1]]


def _chain(name: str, points: list[Vec3], bones: list[BoneSpec]) -> BoneChain:
    """Append the bones of a chain; each hangs on the one before, the first on 頭."""
    start = len(BONE) + len(bones)
    for k, point in enumerate(points):
        parent = "頭" if k == 0 else f"{name}{k}"
        tail = f"{name}{k + 2}" if k + 1 < len(points) else ""
        bones.append(BoneSpec(f"{name}{k + 1}", f"hair_{start}_{k + 1}", parent, point, tail))
    joints = tuple(range(start, start + len(points)))
    return BoneChain(_HEAD, joints, tuple(p[1] for p in points))


# Hair combed or spiked up from the forehead: its locks climb over the shell.

_STATIONS = 14


def build_upswept(hair: Hair, shell: Shell, rng: Rng) -> Surface:
    """Two rows of locks from the hairline, temple to temple, up and back over the crown."""
    per_row = 8
    azimuth = np.tile(np.linspace(-1.15, 1.15, per_row), 2)
    azimuth = azimuth + rng.uniform(-0.06, 0.06, 2 * per_row)
    front = np.repeat([1.0, 0.0], per_row)
    foot = 0.84 - 0.16 * np.abs(azimuth) ** 2 + 0.06 * (1 - front)
    stands = rng.uniform(0.03, 0.10, 2 * per_row) * (0.5 + hair.messy) * (0.4 + 0.6 * front)
    lean = 0.14 * np.sign(hair.parting + 1e-6) * rng.uniform(0.3, 1.0, 2 * per_row)
    centres = np.stack(
        [
            _climbing(shell, *row)
            for row in zip(azimuth.tolist(), foot.tolist(), stands.tolist(), lean.tolist(),
                           strict=True)
        ]
    )  # fmt: skip
    middle = np.array([0.0, 0.52, 0.05])
    outward = centres - middle
    count = len(centres)
    width = 0.125 * hair.clump * rng.uniform(0.9, 1.2, (count, 1))
    width = width * taper(_STATIONS, 0.20, 0.40, 0.45, 0.85)
    u = lock_u(rng.integers(0, TILES, count))
    index = np.full((count, _STATIONS, 2), _HEAD)
    return sweep(
        centres, outward, width, width * 0.42, u, hair_v(centres[..., 1]), index,
        np.ones((count, _STATIONS)),
    )  # fmt: skip


def _climbing(shell: Shell, azimuth: float, foot: float, stands: float, lean: float) -> F64:
    """A centre line (N, 3) from the hairline over the dome; its tip ``stands`` off the hair."""
    heights = np.array([foot, 0.5 * foot + 0.5 * shell.top - 0.01, shell.top - 0.03])
    swell = np.array([-0.05, 0.040, 0.045])
    on = shell.at(np.full(3, azimuth), heights, swell)
    x, y, z = on[-1].tolist()
    tip = [1.25 * x + lean, y + 0.03 + stands, z + 0.22]
    return spline(np.concatenate([on, [tip]]), _STATIONS)
