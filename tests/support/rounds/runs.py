"""Commands as processes that are killed, interrupted and kept short of room."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

from tests.conftest import REPOSITORY
from tests.support.tiny_renderer import SLOWNESS

Rng = np.random.Generator

PATIENCE_SECONDS = 300.0
BEGUN = "OPENTHA_ROUND_BEGUN"

DATASET = f"""
import os, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from contract.interrupt import run_command

def load():
    open(os.environ[{BEGUN!r}], "w").close()
    import dataset.commands.main, dataset.drawing.rendering
    from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner
    dataset.drawing.rendering.open_renderer = open_tiny_device
    dataset.drawing.rendering.open_scanner = open_tiny_scanner
    return dataset.commands.main.main

if __name__ == "__main__":
    run_command(load)
"""
TRAIN = (
    DATASET.partition("    import dataset")[0]
    + """
    from train.cli import main
    return main

run_command(load)
"""
)
ANIMATE = TRAIN.replace("from train.cli import main", "from animate.commands.main import main")


class FoundError(AssertionError):
    """What a round found."""


def require(is_sound: object, text: str) -> None:
    """Raise ``FoundError`` unless it is."""
    if not is_sound:
        raise FoundError(text)


class Run:
    """A command as a process of its own, with workers in its group."""

    def __init__(
        self,
        script: str,
        words: Sequence[object],
        folder: Path,
        *,
        slowness: float = 0.004,
        most_bytes: int = 0,
        scratch: Path | None = None,
    ) -> None:
        """scratch: instead of the system's folder for temporary files."""
        self._begun = folder / f"begun-{time.monotonic_ns()}"
        path = folder / "command.py"
        path.write_text(script)
        own = {SLOWNESS: str(slowness), BEGUN: str(self._begun), "OMP_NUM_THREADS": "1"}
        own |= {"TMPDIR": str(scratch)} if scratch else {}
        self.process = subprocess.Popen(
            [sys.executable, str(path), *map(str, words)],
            cwd=REPOSITORY,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=partial(_prepare, most_bytes),  # noqa: PLW1509
        )
        _STARTED.append(self)

    def wait_until_begun(self) -> None:
        """Until the command's own code runs."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not self._begun.exists() and self.process.poll() is None:
            require(time.monotonic() < patience, "a command never began")
            time.sleep(0.005)

    def address(self) -> str:
        """Where its page is, once it says so: HOST:PORT."""
        clock = threading.Timer(PATIENCE_SECONDS, self.signal_all, [signal.SIGKILL])
        clock.start()
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("open http://"):
                clock.cancel()
                return line.split()[1].removeprefix("http://")
        clock.cancel()
        raise FoundError(f"a page never opened: {self.end()}")

    def kill_one_worker(self, rng: Rng) -> None:
        """As the out-of-memory killer does."""
        if children := _children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(int(rng.choice(children)), signal.SIGKILL)

    def signal_all(self, number: int) -> None:
        """As a terminal does, or a machine that is switched off."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """The exit code and what was said on stderr; there must be no traceback in it."""
        try:
            _, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal_all(signal.SIGKILL)
            raise FoundError("a command never ended") from None
        finally:
            self.signal_all(signal.SIGKILL)
        require("Traceback" not in errors, f"a traceback:\n{errors[-3000:]}")
        return self.process.returncode, errors


_STARTED: list[Run] = []


@contextmanager
def no_survivors() -> Iterator[None]:
    """What was started inside and still runs at the end is killed."""
    try:
        yield
    finally:
        while _STARTED:
            _STARTED.pop().signal_all(signal.SIGKILL)


def _prepare(most_bytes: int) -> None:
    """In the new process: Ctrl-C is heard, though the rounds may run where a shell has it ignored,
    and files are limited where that is wanted."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if most_bytes:
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def _children(process: int) -> list[int]:
    """Its worker processes (Linux alone tells)."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [child for child in map(int, text.split()) if b"spawn_main" in _command_of(child)]
    return []


def _command_of(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
