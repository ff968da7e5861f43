"""How long things take, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternating(
    works: Mapping[Name, Callable[[], object]], rounds: int, warm_up: int = 0
) -> dict[Name, list[float]]:
    """Seconds of each call by name: every round runs all of them, so that a busy machine is busy
    for all alike. The rounds of ``warm_up`` come first and do not count."""
    seconds: dict[Name, list[float]] = {name: [] for name in works}
    for turn in range(warm_up + rounds):
        for name, work in works.items():
            taken = seconds_of(work)
            if turn >= warm_up:
                seconds[name].append(taken)
    return seconds
