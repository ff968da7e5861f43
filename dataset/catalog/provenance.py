"""Where a model comes from: its hash, its source folder, the terms found beside it."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path, PurePosixPath

from contract.errors import ModelError
from contract.files import opened_model
from contract.text import escaped_path, place
from dataset.shards.records import FoundText

MAX_TERMS_BYTES = 16 << 10
NO_SOURCE = "."

# What authors call the file that states their terms, the most telling first.
_TERMS_WORDS = (
    ("licence", "license", "ライセンス", "利用規約", "規約", "使用条件", "terms"),
    ("copyright", "著作権"),
    (
        "readme",
        "read_me",
        "read me",
        "りどみ",
        "リードミー",
        "お読み",
        "読んで",
        "必読",
        "はじめに",
    ),
)
_TERMS_SUFFIXES = ("", ".txt", ".md", ".text", ".rst")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def hash_models(folder: Path, paths: Sequence[str]) -> dict[str, str | ModelError]:
    """What ``hash_model`` says of each path below a folder, in their order."""

    def hashed(path: str) -> str | ModelError:
        try:
            return hash_model(place(folder, path))
        except ModelError as error:
            return error

    with ThreadPoolExecutor() as pool:
        return dict(zip(paths, pool.map(hashed, paths), strict=True))


def hash_model(path: Path) -> str:
    """sha256 of a model's file, hexadecimal.

    Raises:
        ModelError: unreadable, no plain file, or larger than ``contract.files.MAX_MODEL_BYTES``.
    """
    with opened_model(path, follow_links=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_of(relative: str) -> str:
    """The source of a model: the first folder of its path below the models folder, or "."."""
    parts = PurePosixPath(relative).parts
    return parts[0] if len(parts) > 1 else NO_SOURCE


def find_terms(models_folder: Path, relative: str) -> FoundText | None:
    """The licence or readme nearest a model: in its folder, else in those above it.

    The search ends at the models folder; links are not followed. At most ``MAX_TERMS_BYTES`` are
    kept, decoded as UTF-8, Shift-JIS (cp932) or UTF-16, whichever fits.
    """
    nearest = PurePosixPath(relative).parent
    for folder in (nearest, *nearest.parents):
        for path in _terms_files(place(models_folder, str(folder))):
            data = _read_beginning(path)
            if data.strip():
                return FoundText((folder / escaped_path(path.name)).as_posix(), decode_text(data))
    return None


def _terms_files(folder: Path) -> tuple[Path, ...]:
    """Files of a folder that look like terms, the most telling first."""
    try:
        return _listed_terms(folder, folder.stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=1 << 10)
def _listed_terms(folder: Path, _changed: int) -> tuple[Path, ...]:
    """Listed once, unless it changed: thousands of models may share a folder."""
    with os.scandir(folder) as entries:
        names = [(rank, one) for one in entries if (rank := _rank(one.name)) is not None]
        ranked = sorted((r, one.name) for r, one in names if one.is_file(follow_symlinks=False))
    return tuple(folder / name for _, name in ranked)


def _rank(name: str) -> int | None:
    path = PurePosixPath(name.lower())
    stem, suffix = path.stem, path.suffix
    if suffix not in _TERMS_SUFFIXES:
        return None
    for rank, words in enumerate(_TERMS_WORDS):
        if any(word in stem for word in words):
            return rank
    # Any text beside a model mostly is its readme under a name of its own.
    return len(_TERMS_WORDS) if suffix == ".txt" else None


def _read_beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_TERMS_BYTES)
    except OSError:
        return b""


def decode_text(data: bytes) -> str:
    """The text of bytes in UTF-8, Shift-JIS or UTF-16; a character cut at the end is dropped.

    Line ends become ``\\n``; other control characters vanish.
    """
    for encoding in _encodings(data):
        try:
            # Not final: the last character may be cut by the bound.
            text = codecs.getincrementaldecoder(encoding)("strict").decode(data)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = data.decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or c.isprintable() or c == "\u3000").strip()


def _encodings(data: bytes) -> tuple[str, ...]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return (encoding,)
    if b"\0" in data:
        # No text but UTF-16 holds NUL; ASCII in it has the NUL second (LE) or first (BE).
        return (
            ("utf-16-le", "utf-16-be")
            if data[1::2].count(0) >= data[::2].count(0)
            else ("utf-16-be",)
        )
    return ("utf-8", "cp932")
