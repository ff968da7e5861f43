"""Which models of a catalogue are one character: copies, re-exports, recoloured, other clothes.

Two models are linked when their heads have the same mesh, when their pictures are the same, or when
a good part of the mesh and nearly all of the picture agree. Linked models are a group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset.catalog.catalog import Alike, CatalogRow, Why
from dataset.catalog.fingerprint import Likeness

# Unrelated heads were measured at most at 0.11 (mesh) and 0.88 (picture).
SAME_MESH = 0.5
SAME_PICTURE, SAME_COLOURS = 0.93, 0.8
SAME_PICTURE_RECOLOURED = 0.97
ALTERED_MESH, ALTERED_PICTURE = 0.25, 0.85

_PAIRS_AT_ONCE = 1 << 17  # that are compared: as much memory as a processor keeps near


@dataclass(frozen=True)
class Link:
    """Rows ``a`` < ``b`` that are alike, and how much in each respect, in [0, 1]."""

    a: int
    b: int
    why: Why
    mesh: float
    picture: float
    colours: float


def with_groups(rows: Sequence[CatalogRow]) -> tuple[CatalogRow, ...]:
    """The rows with groups numbered in order, and the links that hold them together.

    Drafts are grouped too, so that completing one parts no group and breaks no split.
    """
    links = _spanning(sorted(_links(rows), key=lambda link: -link.mesh - link.picture), len(rows))
    numbers: dict[int, int] = {}
    root_of = _Roots(len(rows))
    for link in links:
        root_of.join(link.a, link.b)
    links_of: defaultdict[int, list[Link]] = defaultdict(list)
    for link in links:
        links_of[link.a].append(link)
        links_of[link.b].append(link)
    grouped = []
    for number, row in enumerate(rows):
        linked = links_of[number]
        group = numbers.setdefault(root_of[number], len(numbers)) if linked else None
        alike = tuple(_alike(rows, link, number) for link in linked)
        grouped.append(replace(row, group=group, alike=alike))
    return tuple(grouped)


def _alike(rows: Sequence[CatalogRow], link: Link, number: int) -> Alike:
    other = rows[link.b if number == link.a else link.a].path
    return Alike(other, link.why, link.mesh, link.picture, link.colours)


class _Roots:
    """Union-find over 0 ... count - 1; the root of a set is its least member."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def __getitem__(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, a: int, b: int) -> bool:
        """Make one set of two; False when they are one already."""
        first, second = sorted((self[a], self[b]))
        self._parents[second] = first
        return first != second


def _spanning(links: Sequence[Link], count: int) -> list[Link]:
    """The first links that join everything that the links join."""
    roots = _Roots(count)
    return [link for link in links if roots.join(link.a, link.b)]


def _links(rows: Sequence[CatalogRow]) -> Iterator[Link]:
    """All pairs that are alike."""
    known = [number for number, row in enumerate(rows) if row.model]
    if not known:
        return
    likeness = Likeness([rows[number].described().fingerprint for number in known])
    first = 0
    while first < len(known):
        end = min(len(known), first + max(1, _PAIRS_AT_ONCE // (len(known) - first)))
        mesh, picture = likeness.mesh(first, end), likeness.structure(first, end)
        # Nothing below counts, whatever the colours.
        near = np.argwhere((mesh >= SAME_MESH) | (picture >= ALTERED_PICTURE))
        near = near[near[:, 1] > near[:, 0]]
        colours = likeness.colours(first, end) if len(near) else picture
        for one, other in near.tolist():
            a, b = known[first + one], known[first + other]
            values = mesh[one, other], picture[one, other], colours[one, other]
            if link := _link(rows, a, b, *map(float, values)):
                yield link
        first = end


def _link(
    rows: Sequence[CatalogRow], a: int, b: int, mesh: float, picture: float, colours: float
) -> Link | None:
    """The link of a pair, where it is alike."""
    same = picture >= SAME_PICTURE and colours >= SAME_COLOURS
    same = same or picture >= SAME_PICTURE_RECOLOURED
    if not (mesh >= SAME_MESH or same or (mesh >= ALTERED_MESH and picture >= ALTERED_PICTURE)):
        return None
    scores = [round(value, 3) for value in (mesh, picture, colours)]
    return Link(a, b, _why(rows[a], rows[b], scores[0], same), *scores)


def _why(a: CatalogRow, b: CatalogRow, mesh: float, same_picture: bool) -> Why:
    if a.sha256 == b.sha256 and a.described().textures == b.described().textures:
        return "same-bytes"
    if mesh >= SAME_MESH:
        return "same-mesh"
    return "same-picture" if same_picture else "altered-copy"


def representatives(
    groups: Mapping[int, Sequence[CatalogRow]], accepted: frozenset[str]
) -> Mapping[int, CatalogRow]:
    """The model of each group that stands for it.

    In order: one that is not refused; one that a person accepted (sha256s); the surest; PMX before
    PMD, which cannot say all that PMX says of materials; the finest mesh; the first path.
    """

    def rank(row: CatalogRow) -> tuple[bool, bool, bool, float, bool, int, str]:
        model = row.described()
        surest = min(model.annotation.confidence.values(), default=0.0)
        return (
            row.status == "refused",
            row.sha256 not in accepted,
            row.status != "ok",
            -round(surest, 2),
            model.format != "pmx",
            -model.counts.vertices,
            row.path,
        )

    return {number: min(rows, key=rank) for number, rows in groups.items() if rows}
