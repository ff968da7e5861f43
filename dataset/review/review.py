"""What a person looks at and decides in a review: a catalogue, its pictures and its overrides.

Models are asked for by the hash of their file, and only those of the catalogue. What is decided is
in the overrides file before the answer is given.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, replace
from pathlib import Path

from contract.errors import InputError
from contract.light import Light
from contract.pose import FACE_AXES, REST, Pose
from contract.records import decode
from contract.rig import MorphUse, Rig, Side
from contract.text import place, shown_path
from dataset.build.sampling import MIXED_AMBIENT
from dataset.catalog.catalog import TEXTURES, CatalogRow, load_catalog
from dataset.catalog.corrections import (
    REJECTED,
    Correction,
    Corrections,
    corrected,
    corrected_row,
    keep_correction,
    load_corrections,
    overrides_of,
    shown_white,
)
from dataset.drawing.rendering import in_words
from dataset.review.painter import Painter, Painting

PAGE_MODELS = 60
_DIM, _BRIGHT = MIXED_AMBIENT
VIEWS = {
    "rest": (REST, Light(_DIM, "toon")),
    "left_eye": (Pose(left_eye=1.0), Light(_DIM, "phong")),
    "right_eye": (Pose(right_eye=1.0), Light(_BRIGHT, "toon")),
    "both": (Pose(left_eye=1.0, right_eye=1.0), Light(_BRIGHT, "phong")),
    "mouth": (Pose(mouth=0.0), Light((_DIM + _BRIGHT) / 2, "phong")),
}
"""The pictures of a model: as found at rest, each eye and both closed, the mouth closed; together
they show it under the lights of a data set of mixed shading."""


class Review:
    """A catalogue under review: its rows, and what was decided so far."""

    def __init__(self, catalog: Path, painter: Painter) -> None:
        self._catalog = load_catalog(catalog)
        self._overrides = overrides_of(catalog)
        self._read: Corrections = load_corrections(self._overrides)
        self._stamp: object = None
        self._painter = painter
        self._lock = threading.Lock()
        self._rows: dict[str, CatalogRow] = {}
        for row in self._catalog.rows:
            known = self._rows.setdefault(row.sha256, row)
            if _worth(row) > _worth(known):  # a copy that has the textures it needs
                self._rows[row.sha256] = row

    def listed(self, status: str, source: str, search: str, page: int) -> dict[str, object]:
        """A page of models, by what is thought of them now: doubtful ones first, then refused ones
        that a person can complete."""
        said = self._corrections()
        wanted = [
            row
            for row in (_corrected(row, said) for row in self._rows.values())
            if status in {"", row.status}
            and source in {"", row.source}
            and (not search or search.casefold() in self._words(row))
        ]
        wanted.sort(key=lambda row: (_turn(self._rows[row.sha256]), row.path))
        first = page * PAGE_MODELS
        return {
            "models": [self._summary(row, said) for row in wanted[first : first + PAGE_MODELS]],
            "count": len(wanted),
            "pages": -(-len(wanted) // PAGE_MODELS),
            "sources": sorted({row.source for row in self._rows.values()}),
            "axes": FACE_AXES,
        }

    def summary(self, sha256: str) -> dict[str, object]:
        """One model."""
        said = self._corrections()
        return self._summary(_corrected(self._row(sha256), said), said)

    def correct(self, sha256: str, values: object, *, adding: bool) -> dict[str, object]:
        """Keep a person's word on a model: on disk when this returns.

        adding: to what was said of it before; else in its place. The answer is the model's summary
        with, as "before", what was said before, so that it can be taken back.

        Raises:
            InputError: it is no correction, or does not fit the model.
        """
        row = self._row(sha256)
        try:
            if not isinstance(values, dict):
                raise ValueError("no correction")
            made = decode(Correction, {**values, "sha256": sha256, "path": row.path})
            if row.model:
                self._require_morphs(row, made)
                corrected(row.model.annotation, made)
                if made.decision == "accept" and TEXTURES in row.model.missing:
                    made = replace(made, textures=row.model.textures)
        except ValueError as error:
            raise InputError(f"{row.path}: {error!s:.200}") from error
        before = keep_correction(self._overrides, self._named(made), adding=adding)
        return {**self.summary(sha256), "before": asdict(before) if before else None}

    def picture(self, sha256: str, view: str, axis: str, morph: int, side: str) -> bytes:
        """A view as PNG; with ``axis``, as if that axis were driven by another morph."""
        row = _corrected(self._row(sha256), self._corrections())
        if view not in VIEWS:
            raise InputError(f"view {view:.20}: unknown; choose {', '.join(VIEWS)}")
        if row.model is None:
            raise InputError(f"{row.path}: {row.status}; there is no picture of it")
        annotation = row.model.annotation
        if TEXTURES in row.model.missing:
            annotation = shown_white(annotation)
        if axis:
            annotation = self._with_morph(annotation, axis, morph, side)
        path = place(self._catalog.models_folder, row.path)
        return self._painter.paint(Painting(path, annotation, *VIEWS[view]))

    def morphs(self, sha256: str) -> tuple[str, ...]:
        """The names of a model's morphs."""
        return self._painter.morph_names(place(self._catalog.models_folder, self._row(sha256).path))

    def _named(self, made: Correction) -> Correction:
        """The correction with the names that its morphs have in the file."""
        if not made.drives:
            return made
        names = self.morphs(made.sha256)
        if max(drive.morph for chosen in made.drives.values() for drive in chosen) >= len(names):
            raise InputError(f"{made.path}: it lost morphs since it was scanned; scan again")
        drives = {
            axis: tuple(replace(drive, name=names[drive.morph]) for drive in chosen)
            for axis, chosen in made.drives.items()
        }
        return replace(made, drives=drives)

    def _corrections(self) -> Corrections:
        """What was decided so far, here or by another program."""
        with self._lock:
            found = self._overrides.stat() if self._overrides.exists() else None
            stamp = found and (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._read, self._stamp = load_corrections(self._overrides), stamp
            return self._read

    def _row(self, sha256: str) -> CatalogRow:
        if sha256 not in self._rows:
            raise InputError("no such model in this catalogue; load the page again")
        return self._rows[sha256]

    @staticmethod
    def _words(row: CatalogRow) -> str:
        return f"{shown_path(row.path)} {row.model.name if row.model else ''} {row.code}".casefold()

    def _summary(self, row: CatalogRow, said: Corrections) -> dict[str, object]:
        correction = said.get(row.sha256)
        model = row.model
        return {
            "sha256": row.sha256,
            "path": shown_path(row.path),
            "source": row.source,
            "status": row.status,
            "was": self._rows[row.sha256].status,
            "code": row.code,
            "message": row.message,
            "licence": row.licence.text[:400] if row.licence else "",
            "name": model.name if model else "",
            "annotation": asdict(model.annotation) if model else None,
            "objections": [in_words(one) for one in model.annotation.objections] if model else [],
            "missing": list(model.missing) if model else [],
            "correction": asdict(correction) if correction else None,
            "group": row.group,
        }

    @staticmethod
    def _with_morph(annotation: Rig, axis: str, morph: int, side: str) -> Rig:
        if axis not in FACE_AXES or side not in set(Side):
            raise InputError(f"axis {axis:.20}, side {side:.20}: unknown")
        drives = {**annotation.drives, axis: (MorphUse(morph, 1.0, Side(side)),)}
        return replace(annotation, drives=drives)

    @staticmethod
    def _require_morphs(row: CatalogRow, made: Correction) -> None:
        count = row.described().counts.morphs
        for drives in made.drives.values():
            for drive in drives:
                if not 0 <= drive.morph < count or not 0 < drive.weight <= 1:
                    raise ValueError(f"morph {drive.morph} of {count}, weight {drive.weight:g}")


def _worth(row: CatalogRow) -> tuple[bool, bool]:
    """Which of two files with the same bytes is shown."""
    return row.status != "refused", row.model is not None


def _turn(row: CatalogRow) -> int:
    """Where a row of the catalogue stands among the others."""
    if row.status == "refused":
        return 3 if row.model is None else 1
    return 0 if row.status == "doubtful" else 2


def _corrected(row: CatalogRow, said: Corrections) -> CatalogRow:
    """The row as corrected; a rejected one keeps what is known of it, to be shown."""
    correction = said.get(row.sha256)
    if correction is None or row.model is None:
        return row
    if correction.decision == "reject":
        kept = replace(correction, decision=None)
        return replace(corrected_row(row, kept), status="refused", code=REJECTED)
    return corrected_row(row, correction)
