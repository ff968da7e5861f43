"""Which files of a folder tree are models: stable order, no link followed, nothing unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InputError
from contract.text import escaped_path

MODEL_SUFFIXES = frozenset({".pmx", ".pmd"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".rar", ".7z", ".lzh", ".lha"})
UNPACKING_SUFFIX = ".unpacking"
"""Of hidden folders in which an archive is being unpacked."""


@dataclass(frozen=True)
class Listing:
    """Paths relative to the folder, with slashes, escaped, sorted by their characters.

    Hidden files (a dot first: what macOS leaves beside each file is one) are no models.
    ``unread``: folders that could not be listed.
    """

    models: tuple[str, ...]
    archives: tuple[str, ...]
    links: tuple[str, ...]
    unread: tuple[str, ...] = ()


def list_models(folder: Path) -> Listing:
    """Walk a folder tree.

    Raises:
        InputError: no folder, one that cannot be listed, or no model in it.
    """
    if not folder.is_dir():
        fault = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder}: {fault}; give the folder that holds the models")
    found: dict[str, list[str]] = {"model": [], "archive": [], "link": [], "unread": []}
    for path, kind in _walk(folder):
        found[kind].append(path)
    models, archives, links, unread = (tuple(sorted(paths)) for paths in found.values())
    if not models:
        raise InputError(f"{folder}: {_why_none(archives, links, unread)}")
    return Listing(models, archives, links, unread)


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    unread: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unread.append):
        folders[:] = [f for f in folders if not (f[0] == "." and f.endswith(UNPACKING_SUFFIX))]
        # os.walk follows no linked folder; we say which there were.
        named = [*((name, False) for name in folders), *((name, True) for name in files)]
        for name, is_file in named:
            path = Path(parent, name)
            is_link = os.path.islink(path)  # noqa: PTH114  # Path's raises where a path is too long
            kind = "link" if is_link else _kind(path) if is_file else None
            if kind and not name.startswith("."):
                yield escaped_path(path.relative_to(folder).as_posix()), kind
    for error in unread:
        yield escaped_path(Path(error.filename).relative_to(folder).as_posix()), "unread"


def _kind(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in MODEL_SUFFIXES:
        return "model"
    return "archive" if suffix in ARCHIVE_SUFFIXES else None


def _why_none(archives: tuple[str, ...], links: tuple[str, ...], unread: tuple[str, ...]) -> str:
    text = "no PMX or PMD model in this folder or those below it"
    if unread:
        return f"{text}; some cannot be listed ({len(unread)}, as {unread[0]}): mend permissions"
    if archives:
        return f"{text}; unpack the archives first ({len(archives)}, as {archives[0]})"
    if links:
        return f"{text}; links are not followed ({len(links)}, as {links[0]})"
    return f"{text}; give the folder that holds the models"
