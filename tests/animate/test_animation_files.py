"""Animations that are written as they are made."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from animate.drawing import animation_files
from animate.drawing.output import write_animation
from contract.errors import InputError
from contract.image import Stored

STREAMED = [".gif", ".apng", ".webp"]


def walking(wanted: range) -> Iterator[Stored]:
    """A block that walks in steps of 3, and nothing at all in every seventh frame."""
    for number in wanted:
        frame = np.zeros((24, 40, 4), np.uint8)
        if number % 7 != 6:
            left = 3 * number % 31
            frame[5:18, left : left + 9] = (200, 40 + number, 90, 255)
        yield frame


def read(path: Path) -> list[Stored]:
    with Image.open(path) as image:
        return [np.array(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("suffix", STREAMED)
def test_what_is_read_is_what_was_drawn(suffix: str, tmp_path: Path) -> None:
    count = 20
    write_animation(tmp_path / f"a{suffix}", walking, count, 20)
    found = read(tmp_path / f"a{suffix}")
    assert len(found) == count
    for got, drawn in zip(found, walking(range(count)), strict=True):
        np.testing.assert_array_equal(got[..., 3], drawn[..., 3])
        if drawn.any():
            assert np.abs(got.astype(int) - drawn)[drawn[..., 3] > 0].mean() < 8


@pytest.mark.parametrize("suffix", STREAMED)
def test_equal_frames_are_one_that_is_shown_longer(suffix: str, tmp_path: Path) -> None:
    def resting(wanted: range) -> Iterator[Stored]:
        (still,), (other,) = walking(range(1)), walking(range(1, 2))
        return ((other if 3 <= number < 5 else still).copy() for number in wanted)

    write_animation(tmp_path / f"a{suffix}", resting, 10, 20)
    with Image.open(tmp_path / f"a{suffix}") as image:
        lasts = []
        for frame in ImageSequence.Iterator(image):
            frame.load()  # only then Pillow knows of a WebP's
            lasts.append(frame.info["duration"])
    assert lasts == [150, 100, 250]


@pytest.mark.parametrize("suffix", STREAMED)
def test_few_frames_are_held_however_many_there_are(suffix: str, tmp_path: Path) -> None:
    alive: set[int] = set()
    most = 0

    def counted(wanted: range) -> Iterator[Stored]:
        nonlocal most
        for number, frame in zip(wanted, walking(wanted), strict=True):
            alive.add(number)
            weakref.finalize(frame, alive.discard, number)
            most = max(most, len(alive))
            yield frame

    write_animation(tmp_path / f"a{suffix}", counted, 60, 20)
    assert most <= 4


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "a.webp", "a.mp4", "a.webm", "frames"])
def test_a_place_that_cannot_be_written_is_told_of_before_a_frame_is_drawn(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    def frames(_wanted: range) -> Iterator[Stored]:
        pytest.fail("a frame was drawn in vain")

    with pytest.raises(InputError, match="cannot be"):
        write_animation(tmp_path / "file" / name, frames, 5, 20)


def test_a_webp_that_grows_too_long_names_the_kind_that_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animation_files, "LARGEST_RIFF", 500)
    with pytest.raises(InputError, match=r"a\.webp: over 4 GiB, which no WebP has; write \.webm"):
        write_animation(tmp_path / "a.webp", walking, 20, 20)
    assert list(tmp_path.iterdir()) == []
