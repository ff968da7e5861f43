"""The card of a data set: what is in it, by whose leave, and what it looks like, as Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from contract.files import write_bytes
from contract.text import counted, printable
from dataset.curate.parts import WHOLE, Shards, every, open_parts
from dataset.shards.records import ModelRow
from dataset.sheets.samples_sheet import draw_sheet
from dataset.sheets.summary import AxisSummary, ShardsSummary, sparkline, summarise

SHEET_TRIPLES = 12
_MOST_TERMS = 2000  # letters quoted of one text
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>])")
_TELLS_AUTHOR = re.compile(
    r"作者|制作|製作|モデリング|作成|author|copyright|\(c\)|©|(?<!\w)by[: ]",
    re.IGNORECASE,
)
_LONGEST_LINE = 160
_MOST_LINES = 4


def write_card(folder: Path, path: Path) -> None:
    """Write the card of a data set to ``path``, and a sheet of its samples beside it, as PNG.

    Raises:
        InputError: there is no shard, or the files cannot be written.
        ShardError: a shard is damaged, or of another data set than the others.
    """
    shards = open_parts(folder)
    summaries = {part: summarise(readers) for part, readers in shards.items()}
    sheet = path.with_suffix(".png")
    draw_sheet(every(shards), sheet, SHEET_TRIPLES)
    text = card_text(folder.resolve().name, shards, summaries, sheet.name)
    write_bytes(path, text.encode("utf-8", "replace"))


def card_text(
    name: str, shards: Shards, summaries: Mapping[str, ShardsSummary], sheet_name: str
) -> str:
    """The card, as Markdown; what strangers wrote is quoted, and steers nothing."""
    whole = summarise(every(shards))
    header = whole.header
    low, high = whole.ambient
    lines = [
        f"# {plain(name)}",
        "",
        f"{counted(whole.samples, 'sample')} of {counted(len(whole.models), 'model')}: pictures of "
        f"{header.size}x{header.size} RGBA, {header.shading} shading, ambient light "
        f"{low:.2f} to {high:.2f}; drawn by {plain(header.generator)} with "
        f"{', '.join(map(plain, whole.gl_renderers))}.",
        "",
        f"![Samples: rest, expression and posed pictures]({sheet_name})",
        "",
        "## What is in it",
        "",
        *_count_table(summaries),
        "",
        "## Poses",
        "",
        *_pose_table(whole.poses),
        "",
        "## Sources",
        "",
        *_source_table(whole.models),
        "",
        "## Models",
        "",
        "Authors and terms are what the models' own files and the texts beside them say; where "
        "they say nothing, ask. A model is taken out with `dataset drop-model`.",
        "",
        *_model_table(whole.models),
        "",
        "## Terms",
        "",
        *_terms(whole.models),
    ]
    return "\n".join(lines).rstrip() + "\n"


def plain(text: str) -> str:
    """A stranger's text as Markdown that shows just it, on one line."""
    escaped = _MARKS.sub(r"\\\1", printable(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;")


def _table(columns: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def _count_table(summaries: Mapping[str, ShardsSummary]) -> Iterator[str]:
    columns = ("part", "models", "samples", "pictures", "shards", "MB")
    rows = (
        (
            "all" if part == WHOLE else part,
            f"{len(one.models):,}",
            f"{one.samples:,}",
            f"{one.pictures:,}",
            f"{one.shards:,}",
            f"{one.file_bytes / 1e6:,.1f}",
        )
        for part, one in summaries.items()
    )
    return _table(columns, rows)


def _pose_table(poses: Sequence[AxisSummary]) -> Iterator[str]:
    columns = ("axis", "lowest", "highest", "mean", "histogram")
    rows = (
        (
            f"`{axis.name}`",
            f"{axis.low:.2f}",
            f"{axis.high:.2f}",
            f"{axis.mean:.2f}",
            sparkline(axis.histogram),
        )
        for axis in poses
    )
    return _table(columns, rows)


def _source_table(models: Sequence[ModelRow]) -> Iterator[str]:
    counts = Counter(model.source for model in models)
    samples: Counter[str] = Counter()
    for model in models:
        samples[model.source] += model.samples
    rows = ((plain(source), counts[source], samples[source]) for source in sorted(counts))
    return _table(("source", "models", "samples"), rows)


def _model_table(models: Sequence[ModelRow]) -> Iterator[str]:
    numbers = _terms_numbers(models)
    columns = ("model", "file", "SHA-256", "samples", "author, as its files say", "terms")
    rows = (
        (
            plain(model.facts.name) or "(no name)",
            plain(model.path),
            f"`{plain(model.sha256)[:12]}`",
            model.samples,
            "<br>".join(map(plain, author_lines(model))) or "not said",
            f"[{numbers[model.licence.text]}](#terms-{numbers[model.licence.text]})"
            if model.licence
            else "none found",
        )
        for model in models
    )
    return _table(columns, rows)


def _terms_numbers(models: Sequence[ModelRow]) -> dict[str, int]:
    """Each text that states terms, once, wherever it lies, in the order of the models."""
    texts = dict.fromkeys(model.licence.text for model in models if model.licence)
    return {text: number for number, text in enumerate(texts, 1)}


def _terms(models: Sequence[ModelRow]) -> Iterator[str]:
    counts = Counter(model.licence.text if model.licence else None for model in models)
    first: dict[str, str] = {}
    for model in models:
        if model.licence:
            first.setdefault(model.licence.text, model.licence.path)
    yield f"{counted(counts[None], 'model')} without any text that states terms."
    for text, number in _terms_numbers(models).items():
        others = ", and elsewhere" if counts[text] > 1 else ""
        yield ""
        yield f"### Terms {number}"
        yield ""
        yield f"{plain(first[text])}{others}, for {counted(counts[text], 'model')}:"
        yield ""
        # Indented, for no stranger's text can end such a block.
        yield from (f"    {printable(line)}" for line in text[:_MOST_TERMS].splitlines())
        if len(text) > _MOST_TERMS:
            yield "    ..."


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
