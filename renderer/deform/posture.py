"""The local motion of a skeleton while it is being posed: written by append and IK, in their order.

A bone's local rotation is IK * (own * append) and its local move own + append, about and from its
rest position; bones have no rest rotation. Bones without an entry rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from renderer.deform.quaternion import IDENTITY, Quat, multiply, rotate
from renderer.formats.model import Vec3

ORIGIN: Vec3 = (0.0, 0.0, 0.0)


def plus(a: Vec3, b: Vec3) -> Vec3:
    """a + b."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def minus(a: Vec3, b: Vec3) -> Vec3:
    """a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@dataclass(frozen=True)
class Transform:
    """Where a bone takes what hangs on it: v' = ``rotation`` v + ``offset``, in model space."""

    rotation: Quat = IDENTITY
    offset: Vec3 = ORIGIN

    def apply(self, point: Vec3) -> Vec3:
        """The point after the transform."""
        return plus(rotate(self.rotation, point), self.offset)

    def then_joint(self, pivot: Vec3, rotation: Quat, move: Vec3) -> Transform:
        """The transform of a child that turns about ``pivot`` and moves, both in rest axes."""
        turned = multiply(self.rotation, rotation)
        return Transform(turned, minus(self.apply(plus(pivot, move)), rotate(turned, pivot)))


@dataclass
class Posture:
    """Local motions by bone index; ``parents`` has no loops and -1 for roots."""

    positions: Sequence[Vec3]
    parents: Sequence[int]
    own_rotations: dict[int, Quat]
    own_moves: dict[int, Vec3]
    append_rotations: dict[int, Quat] = field(default_factory=dict)
    append_moves: dict[int, Vec3] = field(default_factory=dict)
    ik_rotations: dict[int, Quat] = field(default_factory=dict)

    def rotation_before_ik(self, bone: int) -> Quat:
        """Own and appended rotation."""
        own = self.own_rotations.get(bone, IDENTITY)
        append = self.append_rotations.get(bone)
        return multiply(own, append) if append else own

    def rotation(self, bone: int) -> Quat:
        """The whole local rotation."""
        before = self.rotation_before_ik(bone)
        ik = self.ik_rotations.get(bone)
        return multiply(ik, before) if ik else before

    def move(self, bone: int) -> Vec3:
        """The whole local move."""
        own = self.own_moves.get(bone, ORIGIN)
        append = self.append_moves.get(bone)
        return plus(own, append) if append else own

    def moving(self) -> set[int]:
        """The bones that do not rest in their parent."""
        return {
            *self.own_rotations,
            *self.own_moves,
            *self.append_rotations,
            *self.append_moves,
            *self.ik_rotations,
        }

    def joint(self, bone: int, parent: Transform) -> Transform:
        """The bone's transform, given its parent's."""
        return parent.then_joint(self.positions[bone], self.rotation(bone), self.move(bone))

    def transform(self, bone: int) -> Transform:
        """The bone's transform as things stand; -1 is the world."""
        chain = []
        while bone >= 0:
            chain.append(bone)
            bone = self.parents[bone]
        transform = Transform()
        for link in reversed(chain):
            transform = self.joint(link, transform)
        return transform
