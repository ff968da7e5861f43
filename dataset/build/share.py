"""A share of a build: some of its shards, made by themselves into a folder of their own.

So a batch system without any more of a cluster makes a data set: a job for each share, and then the
build itself, which gathers what they made.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InputError
from contract.lock import only_run
from contract.text import counted
from dataset.catalog.quarantine import Quarantine
from dataset.shards.shard import SHARD_SUFFIX

MOST_SHARES = 10_000


@dataclass(frozen=True)
class BuildShare:
    """The shards ``number``, ``number + of``, ``number + 2 of``, ... of a plan."""

    number: int
    of: int

    def shards(self, count: int) -> range:
        """Which of ``count`` shards are in it."""
        return range(self.number, count, self.of)

    def folder(self, out: Path) -> Path:
        """Where it is made."""
        return out / f"share-{self.number}-of-{self.of}"


WHOLE_BUILD = BuildShare(0, 1)


def share_from(text: str) -> BuildShare:
    """The share that "3/16" names; ``InputError`` when it names none."""
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text)
    if not found or not int(found[1]) < int(found[2]) <= MOST_SHARES:
        raise InputError(f"share {text!r:.40}: give one as 0/16, 1/16, ... 15/16")
    return BuildShare(int(found[1]), int(found[2]))


def gather(out: Path, note: Callable[[str], None]) -> None:
    """Move what shares made to the folder of the whole build, which verifies it.

    Raises:
        InputError: a share is still being made, or a folder cannot be written.
    """
    for folder in sorted(out.glob("share-*-of-*")):
        shards = sorted(folder.glob(f"*{SHARD_SUFFIX}"))
        with only_run(folder, note):
            quarantine = Quarantine(out, note)
            for row in Quarantine(folder, note).rows:
                quarantine.add(row)
            for path in shards:
                if not (out / path.name).exists():
                    path.rename(out / path.name)
        shutil.rmtree(folder)
        note(f"{counted(len(shards), 'shard')} gathered from {folder.name}")
