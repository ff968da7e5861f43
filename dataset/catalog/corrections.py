"""What a person decided about models: ``overrides.jsonl`` beside the catalogue, one line a model.

Corrections go by the hash of the file, so they hold wherever it lies and whoever scans it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from contract.errors import InputError
from contract.files import write_bytes
from contract.lock import alone
from contract.pose import FACE_AXES
from contract.records import decode, json_line, read_lines
from contract.rig import BOX_ANSWERS, HeadBox, MorphUse, Rig
from dataset.catalog.catalog import HEAD_BOX, TEXTURES, CatalogRow, Described, judged_row

OVERRIDES_NAME = "overrides.jsonl"
REJECTED = "rejected"

_MOST_DRIVES = 8
_HEIGHTS = (0.25, 4.0)  # of a corrected head box, in heights of the one that was found
_MOST_MOVED = 2.0  # of its lines, in the same heights

Decision = Literal["accept", "reject"]


@dataclass(frozen=True)
class Correction:
    """A person's word on one file; ``path`` is where it lay then.

    ``head_box`` and ``drives`` (by face axis) replace what was found; None and missing axes leave
    it as it is. ``textures``: a person wants the file although textures are missing, wherever it
    finds just these (``Described.textures``).
    """

    sha256: str
    path: str
    decision: Decision | None = None
    head_box: HeadBox | None = None
    drives: Mapping[str, tuple[MorphUse, ...]] = field(default_factory=dict)
    textures: str | None = None

    def __post_init__(self) -> None:
        if not set(self.drives) <= set(FACE_AXES):
            raise ValueError(f"drives are of {sorted(self.drives)}, not of {FACE_AXES}")
        for axis, drives in self.drives.items():
            if not 1 <= len(drives) <= _MOST_DRIVES:
                raise ValueError(f"{axis} has {len(drives)} drives; 1 to {_MOST_DRIVES} are needed")

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        answers = self.decision, self.head_box, self.textures
        return not self.drives and all(answer is None for answer in answers)

    def and_also(self, more: Correction) -> Correction:
        """This, with what ``more`` says in its place where it says something."""
        return replace(
            more,
            decision=more.decision or self.decision,
            head_box=more.head_box or self.head_box,
            drives={**self.drives, **more.drives},
            textures=more.textures or self.textures,
        )


Corrections = Mapping[str, Correction]


def overrides_of(catalog: Path) -> Path:
    """The overrides file of a catalogue."""
    return catalog.with_name(OVERRIDES_NAME)


def load_corrections(path: Path) -> dict[str, Correction]:
    """All corrections by sha256, none where there is no file; the last line on a file counts.

    Raises:
        InputError: a line is no correction.
    """
    found: dict[str, Correction] = {}
    for number, line in enumerate(read_lines(path), 1):
        try:
            correction = decode(Correction, json.loads(line))
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{path}: line {number} is no override ({error!s:.120}); mend or delete that line"
            ) from error
        found[correction.sha256] = correction
    return found


def save_corrections(path: Path, corrections: Corrections) -> None:
    """Write all corrections in one step; ``InputError`` when they cannot be written."""
    write_bytes(path, b"".join(json_line(asdict(one)) for one in corrections.values()))


def keep_correction(path: Path, correction: Correction, *, adding: bool) -> Correction | None:
    """Keep a person's word on a file in ``path``; what stood there of that file before.

    ``adding``: to what they said before; else in its place, and an empty word takes it back. On
    disk when this returns. Several programs may do so at once. ``InputError`` when it cannot be
    written.
    """
    with alone(path):
        kept = load_corrections(path)
        before = kept.pop(correction.sha256, None)
        wanted = before.and_also(correction) if adding and before else correction
        if not wanted.is_empty:
            kept[correction.sha256] = wanted
        save_corrections(path, kept)
    return before


def _require_likely(box: HeadBox, found: HeadBox) -> None:
    """``ValueError`` on a head box that cannot be of the head that was found."""
    height = found.skull_top_y - found.chin_y
    ratio = (box.skull_top_y - box.chin_y) / height
    if not _HEIGHTS[0] <= ratio <= _HEIGHTS[1]:
        raise ValueError(f"the head box is {ratio:.3g} times as high as the head that was found")
    moves = (
        abs(box.chin_y - found.chin_y),
        abs(box.skull_top_y - found.skull_top_y),
        abs(box.centre_x - found.centre_x),
    )
    if max(moves) > _MOST_MOVED * height:
        raise ValueError(
            f"the head box lies {max(moves) / height:.3g} heights off the head that was found"
        )


def corrected(annotation: Rig, correction: Correction | None) -> Rig:
    """An annotation as a person wants it: what they set is certain.

    Raises:
        ValueError: they set what cannot be of this model.
    """
    if correction is None:
        return annotation
    certain = set(correction.drives) | (set(BOX_ANSWERS) if correction.head_box else set())
    wanted = replace(
        annotation,
        head_box=correction.head_box or annotation.head_box,
        drives={**annotation.drives, **correction.drives},
        confidence={**annotation.confidence, **dict.fromkeys(certain, 1.0)},
        doubtful=tuple(answer for answer in annotation.doubtful if answer not in certain),
        evidence=(*annotation.evidence, *(f"corrected:{answer}" for answer in sorted(certain))),
    )
    _require_likely(wanted.head_box, annotation.head_box)
    return wanted


def corrected_row(row: CatalogRow, correction: Correction | None) -> CatalogRow:
    """A row as a person wants it; what they reject is refused, what they accept is ok.

    A draft becomes a model like any other once everything that it misses is given.

    Raises:
        InputError: the correction does not fit the model.
    """
    if row.model is None or correction is None:
        return row
    if correction.decision == "reject":
        return replace(
            row,
            status="refused",
            code=REJECTED,
            message="rejected in review",
            model=None,
            group=None,
            alike=(),
        )
    try:
        annotation = corrected(row.model.annotation, correction)
    except ValueError as error:
        raise InputError(f"overrides of {row.path}: {error}; mend or delete that line") from error
    model = _completed(replace(row.model, annotation=annotation), correction)
    wanted = judged_row(row, model)
    sure = correction.decision == "accept" and wanted.status == "doubtful"
    return replace(wanted, status="ok") if sure else wanted


def _completed(model: Described, correction: Correction) -> Described:
    """A draft without what a person gave; who accepts a guessed box gives it."""
    given = set(correction.drives)
    if correction.head_box or correction.decision == "accept":
        given.add(HEAD_BOX)
    annotation = model.annotation
    if TEXTURES in model.missing and correction.textures == model.textures:
        given.add(TEXTURES)
        annotation = shown_white(annotation)
    missing = {what: fault for what, fault in model.missing.items() if what not in given}
    return replace(model, annotation=annotation, missing=missing)


def shown_white(annotation: Rig) -> Rig:
    """An annotation whose pictures are wanted with what lacks its texture white."""
    return replace(
        annotation,
        doubtful=tuple(answer for answer in annotation.doubtful if answer != TEXTURES),
        evidence=(*annotation.evidence, f"corrected:{TEXTURES}"),
    )
