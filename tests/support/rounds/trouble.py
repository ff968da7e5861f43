"""Runs that are killed, interrupted, out of room or not alone."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.support.rounds.kinds import Kind, require_the_same
from tests.support.rounds.runs import Rng, require


def killed(kind: Kind, rng: Rng, folder: Path) -> None:
    """All of it, its supervisor, or one worker, up to three times."""
    given, out = kind.give(folder), folder / "out"
    for _ in range(int(rng.integers(1, 4))):
        run = kind.start(folder, given, out)
        run.wait_until_begun()
        time.sleep(rng.uniform(0, kind.seconds))
        how = str(rng.choice(["all", "supervisor", "worker"]))
        if how == "worker" and kind.has_workers:
            run.kill_one_worker(rng)
            code, errors = run.end()
            require(code == 0, f"one worker was killed, and all of it ended: {errors[-2000:]}")
        elif how == "supervisor":
            run.process.kill()
            run.process.wait()
            time.sleep(0.3)  # its workers see that it is gone
            run.end()
        else:
            run.signal_all(signal.SIGKILL)
            run.end()
    require_the_same(kind, folder, given, out)


def interrupted(kind: Kind, rng: Rng, folder: Path) -> None:
    """Ctrl-C, one to four times in quick succession, at any moment."""
    given, out = kind.give(folder), folder / "out"
    run = kind.start(folder, given, out)
    run.wait_until_begun()
    time.sleep(rng.uniform(0, kind.seconds) * rng.choice([0.1, 1.0]))
    for _ in range(int(rng.integers(1, 5))):
        run.signal_all(signal.SIGINT)
        time.sleep(rng.uniform(0, 0.2))
    code, errors = run.end()
    require(code in {0, 130}, f"exit code {code} on Ctrl-C: {errors[-2000:]}")
    require_the_same(kind, folder, given, out)


def out_of_room(kind: Kind, rng: Rng, folder: Path) -> None:
    """No file may become larger than so much; then there is room again."""
    given, out = kind.give(folder), folder / "out"
    most = int(10 ** rng.uniform(2, np.log10(kind.largest_bytes)))
    code, errors = kind.start(folder, given, out, slowness=0, most_bytes=most).end()
    require(code in {0, 1}, f"exit code {code} without room: {errors[-2000:]}")
    if code:
        last = errors.strip().splitlines()[-1]
        require(last.startswith("error: "), f"the last line is {last!r}")
    require_the_same(kind, folder, given, out)


def full_disk(kind: Kind, rng: Rng, folder: Path) -> None:
    """A disk of its own that is too small; then a larger one, with what was on the first."""
    given, out = kind.give(folder), folder / "out"
    with small_disk(folder / "disk", int(10 ** rng.uniform(3.9, 5.2))) as disk:
        code, errors = kind.start(folder, given, disk / "out", slowness=0).end()
        require(code in {0, 1}, f"exit code {code} on a full disk: {errors[-2000:]}")
        shutil.copytree(disk / "out", out, dirs_exist_ok=True)
    require_the_same(kind, folder, given, out)


def has_small_disks(folder: Path) -> bool:
    """Whether this process may mount one."""
    try:
        with small_disk(folder / "disk", 1 << 16):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of its own of so many bytes, in a new folder, while inside."""
    folder.mkdir()
    options = f"size={size}"
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
        folder.rmdir()
