"""From a folder tree to a catalogue: every model is looked at once, and never twice in vain.

What was found is kept beside the catalogue by the model's hash, its textures' sizes and times, and
the version of the code that annotates; so a second scan only looks at what is new.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path

from contract.errors import InputError, ModelError
from contract.files import write_bytes
from contract.lock import only_run, require_folder
from contract.progress import Progress
from contract.records import append_line, decode, journal_lines, json_line
from contract.text import counted, shown_path, time_left
from dataset.catalog.catalog import (
    Catalog,
    CatalogRow,
    Described,
    Status,
    cache_of,
    load_catalog,
    save_catalog,
)
from dataset.catalog.corrections import Corrections, load_corrections, overrides_of
from dataset.catalog.duplicates import with_groups
from dataset.catalog.provenance import find_terms, hash_models, source_of
from dataset.catalog.quarantine import Refusal
from dataset.drawing.protocols import OpenScanner
from dataset.drawing.rendering import annotator_version, texture_stamp
from dataset.jobs.messages import Job, Message, ModelFailed, ModelFile
from dataset.jobs.pool import Crew, Pool
from dataset.scan.scan_worker import ModelScanned, ScannerSetup, run_scanner
from dataset.scan.walk import Listing, list_models

CATALOG_NAME = "catalog.jsonl"
ROWS_NAME = "rows.jsonl"
_TEXTURE_FAULT = "texture-"
_SHOW_SECONDS = 0.2


@dataclass(frozen=True)
class Entry:
    """What is known of a file's bytes together with its textures (``stamp``)."""

    annotator: str
    sha256: str
    stamp: str
    model: Described | None
    refusal: Refusal | None


def scan(
    models_folder: Path,
    out: Path,
    crew: Crew,
    open_scanner: OpenScanner,
    progress: Progress,
    *,
    retry: bool = False,
) -> Catalog:
    """Write the catalogue ``out`` of all models below a folder.

    Only models not known from earlier scans are looked at; with ``retry`` also refused ones.

    Raises:
        InputError: no models, or ``out`` cannot be written. DeviceError: there is no OpenGL.
    """
    listing = list_models(models_folder)
    if out.is_dir():
        raise InputError(f"{out}: is a folder; give a file name, as in catalog.jsonl")
    cache = cache_of(out)
    with only_run(cache, progress.note):
        survey = _Survey(models_folder, listing, _Memory(cache, forget_refused=retry), progress)
        setup = ScannerSetup(models_folder, cache, open_scanner, picture_name)
        pool = Pool(partial(run_scanner, setup), crew, survey.job_of, survey.hear)
        try:
            pool.run(survey.unscanned())
        except KeyboardInterrupt:
            progress.note(f"stopped with {survey.scanned()}; the same command continues")
            raise
        rows = with_groups(survey.rows())
        archives, links = listing.archives, listing.links
        catalog = Catalog(models_folder, annotator_version(), rows, archives, links)
        save_catalog(out, catalog)
    return catalog


def open_catalog(
    models: Path, out: Path, crew: Crew, open_scanner: OpenScanner, progress: Progress
) -> tuple[Catalog, Corrections]:
    """The catalogue ``models``, or that of the folder ``models`` (scanned into ``out``), and what
    people corrected in it.

    Raises:
        InputError: neither, or no models. DeviceError: there is no OpenGL to scan with.
    """
    if models.is_file():
        return load_catalog(models), load_corrections(overrides_of(models))
    require_folder(out)
    path = out / CATALOG_NAME
    catalog = scan(models, path, crew, open_scanner, progress)
    return catalog, load_corrections(overrides_of(path))


def picture_name(sha256: str, model_folder: Path, model: Described) -> str:
    """The file of a model's rest picture in the cache."""
    return f"{sha256[:32]}-{texture_stamp(model_folder, model.texture_paths)}.png"


class _Memory:
    """The entries of earlier scans by the same annotator; grows on disk with each new one."""

    def __init__(self, cache: Path, *, forget_refused: bool) -> None:
        self._cache = cache
        self._path = cache / ROWS_NAME
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)
        lines = journal_lines(self._path)
        kept = [entry for line in lines if (entry := _entry(line))]
        if forget_refused:
            kept = [entry for entry in kept if entry.model]
        for entry in kept:
            self._entries[entry.sha256].append(entry)
        if len(kept) < len(lines):
            write_bytes(self._path, b"".join(json_line(asdict(entry)) for entry in kept))

    def find(self, sha256: str, model_folder: Path) -> Entry | None:
        """What is known of a file with this hash and the textures it has where it lies."""
        for entry in reversed(self._entries.get(sha256, [])):
            if entry.model is None:
                return entry
            if entry.stamp == texture_stamp(model_folder, entry.model.texture_paths):
                name = picture_name(sha256, model_folder, entry.model)
                return entry if (self._cache / name).is_file() else None
        return None

    def add(self, entry: Entry) -> None:
        """Keep an entry; on disk unless textures, which may be mended, are at fault."""
        self._entries[entry.sha256].append(entry)
        if not (entry.refusal and entry.refusal.code.startswith(_TEXTURE_FAULT)):
            append_line(self._path, asdict(entry))


def _entry(line: str) -> Entry | None:
    """An entry of this annotator; of another one, or damaged, it is of no use."""
    try:
        entry = decode(Entry, json.loads(line))
    except (ValueError, RecursionError):
        return None
    return entry if entry.annotator == annotator_version() else None


class _Survey:
    """Keeps account of one scan."""

    def __init__(self, folder: Path, listing: Listing, memory: _Memory, progress: Progress) -> None:
        self._folder = folder
        self._listing = listing
        self._memory = memory
        self._progress = progress
        self._hashes = hash_models(folder, listing.models)
        self._found: dict[int, Entry] = {}
        for number, path in enumerate(listing.models):
            if entry := self._known(path):
                self._found[number] = entry
        self._known_before = len(self._found)
        self._began = self._shown = time.monotonic()
        self._announce()

    def _announce(self) -> None:
        models, archives, links = astuple(self._listing)
        known = f", {self._known_before} known from earlier scans" if self._known_before else ""
        self._progress.note(f"{counted(len(models), 'model')}{known}")
        for paths, what, fate in (
            (archives, "archive", "left packed; unpack to use what is in it"),
            (links, "link", "not followed"),
        ):
            if paths:
                example = shown_path(paths[0])
                self._progress.note(f"{counted(len(paths), what)} {fate} (as {example})")

    def _known(self, path: str) -> Entry | None:
        found = self._hashes[path]
        if isinstance(found, ModelError):
            refusal = Refusal("", found.code, str(found), "hash")
            return Entry(annotator_version(), "", "", None, refusal)
        return self._memory.find(found, (self._folder / path).parent)

    def unscanned(self) -> list[int]:
        """The models that nothing is known of."""
        return [number for number in range(len(self._listing.models)) if number not in self._found]

    def job_of(self, number: int) -> Job | None:
        """The job that looks at a model; None when it, or a copy of it, is known by now."""
        path = self._listing.models[number]
        if entry := self._found.get(number) or self._known(path):
            self._found[number] = entry
            return None
        return Job(number, {number: ModelFile(path, str(self._hashes[path]))})

    def hear(self, _job: int, message: Message) -> None:
        """Take what is said about a model."""
        match message:
            case ModelScanned(number, model):
                folder = (self._folder / self._listing.models[number]).parent
                self._learn(number, texture_stamp(folder, model.texture_paths), model, None)
            case ModelFailed(number, code, text, stage):
                sha256 = str(self._hashes[self._listing.models[number]])
                self._learn(number, "", None, Refusal(sha256, code, text, stage))
        self._show()

    def _learn(
        self, number: int, stamp: str, model: Described | None, refusal: Refusal | None
    ) -> None:
        sha256 = str(self._hashes[self._listing.models[number]])
        self._found[number] = Entry(annotator_version(), sha256, stamp, model, refusal)
        self._memory.add(self._found[number])

    def scanned(self) -> str:
        """ "3 of 8 models scanned"."""
        return f"{len(self._found)} of {counted(len(self._listing.models), 'model')} scanned"

    def _show(self) -> None:
        if time.monotonic() - self._shown < _SHOW_SECONDS:
            return
        self._shown = time.monotonic()
        done, total, before = len(self._found), len(self._listing.models), self._known_before
        left = time_left(done - before, total - before, self._shown - self._began)
        counts = Counter(_status(entry) for entry in self._found.values())
        words = [f"{counts[status]} {status}" for status in sorted(counts)]
        self._progress.show(done, total, ", ".join(filter(None, [*words, left])))

    def rows(self) -> list[CatalogRow]:
        """What was found, by path."""
        return [
            _row(self._folder, path, self._found[number])
            for number, path in enumerate(self._listing.models)
        ]


def _status(entry: Entry) -> Status:
    if entry.model is None:
        return "refused"
    return "doubtful" if entry.model.annotation.doubtful else "ok"


def _row(folder: Path, path: str, entry: Entry) -> CatalogRow:
    row = CatalogRow(
        path, entry.sha256, source_of(path), _status(entry), licence=find_terms(folder, path)
    )
    if entry.refusal:
        fault = entry.refusal
        return replace(row, code=fault.code, message=fault.message, stage=fault.stage)
    assert entry.model  # an entry without a refusal has one
    model, scores = entry.model, entry.model.annotation.confidence
    picture = picture_name(entry.sha256, (folder / path).parent, model)
    row = replace(row, model=model, picture=picture)
    if not model.annotation.doubtful:
        return row
    worst = min(model.annotation.doubtful, key=lambda answer: scores[answer])
    objections = " ".join(model.annotation.objections)
    return replace(row, code=f"doubtful-{worst.replace('_', '-')}", message=objections)
