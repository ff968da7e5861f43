"""One worker process: how it is started, asked, ended, and what it died of."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from contract.cores import count_cores

RunWorker = Callable[[Connection], None]
"""What a worker process does (see ``messages.serve_jobs``); travels there by pickle."""

_environment = threading.Lock()
_KILLED = getattr(signal, "SIGKILL", None)
_SENT_FROM_OUTSIDE = {
    -getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
}


@dataclass(frozen=True)
class WorkerProcess:
    """A process that was started, and our end of the connection to it."""

    process: SpawnProcess
    connection: Connection

    def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def start_process(run_worker: RunWorker, workers: int) -> WorkerProcess:
    """Start one of ``workers`` processes that work at once; it takes its share of the cores."""
    # Spawned: a process forked after an OpenGL context exists hangs.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_worker, args=(theirs,), daemon=True)
    with _shared_cores(workers), _deaf_to_ctrl_c():
        process.start()
    theirs.close()
    return WorkerProcess(process, ours)


@contextmanager
def _shared_cores(workers: int) -> Iterator[None]:
    """Inside, a process that is started takes its share of the cores, unless the user says more.

    LP_NUM_THREADS is Mesa's; the others are NumPy's, whose sums must not depend on the workers.
    """
    # One at a time: what another thread takes away again must not be what this one relies on.
    with _environment:
        yield from _with_share(workers)


def _with_share(workers: int) -> Iterator[None]:
    share = str(max(1, count_cores() // workers))
    wanted = {"LP_NUM_THREADS": share, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Inside, a process that is started ignores Ctrl-C from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only there may signals be set, and only it gets Ctrl-C
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def was_killed(exit_code: int | None) -> bool:
    """Whether somebody ended the process, as the system does when memory runs out."""
    return exit_code is not None and -exit_code == _KILLED


def cause_of_death(exit_code: int) -> tuple[str, str]:
    """A quarantine code and words for people."""
    if exit_code in _SENT_FROM_OUTSIDE:
        return "stopped", "its process was told to stop"
    if was_killed(exit_code):
        return "worker-died", "its process was killed (out of memory?)"
    if exit_code < 0:
        return "worker-died", f"its process crashed ({signal.Signals(-exit_code).name})"
    return "worker-died", f"its process ended (exit code {exit_code})"
