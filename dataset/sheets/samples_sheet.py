"""A contact sheet: triples of pictures with their poses, two to a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from contract.files import replacing
from contract.image import Stored
from contract.pose import AXIS_NAMES
from dataset.shards.records import PICTURE_NAMES, Sample
from dataset.shards.shard import ShardReader

DEFAULT_TRIPLES = 12
TILE = 192
_COLUMNS = 2
_GAP = 4  # between the pictures of a triple
_MARGIN = 24  # around triples
_CAPTION = 26
_PAGE, _PANEL, _INK, _FAINT = "#ffffff", "#eef0f3", "#3c424b", "#8a919c"
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
    size = (
        columns * (width + _MARGIN) + _MARGIN,
        rows * (height + _MARGIN) + _MARGIN + _CAPTION,
    )
    page = Image.new("RGB", size, _PAGE)
    for number, (reader, i) in enumerate(chosen):
        row, column = divmod(number, columns)
        left, top = _MARGIN + column * (width + _MARGIN), _MARGIN + row * (height + _MARGIN)
        if row == 0:
            _write_names(page, left, top)
        _put_triple(page, left, top + _CAPTION, reader.sample(i))
    with replacing(path) as temporary:
        page.save(temporary, "PNG", optimize=True)


def choose_samples(readers: Sequence[ShardReader], count: int) -> list[tuple[ShardReader, int]]:
    """The first samples of all models, then their second ones, ...: up to ``count``."""
    by_model: dict[str, list[tuple[ShardReader, int]]] = {}
    for reader in readers:
        names = [model.sha256 for model in reader.models]
        for i, row in enumerate(reader.samples["model"]):
            by_model.setdefault(names[row], []).append((reader, i))
    rounds = chain.from_iterable(zip_longest(*by_model.values()))
    return [choice for choice in rounds if choice is not None][:count]


def _write_names(page: Image.Image, left: int, top: int) -> None:
    for number, name in enumerate(PICTURE_NAMES):
        middle = left + number * (TILE + _GAP) + TILE // 2
        _write(page, middle, top + _CAPTION // 2 - 2, name, _INK)


def _put_triple(page: Image.Image, left: int, top: int, sample: Sample) -> None:
    values = dict(zip(AXIS_NAMES, map(float, sample.pose), strict=True))
    words = {name: f"{_SHORT_NAMES[name]} {value:.2f}" for name, value in values.items()}
    captions = (
        f"{sample.light.shading}   ambient {sample.light.ambient:.2f}",
        "   ".join(words[name] for name in AXIS_NAMES[3:]),
        "   ".join(words[name] for name in AXIS_NAMES[:3]),
    )
    pictures = sample.rest, sample.expression, sample.posed
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x = left + number * (TILE + _GAP)
        page.paste(_tile(picture), (x, top))
        _write(page, x + TILE // 2, top + TILE + _CAPTION // 2, caption, _FAINT)


def _tile(picture: Stored) -> Image.Image:
    panel = Image.new("RGBA", (picture.shape[1], picture.shape[0]), _PANEL)
    panel.alpha_composite(Image.fromarray(picture, "RGBA"))
    return panel.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)


def _write(page: Image.Image, x: int, y: int, text: str, colour: str) -> None:
    """Text centred on a point."""
    ImageDraw.Draw(page).text((x, y), text, colour, ImageFont.load_default(12), anchor="mm")
