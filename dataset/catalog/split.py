"""Train, validation and test parts of a catalogue: whole sources, never models or pictures.

Sources that share a near-duplicate are kept together, so that no character is in two parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from contract.errors import InputError
from contract.text import counted
from dataset.catalog.catalog import CatalogRow
from dataset.shards.split_file import PARTS, Split, read_split

_OVERFULL = 1.25  # a source is taken while its part stays below so much of its share
_MANY = 3


def split_by_shares(
    rows: Sequence[CatalogRow], drawn: Sequence[str], shares: Mapping[str, float], seed: int
) -> Split:
    """Spread sources at random so that each part gets about its share of the ``drawn`` paths.

    Raises:
        InputError: shares that are none, or fewer separate sources than parts.
    """
    if min(shares.values()) < 0 or not 0.999 < sum(shares.values()) < 1.001 or not shares["train"]:
        given = ", ".join(f"{part} {shares[part]:g}" for part in PARTS)
        raise InputError(f"shares ({given}) must add up to 1, with some of it for train")
    sizes = _sizes(rows, drawn)
    units = _units(rows, sizes)
    wanted = [part for part in ("test", "validation") if shares[part]]
    if why := shortage(rows, drawn, len(wanted) + 1):
        raise InputError(why)
    np.random.default_rng([seed, 0x5911]).shuffle(units)
    total = sum(sizes.values())
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for left, part in enumerate(wanted):
        others = len(wanted) - left
        for unit in _taken(units, sizes, shares[part] * total, keep=others):
            parts[part] += unit
            units.remove(unit)
    return _with_the_rest(rows, parts, seed)


def split_by_names(
    rows: Sequence[CatalogRow], validation: Sequence[str], test: Sequence[str]
) -> Split:
    """Give the named sources to validation and test, and what shares characters with them.

    Raises:
        InputError: an unknown source, or one that would have to be in two parts.
    """
    wanted = dict.fromkeys(validation, "validation")
    for source in test:
        if source in wanted:
            raise InputError(f"source {source}: named for validation and for test")
        wanted[source] = "test"
    known = {row.source for row in rows}
    if unknown := sorted(set(wanted) - known):
        raise InputError(f"source {unknown[0]}: not in the catalogue; it has {_listed(known)}")
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for unit in bound_sources(rows):
        chosen = {wanted[source] for source in unit if source in wanted}
        if len(chosen) > 1:
            raise InputError(
                f"sources {_listed(unit)} share near-duplicates; put them into one part"
            )
        if chosen:
            parts[chosen.pop()] += unit
    split = _with_the_rest(rows, parts, 0)
    if not split.parts["train"]:
        raise InputError("no source is left for train; name fewer for validation and test")
    return split


def _taken(
    units: Sequence[tuple[str, ...]], sizes: Mapping[str, int], target: float, *, keep: int
) -> list[tuple[str, ...]]:
    """Units that come to about ``target`` models, at least one, while ``keep`` units are left."""
    taken: list[tuple[str, ...]] = []
    have = 0
    for unit in units:
        size = _size(unit, sizes)
        room = len(units) - len(taken) > keep
        if room and have < target and have + size <= _OVERFULL * target:
            taken.append(unit)
            have += size
    return taken or [min(units, key=lambda unit: _size(unit, sizes))]


def _sizes(rows: Sequence[CatalogRow], drawn: Iterable[str]) -> Mapping[str, int]:
    """How many models of each source are drawn."""
    paths = set(drawn)
    sizes = dict.fromkeys(sorted({row.source for row in rows}), 0)
    for row in rows:
        sizes[row.source] += row.path in paths
    return sizes


def _size(unit: Iterable[str], sizes: Mapping[str, int]) -> int:
    return sum(sizes[source] for source in unit)


def bound_sources(rows: Sequence[CatalogRow]) -> list[tuple[str, ...]]:
    """Sets of sources that must stay together, each sorted; in order of their first source."""
    together = {source: {source} for source in sorted({row.source for row in rows})}
    groups: dict[int, str] = {}
    for row in rows:
        if row.group is None:
            continue
        first = groups.setdefault(row.group, row.source)
        if together[first] is not together[row.source]:
            together[first] |= together[row.source]
            together |= dict.fromkeys(together[first], together[first])
    return sorted({tuple(sorted(unit)) for unit in together.values()})


def _units(rows: Sequence[CatalogRow], sizes: Mapping[str, int]) -> list[tuple[str, ...]]:
    """The sets of sources that have models to draw."""
    return [unit for unit in bound_sources(rows) if _size(unit, sizes)]


def shortage(rows: Sequence[CatalogRow], drawn: Iterable[str], parts: int) -> str:
    """Why the ``drawn`` paths cannot be split into so many parts; empty if they can."""
    units = _units(rows, _sizes(rows, drawn))
    if len(units) >= parts:
        return ""
    sources = {row.source for row in rows}
    why = f"the catalogue has {counted(len(sources), 'source')} ({_listed(sources)})"
    if bound := [unit for unit in units if len(unit) > 1]:
        why += f", of which {_listed(bound[0])} share near-duplicates"
    return (
        f"{why}; {parts} parts need {parts} separate sources with models to draw: a source is a "
        "folder right below the models folder, and is never cut"
    )


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _MANY} more" if len(ordered) > _MANY else ""
    return ", ".join(ordered[:_MANY]) + more


def _with_the_rest(rows: Sequence[CatalogRow], parts: dict[str, list[str]], seed: int) -> Split:
    given = {source for sources in parts.values() for source in sources}
    parts["train"] += {row.source for row in rows} - given
    train, validation, test = (tuple(sorted(parts[part])) for part in PARTS)
    return Split(train, validation, test, seed)


def load_split(path: Path, rows: Sequence[CatalogRow]) -> Split:
    """The split of a file, which must fit the catalogue's ``rows``.

    Raises:
        InputError: as ``read_split``; or it knows not all sources, or parts near-duplicates.
    """
    split = read_split(path)
    part_of = split.part_of()
    if missing := sorted({row.source for row in rows} - set(part_of)):
        raise InputError(f"{path}: knows nothing of source {missing[0]}; split again")
    for unit in bound_sources(rows):
        if len({part_of[source] for source in unit}) > 1:
            raise InputError(f"{path}: parts {_listed(unit)}, which share characters; split again")
    return split


def split_table(split: Split, rows: Sequence[CatalogRow], drawn: Iterable[str], poses: int) -> str:
    """Sources, models, poses and pictures of each part (one light: models + 2 a pose)."""
    sizes = _sizes(rows, drawn)
    lines = [f"{'':<12}{'sources':>10}{'models':>10}{'poses':>12}{'pictures':>12}"]
    for part in PARTS:
        sources = split.parts[part]
        models = _size(sources, sizes)
        samples = models * poses
        lines.append(
            f"{part:<12}{len(sources):>10,}{models:>10,}{samples:>12,}{models + 2 * samples:>12,}"
        )
    return "\n".join(lines)
