"""The characters that the page offers are what `make gallery` draws, ready to be animated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import gallery
from animate.drawing.check import check
from animate.drawing.drawing import read_drawing, resized


def test_every_character_is_ready_to_be_animated() -> None:
    paths = sorted(gallery.PICTURES.glob("*.png"))
    assert len(paths) == len(gallery.CHARACTERS)
    assert sum(path.stat().st_size for path in paths) < 1_000_000
    for path in paths:
        drawing = read_drawing(path)
        assert drawing.picture.shape == (gallery.SIZE, gallery.SIZE, 4)
        faults = {fault.code for fault in check(drawing).faults}
        assert faults <= {"unsure-head"}, path


def test_the_first_is_drawn_anew_as_it_is(tmp_path: Path) -> None:
    gallery.draw(gallery.CHARACTERS[:1], tmp_path, 128)
    kept = resized(read_drawing(gallery.PICTURES / "character-1.png").picture, 128, 128)
    with Image.open(tmp_path / "character-1.png") as image:
        difference = np.abs(np.array(image).astype(int) - kept)
    assert difference.mean() < 4
