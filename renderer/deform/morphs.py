"""Morphs: groups resolved into plain ones, and sparse offsets added where they belong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.easing import smoothstep
from contract.rig import MorphUse, Side
from renderer.deform.posture import ORIGIN, plus
from renderer.deform.quaternion import IDENTITY, Quat, multiply, normalised, share
from renderer.formats.model import (
    F32,
    I32,
    BoneOffsets,
    GroupOffsets,
    MaterialOffsets,
    Morph,
    MorphOffsets,
    UvOffsets,
    Vec3,
    VertexOffsets,
)

Index = npt.NDArray[np.intp]
_Entry = tuple[int, float]  # a morph and its factor
_SIDES = (Side.WHOLE, Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class Weight:
    """A morph's weight: ``whole`` everywhere, plus one for each of the character's sides."""

    whole: float
    left: float
    right: float

    @property
    def sided(self) -> bool:
        """Whether the sides differ."""
        return self.left != self.right

    @property
    def mean(self) -> float:
        """The weight of what has no side."""
        return self.whole + (self.left + self.right) / 2

    def at(self, left_share: F32) -> F32:
        """The weight where the left side's share is ``left_share`` (n,) in 0..1."""
        weights: F32 = self.whole + self.right + left_share * np.float32(self.left - self.right)
        return weights


@dataclass(frozen=True)
class SideSplit:
    """How x divides the model into sides: smoothly over +-``half_width`` about ``x``."""

    x: float
    half_width: float

    def left_share(self, x: npt.NDArray[np.floating]) -> F32:
        """The character's left side's share, 0..1, at each x (model units)."""
        if self.half_width <= 0:
            return np.where(x == self.x, 0.5, x > self.x).astype(np.float32)
        share = np.clip((x - self.x) / (2 * self.half_width) + 0.5, 0, 1)
        eased: F32 = smoothstep(share).astype(np.float32)
        return eased


@dataclass(frozen=True)
class _Offsets:
    """Offsets (n, d) of distinct rows of the mesh, and the left side's share in each."""

    rows: Index
    offsets: F32
    left_share: F32

    def add_to(self, target: F32, weight: Weight) -> None:
        """Add the offsets at a weight to the rows of ``target`` (V, d)."""
        if weight.sided:
            target[self.rows] += self.offsets * weight.at(self.left_share)[:, None]
        else:
            target[self.rows] += self.offsets * np.float32(weight.mean)


@dataclass(frozen=True)
class _Group:
    """A group or flip morph; entries that lead nowhere are ``None``."""

    index: int
    flip: bool
    entries: tuple[_Entry | None, ...]

    def hand_on(self, weight: float) -> list[_Entry]:
        """What the morphs that it names get from its weight."""
        if weight == 0:
            return []
        if not self.flip:
            return [(child, factor * weight) for child, factor in filter(None, self.entries)]
        picked = min(math.floor((len(self.entries) + 1) * weight), len(self.entries)) - 1
        entry = self.entries[picked] if picked >= 0 else None
        return [entry] if entry else []


class MorphTable:
    """The morphs of a model, ready to be applied many times to the given rows of its mesh.

    ``row_of`` (V,) is each vertex's row in the mesh that is computed, -1 where it is left out;
    ``left_share`` holds the left side's share of each of these rows.
    """

    def __init__(
        self,
        morphs: Sequence[Morph],
        row_of: Index,
        left_share: F32,
        bone_left_share: F32,
    ) -> None:
        self._morphs = morphs
        self._row_of = row_of
        self._left_share = left_share
        self._bone_left_share = bone_left_share
        self._groups = _expansion(morphs)
        self._prepared: dict[int, _Offsets] = {}

    def resolve(self, uses: Sequence[MorphUse]) -> dict[int, Weight]:
        """Weights of plain morphs, by index, that the uses come to.

        Groups hand their weight on, times a factor, to nested groups too; a reference that would
        close a loop is ignored. A flip morph picks one of its N entries, floor((N + 1) weight) - 1
        (none below 0), and gives it the entry's own weight.
        """
        weights = np.zeros((len(_SIDES), len(self._morphs)))
        for use in uses:
            weights[_SIDES.index(use.side), use.morph] += use.weight
        for group in self._groups:
            for of_side in weights:
                for child, weight in group.hand_on(float(of_side[group.index])):
                    of_side[child] += weight
        return {
            int(morph): Weight(*map(float, weights[:, morph]))
            for morph in np.flatnonzero(weights.any(axis=0))
        }

    def any_of(self, kind: type[MorphOffsets], weights: Mapping[int, Weight]) -> bool:
        """Whether any of the weighted morphs is of a kind."""
        return any(isinstance(self._morphs[morph].offsets, kind) for morph in weights)

    def add_vertices(self, positions: F32, weights: Mapping[int, Weight]) -> None:
        """Add the vertex morphs to ``positions`` (rows, 3)."""
        for morph, weight in weights.items():
            offsets = self._morphs[morph].offsets
            if isinstance(offsets, VertexOffsets):
                self._rows_of(morph, offsets.vertices, offsets.offsets).add_to(positions, weight)

    def add_uvs(self, uv: F32, additional_uv: F32, weights: Mapping[int, Weight]) -> None:
        """Add the UV morphs to ``uv`` (rows, 2) and ``additional_uv`` (rows, K, 4)."""
        for morph, weight in weights.items():
            offsets = self._morphs[morph].offsets
            if not isinstance(offsets, UvOffsets):
                continue
            rows = self._rows_of(morph, offsets.vertices, offsets.offsets)
            if offsets.channel == 0:
                _Offsets(rows.rows, rows.offsets[:, :2], rows.left_share).add_to(uv, weight)
            elif offsets.channel <= additional_uv.shape[1]:
                rows.add_to(additional_uv[:, offsets.channel - 1], weight)

    def bone_motions(
        self, weights: Mapping[int, Weight]
    ) -> tuple[dict[int, Vec3], dict[int, Quat]]:
        """Translations and rotations that the bone morphs give to bones, by bone index.

        Where several bone morphs turn one bone, engines differ: some move it from rotation to
        rotation by each weight, some let the last morph win. Here the weighted rotations multiply
        in the order of the file, and the moves add up, as if the bone were turned by each in turn.
        """
        translations: dict[int, Vec3] = {}
        rotations: dict[int, Quat] = {}
        for morph, weight in sorted(weights.items()):
            offsets = self._morphs[morph].offsets
            if not isinstance(offsets, BoneOffsets):
                continue
            shares = weight.at(self._bone_left_share[offsets.bones]).tolist()
            bones, moves, turns = offsets.bones, offsets.translations, offsets.rotations
            for bone, amount, move, turn in zip(
                bones.tolist(), shares, moves.tolist(), turns.tolist(), strict=True
            ):
                x, y, z = move
                moved = (x * amount, y * amount, z * amount)
                translations[bone] = plus(translations.get(bone, ORIGIN), moved)
                turned = share(normalised(turn), amount)
                rotations[bone] = multiply(turned, rotations.get(bone, IDENTITY))
        return translations, rotations

    def material_changes(
        self, weights: Mapping[int, Weight]
    ) -> list[tuple[MaterialOffsets, float]]:
        """The material morphs and their weights; a material has no side."""
        return [
            (offsets, weight.mean)
            for morph, weight in sorted(weights.items())
            if isinstance(offsets := self._morphs[morph].offsets, MaterialOffsets)
        ]

    def _rows_of(self, morph: int, vertices: I32, offsets: F32) -> _Offsets:
        """The morph's offsets of the rows that are computed, kept for the next time."""
        found = self._prepared.get(morph)
        if found is None:
            rows = self._row_of[vertices]
            inside = rows >= 0
            rows, moved = _distinct(rows[inside], offsets[inside])
            found = _Offsets(rows, moved, self._left_share[rows])
            self._prepared[morph] = found
        return found


def _distinct(rows: Index, offsets: F32) -> tuple[Index, F32]:
    """Each row once, ascending; offsets of a row that is named several times are summed."""
    distinct, places = np.unique(rows, return_inverse=True)
    summed = np.zeros((len(distinct), offsets.shape[1]), np.float32)
    np.add.at(summed, places, offsets)
    return distinct, summed


def _expansion(morphs: Sequence[Morph]) -> list[_Group]:
    """Group and flip morphs, each before those that it names, without loops.

    A depth-first walk in file order; an entry that leads back to a group whose own walk has not
    ended closes a loop and is dropped.
    """
    groups = {
        index: morph.offsets
        for index, morph in enumerate(morphs)
        if isinstance(morph.offsets, GroupOffsets)
    }
    entries: dict[int, list[_Entry | None]] = {}
    finished: list[int] = []
    for start, offsets in groups.items():
        walk = [] if start in entries else [(start, _pairs(offsets))]
        entries.setdefault(start, [])
        under_way = {start}
        while walk:
            index, rest = walk[-1]
            entry = next(rest, None)
            if entry is None:
                walk.pop()
                under_way.discard(index)
                finished.append(index)
                continue
            child = entry[0]
            entries[index].append(None if child < 0 or child in under_way else entry)
            if child in groups and child not in entries:
                walk.append((child, _pairs(groups[child])))
                entries[child] = []
                under_way.add(child)
    return [
        _Group(index, groups[index].flip, tuple(entries[index])) for index in reversed(finished)
    ]


def _pairs(offsets: GroupOffsets) -> Iterator[_Entry]:
    return zip(offsets.morphs.tolist(), offsets.factors.tolist(), strict=True)
