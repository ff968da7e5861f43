"""What every worker process does: takes jobs until there are none, and says what befalls it."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from contract.errors import FormatError, ModelError, OpenthaError, RigError
from contract.text import printable
from dataset.jobs.messages import ModelFailed, ModelStep, Ready, Report, Stopped

Work = Callable[[Any, Report], bool]
"""Does one job; False when this process is not to be trusted any more."""


def serve_jobs(connection: Connection, open_work: Callable[[], Work]) -> None:
    """Do each job received, until None comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = open_work()
        connection.send(Ready())
        for job in iter(connection.recv, None):
            if not work(job, connection.send):
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
