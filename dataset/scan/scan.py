"""From a folder tree to a catalogue: every model is looked at once, and never twice in vain.

What was found is kept beside the catalogue by the model's hash, its textures' sizes and times, and
the version of the code that annotates; so a second scan only looks at what is new. What the file
alone decides holds for its copies; everything else is found out where each of them lies.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from contract.errors import InputError, ModelError
from contract.files import write_bytes
from contract.lock import only_run, require_folder
from contract.progress import Progress
from contract.records import append_line, decode, journal_lines, json_line
from contract.text import counted, printable, restored_path, shown_path, time_left
from dataset.catalog.catalog import (
    Catalog,
    CatalogRow,
    Described,
    Status,
    cache_of,
    judged_row,
    load_catalog,
    save_catalog,
)
from dataset.catalog.corrections import Corrections, load_corrections, overrides_of
from dataset.catalog.duplicates import with_groups
from dataset.catalog.provenance import find_terms, hash_models, source_of
from dataset.catalog.quarantine import Refusal
from dataset.drawing.protocols import OpenScanner
from dataset.drawing.rendering import annotator_version, texture_stamp
from dataset.jobs.cluster import Cluster, Site
from dataset.jobs.messages import Message, ModelFailed, ModelFile
from dataset.jobs.pool import Crew, Pool
from dataset.scan.arrivals import Arrivals
from dataset.scan.scan_worker import ModelScanned, ScanJob, ScannerSetup, run_scanner
from dataset.scan.walk import Listing, list_models

CATALOG_NAME = "catalog.jsonl"
ROWS_NAME = "rows.jsonl"
_TEXTURE_FAULT = "texture-"
_NOT_THE_MODELS = {"worker-died", "timed-out", "out-of-memory"}
"""Faults that another day, or a machine with more memory, may not have."""
_SHOW_SECONDS = 0.2
_MODELS_A_JOB = 16  # on a cluster, where each job opens OpenGL anew


@dataclass(frozen=True)
class Entry:
    """What is known of a file's bytes together with its textures (``stamp``).

    ``path``: where it was found out. A refusal holds only there, unless it is ``by_bytes``.
    """

    annotator: str
    path: str
    sha256: str
    stamp: str
    model: Described | None
    refusal: Refusal | None
    by_bytes: bool = False


def scan(
    models_folder: Path,
    out: Path,
    crew: Crew,
    open_scanner: OpenScanner,
    progress: Progress,
    *,
    retry: bool = False,
    site: Site | None = None,
) -> Catalog:
    """Write the catalogue ``out`` of all models below a folder.

    Only models not known from earlier scans are looked at; with ``retry`` also refused ones.
    ``site``: the cluster that looks at them, instead of ``crew`` on this machine.

    Raises:
        InputError: no models, or ``out`` cannot be written. DeviceError: there is no OpenGL, or no
            worker of the cluster is of use.
    """
    listing = list_models(models_folder)
    if out.is_dir():
        raise InputError(f"{out}: is a folder; give a file name, as in {out / CATALOG_NAME}")
    if out.suffix != ".jsonl":
        raise InputError(f"{out}: a catalogue is a .jsonl file; give {out / CATALOG_NAME}")
    cache = cache_of(out)
    with only_run(cache, progress.note):
        memory = _Memory(cache, models_folder, forget_refused=retry)
        survey = _Survey(
            models_folder, listing, memory, progress, cache, elsewhere=site is not None
        )
        try:
            _workers(survey, models_folder, cache, crew, open_scanner, progress, site).run(
                survey.jobs()
            )
        except KeyboardInterrupt:
            progress.note(f"stopped with {survey.scanned()}; the same command continues")
            raise
        rows = with_groups(survey.rows())
        archives, links = listing.archives, listing.links
        catalog = Catalog(models_folder, annotator_version(), rows, archives, links)
        save_catalog(out, catalog)
    return catalog


def _workers(
    survey: _Survey,
    models_folder: Path,
    cache: Path,
    crew: Crew,
    open_scanner: OpenScanner,
    progress: Progress,
    site: Site | None,
) -> Pool | Cluster:
    """Who does the jobs of a survey."""
    there = site.models_folder if site else models_folder
    run = partial(run_scanner, ScannerSetup(there, open_scanner, picture_name))
    if site is None:
        return Pool(run, crew, survey.job_of, survey.hear)
    take = Arrivals(models_folder, cache, picture_name, survey.file_of).take
    return Cluster(site, run, survey.job_of, survey.hear, take, progress.note)


def open_catalog(
    models: Path,
    out: Path,
    crew: Crew,
    open_scanner: OpenScanner,
    progress: Progress,
    site: Site | None = None,
) -> tuple[Catalog, Corrections]:
    """The catalogue ``models``, or that of the folder ``models`` (scanned into ``out``), and what
    people corrected in it. ``site``: as ``scan`` has it.

    Raises:
        InputError: neither, or no models. DeviceError: there is no OpenGL to scan with.
    """
    if models.is_file():
        return load_catalog(models), load_corrections(overrides_of(models))
    require_folder(out)
    path = out / CATALOG_NAME
    catalog = scan(models, path, crew, open_scanner, progress, site=site)
    return catalog, load_corrections(overrides_of(path))


def picture_name(models_folder: Path, file: ModelFile, model: Described) -> str:
    """The file of a model's rest picture in the cache."""
    stamp = texture_stamp(models_folder, file.path, model.texture_paths)
    return f"{file.sha256[:32]}-{stamp}.png"


class _Memory:
    """The entries of earlier scans by the same annotator; grows on disk with each new one."""

    def __init__(self, cache: Path, models_folder: Path, *, forget_refused: bool) -> None:
        self._cache = cache
        self._models_folder = models_folder
        self._path = cache / ROWS_NAME
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)
        lines = journal_lines(self._path)
        kept = [entry for line in lines if (entry := _entry(line))]
        if forget_refused:
            kept = [entry for entry in kept if _status(entry) != "refused"]
        for entry in kept:
            self._entries[entry.sha256].append(entry)
        if len(kept) < len(lines):
            write_bytes(self._path, b"".join(json_line(asdict(entry)) for entry in kept))

    def find(self, file: ModelFile) -> Entry | None:
        """What is known of a file with this hash and the textures it has where it lies."""
        for entry in reversed(self._entries.get(file.sha256, [])):
            if entry.model is None:
                if entry.by_bytes or entry.path == file.path:
                    return entry
                continue
            stamp = texture_stamp(self._models_folder, file.path, entry.model.texture_paths)
            if entry.stamp == stamp:
                name = picture_name(self._models_folder, file, entry.model)
                return entry if (self._cache / name).is_file() else None
        return None

    def add(self, entry: Entry) -> None:
        """Keep an entry; on disk unless what was at fault may be mended by another time."""
        self._entries[entry.sha256].append(entry)
        code = entry.refusal.code if entry.refusal else ""
        if not code.startswith(_TEXTURE_FAULT) and code not in _NOT_THE_MODELS:
            append_line(self._path, asdict(entry))


def _entry(line: str) -> Entry | None:
    """An entry of this annotator; of another one, or damaged, it is of no use."""
    try:
        entry = decode(Entry, json.loads(line))
    except (ValueError, RecursionError):
        return None
    return entry if entry.annotator == annotator_version() else None


class _Survey:
    """Keeps account of one scan, whose pictures go to ``cache``."""

    def __init__(
        self,
        folder: Path,
        listing: Listing,
        memory: _Memory,
        progress: Progress,
        cache: Path,
        *,
        elsewhere: bool,
    ) -> None:
        self._folder = folder
        self._cache = cache
        self._elsewhere = elsewhere
        self._listing = listing
        self._memory = memory
        self._progress = progress
        self._hashes = hash_models(folder, listing.models)
        self._found: dict[int, Entry] = {}
        for number, path in enumerate(listing.models):
            if entry := self._known(path):
                self._found[number] = entry
        self._known_before = len(self._found)
        unknown = [n for n in range(len(listing.models)) if n not in self._found]
        most = _MODELS_A_JOB if elsewhere else 1
        self._chunks = [unknown[at : at + most] for at in range(0, len(unknown), most)]
        self._began = self._shown = time.monotonic()
        self._announce()

    def _announce(self) -> None:
        models, archives, links, unread = astuple(self._listing)
        known = f", {self._known_before} known from earlier scans" if self._known_before else ""
        self._progress.note(f"{counted(len(models), 'model')}{known}")
        for paths, what, fate in (
            (archives, "archive", "left packed; unpack to use what is in it"),
            (links, "link", "not followed"),
            (unread, "folder", "cannot be listed; what is in it is left out: mend its permissions"),
        ):
            if paths:
                example = shown_path(paths[0])
                self._progress.note(f"{counted(len(paths), what)} {fate} (as {example})")

    def _known(self, path: str) -> Entry | None:
        found = self._hashes[path]
        if isinstance(found, ModelError):
            refusal = Refusal("", found.code, printable(str(found)), "hash")
            return Entry(annotator_version(), path, "", "", None, refusal)
        return self._memory.find(ModelFile(path, found))

    def jobs(self) -> range:
        """The numbers of the jobs that look at all models that nothing is known of."""
        return range(len(self._chunks))

    def job_of(self, number: int) -> ScanJob | None:
        """A job's models that are still to be looked at; None when they, or copies, are known."""
        wanted: dict[int, ModelFile] = {}
        for model in self._chunks[number]:
            path = self._listing.models[model]
            if entry := self._found.get(model) or self._known(path):
                self._found[model] = entry
            else:
                wanted[model] = self.file_of(model)
        return ScanJob(number, wanted, self._cache, self._elsewhere) if wanted else None

    def hear(self, _job: int, message: Message) -> None:
        """Take what is said about a model."""
        match message:
            case ModelScanned(number, model):
                file = self.file_of(number)
                stamp = texture_stamp(self._folder, file.path, model.texture_paths)
                version, path, sha256 = annotator_version(), file.path, file.sha256
                self._learn(number, Entry(version, path, sha256, stamp, model, None))
            case ModelFailed(number, code, text, stage):
                file = self.file_of(number)
                fault = Refusal(file.sha256, code, text, stage)
                version, by_bytes = annotator_version(), message.by_bytes
                entry = Entry(version, file.path, file.sha256, "", None, fault, by_bytes)
                self._learn(number, entry)
        self._show()

    def file_of(self, number: int) -> ModelFile:
        """The file of a model that is looked at."""
        path = self._listing.models[number]
        return ModelFile(path, str(self._hashes[path]))

    def _learn(self, number: int, entry: Entry) -> None:
        self._found[number] = entry
        self._memory.add(entry)

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


def _of_another_name(message: str, known: str, path: str) -> str:
    """A message about the file ``known`` as one about its copy at ``path``."""
    name, own = (printable(restored_path(PurePosixPath(one).name)) for one in (known, path))
    return f"{own}{message.removeprefix(name)}" if message.startswith(f"{name}: ") else message


def _status(entry: Entry) -> Status:
    if entry.model is None or entry.model.missing:
        return "refused"
    return "doubtful" if entry.model.annotation.doubtful else "ok"


def _row(folder: Path, path: str, entry: Entry) -> CatalogRow:
    row = CatalogRow(
        path, entry.sha256, source_of(path), _status(entry), licence=find_terms(folder, path)
    )
    if entry.refusal:
        fault = entry.refusal
        message = _of_another_name(fault.message, entry.path, path)
        return replace(row, code=fault.code, message=message, stage=fault.stage)
    assert entry.model  # an entry without a refusal has one
    picture = picture_name(folder, ModelFile(path, entry.sha256), entry.model)
    missing = {
        what: replace(fault, message=_of_another_name(fault.message, entry.path, path))
        for what, fault in entry.model.missing.items()
    }
    return judged_row(replace(row, picture=picture), replace(entry.model, missing=missing))
