"""A contact sheet of a catalogue's heads, each with the lines of its head box."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.image import DEFAULT_SIZE, Stored, head_rows
from contract.picture import PictureError, decode, in_rgba
from contract.sheet import INK, RED_INK, Sheet
from dataset.catalog.catalog import CatalogRow

HEADS_A_PAGE = 600
_MOST_BYTES = 16 << 20
_COLUMNS, _TILE, _GAP, _CAPTION = 10, 256, 8, 22
_BOX, _MIDDLE = "#b3261ea0", "#b3261e46"
_INKS = {"ok": INK, "doubtful": RED_INK, "refused": RED_INK}


def draw_heads(rows: Sequence[CatalogRow], cache: Path, path: Path) -> tuple[Path, ...]:
    """Write PNGs of all heads with their numbers (rows counted from 1); in red those that a person
    should look at, the doubtful and the refused ones.

    The first page is ``path``; further ones, 600 heads each, have -2, -3, ... in their names.
    ``InputError`` when they cannot be written.
    """
    heads = [(number, row) for number, row in enumerate(rows, 1) if row.picture]
    paths = []
    for first in range(0, max(1, len(heads)), HEADS_A_PAGE):
        page = first // HEADS_A_PAGE + 1
        paths.append(path if page == 1 else path.with_stem(f"{path.stem}-{page}"))
        sheet = _sheet(heads[first : first + HEADS_A_PAGE], cache)
        write_bytes(paths[-1], sheet.png())
    return tuple(paths)


def _sheet(heads: Sequence[tuple[int, CatalogRow]], cache: Path) -> Sheet:
    columns = max(1, min(_COLUMNS, len(heads)))
    lines = max(1, -(-len(heads) // columns))
    sheet = Sheet(columns * (_TILE + _GAP) + _GAP, lines * (_TILE + _CAPTION + _GAP) + _GAP)
    for place, (number, row) in enumerate(heads):
        line, column = divmod(place, columns)
        left, top = _GAP + column * (_TILE + _GAP), _GAP + line * (_TILE + _CAPTION + _GAP)
        sheet.put(_picture(cache / str(row.picture)), left, top, _TILE)
        _draw_box(sheet, left, top)
        middle, below = left + _TILE // 2, top + _TILE + _CAPTION // 2
        sheet.write(f"{number}  {_verdict(row)}", middle, below, ink=_INKS[row.status], size=13)
    return sheet


def _picture(path: Path) -> Stored:
    """``InputError`` where what the scan kept was damaged since."""
    data = io.BytesIO(read_file(path, _MOST_BYTES))
    try:
        return np.array(in_rgba(decode(data, ("PNG",), DEFAULT_SIZE).image))
    except PictureError as error:
        raise InputError(f"{path}: is damaged ({error}); delete it and scan again") from error


def _draw_box(sheet: Sheet, left: int, top: int) -> None:
    """Lines on chin, skull top and the middle of a head."""
    first, end = head_rows(_TILE)
    middle = left + _TILE // 2
    sheet.frame(left + first, top + first, left + end, top + end, _BOX)
    sheet.frame(middle, top + first, middle, top + end, _MIDDLE)


def _verdict(row: CatalogRow) -> str:
    """The status of a row; of one that is not ok also the least sure answer."""
    confidence = row.described().annotation.confidence
    if row.status == "ok" or not confidence:
        return row.status
    answer, score = min(confidence.items(), key=lambda item: item[1])
    return f"{row.status}: {answer.replace('_', ' ')} {score:.2f}"
