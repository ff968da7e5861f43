"""Names in archives: which encoding they are in, and what of them is safe to write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from contract.text import printable

ENCODINGS = ("utf-8", "cp932", "gb18030", "big5", "cp949")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_LETTERS = re.compile(rb"([\x81-\x9f\xe0-\xfc])(.)", re.DOTALL)
_MAX_LETTERS, _MAX_BYTES = 120, 240
"""Of a name. File systems take 255 bytes, some of which are needed while a folder is made."""

References = Sequence[tuple[int, Sequence[str]]]
"""Of each model, by its place among the names: the textures that it refers to."""


def decoded(raw_names: Sequence[bytes], references: References) -> tuple[str, list[str]]:
    """The encoding of names, and the names: the one under which most textures are found.

    Among equals the first of ``ENCODINGS`` that reads all names; ``utf-8`` with replacements where
    none does.
    """
    readings = _readings(raw_names) or _readings(list(map(_with_backslashes, raw_names)))
    if not readings:
        return "utf-8", [raw.decode("utf-8", "replace") for raw in raw_names]
    best = max(readings, key=lambda encoding: _resolved(readings[encoding], references))
    return best, readings[best]


def _readings(raw_names: Sequence[bytes]) -> dict[str, list[str]]:
    """The names under each encoding that reads all of them."""
    readings: dict[str, list[str]] = {}
    for encoding in ENCODINGS:
        try:
            readings[encoding] = [raw.decode(encoding) for raw in raw_names]
        except UnicodeDecodeError:
            continue
    return readings


def _with_backslashes(raw: bytes) -> bytes:
    """A name whose letters are whole again: libarchive makes slashes of an old RAR's backslashes,
    also of the bytes that are the second halves of letters (half-width kana lead none)."""
    return _LETTERS.sub(lambda letter: letter[1] + letter[2].replace(b"/", b"\\"), raw)


def _resolved(names: Sequence[str], references: References) -> int:
    """How many references lead to a file."""
    parts_of = [_parts(name) for name in names]
    files = {_folded(parts) for parts in parts_of}
    return sum(
        _folded([*parts_of[model][:-1], *PureWindowsPath(texture).parts]) in files
        for model, textures in references
        for texture in textures
    )


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]


def _folded(parts: Iterable[str]) -> str:
    walked: list[str] = []
    for part in parts:
        if part == ".." and walked:
            walked.pop()
        else:
            walked.append(part.casefold())
    return "/".join(walked)


def safe_path(name: str) -> PurePosixPath | None:
    """A relative path that every system can write; ``None`` where the name leads out of its folder.

    Letters that Windows forbids become ``_``, and so does what makes a name a device of it.
    """
    parts = _parts(name)
    if not parts or ".." in parts:
        return None
    return PurePosixPath(*map(safe_name, parts))


def safe_name(part: str) -> str:
    """One name of a path, as every system can write it."""
    text = printable(_FORBIDDEN.sub("_", part))
    if len(text) > _MAX_LETTERS or len(text.encode()) > _MAX_BYTES:
        stem, dot, suffix = text.rpartition(".")
        kept = f"{dot}{suffix}" if dot and len(suffix) < 8 else ""
        text = _cut(
            stem if kept else text, _MAX_LETTERS - len(kept), _MAX_BYTES - len(kept.encode())
        )
        text += kept
    text = text.rstrip(". ")
    if _RESERVED.fullmatch(text.split(".", maxsplit=1)[0].strip()):
        text = f"_{text}"
    return text or "_"


def _cut(text: str, letters: int, size: int) -> str:
    return text[:letters].encode()[:size].decode("utf-8", "ignore")
