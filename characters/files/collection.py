"""Many characters at once: who they are, and processes that write them side by side."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from characters.files.generate import ModelFormat, write_character

CollectionFormat = Literal["pmx", "pmd", "mixed"]
_PMD_EVERY = 4


@dataclass(frozen=True)
class Member:
    """One character of a collection: the arguments of ``write_character``."""

    folder: Path
    seed: int
    format: ModelFormat
    franchise: int


def members(
    out: Path, count: int, seed: int, kind: CollectionFormat, franchises: int
) -> list[Member]:
    """``count`` characters below ``out``, dealt to the franchises in turn; seeds from ``seed`` on.

    kind: mixed makes every fourth character of a franchise a PMD.
    """
    found = []
    for number in range(count):
        of_franchise, franchise = divmod(number, franchises)
        folder = out / f"franchise_{franchise:02d}" / f"character_{seed + number:05d}"
        last_of_four = of_franchise % _PMD_EVERY == _PMD_EVERY - 1
        is_pmd = kind == "pmd" or (kind == "mixed" and last_of_four)
        chosen: ModelFormat = "pmd" if is_pmd else "pmx"
        found.append(Member(folder, seed + number, chosen, franchise))
    return found


def write_members(wanted: Sequence[Member], workers: int) -> Iterator[Path]:
    """Write them, and yield each one's model file; with one worker in this process.

    Raises:
        InputError: a folder or a file in it cannot be written.
    """
    if workers == 1 or len(wanted) == 1:
        yield from map(_write, wanted)
        return
    # Forked processes may hang where a library of this one has threads; spawned ones are alike on
    # all systems.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(wanted)), context, _deaf_to_ctrl_c) as pool:
        try:
            yield from pool.map(_write, wanted)
        finally:
            pool.shutdown(cancel_futures=True)


def _write(member: Member) -> Path:
    return write_character(member.folder, member.seed, member.format, member.franchise)


def _deaf_to_ctrl_c() -> None:
    """The process that was asked decides what an interruption means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
