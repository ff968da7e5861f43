"""What keeps a stage from harm: a soft stop, and plain words where memory runs out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import torch

from contract.errors import TrainingError


@contextmanager
def stopping_softly() -> Iterator[list[int]]:
    """Collects a first Ctrl-C or SIGTERM, to be heeded between two steps; a second one is heard."""
    stop: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        stop.append(number)
        signal.signal(number, signal.default_int_handler)

    former = {}
    with suppress(ValueError):  # only the main thread may listen
        former = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def explaining_memory(stage: str) -> Iterator[None]:
    """Raises ``TrainingError``, which says what to lower, where memory runs out inside."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_memory and "allocate memory" not in text and "not enough memory" not in text:
            raise
        raise TrainingError(
            f"stage {stage}: memory ran out; give a smaller batch (--set {stage}.batch=N)"
            " or smaller networks (--set network.channels=N); --dry-run estimates both"
        ) from error
