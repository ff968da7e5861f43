"""A drawing whose head is not where networks look is drawn, and that is said in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from animate.commands.main import main
from animate.drawing.check import misplaced
from animate.drawing.drawing import Drawing, read_drawing
from contract.image import Stored
from tests.conftest import REPOSITORY

GALLERY = sorted((REPOSITORY / "animate" / "serve" / "page" / "gallery").glob("character-*.png"))


def _placed(picture: Stored, share: float, x: float, y: float) -> Drawing:
    """The picture at a share of its size, its corner at (x, y) of as large a transparent one."""
    side = len(picture)
    small = Image.fromarray(picture, "RGBA").resize((round(side * share),) * 2)
    page = Image.new("RGBA", (side, side))
    page.paste(small, (round(side * x), round(side * y)))
    return Drawing("a.png", np.array(page), True, ())


def test_of_heads_that_are_in_place_nothing_is_said() -> None:
    assert len(GALLERY) == 8
    assert [misplaced(read_drawing(path)) for path in GALLERY] == [""] * 8


@pytest.mark.parametrize(
    ("share", "x", "y", "fault"),
    [
        (0.5, 0.25, 0.25, "the head is too small: "),
        (1.0, 0.2, 0.0, "the head is too far right: "),
        (1.0, 0.0, 0.2, "the head is too low: "),
    ],
)
def test_a_head_that_is_elsewhere_is_named(share: float, x: float, y: float, fault: str) -> None:
    said = misplaced(_placed(read_drawing(GALLERY[0]).picture, share, x, y))
    assert said.startswith(f"a.png: {fault}")
    assert said.endswith("will not move as it should; try `animate check a.png --fix fixed.png`")


def test_a_head_that_is_nearly_in_place_is_let_be() -> None:
    assert misplaced(_placed(read_drawing(GALLERY[0]).picture, 1.0, 0.05, 0.0)) == ""


def test_what_draws_says_it_and_draws(tmp_path: Path) -> None:
    elsewhere = _placed(read_drawing(GALLERY[0]).picture, 0.5, 0.25, 0.25)
    Image.fromarray(elsewhere.picture, "RGBA").save(tmp_path / "a.png")
    for command, out in (("sheet", "sheet.png"), ("still", "still.png")):
        drawn = CliRunner().invoke(
            main, [command, str(tmp_path / "a.png"), "-o", str(tmp_path / out)]
        )
        assert drawn.exit_code == 0, drawn.output
        assert drawn.stderr.splitlines()[0] == misplaced(elsewhere)
        assert (tmp_path / out).exists()
