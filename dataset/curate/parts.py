"""The shards of a data set, by the parts of its split; and folders that appear whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from contract.errors import InputError
from contract.lock import require_folder
from dataset.shards.shard import SHARD_SUFFIX, ShardReader
from dataset.shards.split_file import part_folders

WHOLE = "."
"""The only part of a data set that is not split into folders."""

Shards = Mapping[str, tuple[ShardReader, ...]]
"""The shards of each part, in the order of their names; of a part without any there is none."""


def open_parts(folder: Path) -> Shards:
    """The shards of a folder, or of its folders train, validation and test.

    Raises:
        InputError: there is no shard in it.
    """
    names = part_folders(folder) or {WHOLE: folder}
    found = {part: _shards(path) for part, path in names.items()}
    shards = {part: readers for part, readers in found.items() if readers}
    if not shards:
        raise InputError(f"{folder}: holds no shard; give a folder that `dataset build` wrote")
    return shards


def _shards(folder: Path) -> tuple[ShardReader, ...]:
    paths = sorted(folder.glob(f"*{SHARD_SUFFIX}")) if folder.is_dir() else []
    return tuple(map(ShardReader, paths))


def every(shards: Shards) -> Sequence[ShardReader]:
    """The shards of all parts."""
    return [reader for readers in shards.values() for reader in readers]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder``: renamed to it on success, removed on failure.

    Raises:
        InputError: something is there already, or it cannot be written.
    """
    if folder.exists() and not _is_empty_folder(folder):
        raise InputError(f"{folder}: exists already; give another folder, or remove it first")
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    require_folder(temporary)
    try:
        yield temporary
        if hasattr(os, "sync"):
            os.sync()  # once, rather than for each of what may be a million files
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); check the folder and the free space"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_empty_folder(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())
