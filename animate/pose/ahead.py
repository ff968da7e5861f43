"""Pictures of many poses of one drawing, several drawn at once.

One picture's networks are too small to keep two cores busy: half of the time goes to steps that
only one works on. So each core draws pictures of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from animate.pose.poser import Poser
from contract.cores import count_cores
from contract.image import Stored
from contract.pose import Pose

_IN_A_ROW = 4
"""Poses that one thread draws one after the other: what stays between neighbours is kept."""
_MOST_THREADS = 8

Finish = Callable[[Stored, int], Stored]
"""What is still done to a picture, given its pose's number, in the thread that drew it."""


def drawn_ahead(
    poser: Poser, poses: Sequence[Pose], finish: Finish
) -> Generator[Stored, None, None]:
    """The pictures of ``poses`` in their order, the same bytes whatever the number of cores.

    A few are drawn before they are asked for. What is raised is raised at its picture's turn.
    """
    threads = min(count_cores(), _MOST_THREADS) if poser.networks.is_threaded else 1
    runs = [range(k, min(k + _IN_A_ROW, len(poses))) for k in range(0, len(poses), _IN_A_ROW)]
    free = deque(poser.twin() for _ in range(threads))

    def draw(run: range) -> list[Stored]:
        one = free.popleft()
        try:
            return [finish(one.draw(poses[k]), k) for k in run]
        finally:
            free.append(one)

    with ThreadPoolExecutor(threads, "draws", poser.networks.enter_thread) as pool:
        waiting: deque[Future[list[Stored]]] = deque()
        coming = iter(runs)
        try:
            while True:
                more = islice(coming, threads + 1 - len(waiting))
                waiting.extend(pool.submit(draw, run) for run in more)
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
