"""The worker that looks at models: annotation, fingerprint, rest picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from contract.errors import ModelError
from contract.files import write_bytes
from contract.picture import png_bytes
from contract.text import place
from dataset.catalog.catalog import Described
from dataset.catalog.elsewhere import CHANGED
from dataset.catalog.provenance import hash_model
from dataset.drawing.protocols import OpenScanner, Scanner
from dataset.jobs.messages import (
    Job,
    JobDone,
    Message,
    ModelDone,
    ModelFile,
    ModelStarted,
    Report,
    Work,
    failed,
    serve_jobs,
)


@dataclass(frozen=True)
class ScanJob(Job):
    """Models to look at, whose rest pictures go to the folder ``pictures``.

    ``elsewhere``: on another machine, whose files may not be those that were hashed here.
    """

    pictures: Path
    elsewhere: bool = False

    def writing_to(self, folder: Path) -> Self:
        """The same job, its pictures written to another folder."""
        return replace(self, pictures=folder)


PictureName = Callable[[Path, ModelFile, Described], str]


@dataclass(frozen=True)
class ModelScanned(Message):
    """What was found out about a model; its rest picture is on disk."""

    model: int
    described: Described


@dataclass(frozen=True)
class ScannerSetup:
    """What all scanning workers share."""

    models_folder: Path
    open_scanner: OpenScanner
    picture_name: PictureName


def run_scanner(setup: ScannerSetup, connection: Connection) -> None:
    """Scan the models of each ``ScanJob`` received, until None comes."""

    def open_work() -> Work:
        scanner = setup.open_scanner()
        return lambda job, report: scan_models(job, setup, scanner, report)

    serve_jobs(connection, open_work)


def scan_models(job: ScanJob, setup: ScannerSetup, scanner: Scanner, report: Report) -> bool:
    """Scan each model of a job; False when this process is not to be trusted any more."""
    for number, file in job.models.items():
        report(ModelStarted(number))
        try:
            path = place(setup.models_folder, file.path)
            if job.elsewhere:
                _require_bytes(path, file)
            described, picture = scanner.scan(path)
            name = setup.picture_name(setup.models_folder, file, described)
            write_bytes(job.pictures / name, png_bytes(picture))
        except Exception as error:  # whatever a strange model brings about costs that model only
            fault = failed(number, "open", error)
            report(fault)
            if fault.worker_ends:
                return False
            continue
        report(ModelScanned(number, described))
        report(ModelDone())
    report(JobDone())
    return True


def _require_bytes(path: Path, file: ModelFile) -> None:
    if hash_model(path) != file.sha256:
        raise ModelError(f"{path.name}: its bytes are not those that are to be looked at", CHANGED)
