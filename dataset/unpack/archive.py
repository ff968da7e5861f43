"""What an archive holds, written to files of our own naming: libarchive's zip, 7z, rar, lzh.

Archives come from strangers: nothing is written but into one folder, links and devices are passed
over, and both the number of files and their bytes are bounded while they are written, whatever
sizes the archive claims.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract.errors import InputError

MAX_FILES = 20_000
MAX_BYTES = 8 << 30
_BLOCK_BYTES = 1 << 20
# Not all that libarchive knows: some of its formats name files of this machine, and some of its
# filters are other programs, which a file's first bytes would start.
_FORMATS = ("zip", "7zip", "rar", "rar5", "lha")
# Of names: Japanese, else any bytes at all (where 0x5c within a letter is taken for a slash).
_LZH_CHARSETS = ("CP932", "ISO-8859-1")
_INSTALL_HINT = "install it with: apt-get install -y libarchive13 (see docs/windows.md for others)"


class ArchiveError(Exception):
    """An archive that cannot be used; the text is the fault and its remedy, without the name."""


@dataclass
class Budget:
    """How much may still be written."""

    files: int = MAX_FILES
    bytes: int = MAX_BYTES

    def take(self, files: int = 0, size: int = 0) -> None:
        """Count what is written; ``ArchiveError`` when it is too much."""
        self.files -= files
        self.bytes -= size
        if self.files < 0 or self.bytes < 0:
            raise ArchiveError(
                f"holds more than {MAX_FILES} files or {MAX_BYTES >> 30} GiB; unpack it yourself"
            )


@dataclass(frozen=True)
class Member:
    """A file of an archive: its name's bytes as they are stored, and where its content lies now."""

    raw_name: bytes
    content: Path


@dataclass(frozen=True)
class Content:
    """The files of an archive; ``links`` counts what was passed over."""

    members: tuple[Member, ...] = field(default=())
    links: int = 0


def extract(archive: Path, folder: Path, budget: Budget, password: str | None) -> Content:
    """Write every file of an archive into ``folder``, as 0, 1, 2, ...

    Raises:
        ArchiveError: it is locked, broken or too large, or lies about a size.
        InputError: there is no libarchive.
    """
    library = _libarchive()
    try:
        charsets = _LZH_CHARSETS if _is_lzh(archive) else ("",)
        for charset in charsets:
            before = replace(budget)
            try:
                with _opened(library, archive, password, charset) as entries:
                    return _written(library, entries, folder, budget, charset)
            except library.exception.ArchiveError as error:
                if charset == charsets[-1]:
                    raise ArchiveError(_in_words(str(error))) from error
                budget.files, budget.bytes = before.files, before.bytes
    except OSError as error:
        raise ArchiveError(f"cannot be read or written ({error.strerror})") from error
    raise AssertionError("one of the charsets is the last")


def _is_lzh(archive: Path) -> bool:
    with archive.open("rb") as file:
        return file.read(5)[2:] == b"-lh"


@contextmanager
def _opened(
    library: Any,  # noqa: ANN401
    archive: Path,
    password: str | None,
    charset: str,
) -> Iterator[Any]:
    """The entries; ``charset`` is what libarchive takes LZH's names for, which it must know."""
    with (
        archive.open("rb") as file,
        library.read.new_archive_read(_FORMATS[0], "none", password) as handle,
    ):
        for name in _FORMATS[1:]:
            with suppress(ValueError):  # a library that is too old for it
                library.ffi.get_read_format_function(name)(handle)
        if charset:
            options = f"lha:hdrcharset={charset}".encode()
            library.ffi.libarchive.archive_read_set_options(ctypes.c_void_p(handle), options)
        if os.name == "nt":
            # A library of its own C runtime knows no file numbers of ours.
            library.ffi.read_open_filename_w(handle, str(archive), _BLOCK_BYTES)
        else:
            library.ffi.read_open_fd(handle, file.fileno(), _BLOCK_BYTES)
        yield library.read.ArchiveRead(handle)


def _written(
    library: Any,  # noqa: ANN401
    entries: Any,  # noqa: ANN401
    folder: Path,
    budget: Budget,
    charset: str,
) -> Content:
    members: list[Member] = []
    links = 0
    for entry in entries:
        if entry.isdir:
            continue
        if not entry.isreg or entry.islnk or entry.issym:
            links += 1
            continue
        budget.take(files=1)
        content = folder / str(len(members))
        _write(entry, content, budget)
        members.append(Member(_raw_name(library, entry, charset), content))
    return Content(tuple(members), links)


def _libarchive() -> Any:  # noqa: ANN401  # a module without types
    try:
        import libarchive  # noqa: PLC0415  # loads a library of the system, which may be missing
    except (ImportError, OSError, TypeError, AttributeError) as error:
        raise InputError(f"no libarchive ({error!s:.80}); {_INSTALL_HINT}") from error
    return libarchive


def _write(entry: Any, content: Path, budget: Budget) -> None:  # noqa: ANN401
    claimed = entry.size
    if claimed is not None and claimed > budget.bytes:
        budget.take(size=claimed)
    written = 0
    with content.open("wb") as file:
        for block in _blocks(entry):
            written += len(block)
            budget.take(size=len(block))
            file.write(block)
    if claimed is not None and written != claimed:
        raise ArchiveError(f"lies: a file of {claimed} bytes came out with {written}; get it again")


def _blocks(entry: Any) -> Iterator[bytes]:  # noqa: ANN401
    yield from entry.get_blocks(_BLOCK_BYTES)


def _raw_name(library: Any, entry: Any, charset: str) -> bytes:  # noqa: ANN401
    raw: bytes | None = library.ffi.entry_pathname(entry._entry_p)
    if raw is None:
        return str(entry.pathname or "").encode("utf-8", "replace")
    # As Latin-1 each letter was one byte of the archive's.
    return raw.decode("utf-8").encode("latin-1") if charset == _LZH_CHARSETS[-1] else raw


def _in_words(error: str) -> str:
    lowered = error.lower()
    if "passphrase" in lowered or "encrypt" in lowered:
        return "is locked with a password; give it with --password, or unpack it yourself"
    return f"is damaged, or no archive ({' '.join(error.split())[:120]}); get it again"
