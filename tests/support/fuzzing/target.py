"""What a target of wrong inputs is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.fuzzing.mutation import Mutator

Read = Callable[[Path], object]
"""Must end, or raise one of the project's own errors: nothing else, whatever the bytes."""


@dataclass(frozen=True)
class Seed:
    """A sound input, and how it is made wrong."""

    data: bytes
    mutators: Sequence[Mutator]


@dataclass(frozen=True)
class Target:
    """``seeds`` are made in an empty folder, which ``prepare`` fills with what else is read.

    ``name``: of the file that ``read`` is given. ``share``: how many inputs it gets, beside others.
    """

    name: str
    seeds: Callable[[Path], Sequence[Seed]]
    read: Read
    prepare: Callable[[Path], None] = lambda _: None
    share: float = 1.0
