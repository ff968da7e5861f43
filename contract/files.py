"""Read files within bounds; write them so that a reader sees the old one or the new one, never
half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG

from contract.errors import InputError, ModelError

MAX_MODEL_BYTES = 512 << 20
"""Far more than any model takes."""
_TEMPORARY_FILES = ".*.tmp"
_SUFFIX = ".tmp"


def read_file(path: Path, most_bytes: int) -> bytes:
    """The bytes of a plain file; a pipe or a device could keep us reading for ever.

    Raises:
        InputError: it is not there, no plain file, unreadable, or larger than ``most_bytes``.
    """
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise InputError(f"{path}: is no plain file; give a file")
        if status.st_size > most_bytes:
            raise InputError(f"{path}: over {most_bytes >> 20} MiB, which is not read; cut it down")
        with path.open("rb") as file:
            return file.read(most_bytes)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        fault = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read ({fault}); check the path") from error


@contextmanager
def opened_model(path: Path, *, follow_links: bool = True) -> Iterator[BufferedReader]:
    """A model's file, to be read.

    Raises:
        ModelError: unreadable, no plain file, or larger than ``MAX_MODEL_BYTES``.
    """
    try:
        status = path.stat(follow_symlinks=follow_links)
        if not S_ISREG(status.st_mode):
            # A pipe or a device could keep us reading for ever.
            raise ModelError(f"{path.name}: not a plain file; give a model file", "unreadable-file")
        if status.st_size > MAX_MODEL_BYTES:
            raise ModelError(
                f"{path.name}: {status.st_size >> 20} MiB; models beyond "
                f"{MAX_MODEL_BYTES >> 20} MiB are not read",
                "file-too-large",
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ModelError(
            f"{path.name}: cannot be read ({error.strerror}); check the file and its permissions",
            "unreadable-file",
        ) from error


def temporary_of(path: Path) -> Path:
    """The name under which this process writes what is to become ``path``.

    What processes that are gone left under such names of ``path`` is removed.
    """
    for left in _leftovers(path.parent).pop(path.name, ()):
        _remove(left)
    return path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")


@cache
def _leftovers(folder: Path) -> dict[str, list[Path]]:
    """The temporary files and folders of processes that are gone, by the name they were to get;
    looked up once, for folders may be large and are written to often."""
    found: dict[str, list[Path]] = {}
    with suppress(OSError):
        for path in _of_the_gone(folder):
            found.setdefault(path.name[1 : -len(_SUFFIX)].rpartition(".")[0], []).append(path)
    return found


def is_gone(process: int) -> bool:
    """Whether there is no process of that number on this machine (on Windows: never known)."""
    if os.name != "posix":
        return False  # there asking for a process can end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A folder of this process in the system's place for temporary files, removed at the end.

    Folders under the same ``name`` of processes that were killed are removed first.
    """
    for left in Path(tempfile.gettempdir()).glob(f"opentha-{name}-*"):
        process = left.name.split("-")[-2]
        if process.isdecimal() and is_gone(int(process)):
            _remove(left)
    prefix = f"opentha-{name}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``: fsynced and renamed onto it on success, removed on failure.

    An empty file is there from the first, so that a folder that cannot be written is told of before
    there is work to lose.

    Raises:
        InputError: the folder cannot be written, the disk is full, or a folder is in its place.
    """
    if os.path.isdir(path):  # noqa: PTH112  # Path's raises where a path is too long
        raise InputError(f"{path}: is a folder; give a file's name")
    temporary = temporary_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); check the folder and the free space"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left of ``replacing`` in a folder.

    Only for who may be sure that no other program writes right there; of folders in it only what
    processes left that are gone.
    """
    for path in folder.glob(_TEMPORARY_FILES):
        if not path.is_dir():  # a folder of that name is another writer's
            path.unlink(missing_ok=True)
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            for path in _of_the_gone(inner):
                _remove(path)


def _of_the_gone(folder: Path) -> Iterator[Path]:
    for path in folder.glob(_TEMPORARY_FILES):
        process = path.name[: -len(_SUFFIX)].rpartition(".")[2]
        if process.isdecimal() and is_gone(int(process)):
            yield path


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` in one step; ``InputError`` when it cannot be written."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
