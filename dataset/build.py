"""From selected models to verified shards.

Running the same command again continues: finished shards are verified and kept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from contract.errors import InputError
from dataset.configuration import Configuration
from dataset.ledger import BuildSummary, Ledger
from dataset.plan import Selection, settle_plan
from dataset.pool import Crew, Pool
from dataset.progress import Progress
from dataset.studio import OpenStudio
from dataset.worker import WorkerSetup, run_worker

TEMPORARY_FILES = ".*.tmp"


def build(
    models_folder: Path,
    selection: Selection,
    out: Path,
    wanted: Configuration,
    crew: Crew,
    open_studio: OpenStudio,
    progress: Progress,
) -> BuildSummary:
    """Draw ``wanted.poses`` samples of each selected model into shards in ``out``.

    Raises:
        InputError: ``out`` holds something else, is in use by another run, or cannot
            be written; or every model is quarantined.
        DeviceError: there is no OpenGL.
    """
    with only_run(out):
        plan = settle_plan(selection, out, wanted)
        ledger = Ledger(plan, out, progress)
        setup = WorkerSetup(models_folder, plan.configuration, open_studio)
        ledger.announce()
        try:
            ledger.keep_finished()
            # More than once when a model fails that is in shards already finished.
            while numbers := ledger.unmade():
                Pool(partial(run_worker, setup), crew, ledger.job_of, ledger.hear).run(numbers)
        except KeyboardInterrupt:
            progress.note(f"stopped with {ledger.finished()}; the same command continues")
            raise
        finally:
            _remove_leftovers(out)
        return ledger.summary()


@contextmanager
def only_run(out: Path) -> Iterator[None]:
    """Inside, no other run writes to ``out``, and nothing half-written lies there."""
    handle = open_folder(out)
    try:
        _lock(handle, out)
        _remove_leftovers(out)
        yield
    finally:
        os.close(handle)


def open_folder(out: Path) -> int:
    """Make a folder where there is none; a descriptor of it, to be closed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"{out}: cannot be used as a folder ({error.strerror})") from error


def _lock(handle: int, out: Path) -> None:
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{out}: another run is writing there; wait for its end") from error


def _remove_leftovers(out: Path) -> None:
    for path in out.glob(TEMPORARY_FILES):
        path.unlink(missing_ok=True)
