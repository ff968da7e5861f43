"""Keeps the workers of a dask scheduler at work: other machines, which come, go and differ.

A job is the same wherever it is done, so it may be done twice. Every worker tells what it is at; so
when one is lost, its jobs are given to others, and a model over which two were lost is left out.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from contract.errors import DeviceError, InputError
from contract.text import counted, shown_path
from dataset.jobs.errand import Errand, Returned, Step, UnfitError, code_version, run_errand
from dataset.jobs.messages import Job, Message, ModelFailed
from dataset.jobs.process import RunWorker
from dataset.jobs.scheduler import connected

DEADLY = 2
"""A model over which so many workers were lost is left out."""

MOST_FAULTS = 8
"""So many times a job may come back wrong, or a worker miss the models, before that is the end."""
PAUSE_SECONDS = 10.0
_LOOK_UP_SECONDS = 0.5
_ANSWER_SECONDS = 120.0
_RESULT_SECONDS = 60.0
_FIRST_PATIENCE = 2.0  # seconds for a result before it is asked whether its worker is still there
_JOBS_A_THREAD = 2  # one at work and one that waits for it


@dataclass(frozen=True)
class Site:
    """Where jobs are done; ``models_folder`` must be seen at the same path there.

    ``scheduler``: as in tcp://host:8786. ``pause``: seconds before what went wrong is tried again.
    """

    scheduler: str
    models_folder: Path
    model_timeout: float
    pause: float = PAUSE_SECONDS


@dataclass(eq=False)
class _Run:
    """A job under way: dask's future of it, its worker, and what that was last heard doing."""

    job: Job
    future: Any
    worker: str
    at: Step | None = None


class Cluster:
    """Runs jobs on the workers of a cluster, as ``Pool`` does on processes of this machine.

    ``run_worker``, ``job_of`` and ``hear`` are those of ``Pool``. ``take(number, returned)`` puts
    what a job wrote in its place; it gives what is wrong with it, which has the job done again.
    ``note`` is told of workers that are of no use, and of those that were lost.

    Raises:
        InputError: the scheduler is not there, or went away.
        DeviceError: no worker is of use, or a job comes back wrong again and again.
    """

    def __init__(
        self,
        site: Site,
        run_worker: RunWorker,
        job_of: Callable[[int], Job | None],
        hear: Callable[[int, Message], None],
        take: Callable[[int, Returned], str | None],
        note: Callable[[str], None],
    ) -> None:
        self._site = site
        self._run_worker = run_worker
        self._job_of = job_of
        self._hear = hear
        self._take = take
        self._note = note
        self._topic = f"opentha-{uuid.uuid4().hex}"
        self._pending: deque[int] = deque()
        self._later: list[tuple[float, int]] = []  # when a job is to be tried again
        self._running: dict[int, _Run] = {}
        self._ended: set[str] = set()  # attempts that are over
        self._steps: SimpleQueue[Step] = SimpleQueue()
        self._deaths: Counter[tuple[int, int]] = Counter()
        self._faults: Counter[int | str] = Counter()  # of jobs, and of workers
        self._unfit: dict[str, str] = {}  # worker -> why it gets no jobs
        self._told_of_none = False

    def run(self, numbers: Iterable[int]) -> None:
        """Do these jobs; when this ends, in whatever way, none is left on the cluster."""
        self._pending.extend(numbers)
        with connected(self._site.scheduler) as client:
            client.subscribe_topic(self._topic, lambda event: self._steps.put(Step(**event[1])))
            try:
                self._refuse_other_versions(client)
                while self._pending or self._running or self._later:
                    self._hand_out(client)
                    self._listen()
                    self._take_what_came(client)
            finally:
                for run in self._running.values():
                    run.future.cancel()

    def _threads(self, client: Any) -> dict[str, int]:  # noqa: ANN401  # dask's, untyped
        """How many threads each worker has; ``InputError`` when the scheduler is gone."""
        try:
            threads: dict[str, int] = client.nthreads(callback_timeout=_ANSWER_SECONDS)
            gone = client.status != "running"
        except (OSError, RuntimeError):
            gone = True
        if gone:
            raise InputError(
                f"{self._site.scheduler}: the scheduler went away; start it and run the same "
                "command again: what is finished is kept"
            )
        return threads

    def _refuse_other_versions(self, client: Any) -> None:  # noqa: ANN401
        """Before any job, for a worker without this program cannot even read one.

        One that does not answer in time is found out by its first job.
        """
        asked = {
            worker: client.submit(code_version, workers=[worker], pure=False)
            for worker in self._threads(client)
        }
        until = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < until:
            there = self._threads(client)  # of one that is lost no answer comes
            if all(answer.done() for worker, answer in asked.items() if worker in there):
                break
            time.sleep(_LOOK_UP_SECONDS / 5)
        for worker, answer in asked.items():
            if answer.status == "error":
                self._refuse(worker, f"has no opentha that it can import ({answer.exception()})")
            elif answer.status == "finished" and (found := answer.result()) != code_version():
                own = code_version()
                self._refuse(worker, f"runs opentha {found}, not {own}; install the same version")
            answer.cancel()

    def _refuse(self, worker: str, reason: str) -> None:
        if worker not in self._unfit:
            self._unfit[worker] = reason
            self._note(f"worker {worker} gets no jobs: it {reason}")

    # Giving.

    def _hand_out(self, client: Any) -> None:  # noqa: ANN401
        """Take back the jobs of workers that are gone; give jobs to those that have room."""
        threads = self._threads(client)
        for number, run in list(self._running.items()):
            if run.worker not in threads:
                run.at = self._last_step(client, number, run)
                self._lose(number, run)
        fit = {worker: n for worker, n in threads.items() if worker not in self._unfit}
        if threads and not fit:
            worker = next(worker for worker in threads if worker in self._unfit)
            raise DeviceError(
                f"{self._site.scheduler}: none of its {counted(len(threads), 'worker')} is of use; "
                f"{worker} {self._unfit[worker]}"
            )
        if not threads and not self._told_of_none:
            self._note(f"{self._site.scheduler} has no worker; waiting for one")
        self._told_of_none = not threads
        now = time.monotonic()
        self._pending.extend(number for due, number in self._later if due <= now)
        self._later = [(due, number) for due, number in self._later if due > now]
        while self._pending and (worker := self._worker_with_room(fit)):
            number = self._pending.popleft()
            if job := self._job_of(number):
                self._running[number] = _Run(job, self._submit(client, job, worker), worker)

    def _worker_with_room(self, threads: Mapping[str, int]) -> str:
        """The worker that has least to do, or "" when all have enough."""
        # At the end no job shall wait for one worker while another has none.
        most = 1 if len(self._pending) <= sum(threads.values()) else _JOBS_A_THREAD
        busy = Counter(run.worker for run in self._running.values())
        load = {worker: busy[worker] / count for worker, count in threads.items()}
        worker = min(load, key=lambda worker: load[worker], default="")
        return worker if worker and load[worker] < most else ""

    def _submit(self, client: Any, job: Job, worker: str) -> Any:  # noqa: ANN401
        errand = Errand(
            job,
            self._run_worker,
            self._site.model_timeout,
            self._site.models_folder,
            code_version(),
            self._topic,
        )
        # On this worker and no other: who does it next is for us to say, who know what it died of.
        return client.submit(
            run_errand,
            errand,
            key=f"{self._topic}-{job.number}-{uuid.uuid4().hex}",
            pure=False,
            workers=[worker],
            allow_other_workers=False,
        )

    # Listening.

    def _listen(self) -> None:
        """Take what is told of jobs under way, for a moment."""
        until = time.monotonic() + _LOOK_UP_SECONDS
        while not any(run.future.done() for run in self._running.values()):
            try:
                self._follow(self._steps.get(timeout=_LOOK_UP_SECONDS / 10))
            except Empty:
                if time.monotonic() >= until:
                    return

    def _follow(self, step: Step) -> None:
        """A new attempt at a job by a worker of the same name means that its last one was lost."""
        run = self._running.get(step.job)
        if run is None or run.worker != step.worker or step.attempt in self._ended:
            return
        if run.at and run.at.attempt != step.attempt:
            self._ended.add(step.attempt)  # what it does is done again, wherever that may be
            self._lose(step.job, run)
        else:
            run.at = step

    def _last_step(self, client: Any, number: int, run: _Run) -> Step | None:  # noqa: ANN401
        """What a worker that is gone was at; what it said last may not have come here yet."""
        try:
            told = client.get_events(self._topic)
        except (OSError, RuntimeError):
            return run.at  # that the scheduler is gone is seen where it is asked next
        for _, words in reversed(told):
            step = Step(**words)
            ours = (step.job, step.worker) == (number, run.worker)
            if ours and step.attempt not in self._ended:
                return step
        return run.at

    def _lose(self, number: int, run: _Run) -> None:
        """A worker was lost: its job is done again, without the model that cost several."""
        self._end(number)
        self._pending.append(number)
        if run.at is None or run.at.model is None:
            self._note(f"worker {run.worker} was lost; its job is done elsewhere")
            self._count_fault(number, f"worker {run.worker} was lost")
            return
        model = run.at.model
        path = shown_path(run.job.models[model].path)
        self._note(f"worker {run.worker} was lost over {path}; its job is done elsewhere")
        self._deaths[number, model] += 1
        if self._deaths[number, model] >= DEADLY:
            fault = f"{path}: {DEADLY} workers of the cluster were lost over it"
            self._hear(number, ModelFailed(model, "worker-died", fault, "draw", True))

    def _end(self, number: int) -> None:
        """Forget a job, whatever its worker still says of it."""
        run = self._running.pop(number)
        if run.at:
            self._ended.add(run.at.attempt)
        run.future.cancel()

    # Taking.

    def _take_what_came(self, client: Any) -> None:  # noqa: ANN401
        for number, run in list(self._running.items()):
            if not run.future.done():
                continue
            if run.future.status == "finished":
                self._take_result(client, number, run)
            else:
                error = run.future.exception() if run.future.status == "error" else None
                self._end(number)
                self._take_error(number, run.worker, error)

    def _take_result(self, client: Any, number: int, run: _Run) -> None:  # noqa: ANN401
        try:
            returned = self._fetched(client, run)
        except InputError:
            raise  # the scheduler is gone
        except Exception as error:  # its worker went away with it, whatever dask calls that
            fault: str | None = f"its result was lost ({error!r:.200})"
        else:
            fault = self._take(number, returned)
        self._end(number)
        if fault:
            self._again(number, f"worker {run.worker}: {fault}")
            return
        for message in returned.messages:
            self._hear(number, message)

    def _fetched(self, client: Any, run: _Run) -> Returned:  # noqa: ANN401
        """A result; dask waits for that of a lost worker as if it might be made again."""
        patience = _FIRST_PATIENCE
        while True:
            try:
                returned: Returned = run.future.result(timeout=patience)
            except TimeoutError:
                if patience >= _RESULT_SECONDS or run.worker not in self._threads(client):
                    raise
                patience *= 2  # it may be large
            else:
                return returned

    def _take_error(self, number: int, worker: str, error: BaseException | None) -> None:
        self._faults[worker] += 1
        if isinstance(error, UnfitError):
            if error.for_good or self._faults[worker] >= MOST_FAULTS:
                self._refuse(worker, error.reason)
                self._pending.append(number)
            else:
                self._note(f"worker {worker} {error.reason}; its job is tried again")
                self._later.append((time.monotonic() + self._site.pause, number))
            return
        reason = f"{type(error).__name__}: {error}" if error else "its job was lost"
        if self._faults[worker] >= MOST_FAULTS // 2:
            self._refuse(worker, f"failed again and again ({reason:.200})")
        self._again(number, f"worker {worker}: {reason:.200}")

    def _again(self, number: int, fault: str) -> None:
        self._count_fault(number, fault)
        self._note(f"job {number} is done again: {fault}")
        self._later.append((time.monotonic() + self._site.pause, number))

    def _count_fault(self, number: int, fault: str) -> None:
        self._faults[number] += 1
        if self._faults[number] >= MOST_FAULTS:
            raise DeviceError(
                f"job {number} came back wrong {MOST_FAULTS} times; the last time: {fault}; see "
                "the workers' logs and run the same command again: what is finished is kept"
            )
