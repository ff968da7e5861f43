"""The catalogue of a models folder: one JSON line a model after one line about the whole.

Paths in it are relative to the models folder, with slashes, and escaped (``contract.text``); the
models folder is given relative to the catalogue's own folder, so that both may move together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from contract.errors import InputError
from contract.files import write_bytes
from contract.pose import FACE_AXES
from contract.records import decode, json_line, read_lines
from contract.rig import Rig
from contract.text import escaped_path, place, restored_path
from dataset.catalog.fingerprint import Fingerprint
from dataset.jobs.messages import ModelStep
from dataset.shards.records import FoundText

CATALOG_VERSION = 1
HEAD_BOX = "head_box"
TEXTURES = "textures"
"""What a draft may lack beside drives of ``FACE_AXES``; the latter is also an answer of rigs whose
pictures show something white."""

Status = Literal["ok", "doubtful", "refused"]
Why = Literal["same-bytes", "same-mesh", "same-picture", "altered-copy"]


@dataclass(frozen=True)
class Counts:
    """How much of everything a file holds."""

    vertices: int
    faces: int
    materials: int
    bones: int
    morphs: int
    textures: int


@dataclass(frozen=True)
class Fault:
    """Why a model is refused; ``code`` is stable and machine-readable."""

    code: str
    message: str


@dataclass(frozen=True)
class Described:
    """What was found out about a model; ``comment`` is the file's own text (its beginning).

    ``notes``: what its files have wrong that no picture is the worse for, a line each.
    ``textures``: a checksum of those that pictures show; two files with the same bytes are one
    model only if it is the same.
    ``missing``: what a person has to give (face axes, ``HEAD_BOX``, ``TEXTURES``) before the model
    can be drawn, and why, the gravest first; the annotation of such a draft has no morph for the
    axes, and its box is a guess.
    """

    format: str
    name: str
    comment: str
    counts: Counts
    texture_paths: tuple[str, ...]
    annotation: Rig
    fingerprint: Fingerprint
    notes: tuple[str, ...] = ()
    textures: str = ""
    missing: Mapping[str, Fault] = field(default_factory=dict)


@dataclass(frozen=True)
class Alike:
    """Another model of the same group and how alike the two are, each in [0, 1]."""

    path: str
    why: Why
    mesh: float
    picture: float
    colours: float


@dataclass(frozen=True)
class CatalogRow:
    """One model.

    ``code`` and ``message`` say why it is doubtful or refused; ``stage`` what was being done. Of a
    refused one ``model`` is a draft, or None where nothing that a person gives could help.
    ``picture`` is the rest picture's file name in the catalogue's cache. Models of one ``group``
    are near-duplicates; ``alike`` links each to others of its group.
    """

    path: str
    sha256: str
    source: str
    status: Status
    code: str = ""
    message: str = ""
    stage: ModelStep = "open"
    licence: FoundText | None = None
    model: Described | None = None
    picture: str | None = None
    group: int | None = None
    alike: tuple[Alike, ...] = ()

    def described(self) -> Described:
        """What is known of a model, if only as a draft."""
        if self.model is None:
            raise ValueError(f"{self.path} is refused: nothing is known of it")
        return self.model


def judged_row(row: CatalogRow, model: Described) -> CatalogRow:
    """The row of a model that was looked at: refused while something is missing, doubtful while an
    answer is."""
    if model.missing:
        fault = next(iter(model.missing.values()))
        status: Status = "refused"
        code, message = fault.code, fault.message
    elif doubtful := model.annotation.doubtful:
        worst = min(doubtful, key=lambda answer: model.annotation.confidence.get(answer, 0.0))
        status = "doubtful"
        code, message = f"doubtful-{worst.replace('_', '-')}", " ".join(model.annotation.objections)
    else:
        status, code, message = "ok", "", ""
    return replace(row, status=status, code=code, message=message, model=model)


@dataclass(frozen=True)
class Catalog:
    """All rows by path; ``archives`` and ``links`` were seen and left alone."""

    models_folder: Path
    annotator: str
    rows: tuple[CatalogRow, ...]
    archives: tuple[str, ...]
    links: tuple[str, ...]

    def groups(self) -> Mapping[int, tuple[CatalogRow, ...]]:
        """The near-duplicates by number of group."""
        groups: dict[int, tuple[CatalogRow, ...]] = {}
        for row in self.rows:
            if row.group is not None:
                groups[row.group] = (*groups.get(row.group, ()), row)
        return groups


@dataclass(frozen=True)
class _Head:
    catalog_version: int
    models_folder: str
    annotator: str
    archives: tuple[str, ...]
    links: tuple[str, ...]


def cache_of(catalog: Path) -> Path:
    """The folder beside a catalogue that keeps pictures and rows."""
    return catalog.with_name(catalog.name + ".cache")


def save_catalog(path: Path, catalog: Catalog) -> None:
    """Write a catalogue in one step; ``InputError`` when it cannot be written."""
    folder = escaped_path(_from(_real(path).parent, _real(catalog.models_folder)))
    head = _Head(CATALOG_VERSION, folder, catalog.annotator, catalog.archives, catalog.links)
    rows = (json_line(asdict(row)) for row in catalog.rows)
    write_bytes(path, json_line(asdict(head)) + b"".join(rows))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises on a link that leads to itself


def _from(here: Path, folder: Path) -> str:
    """The way from here to a folder; all of it where that lies on another drive."""
    try:
        return Path(os.path.relpath(folder, here)).as_posix()
    except ValueError:
        return folder.as_posix()


def load_catalog(path: Path) -> Catalog:
    """Read a catalogue.

    Raises:
        InputError: it cannot be read, or is none of this version.
    """
    if not path.is_file():
        raise InputError(f"{path}: is no file; give a catalogue that `dataset scan` wrote")
    lines = read_lines(path)
    try:
        head = decode(_Head, json.loads(lines[0] if lines else "{}"))
        if head.catalog_version != CATALOG_VERSION:
            raise ValueError("another version")
        rows = tuple(_checked(decode(CatalogRow, json.loads(line))) for line in lines[1:])
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no catalogue of this version ({error!s:.200}); scan again"
        ) from error
    folder = Path(os.path.normpath(place(_real(path).parent, head.models_folder)))
    return Catalog(folder, head.annotator, rows, head.archives, head.links)


def _checked(row: CatalogRow) -> CatalogRow:
    """A catalogue may come from a stranger: its paths stay below the folders they belong to."""
    names = [*row.path.split("/"), *([row.picture] if row.picture is not None else [])]
    if not all(map(_is_one_name, names)):
        raise ValueError(f"{row.path!r:.80} leaves the models folder")
    missing = row.model.missing if row.model else {"all"}
    if bool(missing) != (row.status == "refused"):
        raise ValueError(f"{row.path!r:.80} is {row.status} but its annotation says otherwise")
    if row.model and (strange := _strange(row.model)):
        raise ValueError(f"{row.path!r:.80}: {strange}")
    return row


def _strange(model: Described) -> str:
    """What no draft can lack, or lacks without saying so."""
    undriven = {axis for axis, drives in model.annotation.drives.items() if not drives}
    if undriven != set(model.missing) & set(FACE_AXES):
        return f"its axes without a morph are {sorted(undriven)}, which is not what it misses"
    unknown = set(model.missing) - {*FACE_AXES, HEAD_BOX, TEXTURES}
    return f"{min(unknown)!r:.40} is nothing that a model may miss" if unknown else ""


def _is_one_name(escaped: str) -> bool:
    name = restored_path(escaped)
    if os.name == "nt" and any(letter in name for letter in "\\:"):
        return False  # another folder, a drive, or a stream of a file
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name
