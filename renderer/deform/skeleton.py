"""Bones: in which order they act, what append and IK make of a pose, and where each one ends up.

Append and IK are evaluated in MMD's order (after-physics flag, deform layer, index; in PMD: parents
first); each changes the local motion of bones only, and positions follow the hierarchy at the end,
so that a child may stand before its parent in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderer.deform import ik
from renderer.deform.posture import ORIGIN, Posture, Transform
from renderer.deform.quaternion import IDENTITY, Quat, multiply, normalised, share, twist
from renderer.formats.model import I32, Bone, Vec3

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoneTransforms:
    """Where bones take their vertices: v' = R v + t, in model space.

    Bones that move as one share a slot: ``slots`` (B,) is each bone's row of ``rotations`` (S, 4),
    unit quaternions x, y, z, w, and ``offsets`` (S, 3). Row 0 is rest.
    """

    slots: I32
    rotations: F64
    offsets: F64


class Skeleton:
    """The bones of a model, ready to be posed many times.

    ``wanted`` names the bones that will be asked for (all by default); others are computed only as
    far as those depend on them. ``needed`` are all that are computed, ``turning`` those of them
    that append and IK may turn.
    """

    def __init__(
        self, bones: Sequence[Bone], *, parents_first: bool, wanted: Iterable[int] | None = None
    ) -> None:
        self._bones = bones
        self._parents = [bone.parent for bone in bones]
        self._positions = [bone.position for bone in bones]
        depths = _depths(self._parents)
        chains = {
            owner: chain
            for owner in range(len(bones))
            if (chain := ik.prepare(owner, bones, self._parents))
        }
        needed = self._needed(range(len(bones)) if wanted is None else wanted, chains)
        self.needed = frozenset(needed)
        turning = {bone for bone in needed if bones[bone].append}
        self.turning = turning.union(*(chains[owner].path for owner in needed & chains.keys()))
        self._hierarchy = sorted(needed, key=lambda bone: (depths[bone], bone))
        self._chains = {
            owner: chain for owner, chain in chains.items() if needed.issuperset(chain.path)
        }
        self._acting = sorted(
            {bone for bone in needed if bones[bone].append} | set(self._chains),
            key=lambda bone: _deform_order(bones[bone], bone, depths[bone], parents_first),
        )
        self._ik_at_rest: dict[int, dict[int, Quat]] = {}
        self._evaluate(Posture(self._positions, self._parents, {}, {}))

    def pose(
        self, rotations: Mapping[int, Quat], translations: Mapping[int, Vec3]
    ) -> BoneTransforms:
        """Transforms of all bones, given some bones' own rotations and translations.

        A bone with a fixed axis keeps only the part of its rotation about that axis.
        """
        own = {
            bone: self._on_axis(bone, normalised(rotation)) for bone, rotation in rotations.items()
        }
        posture = Posture(
            self._positions,
            self._parents,
            {bone: rotation for bone, rotation in own.items() if rotation[:3] != ORIGIN},
            {bone: move for bone, move in translations.items() if move != ORIGIN},
        )
        self._evaluate(posture)
        return self._transforms(posture)

    def _on_axis(self, bone: int, rotation: Quat) -> Quat:
        axis = self._bones[bone].fixed_axis
        return twist(rotation, axis) if axis else rotation

    def _evaluate(self, posture: Posture) -> None:
        """Let append and IK act on the posture, in order."""
        disturbed = posture.moving()
        for bone in self._acting:
            if self._append(bone, posture) and self._source(bone) in disturbed:
                disturbed.add(bone)
            chain = self._chains.get(bone)
            if chain:
                self._solve(chain, posture, disturbed)

    def _source(self, bone: int) -> int:
        append = self._bones[bone].append
        return append.bone if append else -1

    def _append(self, bone: int, posture: Posture) -> bool:
        """Take the share of the source's motion; False where there is none to take.

        The source's whole local motion counts, its own append and IK included; with the local
        flag, its append does not.
        """
        append = self._bones[bone].append
        if append is None:
            return False
        rotation, move = posture.rotation(append.bone), posture.move(append.bone)
        if append.local:
            own = posture.own_rotations.get(append.bone, IDENTITY)
            rotation = multiply(posture.ik_rotations.get(append.bone, IDENTITY), own)
            move = posture.own_moves.get(append.bone, ORIGIN)
        if append.rotation and rotation != IDENTITY:
            posture.append_rotations[bone] = share(rotation, append.ratio)
        if append.translation and move != ORIGIN:
            x, y, z = move
            posture.append_moves[bone] = (
                x * append.ratio,
                y * append.ratio,
                z * append.ratio,
            )
        return bone in posture.append_rotations or bone in posture.append_moves

    def _solve(self, chain: ik.IkChain, posture: Posture, disturbed: set[int]) -> None:
        """Solve a chain, or recall how it lies at rest where nothing it depends on has moved."""
        at_rest = disturbed.isdisjoint(chain.depends)
        if at_rest and chain.owner in self._ik_at_rest:
            found = self._ik_at_rest[chain.owner]
        else:
            found = ik.solve(chain, posture)
        if at_rest:
            self._ik_at_rest[chain.owner] = found
        else:
            disturbed.update(chain.path)
        for link in chain.links:
            posture.ik_rotations.pop(chain.path[link.place], None)
        posture.ik_rotations.update(found)

    def _transforms(self, posture: Posture) -> BoneTransforms:
        slots = np.zeros(len(self._bones), np.int32)
        transforms = [Transform()]
        moving = posture.moving()
        for bone in self._hierarchy:
            parent = self._parents[bone]
            slot = int(slots[parent]) if parent >= 0 else 0
            if bone in moving:
                transforms.append(posture.joint(bone, transforms[slot]))
                slot = len(transforms) - 1
            slots[bone] = slot
        return BoneTransforms(
            slots,
            np.array([transform.rotation for transform in transforms]),
            np.array([transform.offset for transform in transforms]),
        )

    def _needed(self, wanted: Iterable[int], chains: Mapping[int, ik.IkChain]) -> set[int]:
        """``wanted`` and all that they depend on: parents, append sources, IK chains."""
        solved_by: dict[int, list[int]] = {}
        for owner, chain in chains.items():
            for link in chain.links:
                solved_by.setdefault(chain.path[link.place], []).append(owner)
        needed: set[int] = set()
        waiting = [bone for bone in wanted if bone >= 0]
        while waiting:
            bone = waiting.pop()
            if bone in needed:
                continue
            needed.add(bone)
            sources = [self._parents[bone], self._source(bone)]
            for owner in solved_by.get(bone, ()):
                sources += [owner, *chains[owner].path]
            waiting += [source for source in sources if source >= 0]
        return needed


def _deform_order(
    bone: Bone, index: int, depth: int, parents_first: bool
) -> tuple[bool, int, int, int]:
    return bone.after_physics, bone.layer, depth if parents_first else 0, index


def _depths(parents: Sequence[int]) -> list[int]:
    """How many bones stand above each; ``parents`` has no loops."""
    depths = [-1] * len(parents)
    for start in range(len(parents)):
        chain = []
        bone = start
        while bone >= 0 and depths[bone] < 0:
            chain.append(bone)
            bone = parents[bone]
        depth = depths[bone] if bone >= 0 else -1
        for link in reversed(chain):
            depth += 1
            depths[link] = depth
    return depths
