"""Who made a model and on which terms, as far as its files say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contract.text import printable
from dataset.shards.records import ModelRow

_TELLS_AUTHOR = re.compile(
    r"作者|制作|製作|モデリング|作成|author|copyright|\(c\)|©|(?<!\w)by[: ]",
    re.IGNORECASE,
)
_LONGEST_LINE = 160
_MOST_LINES = 4


def author_lines(row: ModelRow) -> tuple[str, ...]:
    """The lines of a model's comment and of the terms beside it that seem to name who made it.

    At most four, of 160 letters each; none where no line does. They are strangers' words.
    """
    return tuple(dict.fromkeys(_telling(row)))[:_MOST_LINES]


def _telling(row: ModelRow) -> Iterator[str]:
    texts = (row.facts.comment, row.licence.text if row.licence else "")
    for text in texts:
        for line in text.splitlines():
            if _TELLS_AUTHOR.search(line):
                yield printable(line)[:_LONGEST_LINE]
