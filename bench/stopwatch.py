"""Which part of a piece of work takes how long, in seconds of processor."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

REST = "rest"

P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Seconds of processor (of all threads of this process) by stage; a stage inside another has
    its time to itself.

    ``seconds`` of the stage ``REST`` are those that no other took. Stages inside one of ``closed``
    count as part of it unless ``closed`` holds them too.
    """

    def __init__(self, closed: Container[str] = ()) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._closed = closed
        self._open = [REST]
        self._mark = time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done inside is this stage's."""
        if self._open[-1] in self._closed and name not in self._closed:
            yield
            return
        self.stop()
        self._open.append(name)
        try:
            yield
        finally:
            self.stop()
            self._open.pop()

    def stop(self) -> None:
        """Count the time until now."""
        now = time.process_time()
        self.seconds[self._open[-1]] += now - self._mark
        self._mark = now

    def timed(
        self, name: str, work: Callable[P, R], finish: Callable[[], object] | None = None
    ) -> Callable[P, R]:
        """``work`` as a stage; ``finish`` waits for what it asked others to do."""

        def timed(*arguments: P.args, **named: P.kwargs) -> R:
            with self.stage(name):
                done = work(*arguments, **named)
                if finish:
                    finish()
            return done

        return timed
