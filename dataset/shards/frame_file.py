"""Encoded pictures on their way into a shard, kept in a file without a name."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from isal import isal_zlib

from contract.errors import InputError


class FrameFile:
    """A growing run of frames; the file vanishes with the process, whatever happens.

    ``offsets`` (F + 1) and ``crc32s`` (F) are those of the frames so far.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.offsets = [0]
        self.crc32s: list[int] = []
        # Unbuffered, so that a full disk shows on writing and not on closing.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, data: bytes) -> int:
        """Add a frame; its number."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.offsets.append(self.offsets[-1] + len(data))
        self.crc32s.append(isal_zlib.crc32(data))
        return len(self.crc32s) - 1

    def rewind(self, frames: int) -> None:
        """Forget all but the first ``frames`` frames."""
        del self.crc32s[frames:], self.offsets[frames + 1 :]
        self._file.seek(self.offsets[-1])

    def pieces(self, piece_bytes: int) -> Iterator[bytes]:
        """All frames' bytes in order, at most ``piece_bytes`` at a time."""
        left = self.offsets[-1]
        self._file.seek(0)
        while left:
            piece = self._file.read(min(piece_bytes, left))
            if not piece:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk (or HDF5, which may raise RuntimeError) says into ``InputError``."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # HDF5 hides the number in its text.
        found = re.search(r"errno = (\d+)", str(error))
        number = getattr(error, "errno", None) or (int(found[1]) if found else 0)
        fault = os.strerror(number) if number else str(error)
        raise InputError(
            f"{path}: cannot be written ({fault}); free space or choose another folder and run "
            "the same command again: what is finished is kept"
        ) from error
