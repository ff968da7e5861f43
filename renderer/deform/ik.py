"""Inverse kinematics as MMD does it: cyclic coordinate descent along a chain of bones.

Source: Wang and Chen, "A combined optimization method for solving the inverse kinematics problem"
(1991), with MMD's own additions: the step grows toward the root, limits clamp Euler angles, and in
the first half of the iterations a limited angle is mirrored back into its range instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from renderer.deform.posture import Posture, minus
from renderer.deform.quaternion import (
    IDENTITY,
    Quat,
    from_axis_angle,
    inverse,
    multiply,
    rotate,
    to_rows,
)
from renderer.formats.model import Bone, IkLink, Vec3

_REACHED = 1e-8  # squared model units
_PARALLEL = 1e-8  # squared sine
_GIMBAL_RADIANS = math.radians(88)
_AXES: tuple[Vec3, Vec3, Vec3] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class _Limits:
    """Euler limits of a link; ``order`` (i, j, k) means rotation = Ri Rj Rk."""

    low: Vec3
    high: Vec3
    order: tuple[int, int, int]
    hinge: int | None


@dataclass(frozen=True)
class _Link:
    """A bone of ``IkChain.path`` that may turn; ``step_radians`` is its most in one iteration."""

    place: int
    step_radians: float
    limits: _Limits | None


@dataclass(frozen=True)
class IkChain:
    """An IK chain prepared for solving.

    ``path`` leads from the root-most link down to the effector. ``depends`` are the bones whose
    motion can change the outcome: those between owner or effector and their common ancestors.
    """

    owner: int
    path: tuple[int, ...]
    links: tuple[_Link, ...]
    iterations: int
    depends: frozenset[int]


def prepare(owner: int, bones: Sequence[Bone], parents: Sequence[int]) -> IkChain | None:
    """The chain that bone ``owner`` solves; ``None`` where no link lies above the effector."""
    ik = bones[owner].ik
    if ik is None:
        return None
    above_effector = ancestry(ik.effector, parents)
    places = {bone: place for place, bone in enumerate(above_effector)}
    # Turning a bone that does not carry the effector, or the effector itself, cannot help.
    links = [(number, link) for number, link in enumerate(ik.links) if places.get(link.bone, 0) > 0]
    if not links:
        return None
    root_place = max(places[link.bone] for _, link in links)
    above_owner = ancestry(owner, parents)
    common = set(above_owner).intersection(above_effector[root_place + 1 :])
    return IkChain(
        owner,
        tuple(reversed(above_effector[: root_place + 1])),
        tuple(
            _Link(
                root_place - places[link.bone],
                ik.step_limit_radians * (number + 1),
                _limits(link),
            )
            for number, link in links
        ),
        ik.iterations,
        frozenset({*above_owner, *above_effector} - common),
    )


def ancestry(bone: int, parents: Sequence[int]) -> list[int]:
    """The bone, its parent, and so on to the root."""
    chain = []
    while bone >= 0:
        chain.append(bone)
        bone = parents[bone]
    return chain


def _limits(link: IkLink) -> _Limits | None:
    if link.low_radians is None or link.high_radians is None:
        return None
    lx, ly, lz = map(min, link.low_radians, link.high_radians)
    hx, hy, hz = map(max, link.low_radians, link.high_radians)
    quarter = math.pi / 2
    if -quarter < lx and hx < quarter:
        order = (1, 0, 2)
    elif -quarter < ly and hy < quarter:
        order = (2, 1, 0)
    else:
        order = (0, 2, 1)
    free = [axis for axis, range_ in enumerate(((lx, hx), (ly, hy), (lz, hz))) if any(range_)]
    return _Limits((lx, ly, lz), (hx, hy, hz), order, free[0] if len(free) == 1 else None)


def solve(chain: IkChain, posture: Posture) -> dict[int, Quat]:
    """The rotations of the chain's links that bring its effector to its owner.

    ``posture`` is read, not written; rotations it holds for these links are started from anew.
    """
    solver = _Solver(chain, posture)
    if solver.is_reached():
        return {}
    for iteration in range(chain.iterations):
        for link in chain.links:
            solver.turn(link, mirror=iteration < chain.iterations // 2)
        if solver.is_reached():
            break
    return solver.rotations


class _Solver:
    """One solution in progress: world transforms along the path, rotations of the links."""

    def __init__(self, chain: IkChain, posture: Posture) -> None:
        self.chain = chain
        self.rotations: dict[int, Quat] = {}
        self._positions = [posture.positions[bone] for bone in chain.path]
        self._before = [posture.rotation_before_ik(bone) for bone in chain.path]
        linked = {chain.path[link.place] for link in chain.links}
        self._others = [
            IDENTITY if bone in linked else posture.ik_rotations.get(bone, IDENTITY)
            for bone in chain.path
        ]
        self._moves = [posture.move(bone) for bone in chain.path]
        self._goal = posture.transform(chain.owner).apply(posture.positions[chain.owner])
        self._world = [posture.transform(posture.parents[chain.path[0]])]
        self._extend(0)

    def is_reached(self) -> bool:
        gap = minus(self._effector, self._goal)
        return _dot(gap, gap) < _REACHED

    def turn(self, link: _Link, *, mirror: bool) -> None:
        """Turn one link toward the goal, within its step and its limits."""
        place, limits = link.place, link.limits
        pivot = self._world[place + 1].apply(self._positions[place])
        here, there = _unit(minus(self._effector, pivot)), _unit(minus(self._goal, pivot))
        axis = _cross(here, there)
        if _dot(axis, axis) < _PARALLEL:
            return
        axis = rotate(inverse(self._world[place].rotation), axis)
        if limits and limits.hinge is not None and mirror:
            x, y, z = _AXES[limits.hinge]
            sign = math.copysign(1.0, axis[limits.hinge])
            axis = (x * sign, y * sign, z * sign)
        angle = min(math.acos(max(-1.0, min(1.0, _dot(here, there)))), link.step_radians)
        bone = self.chain.path[place]
        turned = multiply(from_axis_angle(axis, angle), self.rotations.get(bone, IDENTITY))
        if limits:
            before = self._before[place]
            turned = multiply(_limited(multiply(turned, before), limits, mirror), inverse(before))
        self.rotations[bone] = turned
        self._extend(place)

    def _extend(self, place: int) -> None:
        """Bring the world transforms up to date from a place of the path down to the effector."""
        del self._world[place + 1 :]
        for k in range(place, len(self._positions)):
            ik = self.rotations.get(self.chain.path[k], self._others[k])
            local = multiply(ik, self._before[k])
            self._world.append(
                self._world[-1].then_joint(self._positions[k], local, self._moves[k])
            )
        self._effector = self._world[-1].apply(self._positions[-1])


def _limited(rotation: Quat, limits: _Limits, mirror: bool) -> Quat:
    """``rotation`` with each Euler angle within its limits."""
    i, j, k = limits.order
    rows = to_rows(rotation)
    angles = [0.0, 0.0, 0.0]
    middle = math.asin(max(-1.0, min(1.0, -rows[i][k])))
    angles[j] = max(-_GIMBAL_RADIANS, min(_GIMBAL_RADIANS, middle))
    angles[i] = math.atan2(rows[j][k], rows[k][k])
    angles[k] = math.atan2(rows[i][j], rows[i][i])
    turns = [
        from_axis_angle(_AXES[axis], _clamp(angles[axis], limits, axis, mirror))
        for axis in limits.order
    ]
    return multiply(multiply(turns[0], turns[1]), turns[2])


def _clamp(angle: float, limits: _Limits, axis: int, mirror: bool) -> float:
    low, high = limits.low[axis], limits.high[axis]
    if low <= angle <= high:
        return angle
    bound = low if angle < low else high
    mirrored = 2 * bound - angle
    return mirrored if mirror and low <= mirrored <= high else bound


def _dot(a: Vec3, b: Vec3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vec3, b: Vec3) -> Vec3:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _unit(v: Vec3) -> Vec3:
    length = math.hypot(*v)
    return (v[0] / length, v[1] / length, v[2] / length) if length else v
