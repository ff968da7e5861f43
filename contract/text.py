"""Words for people: strangers' names made harmless, counts, and times."""

from __future__ import annotations

import os


def shown_path(relative: str) -> str:
    """A path for people and tables; names that are no UTF-8 are taken for Shift-JIS."""
    try:
        relative.encode("utf-8")
        text = relative
    except UnicodeEncodeError:
        text = os.fsencode(relative).decode("cp932", "backslashreplace")
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
