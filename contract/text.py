"""Words for people: strangers' names made harmless, counts, and times."""

from __future__ import annotations

import re
from pathlib import Path

_NO_TEXT = re.compile(r"[\udc80-\udcff\\]")
_ESCAPED = re.compile(r"\\x(5c|[89a-f][0-9a-f])")


def escaped_path(relative: str) -> str:
    r"""A path as text that every file and page can hold: bytes that are no UTF-8 become ``\x83``.

    So do backslashes, as ``\x5c``; ``restored_path`` gives back the path of the file system.
    """
    return _NO_TEXT.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", relative)


def restored_path(escaped: str) -> str:
    """The path of the file system that ``escaped_path`` made a text of."""
    return _ESCAPED.sub(lambda match: _letter(int(match[1], 16)), escaped)


def _letter(byte: int) -> str:
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)


def place(folder: Path, escaped: str) -> Path:
    """Where a file lies, by its path below a folder as ``escaped_path`` gives it."""
    return folder / restored_path(escaped)


def shown_path(escaped: str) -> str:
    """A path for people and tables; names that are no UTF-8 are taken for Shift-JIS."""
    relative = restored_path(escaped)
    try:
        relative.encode("utf-8")
        text = relative
    except UnicodeEncodeError:
        text = relative.encode("utf-8", "surrogateescape").decode("cp932", "backslashreplace")
    return printable(text)


def printable(text: str) -> str:
    """A stranger's text on one line, without what could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def counted(number: int, noun: str) -> str:
    """ "1 shard", "2 shards"."""
    return f"{number} {noun}{'s'[: number != 1]}"


def time_left(done: int, total: int, seconds: float) -> str:
    """ "1:02:03 left" at the pace of ``done`` in ``seconds``; nothing while that is unknown."""
    if done <= 0 or seconds <= 0:
        return ""
    return f"{clock((total - done) * seconds / done)} left"


def clock(seconds: float) -> str:
    """ "1:02:03"."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
