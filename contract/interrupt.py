"""Ctrl-C, whenever and however often it comes: exit code 130, and what is under way is cleared up.

A command's modules take a moment to load, and clearing up takes another; Python alone answers
Ctrl-C with a traceback in the first and loses its thread in the second.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

EXIT_CODE = 130
_PATIENCE = 3


def run_command(load: Callable[[], Callable[[], object]]) -> None:
    """Run the command that ``load`` imports.

    While it loads a Ctrl-C ends the process. Then the first raises ``KeyboardInterrupt``, which
    the command heeds; the second is ignored, for that is under way; the third ends the process as
    it is, and its workers with it.
    """
    _have_streams()
    elsewhere = threading.current_thread() is not threading.main_thread()
    if elsewhere or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        load()()  # whoever started it wants it deaf, as nohup does
        return
    signal.signal(signal.SIGINT, _leave)
    command = load()
    signal.signal(signal.SIGINT, Interruptions())
    try:
        command()
    except KeyboardInterrupt:  # before or after the command could heed it
        _leave(signal.SIGINT, None)
    finally:
        # Python gives up its handlers before all else is cleared away; from there on one more
        # would end the process as if it had never heard of any.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _have_streams() -> None:
    """Where a command is started without stdin, stdout or stderr (``2>&-``), the next files that
    are opened get their numbers, and libraries' warnings would be written into those."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115  # until the end
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115  # until the end


class Interruptions:
    """A handler of SIGINT that counts how often it came."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """One more."""
        self._count += 1
        if self._count >= _PATIENCE:
            _leave(number, frame)
        if self._count == 1:
            raise KeyboardInterrupt


def _leave(_number: int, _frame: FrameType | None) -> None:
    # Not sys.exit: what is being imported or cleared up would go on.
    os.write(2, b"interrupted\n")
    os._exit(EXIT_CODE)
