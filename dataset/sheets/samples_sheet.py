"""A contact sheet: triples of pictures with their poses, two to a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path

from contract.files import write_bytes
from contract.pose import AXIS_NAMES, FACE_AXES, JOINT_AXES
from contract.sheet import FAINT_INK, Sheet
from dataset.shards.records import PICTURE_NAMES, Sample
from dataset.shards.shard import ShardReader

DEFAULT_TRIPLES = 12
TILE = 192
_COLUMNS = 2
_GAP = 4  # between the pictures of a triple
_MARGIN = 24  # around triples
_CAPTION = 26
_SHORT_NAMES = {
    "head_x": "x",
    "head_y": "y",
    "neck_z": "z",
    "left_eye": "left",
    "right_eye": "right",
    "mouth": "mouth",
}


def draw_sheet(readers: Sequence[ShardReader], path: Path, triples: int = DEFAULT_TRIPLES) -> None:
    """Write a PNG of up to ``triples`` samples, spread over the models of all shards.

    Raises:
        ShardError: a shard cannot be read. InputError: the PNG cannot be written.
    """
    chosen = choose_samples(readers, triples)
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    width, height = len(PICTURE_NAMES) * (TILE + _GAP) - _GAP, TILE + _CAPTION
    sheet = Sheet(
        columns * (width + _MARGIN) + _MARGIN, rows * (height + _MARGIN) + _MARGIN + _CAPTION
    )
    for number, (reader, i) in enumerate(chosen):
        row, column = divmod(number, columns)
        left, top = _MARGIN + column * (width + _MARGIN), _MARGIN + row * (height + _MARGIN)
        if row == 0:
            _write_names(sheet, left, top)
        _put_triple(sheet, left, top + _CAPTION, reader.sample(i))
    write_bytes(path, sheet.png())


def choose_samples(readers: Sequence[ShardReader], count: int) -> list[tuple[ShardReader, int]]:
    """The first samples of all models, then their second ones, ...: up to ``count``."""
    by_model: dict[str, list[tuple[ShardReader, int]]] = {}
    for reader in readers:
        names = [model.sha256 for model in reader.models]
        for i, row in enumerate(reader.samples["model"]):
            by_model.setdefault(names[row], []).append((reader, i))
    rounds = chain.from_iterable(zip_longest(*by_model.values()))
    return [choice for choice in rounds if choice is not None][:count]


def _write_names(sheet: Sheet, left: int, top: int) -> None:
    for number, name in enumerate(PICTURE_NAMES):
        middle = left + number * (TILE + _GAP) + TILE // 2
        sheet.write(name, middle, top + _CAPTION // 2 - 2)


def _put_triple(sheet: Sheet, left: int, top: int, sample: Sample) -> None:
    values = dict(zip(AXIS_NAMES, map(float, sample.pose), strict=True))
    words = {name: f"{_SHORT_NAMES[name]} {value:.2f}" for name, value in values.items()}
    captions = (
        f"{sample.light.shading}   ambient {sample.light.ambient:.2f}",
        "   ".join(words[name] for name in FACE_AXES),
        "   ".join(words[name] for name in JOINT_AXES),
    )
    pictures = sample.rest, sample.expression, sample.posed
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x = left + number * (TILE + _GAP)
        sheet.put(picture, x, top, TILE)
        sheet.write(caption, x + TILE // 2, top + TILE + _CAPTION // 2, ink=FAINT_INK)
