"""From a catalogue to the models that are drawn, and the reason for each that is not."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contract.rig import Rig
from dataset.catalog.catalog import Catalog, CatalogRow
from dataset.catalog.corrections import REJECTED, Corrections, corrected_row
from dataset.catalog.duplicates import representatives
from dataset.catalog.quarantine import Refusal
from dataset.catalog.split import load_split
from dataset.jobs.messages import ModelFile

DOUBTFUL = "doubtful; review them, or give --include-doubtful"
NEAR_DUPLICATE = "near-duplicates of models that are drawn; --keep-duplicates draws them too"


@dataclass(frozen=True)
class PlannedModel(ModelFile):
    """A model to draw, and how it is posed and framed."""

    annotation: Rig


@dataclass(frozen=True)
class Selection:
    """Which of the models that were found are to be drawn.

    ``duplicates``: path of a file -> path of the one with the same bytes and textures that stands
    for it;
    ``left_out``: path -> why it is not drawn; ``refused``: path -> what is wrong with it;
    ``archives``, ``links``: paths that are left alone.
    """

    models: tuple[PlannedModel, ...]
    duplicates: Mapping[str, str]
    left_out: Mapping[str, str]
    refused: Mapping[str, Refusal]
    archives: tuple[str, ...]
    links: tuple[str, ...]

    def paths(self) -> set[str]:
        """Every model file that was found."""
        planned = {model.path for model in self.models}
        return planned | {*self.duplicates, *self.left_out, *self.refused}


@dataclass(frozen=True)
class Wish:
    """Which models are wanted; ``sources`` None: of all."""

    keep_duplicates: bool = False
    include_doubtful: bool = False
    sources: Container[str] | None = None


def choose(catalog: Catalog, corrections: Corrections, wish: Wish) -> Selection:
    """What to draw of a catalogue, as people corrected it.

    Raises:
        InputError: a correction does not fit its model.
    """
    rows = [
        corrected_row(row, corrections.get(row.sha256))
        for row in catalog.rows
        if wish.sources is None or row.source in wish.sources
    ]
    left_out = {row.path: row.message for row in rows if row.code == REJECTED}
    refused = {
        row.path: Refusal(row.sha256, row.code, row.message, row.stage)
        for row in rows
        if row.status == "refused" and row.code != REJECTED
    }
    usable = [row for row in rows if row.status != "refused"]
    if not wish.include_doubtful:
        left_out |= {row.path: DOUBTFUL for row in usable if row.status == "doubtful"}
        usable = [row for row in usable if row.status == "ok"]
    if not wish.keep_duplicates:
        kept = _kept(usable, corrections)
        left_out |= {row.path: NEAR_DUPLICATE for row in usable if not kept[row.path]}
        usable = [row for row in usable if kept[row.path]]
    models, duplicates = _by_bytes(usable)
    return Selection(models, duplicates, left_out, refused, catalog.archives, catalog.links)


def choose_parts(
    catalog: Catalog, corrections: Corrections, wish: Wish, split: Path | None
) -> Mapping[str, Selection]:
    """What to draw into which folder: all into ".", or the parts of a split that are not empty.

    Raises:
        InputError: the split does not fit the catalogue.
    """
    if split is None:
        return {".": choose(catalog, corrections, wish)}
    sources = load_split(split, catalog.rows).parts
    parts = {
        part: choose(catalog, corrections, replace(wish, sources=frozenset(names)))
        for part, names in sources.items()
    }
    return {part: selection for part, selection in parts.items() if selection.models}


def _kept(rows: list[CatalogRow], corrections: Corrections) -> Mapping[str, bool]:
    """Whether each row is its group's representative, or in no group."""
    groups: dict[int, list[CatalogRow]] = {}
    for row in rows:
        if row.group is not None:
            groups.setdefault(row.group, []).append(row)
    accepted = frozenset(sha for sha, one in corrections.items() if one.decision == "accept")
    kept = representatives(groups, accepted)
    return {row.path: row.group is None or kept[row.group].path == row.path for row in rows}


def _by_bytes(rows: list[CatalogRow]) -> tuple[tuple[PlannedModel, ...], dict[str, str]]:
    """One model for each file's bytes with the textures it finds, and the paths of its copies."""
    models: dict[tuple[str, str], PlannedModel] = {}
    duplicates: dict[str, str] = {}
    for row in rows:
        described = row.described()
        key = row.sha256, described.textures
        if key in models:
            duplicates[row.path] = models[key].path
        else:
            models[key] = PlannedModel(row.path, row.sha256, described.annotation)
    return tuple(models.values()), duplicates
