"""All the hair of a character as surfaces, and the bones it brings along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.base.curves import spline
from characters.base.rigging import BONE, BoneSpec, Vec3
from characters.base.surface import Surface, merge
from characters.design.spec import CharacterSpec
from characters.shape import hair_styles, tails
from characters.shape.hair_shell import BoneChain, Shell, build_cap, build_locks
from characters.shape.upswept import build_upswept

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
