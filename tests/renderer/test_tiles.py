"""Pictures drawn beside one another and read later are those that are drawn one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.light import DEFAULT_LIGHT, Light
from contract.pose import Pose
from renderer.deform.deformer import PosedMesh
from renderer.draw.canvas import Canvas
from renderer.draw.gpu_model import DrawnModel
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait
from tests.support.quads import SIZE, UNIT_CAMERA, plain_materials, quad, upload_quads

TILES = 2


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(SIZE, tiles=TILES)
    yield canvas
    canvas.release()


def _views(canvas: Canvas, count: int) -> tuple[DrawnModel, list[tuple[PosedMesh, Light]]]:
    """The upper right quarter, in a grey of its own for each view."""
    drawn, mesh = upload_quads(canvas, [quad(0, 1, 0, 1)], plain_materials((1, 1, 1, 1)))
    greys = (plain_materials((k / 51,) * 3 + (1,)) for k in range(1, count + 1))
    return drawn, [(replace(mesh, materials=grey), DEFAULT_LIGHT) for grey in greys]


def _expected(number: int) -> list[list[list[int]]]:
    grey, nothing = [5 * (number + 1)] * 3 + [255], [0] * 4
    shown, empty = [nothing, nothing, grey, grey], [nothing] * 4
    return [shown, shown, empty, empty]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 12, 17])
def test_every_picture_is_given_once_in_order(canvas: Canvas, count: int) -> None:
    """Less than a target's four, whole targets, more than may be on their way, and a rest."""
    drawn, views = _views(canvas, count)
    pictures = list(canvas.draw_all(drawn, views, UNIT_CAMERA))
    assert [picture.tolist() for picture in pictures] == [_expected(k) for k in range(count)]


def test_views_are_taken_some_targets_ahead_and_no_further(canvas: Canvas) -> None:
    drawn, views = _views(canvas, 20)
    taken: list[int] = []

    def watched() -> Iterator[tuple[PosedMesh, Light]]:
        for number, view in enumerate(views):
            taken.append(number)
            yield view

    next(canvas.draw_all(drawn, watched(), UNIT_CAMERA))
    assert len(taken) == (2 + 1) * TILES**2


def test_pictures_that_are_left_behind_spoil_no_others(canvas: Canvas) -> None:
    drawn, views = _views(canvas, 20)
    left = canvas.draw_all(drawn, views, UNIT_CAMERA)
    assert [picture.tolist() for picture in islice(left, 5)] == [_expected(k) for k in range(5)]
    del left
    again = list(canvas.draw_all(drawn, views[7:], UNIT_CAMERA))
    assert [picture.tolist() for picture in again] == [_expected(k) for k in range(7, 20)]
    mesh, light = views[0]
    assert canvas.draw(drawn, mesh, UNIT_CAMERA, light).tolist() == _expected(0)


def test_a_fault_between_views_ends_the_pictures(canvas: Canvas) -> None:
    drawn, views = _views(canvas, 3)

    def failing() -> Iterator[tuple[PosedMesh, Light]]:
        yield from views
        raise ValueError("no such pose")

    with pytest.raises(ValueError, match="no such pose"):
        list(canvas.draw_all(drawn, failing(), UNIT_CAMERA))
    assert len(list(canvas.draw_all(drawn, views, UNIT_CAMERA))) == len(views)


def test_a_character_is_the_same_in_any_tile(tmp_path: Path) -> None:
    character = read_model(write_character(tmp_path, 3))
    views = [
        (Pose(head_x=k / 8, head_y=-k / 8, mouth=k / 8), Light(0.5 + k / 16, shading))
        for k in range(6)
        for shading in ("phong", "toon")
    ]
    drawn = []
    for tiles in (1, 3):
        canvas = Canvas(64, tiles=tiles)
        portrait = Portrait(canvas, character, fit_rig(character))
        drawn.append(list(portrait.draw_all(views)))
        if tiles == 1:
            one_by_one = [portrait.draw(pose, light) for pose, light in views]
            assert all((a == b).all() for a, b in zip(drawn[0], one_by_one, strict=True))
        canvas.release()
    apart = np.abs(np.stack(drawn[0]).astype(int) - np.stack(drawn[1])).max(axis=-1)
    assert (apart <= 2).mean() > 0.999
