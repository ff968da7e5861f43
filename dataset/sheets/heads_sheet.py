"""A contact sheet of a catalogue's heads, each with the lines of its head box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from contract.files import replacing
from contract.image import head_rows
from dataset.catalog.catalog import CatalogRow

HEADS_A_PAGE = 600
_COLUMNS, _TILE, _GAP, _CAPTION = 10, 256, 8, 22
_PAGE, _PANEL = "#ffffff", "#eef0f3"
_INK = {"ok": "#3c424b", "doubtful": "#b3261e"}
_LINE = (179, 38, 30, 160)


def draw_heads(rows: Sequence[CatalogRow], cache: Path, path: Path) -> tuple[Path, ...]:
    """Write PNGs of all heads with their numbers (rows counted from 1), doubtful ones in red.

    The first page is ``path``; further ones, 600 heads each, have -2, -3, ... in their names.
    ``InputError`` when they cannot be written.
    """
    heads = [(number, row) for number, row in enumerate(rows, 1) if row.picture]
    paths = []
    for first in range(0, max(1, len(heads)), HEADS_A_PAGE):
        page = first // HEADS_A_PAGE + 1
        paths.append(path if page == 1 else path.with_stem(f"{path.stem}-{page}"))
        sheet = _sheet(heads[first : first + HEADS_A_PAGE], cache)
        with replacing(paths[-1]) as temporary:
            sheet.save(temporary, "PNG")
    return tuple(paths)


def _sheet(heads: Sequence[tuple[int, CatalogRow]], cache: Path) -> Image.Image:
    columns = max(1, min(_COLUMNS, len(heads)))
    lines = max(1, -(-len(heads) // columns))
    size = columns * (_TILE + _GAP) + _GAP, lines * (_TILE + _CAPTION + _GAP) + _GAP
    page = Image.new("RGB", size, _PAGE)
    for place, (number, row) in enumerate(heads):
        line, column = divmod(place, columns)
        left, top = _GAP + column * (_TILE + _GAP), _GAP + line * (_TILE + _CAPTION + _GAP)
        page.paste(_head(cache / str(row.picture)), (left, top))
        middle = left + _TILE // 2, top + _TILE + _CAPTION // 2
        text, font = f"{number}  {_verdict(row)}", ImageFont.load_default(13)
        ImageDraw.Draw(page).text(middle, text, _INK[row.status], font, anchor="mm")
    return page


def _head(picture: Path) -> Image.Image:
    """A rest picture with lines on chin, skull top and the middle."""
    with Image.open(picture) as stored:
        head = stored.convert("RGBA").resize((_TILE, _TILE))
    panel = Image.new("RGBA", head.size, _PANEL)
    panel.alpha_composite(head)
    lines = Image.new("RGBA", head.size)
    draw = ImageDraw.Draw(lines)
    first, end = head_rows(_TILE)
    draw.rectangle((first, first, end, end), outline=_LINE)
    draw.line((_TILE // 2, first, _TILE // 2, end), fill=(*_LINE[:3], 70))
    panel.alpha_composite(lines)
    return panel.convert("RGB")


def _verdict(row: CatalogRow) -> str:
    """The status of a row; of a doubtful one also the least sure answer."""
    confidence = row.described().annotation.confidence
    if row.status == "ok" or not confidence:
        return row.status
    answer, score = min(confidence.items(), key=lambda item: item[1])
    return f"{row.status}: {answer.replace('_', ' ')} {score:.2f}"
