"""Which file a model means by a texture's path: as people keep them, inside one folder only.

Real models spell paths with backslashes, another case, or another Unicode normalisation, name the
disk of their author, and share folders with others of their collection; unpackers write names in
the wrong encoding. Files from strangers: no path leaves the bound (``..``, absolute, or through a
link).
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PureWindowsPath
from typing import Literal

from contract.errors import TextureError

TextureFault = Literal[
    "texture-missing", "texture-corrupt", "texture-too-large", "texture-outside-folder"
]

# What authors' systems wrote names in, and what unpackers took the bytes for.
_WRITTEN_IN = ("cp932", "shift_jis", "utf-8", "gb18030", "big5", "cp949")
_TAKEN_FOR = ("cp437", "cp850", "cp1252", "cp932", "gb18030")
_MOST_PARTS = 3  # of a path to elsewhere, counted from its end, that are looked for


def find_texture(model_folder: Path, reference: str, bound: Path | None = None) -> Path:
    """The file that ``reference`` means.

    It lies in ``bound``, a folder that holds the model's (default: the model's). Of a path that
    leads elsewhere, as to the author's disk, the end is looked for beside the model.

    Raises:
        TextureError: ``texture-missing``, or ``texture-outside-folder``.
    """
    if not reference.strip() or "\0" in reference:
        raise _fault(reference, "names no file", "texture-missing")
    root = bound if bound and model_folder.is_relative_to(bound) else model_folder
    home = model_folder.relative_to(root).parts
    path = PureWindowsPath(reference)
    parts, leaves = _on_paper(home, path)
    if not leaves:
        return _file_at(root, parts, reference)
    for count in range(min(len(parts), _MOST_PARTS), 0, -1):
        try:
            return _file_at(root, [*home, *parts[-count:]], reference)
        except TextureError:
            continue
    what = "is a path of another disk" if path.anchor else "leaves the folder of the models"
    raise _fault(reference, f"{what}, and is not beside the model", "texture-outside-folder")


def _fault(reference: str, fault: str, code: TextureFault) -> TextureError:
    return TextureError(f"texture {reference!r} {fault}; put it beside the model", code)


def _on_paper(home: Sequence[str], path: PureWindowsPath) -> tuple[list[str], bool]:
    """Parts below the root, ``..`` taken back so that nothing above is ever looked at; or, where
    the path leads elsewhere (True), its parts from there."""
    elsewhere = bool(path.anchor)
    parts = [] if elsewhere else list(home)
    for part in path.parts[elsewhere:]:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            elsewhere = True
    return parts, elsewhere


def _file_at(root: Path, parts: Sequence[str], reference: str) -> Path:
    found = root
    for part in parts:
        found = _child(found, part, reference)
    # Not Path.resolve, which raises on a link that leads to itself.
    if not Path(os.path.realpath(found)).is_relative_to(os.path.realpath(root)):
        raise _fault(reference, "links out of the folder", "texture-outside-folder")
    if not os.path.isfile(found):  # noqa: PTH113  # Path's raises where a path is too long
        raise _fault(reference, "is not a file", "texture-missing")
    return found


def _child(folder: Path, name: str, reference: str) -> Path:
    """``name`` in ``folder``: exactly, else the first that differs in case or normalisation, else
    the first whose name was unpacked in the wrong encoding."""
    try:
        if (folder / name).exists():
            return folder / name
        candidates = sorted(folder.iterdir())
    except (OSError, ValueError) as error:
        raise _fault(reference, f"cannot be read ({error})", "texture-missing") from error
    wanted = _folded(name)
    for candidate in candidates:
        if _folded(candidate.name) == wanted:
            return candidate
    if not name.isascii():
        written = frozenset(_written(name))
        for candidate in candidates:
            if not candidate.name.isascii() and written & _read(candidate.name):
                return candidate
    raise _fault(reference, "is missing", "texture-missing")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _written(name: str) -> Iterator[bytes]:
    """The bytes of a name on the systems of authors, in small letters."""
    for encoding in _WRITTEN_IN:
        for form in (name, unicodedata.normalize("NFD", name)):
            try:
                yield form.encode(encoding).lower()
            except UnicodeEncodeError:
                continue


@lru_cache(maxsize=1 << 14)
def _read(name: str) -> frozenset[bytes]:
    """The bytes that an unpacker may have read as a name, in small letters."""
    found = {os.fsencode(name).lower()}
    composed = unicodedata.normalize("NFC", name)
    for encoding in _TAKEN_FOR:
        try:
            found.add(b"".join(_byte(letter, encoding) for letter in composed).lower())
        except UnicodeEncodeError:
            continue
    return frozenset(found)


def _byte(letter: str, encoding: str) -> bytes:
    """The bytes of a letter; control characters stand for the bytes that an encoding lacks."""
    if "\x80" <= letter <= "\x9f":
        return letter.encode("latin-1")
    return letter.encode(encoding)
