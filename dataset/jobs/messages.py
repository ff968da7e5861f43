"""What a supervisor and its workers tell each other about models, whatever the job is.

Every worker process takes jobs until there are none, and says what befalls it.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Self

from contract.errors import FormatError, ModelError, OpenthaError, RigError
from contract.text import printable

ModelStep = Literal["hash", "open", "draw"]
"""What was being done to a model."""


@dataclass(frozen=True)
class ModelFile:
    """A model's file; ``path`` is relative to the models folder, with slashes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Job:
    """Models to look at; the keys are what messages call them by."""

    number: int
    models: Mapping[int, ModelFile]

    def without(self, models: Container[int]) -> Self | None:
        """The same job without some models; None when none is left."""
        kept = {number: file for number, file in self.models.items() if number not in models}
        return replace(self, models=kept) if kept else None

    def writing_to(self, _folder: Path) -> Self:
        """The same job, its files written to another folder; there are none unless a job says."""
        return self


class Message:
    """What a worker says; each kind of job has kinds of its own beside those below."""


@dataclass(frozen=True)
class Ready(Message):
    """The worker has opened what it works with."""


@dataclass(frozen=True)
class ModelStarted(Message):
    """A model of the job at hand is opened as soon as this was heard: it may be the last word."""

    model: int


@dataclass(frozen=True)
class ModelDrawn(Message):
    """The model at hand is open, and a picture more of it is drawn."""

    model: int


@dataclass(frozen=True)
class ModelFailed(Message):
    """A model is of no use; the job goes on without it, unless ``worker_ends``.

    ``by_bytes``: the file alone is to blame, so that no copy of it is of use elsewhere.
    """

    model: int
    code: str
    message: str
    stage: ModelStep
    worker_ends: bool = False
    by_bytes: bool = False


@dataclass(frozen=True)
class ModelDone(Message):
    """The model at hand is dealt with; what follows is no model's fault."""


@dataclass(frozen=True)
class JobDone(Message):
    """The job is done."""


@dataclass(frozen=True)
class Stopped(Message):
    """Something went wrong that no model is to blame for: the run cannot go on."""

    error: OpenthaError


HEARD = "heard"
"""The supervisor's answer to ``ModelStarted``: whatever happens now, it knows over which model."""

Report = Callable[[Message], None]
"""Says something to the supervisor; ``ModelStarted`` returns when that was heard."""

Work = Callable[[Any, Report], bool]
"""Does one job; False when this process is not to be trusted any more."""


def serve_jobs(connection: Connection, open_work: Callable[[], Work]) -> None:
    """Do each job received, until None comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def report(message: Message) -> None:
        connection.send(message)
        if isinstance(message, ModelStarted):
            connection.recv()  # ``HEARD``

    try:
        work = open_work()
        connection.send(Ready())
        for job in iter(connection.recv, None):
            if not work(job, report):
                return
    except OpenthaError as error:
        connection.send(Stopped(error))
    except (EOFError, BrokenPipeError):
        return  # the supervisor is gone


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


def failed(model: int, stage: ModelStep, error: Exception) -> ModelFailed:
    """What an error costs: this model. Raises it again when no model is to blame for it."""
    if isinstance(error, ModelError):
        by_bytes = isinstance(error, FormatError | RigError)
        return ModelFailed(model, error.code, printable(str(error)), stage, by_bytes=by_bytes)
    if isinstance(error, OpenthaError):
        raise error  # a full disk, a lost device
    # Whatever a strange model brought about costs that model only.
    code = "out-of-memory" if isinstance(error, MemoryError) else "unexpected-error"
    return ModelFailed(model, code, _where(error), stage, worker_ends=True)


def _where(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    return printable(text)
