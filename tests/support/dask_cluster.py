"""A dask scheduler and workers, each a process of its own on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.support.tiny_renderer import SLOWNESS, TinyRenderer, open_tiny_renderer

WITHOUT_OPENGL = "TINY_STUDIO_WITHOUT_OPENGL"
NANNY = {"TINY_STUDIO_NANNY": "1"}
"""A worker as dask starts it unless told otherwise, with a process that watches over it."""

_PATIENCE = 250.0


@dataclass(frozen=True)
class DaskCluster:
    scheduler: subprocess.Popen[bytes]
    address: str
    workers: tuple[subprocess.Popen[bytes], ...]


def open_where_there_is_opengl(size: int) -> TinyRenderer:
    """The tiny renderer, but for workers that are told that they have no OpenGL."""
    from contract.errors import DeviceError

    if WITHOUT_OPENGL in os.environ:
        raise DeviceError("no OpenGL here; see `renderer doctor`")
    return open_tiny_renderer(size)


@contextmanager
def dask_cluster(
    folder: Path, *workers: dict[str, str], slowness: float = 0.0
) -> Iterator[DaskCluster]:
    """A cluster with a worker for each dictionary of environment variables, ready to work."""
    file = folder / "scheduler.json"
    with ExitStack() as stack:

        def started(program: str, *words: str, **variables: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *words]
            log = stack.enter_context((folder / f"{program}.log").open("ab"))
            settings = {"PYTHONPATH": str(REPOSITORY), SLOWNESS: str(slowness), **variables}
            process = subprocess.Popen(
                [*command, "--scheduler-file", str(file), "--no-dashboard"],
                env=os.environ | settings,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        scheduler = started("scheduler", "--port", "0", "--host", "127.0.0.1")
        _wait(lambda: file.exists() and file.stat().st_size > 0, folder)
        address = json.loads(file.read_text())["address"]
        words = ("--nthreads", "1", "--local-directory", str(folder))
        processes = [
            started("worker", *words, "--nanny" if one == NANNY else "--no-nanny", **one)
            for one in workers
        ]
        _wait(
            lambda: (folder / "worker.log").read_text().count("Registered to:") >= len(workers),
            folder,
        )
        yield DaskCluster(scheduler, address, tuple(processes))


def _wait(is_so: object, folder: Path) -> None:
    assert callable(is_so)
    until = time.monotonic() + _PATIENCE
    while not is_so():
        logs = "\n".join(path.read_text() for path in folder.glob("*.log"))
        assert time.monotonic() < until, logs
        time.sleep(0.05)
