"""Archives -> one folder each, below the models folder: each is a source of its own.

An archive is unpacked beside its place under a hidden name and then put there whole, so that an
interrupted run leaves no half of one, and running again goes on with the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from contract.errors import InputError
from contract.files import read_file
from contract.lock import only_run, require_folder
from contract.progress import Progress
from contract.records import decode_json
from contract.text import counted, escaped_path, printable, shown_path
from dataset.scan.walk import ARCHIVE_SUFFIXES, MODEL_SUFFIXES, UNPACKING_SUFFIX
from dataset.unpack.archive import (
    ArchiveError,
    Budget,
    Content,
    Member,
    extract,
)
from dataset.unpack.names import decoded, safe_name, safe_path

RECORD_NAME = ".unpacked.json"
_MOST_RECORD_BYTES = 1 << 16
TextureReferences = Callable[[Path], tuple[str, ...]]
"""The textures that a model's file refers to; none of a file that is no model."""


@dataclass(frozen=True)
class Origin:
    """Which archive a folder was unpacked from."""

    archive: str
    bytes: int


@dataclass(frozen=True)
class Summary:
    """``unpacked`` now, ``known`` from before; ``faults``: a line for each that could not be."""

    unpacked: int
    known: int
    models: int
    faults: tuple[str, ...]


def find_archives(paths: Sequence[Path]) -> list[Path]:
    """The archives among paths: files as they are given, and those below folders.

    Raises:
        InputError: there is none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ARCHIVE_SUFFIXES)
            found += [p for p in inside if p.is_file() and not p.is_symlink()]
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(f"{path}: does not exist; give archives, or folders of them")
    if not found:
        raise InputError(
            f"{paths[0]}: no archive in it; known are {', '.join(sorted(ARCHIVE_SUFFIXES))}"
        )
    return found


def unpack(
    archives: Sequence[Path],
    models_folder: Path,
    texture_references: TextureReferences,
    progress: Progress,
    password: str | None = None,
    budget: Budget | None = None,
) -> Summary:
    """Unpack each archive into a folder of its own; one that cannot be costs only itself.

    ``budget`` (default: as large as it can be) is that of each archive with those in it.

    Raises:
        InputError: the models folder cannot be written, or there is no libarchive.
    """
    require_folder(models_folder)
    unpacked = known = models = 0
    faults: list[str] = []
    with only_run(models_folder, progress.note):
        for number, (archive, name) in enumerate(_places(archives)):
            progress.show(number, len(archives), f"{len(faults)} faults")
            folder = models_folder / name
            try:
                if _is_known(folder, archive):
                    known += 1
                    continue
                within = replace(budget or Budget())
                work = _Work(archive, folder, texture_references, password, within)
                progress.note(work.run())
                unpacked, models = unpacked + 1, models + work.models
            except ArchiveError as error:
                faults.append(f"{_shown(archive)}: {error}")
                progress.note(faults[-1])
    return Summary(unpacked, known, models, tuple(faults))


def _shown(path: Path) -> str:
    return shown_path(escaped_path(path.as_posix()))


def _places(archives: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Each archive with the name of its folder: its own, with its suffix where others have it."""
    taken: set[str] = set()
    for archive in archives:
        plain = safe_name(_name(archive.stem))
        wanted = [plain, safe_name(_name(archive.name))]
        wanted += [f"{plain} {number}" for number in range(2, len(taken) + 3)]
        name = next(name for name in wanted if name.casefold() not in taken)
        taken.add(name.casefold())
        yield archive, name


def _name(name: str) -> str:
    """A name as text: bytes that are no UTF-8 are taken for Shift-JIS."""
    return shown_path(escaped_path(name))


def _is_known(folder: Path, archive: Path) -> bool:
    """Whether a folder holds this archive's files; ``ArchiveError`` where it holds others."""
    if not os.path.lexists(folder):
        return False
    try:
        origin = decode_json(Origin, read_file(folder / RECORD_NAME, _MOST_RECORD_BYTES))
    except (InputError, ValueError):
        origin = None
    if origin != _origin(archive):
        raise ArchiveError(f"its folder {folder.name} holds other files; move them away")
    return True


def _origin(archive: Path) -> Origin:
    try:
        size = archive.stat().st_size
    except OSError as error:
        raise ArchiveError(f"cannot be read ({error.strerror})") from error
    return Origin(printable(_name(archive.name)), size)


class _Work:
    """One archive on its way into its folder."""

    def __init__(
        self,
        archive: Path,
        folder: Path,
        texture_references: TextureReferences,
        password: str | None,
        budget: Budget,
    ) -> None:
        self._archive, self._folder = archive, folder
        self._references, self._password = texture_references, password
        self._budget = budget
        self._encodings: list[str] = []
        self._passed_over = 0
        self.models = 0

    def run(self) -> str:
        """Unpack it; a line on what came of it."""
        staging = self._folder.with_name(f".{self._folder.name}{UNPACKING_SUFFIX}")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            files = staging / "files"
            files.mkdir(parents=True)
            nested = self._unpack(self._archive, files, staging / "raw")
            left = [self._unpack_nested(path, staging) for path in nested]
            record = json.dumps(asdict(_origin(self._archive)), ensure_ascii=False)
            (files / RECORD_NAME).write_text(record, "utf-8")
            files.rename(self._folder)
        except OSError as error:
            raise ArchiveError(f"cannot be written ({error.strerror})") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return self._line(sum(left))

    def _line(self, left: int) -> str:
        parts = [
            f"{_shown(self._archive)}: {counted(self.models, 'model')}",
            f"names in {', '.join(dict.fromkeys(self._encodings))}" if self._encodings else "",
            f"{counted(self._passed_over, 'link or path')} out of it passed over"
            if self._passed_over
            else "",
            f"{counted(left, 'nested archive')} left packed" if left else "",
        ]
        return ", ".join(filter(None, parts))

    def _unpack_nested(self, path: Path, staging: Path) -> int:
        """Unpack an archive in the archive beside itself; 1 when it, or one in it, stays packed."""
        folder = path.with_suffix("")
        if folder.exists():
            folder = path.with_name(f"{path.name} unpacked")
        try:
            folder.mkdir()
            deeper = self._unpack(path, folder, staging / "raw")
        except ArchiveError:
            if self._budget.files < 0 or self._budget.bytes < 0:
                raise
            shutil.rmtree(folder, ignore_errors=True)
            return 1
        path.unlink()
        return int(bool(deeper))

    def _unpack(self, archive: Path, folder: Path, raw: Path) -> list[Path]:
        """Write an archive's files below ``folder``; those of them that are archives too."""
        raw.mkdir()
        content = extract(archive, raw, self._budget, self._password)
        members = content.members
        references = [
            (place, self._references(member.content))
            for place, member in enumerate(members)
            if _suffix(member) in MODEL_SUFFIXES
        ]
        encoding, names = decoded([member.raw_name for member in members], references)
        if not all(member.raw_name.isascii() for member in members):
            self._encodings.append(encoding)
        self._passed_over += content.links
        archives = [
            path
            for path in self._put(content, names, folder)
            if path.suffix.lower() in ARCHIVE_SUFFIXES
        ]
        shutil.rmtree(raw)
        return archives

    def _put(self, content: Content, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Move the files to their names; the first of several of one name counts."""
        taken: set[str] = set()
        for member, name in zip(content.members, names, strict=True):
            path = safe_path(name)
            if path is None or path.as_posix().casefold() in taken:
                self._passed_over += 1
                continue
            taken.add(path.as_posix().casefold())
            target = folder / path
            if not _can_hold(target.parent, folder) or target.exists():
                self._passed_over += 1
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            member.content.rename(target)
            self.models += target.suffix.lower() in MODEL_SUFFIXES
            yield target


def _suffix(member: Member) -> str:
    """In small letters; it is ASCII in every encoding."""
    return PurePosixPath(member.raw_name.decode("latin-1")).suffix.lower()


def _can_hold(parent: Path, folder: Path) -> bool:
    """Whether no file stands where a folder is needed."""
    while parent != folder:
        if parent.exists() and not parent.is_dir():
            return False
        parent = parent.parent
    return True
