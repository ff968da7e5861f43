"""The order in which opaque triangles cost least: near ones first, which hide those behind them.

Which one is seen does not depend on it, but where two lie in one place; of these the last is seen,
so they stay in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import groupby

import numpy as np

from renderer.formats.model import F32, I32

_LAYERS = 12
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
"""Odd numbers with their bits well mixed, of a hash of x, y and z."""


def near_first(faces: I32, depths: F32) -> I32:
    """The faces (F, 3) of one surface, those of nearer layers first, each layer in its old order.

    depths (V,): of the vertices, larger farther away. A full sort would part neighbours, whose
    vertices are computed once for both.
    """
    if not len(faces):
        return faces
    nearest = depths[faces].min(axis=1)
    borders = np.quantile(nearest, np.linspace(0, 1, _LAYERS + 1)[1:-1])
    return faces[np.argsort(np.searchsorted(borders, nearest), kind="stable")]


class SurfaceOrder:
    """In which order surfaces are drawn that are opaque or not, given the faces of each.

    ``places`` (V, 3): where the vertices are at rest, in clip space.
    """

    def __init__(self, faces: Sequence[I32], places: F32) -> None:
        self._depths = [float(places[of, 2].min(initial=np.inf)) for of in faces]
        self._touched = _touched(faces, places)
        self._known: dict[tuple[bool, ...], tuple[int, ...]] = {}

    def of(self, opaque: Sequence[bool]) -> tuple[int, ...]:
        """The surfaces' numbers: as in the file, but opaque ones nearest first between the others.

        Of two that touch, as do a face and a layer upon it, the earlier stays so.
        """
        key = tuple(opaque)
        if key not in self._known:
            runs = groupby(range(len(key)), key.__getitem__)
            ordered = (self._nearest(list(run)) if hides else list(run) for hides, run in runs)
            self._known = {key: tuple(number for run in ordered for number in run)}
        return self._known[key]

    def _nearest(self, run: Sequence[int]) -> list[int]:
        inside = frozenset(run)
        waits_for = {number: len(self._touched[number] & inside) for number in run}
        waiting: dict[int, list[int]] = {number: [] for number in run}
        for number in run:
            for earlier in self._touched[number] & inside:
                waiting[earlier].append(number)
        ready = [(self._depths[number], number) for number in run if not waits_for[number]]
        heapify(ready)
        order: list[int] = []
        while ready:
            done = heappop(ready)[1]
            order.append(done)
            for number in waiting[done]:
                waits_for[number] -= 1
                if not waits_for[number]:
                    heappush(ready, (self._depths[number], number))
        return order


def _touched(faces: Sequence[I32], places: F32) -> list[frozenset[int]]:
    """Of each surface, the last earlier ones that have a vertex in the same place, for each place.

    Two places may be taken for one, for which surfaces are kept in order without need.
    """
    hashes = (places + np.float32(0)).view(np.uint32).astype(np.uint64) @ _MIXERS  # -0 is 0
    found = [np.unique(hashes[of]) for of in faces]
    at = np.concatenate([np.zeros(0, np.uint64), *found])
    users = np.repeat(np.arange(len(found)), [len(of) for of in found])
    order = np.lexsort((users, at))
    at, users = at[order], users[order]
    same = at[1:] == at[:-1]
    touched: list[set[int]] = [set() for _ in found]
    for earlier, later in np.unique(np.stack([users[:-1][same], users[1:][same]]), axis=1).T:
        touched[later].add(int(earlier))
    return [frozenset(of) for of in touched]
