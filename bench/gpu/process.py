"""One check in a process of its own: a driver that crashes or hangs costs that check alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from bench.gpu.outcome import Outcome

Check = Callable[[], list[Outcome]]
_LONGEST = 300


def in_own_process(name: str, check: Check, seconds: float) -> list[Outcome]:
    """What a check came to; failed where it raised, died, or took longer than ``seconds``."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(check, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return [Outcome(name, "failed", f"not done after {seconds:.0f} s")]
        came = ours.recv()
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return [Outcome(name, "failed", f"its process died ({how})")]
    finally:
        _end(process)
        ours.close()
    return came if isinstance(came, list) else [Outcome(name, "failed", str(came))]


def _run(check: Check, connection: Connection) -> None:
    os.setsid()  # so that what it starts ends with it
    try:
        came: list[Outcome] | str = check()
    except Exception as error:  # whatever a check meets is what it found
        came = f"{type(error).__name__}: {' '.join(str(error).split()):.{_LONGEST}}"
    connection.send(came)


def _end(process: SpawnProcess) -> None:
    try:
        os.killpg(process.pid or 0, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it is gone, or has not come so far
        process.kill()
    process.join()
