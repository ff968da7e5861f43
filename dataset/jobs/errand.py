"""A job on another machine: what travels there, what is done there, and what comes back."""

from __future__ import annotations

import hashlib
import importlib.metadata
import multiprocessing
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import contract
import dataset
from contract.errors import OpenthaError
from contract.files import scratch_folder
from dataset.jobs.messages import Job, Message, ModelDone, ModelFailed, ModelStarted
from dataset.jobs.pool import Crew, Pool
from dataset.jobs.process import RunWorker

_TELL_SECONDS = 30.0


@dataclass(frozen=True)
class Errand:
    """A job as it travels; ``needs``: the folder that must be seen at the same path there.

    ``code``: who asks, as ``code_version`` says it; ``topic``: where is told what is being done.
    """

    job: Job
    run_worker: RunWorker
    model_timeout: float
    needs: Path
    code: str
    topic: str


@dataclass(frozen=True)
class Step:
    """Told while an errand is run: this attempt of a job is at this model now, or at none."""

    job: int
    attempt: str
    worker: str
    model: int | None


@dataclass(frozen=True)
class Returned:
    """What came of a job: all that was said about it, and the files it wrote, by name."""

    worker: str
    messages: tuple[Message, ...]
    files: Mapping[str, bytes]


class UnfitError(Exception):
    """A worker that cannot do its errand; ``for_good``: nor any other."""

    def __init__(self, worker: str, reason: str, for_good: bool) -> None:
        super().__init__(worker, reason, for_good)
        self.worker, self.reason, self.for_good = worker, reason, for_good


@cache
def code_version() -> str:
    """This program's version and a hash of its code, which decides the pictures."""
    digest = hashlib.sha256()
    packages = [Path(package.__path__[0]) for package in (contract, dataset)]
    for package in (*packages, packages[0].with_name("renderer")):
        for path in sorted(package.rglob("*.*")):
            if path.suffix in {".py", ".vert", ".frag"}:
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{importlib.metadata.version('opentha')} ({digest.hexdigest()[:12]})"


def run_errand(errand: Errand) -> Returned:
    """Do a job on the dask worker that this is called on, in a process that it supervises.

    Raises:
        UnfitError: this worker is of another version, does not see the models, has no OpenGL or
            no disk left.
    """
    from distributed import get_worker  # noqa: PLC0415  # only workers of a cluster have it

    worker = get_worker()
    where = str(worker.address)
    if errand.code != code_version():
        fault = f"runs opentha {code_version()}, not {errand.code}; install the same version"
        raise UnfitError(where, fault, True)
    diary = _Diary(errand, worker)
    diary.tell(None)
    _require_folder(errand, where)
    try:
        with scratch_folder("errand") as folder:
            job = errand.job.writing_to(folder)
            # Its share of the cores; of so many processes it starts one, for there is one job.
            crew = Crew(worker.state.nthreads, errand.model_timeout)
            with _children_allowed():
                pool = Pool(
                    errand.run_worker, crew, lambda _: job.without(diary.failed), diary.hear
                )
                pool.run([job.number])
            files = {path.name: path.read_bytes() for path in folder.iterdir()}
    except (OpenthaError, OSError) as error:
        fault = " ".join(str(error).split())
        raise UnfitError(where, f"cannot do its job: {fault}", True) from error
    # Gone meanwhile, it may have failed models, or left them without textures.
    _require_folder(errand, where)
    return Returned(where, tuple(diary.messages), files)


class _Diary:
    """Keeps all that is said about an errand, and tells the cluster at which model it is."""

    def __init__(self, errand: Errand, worker: Any) -> None:  # noqa: ANN401  # dask's, untyped
        self.messages: list[Message] = []
        self.failed: set[int] = set()
        self._errand = errand
        self._worker = worker
        self._attempt = uuid.uuid4().hex

    def tell(self, model: int | None) -> None:
        """Returns when the scheduler knows, for this machine may be gone in the next moment."""
        from distributed.utils import sync  # noqa: PLC0415  # only workers of a cluster have it

        step = Step(self._errand.job.number, self._attempt, str(self._worker.address), model)
        log_event = self._worker.scheduler.log_event
        with suppress(OSError, RuntimeError):  # a scheduler that is gone is found out by others
            sync(
                self._worker.loop,
                log_event,
                topic=self._errand.topic,
                msg=vars(step),
                callback_timeout=_TELL_SECONDS,
            )

    def hear(self, _number: int, message: Message) -> None:
        self.messages.append(message)
        match message:
            case ModelStarted(model):
                self.tell(model)
            case ModelFailed(model):
                self.failed.add(model)
                self.tell(None)
            case ModelDone():
                self.tell(None)


def _require_folder(errand: Errand, where: str) -> None:
    if not errand.needs.is_dir():
        raise UnfitError(where, f"does not see the folder {errand.needs}; mount it there", False)


@contextmanager
def _children_allowed() -> Iterator[None]:
    """Inside, a worker that a nanny started may start processes.

    It is a daemon to multiprocessing, which forbids it to; ours end by themselves with it.
    """
    settings = vars(multiprocessing.current_process()).get("_config", {})
    settings["daemon"] = False
    yield
