"""Lids that bones move: the closing of the eyes as weights on lid bones and how far those go.

A shape moves every point of a lid straight, each by its own length. One bone that goes as far as
the farthest, and weights that say each point's share of that, come to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from characters.base.rigging import BONE, BoneSpec, Vec3
from characters.base.surface import Surface
from characters.design.spec import Eye

_HEAD = BONE["頭"]
_STILL = 1e-5


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
