"""Keeps worker processes at work, and finds out which model cost one its life.

Our own rather than an executor: an executor whose worker dies is broken as a whole, and cannot
say what the worker was doing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from contract.errors import DeviceError
from contract.text import shown_path
from dataset.jobs.messages import (
    HEARD,
    Job,
    JobDone,
    Message,
    ModelDone,
    ModelDrawn,
    ModelFailed,
    ModelStarted,
    ModelStep,
    Ready,
    Stopped,
)
from dataset.jobs.process import RunWorker, WorkerProcess, cause_of_death, start_process, was_killed

MAX_BLAMELESS_DEATHS = 3
MIN_START_SECONDS = 120.0
_LOOK_UP_SECONDS = 1.0
_STOPPED_SECONDS = 3.0
_LAST_WORDS_SECONDS = 10.0


@dataclass(frozen=True)
class Crew:
    """How many workers, and for how many seconds one may be silent about its model.

    The time runs while a model is opened and between two of its samples.
    """

    workers: int
    model_timeout: float


@dataclass(eq=False)
class _Worker:
    """A worker process and what it was last heard doing; ``model`` None: nothing with a model."""

    process: WorkerProcess
    ready: bool = False
    job: Job | None = None
    model: int | None = None
    stage: ModelStep = "open"
    heard: float = field(default_factory=time.monotonic)


class Pool:
    """Runs jobs on worker processes.

    ``run_worker(connection)`` is what a process does (see ``messages.serve_jobs``), and travels
    there by pickle. ``job_of(number)`` gives a job as it is to be done now, or None when nothing is
    left of it. ``hear(number, message)`` gets all that is said about job ``number``; the pool
    itself says ``ModelFailed`` of a model that silenced its worker, or that killed two: memory runs
    out by whatever else a machine does, so a model whose worker died is tried once more when all
    others are done, alone in a fresh worker.

    Raises:
        OpenthaError: what a worker stopped on; ``DeviceError`` when workers die without a model.
    """

    def __init__(
        self,
        run_worker: RunWorker,
        crew: Crew,
        job_of: Callable[[int], Job | None],
        hear: Callable[[int, Message], None],
    ) -> None:
        self._run_worker = run_worker
        self._crew = crew
        self._job_of = job_of
        self._hear = hear
        self._pending: deque[int] = deque()
        self._workers: list[_Worker] = []
        self._suspects: set[tuple[int, int]] = set()  # job and model of a first death
        self._alone: deque[int] = deque()  # jobs to be done again when nothing else runs
        self._blameless_deaths = 0
        self._looked_up = time.monotonic()

    def run(self, numbers: Iterable[int]) -> None:
        """Do these jobs; when this ends, in whatever way, no worker is left."""
        self._pending.extend(numbers)
        try:
            while self._hand_out():
                self._listen()
                self._lose_the_silent()
        finally:
            for worker in list(self._workers):
                self._dismiss(worker)

    def _hand_out(self) -> bool:
        """Give each idle worker a job, start more workers if needed; False when all is done."""
        for worker in self._workers:
            if worker.ready and worker.job is None:
                self._give_job(worker)
        busy = sum(worker.job is not None for worker in self._workers)
        if not busy and not self._pending and self._alone:
            for worker in list(self._workers):
                self._dismiss(worker)
            self._pending.append(self._alone.popleft())
        while len(self._workers) < min(self._crew.workers, busy + len(self._pending)):
            self._workers.append(_Worker(start_process(self._run_worker, self._crew.workers)))
        return busy > 0 or bool(self._pending)

    def _give_job(self, worker: _Worker) -> None:
        while self._pending:
            number = self._pending.popleft()
            if job := self._job_of(number):
                worker.job = job
                _send(worker, job)
                return

    def _listen(self) -> None:
        speaking = wait([worker.process.connection for worker in self._workers], _LOOK_UP_SECONDS)
        for worker in [worker for worker in self._workers if worker.process.connection in speaking]:
            try:
                self._take(worker, worker.process.connection.recv())
            except (EOFError, ConnectionResetError):
                worker.process.process.join(_LAST_WORDS_SECONDS)
                self._lose(worker, *cause_of_death(worker.process.process.exitcode or 0))

    def _take(self, worker: _Worker, message: Message) -> None:
        worker.heard = time.monotonic()
        match message:
            case Ready():
                worker.ready = True
                return
            case Stopped(error):
                raise error
            case ModelStarted(model):
                worker.model, worker.stage = model, "open"
            case ModelDrawn():
                worker.stage = "draw"
            case ModelDone() | ModelFailed():
                worker.model = None
        assert worker.job  # only a worker with a job says anything else
        self._hear(worker.job.number, message)
        if isinstance(message, ModelStarted):
            _send(worker, HEARD)
        if isinstance(message, JobDone):
            worker.job = None
        if isinstance(message, ModelFailed) and message.worker_ends:
            self._make_again(worker)

    def _lose_the_silent(self) -> None:
        now = time.monotonic()
        if now - self._looked_up > _STOPPED_SECONDS:
            # We were stopped (Ctrl-Z), and our workers with us: nobody was silent.
            for worker in self._workers:
                worker.heard = now
        self._looked_up = now
        for worker in list(self._workers):
            if worker.ready and worker.model is None:
                continue  # it waits for us, or for the disk
            patience = self._crew.model_timeout
            if not worker.ready:
                patience = max(patience, MIN_START_SECONDS)
            if now - worker.heard > patience:
                self._lose(worker, "timed-out", f"nothing came for {patience:g} s")

    def _lose(self, worker: _Worker, code: str, cause: str) -> None:
        """A worker is of no use any more: blame its model, or count a death without one."""
        if worker.job and worker.model is not None and code != "stopped":
            if code == "worker-died" and self._is_first_death(worker.job.number, worker.model):
                self._dismiss(worker)
                self._alone.append(worker.job.number)
                return
            path = shown_path(worker.job.models[worker.model].path)
            fault = ModelFailed(worker.model, code, f"{path}: {cause}", worker.stage, True)
            self._hear(worker.job.number, fault)
        else:
            self._blameless_deaths += 1
            by_chance = code == "stopped" or was_killed(worker.process.process.exitcode)
            hopeless = not worker.ready and not by_chance
            if hopeless or self._blameless_deaths > MAX_BLAMELESS_DEATHS:
                doing = "between two models" if worker.ready else "while it opened OpenGL"
                raise DeviceError(
                    f"a worker process was lost {doing}: {cause}; "
                    "check memory and `renderer doctor`, then run the same command again"
                )
        self._make_again(worker)

    def _is_first_death(self, job: int, model: int) -> bool:
        first = (job, model) not in self._suspects
        self._suspects.add((job, model))
        return first

    def _make_again(self, worker: _Worker) -> None:
        self._dismiss(worker)
        if worker.job:
            self._pending.appendleft(worker.job.number)

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.end()


def _send(worker: _Worker, words: object) -> None:
    # A worker that died meanwhile is found out by listening to it.
    with suppress(BrokenPipeError, ConnectionResetError):
        worker.process.connection.send(words)
