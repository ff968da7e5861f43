"""Sheets and PNGs, pixel by pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from contract.picture import QUICK, png_bytes
from contract.sheet import Sheet

PANEL, PAGE = [0xEE, 0xF0, 0xF3], [255, 255, 255]


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_holds_the_very_pixels(channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    for data in (png_bytes(picture), png_bytes(picture, QUICK)):
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.mode) == ("PNG", "RGBA" if channels == 4 else "RGB")
            np.testing.assert_array_equal(np.array(image), picture)
    assert png_bytes(picture) == png_bytes(picture.copy())


def test_pictures_lie_where_they_are_put_transparent_ones_on_a_panel() -> None:
    sheet = Sheet(8, 4)
    sheet.put(np.full((2, 2, 3), 9, np.uint8), 1, 1)
    sheet.put(np.array([[[200, 0, 0, 255], [200, 0, 0, 0]]], np.uint8), 4, 0)
    pixels = sheet.pixels()
    assert pixels.shape == (4, 8, 3)
    assert pixels[1:3, 1:3].tolist() == [[[9] * 3] * 2] * 2
    assert pixels[0, 4:6].tolist() == [[200, 0, 0], PANEL]
    assert pixels[0, 0].tolist() == pixels[3, 7].tolist() == PAGE


def test_a_picture_is_scaled_to_its_side_and_a_frame_is_one_pixel_wide() -> None:
    sheet = Sheet(8, 8)
    sheet.put(np.full((2, 2, 4), (0, 0, 200, 255), np.uint8), 2, 2, 4)
    assert (sheet.pixels()[2:6, 2:6] == [0, 0, 200]).all()
    sheet.frame(0, 0, 7, 7, "#ff0000")
    red = (sheet.pixels() == [255, 0, 0]).all(axis=2)
    assert red.sum() == 28
    assert red[0].all() and red[:, 7].all() and not red[1:7, 1:7].any()


def test_words_leave_ink_about_their_point_only() -> None:
    sheet = Sheet(60, 40)
    sheet.write("head", 30, 20)
    inked = np.argwhere((sheet.pixels() < 255).any(axis=2))
    assert len(inked) > 20
    assert np.abs(inked.mean(axis=0) - (20, 30)).max() < 3
    assert inked.min() >= 10
