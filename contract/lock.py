"""Folders and files that one program at a time may change.

The system lets go of a lock when its process ends, however it ends. Where a file system has no
locks (some network ones), work goes on without, and that is said once.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from contract.errors import InputError
from contract.files import remove_leftovers

LOCK_NAME = ".lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_told_of: set[int] = set()  # devices that have no locks: a run asks for several folders of one


@contextmanager
def only_run(folder: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Inside, no other run writes to ``folder``, and nothing half-written lies there.

    The folder is made where there is none. ``note`` is told, once for a file system, when it cannot
    be locked.

    Raises:
        InputError: another run is writing there, or it cannot be used as a folder.
    """
    require_folder(folder)
    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"{folder}: another run is writing there; wait for its end") from error
    except (OSError, NotImplementedError) as error:
        _require_lockless(folder, error)
        device = folder.stat().st_dev
        if device not in _told_of:
            note(f"{folder}: its file system has no locks; let one run at a time write there")
        _told_of.add(device)
    try:
        remove_leftovers(folder)
        yield
    finally:
        lock.release()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Inside, no other program that asks here changes the file ``path``; waits for its turn.

    Raises:
        InputError: its folder cannot be written.
    """
    lock = FileLock(path.with_name(f".{path.name}{LOCK_NAME}"))
    try:
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        _require_lockless(path, error)
    try:
        yield
    finally:
        lock.release()


def require_folder(folder: Path) -> None:
    """Make a folder where there is none; ``InputError`` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be used as a folder ({error.strerror})") from error


def _require_lockless(path: Path, error: Exception) -> None:
    """Raise the error as ours unless the file system is one without locks."""
    if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
