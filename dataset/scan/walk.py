"""Which files of a folder tree are models: stable order, no link followed, nothing unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InputError
from contract.text import escaped_path

MODEL_SUFFIXES = frozenset({".pmx", ".pmd"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".rar", ".7z", ".lzh"})


@dataclass(frozen=True)
class Listing:
    """Paths relative to the folder, with slashes, escaped, sorted by their characters.

    Hidden files (a dot first: what macOS leaves beside each file is one) are no models.
    """

    models: tuple[str, ...]
    archives: tuple[str, ...]
    links: tuple[str, ...]


def list_models(folder: Path) -> Listing:
    """Walk a folder tree.

    Raises:
        InputError: no folder, or no model in it.
    """
    if not folder.is_dir():
        fault = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder}: {fault}; give the folder that holds the models")
    found: dict[str, list[str]] = {"model": [], "archive": [], "link": []}
    for path, kind in _walk(folder):
        found[kind].append(path)
    models, archives, links = (tuple(sorted(found[kind])) for kind in ("model", "archive", "link"))
    if not models:
        raise InputError(f"{folder}: {_why_none(archives, links)}")
    return Listing(models, archives, links)


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    for parent, folders, files in os.walk(folder):
        # os.walk follows no linked folder; we say which there were.
        for name in [*folders, *files]:
            path = Path(parent, name)
            kind = "link" if path.is_symlink() else _kind(path) if name in files else None
            if kind and not name.startswith("."):
                yield escaped_path(path.relative_to(folder).as_posix()), kind


def _kind(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in MODEL_SUFFIXES:
        return "model"
    return "archive" if suffix in ARCHIVE_SUFFIXES else None


def _why_none(archives: tuple[str, ...], links: tuple[str, ...]) -> str:
    text = "no PMX or PMD model in this folder or those below it"
    if archives:
        return f"{text}; unpack the archives first ({len(archives)}, as {archives[0]})"
    if links:
        return f"{text}; links are not followed ({len(links)}, as {links[0]})"
    return f"{text}; give the folder that holds the models"
