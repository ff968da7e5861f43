"""Where what a picture shows lay in the picture before it: by hand, and by sampling the latter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from characters.files.generate import write_character
from contract.image import Stored
from contract.origins import HIDDEN, NOTHING, ORIGIN_STEPS, ORIGINS_SIDE, SEEN, Origins
from contract.pose import REST, Pose
from renderer.draw.canvas import Canvas
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import F32
from renderer.formats.read import read_model
from renderer.portrait.origins import origins_of
from renderer.portrait.portrait import Portrait
from tests.support.quads import (
    FULL,
    UNIT_CAMERA,
    plain_materials,
    plain_surface,
    quad,
    texture_of,
    upload_quads,
)

T = ORIGINS_SIDE
PIXEL = 2 / T
CENTRES = (np.arange(T) + 0.5) * PIXEL - 1


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(256)
    yield canvas
    canvas.release()


@pytest.fixture(scope="module")
def portrait(canvas: Canvas, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portrait]:
    model = read_model(write_character(tmp_path_factory.mktemp("character"), seed=5))
    portrait = Portrait(canvas, model, fit_rig(model))
    yield portrait
    portrait.release()


def test_a_quad_that_moved_right_and_nearer_says_where_it_was(canvas: Canvas) -> None:
    """The left half of the picture, moved by half its side: what is seen there now was left."""
    drawn, mesh = upload_quads(canvas, [quad(-1, 0, -1, 1)], plain_materials((1, 1, 1, 1)))
    moved = replace(mesh, positions=mesh.positions + np.array([1, 0, -2], np.float32))
    made = canvas.trace(drawn, moved, mesh.positions, UNIT_CAMERA)
    assert (made[:, : T // 2] == 0).all()
    there = made[:, T // 2 :]
    assert (there[..., 3] == 1).all()
    np.testing.assert_allclose(there[..., 0], np.tile(CENTRES[: T // 2], (T, 1)), atol=1e-5)
    np.testing.assert_allclose(there[..., 1], np.tile(-CENTRES[:, None], T // 2), atol=1e-5)
    np.testing.assert_allclose(there[..., 2], 0, atol=1e-5)
    drawn.release()


def test_what_lets_more_than_half_of_the_light_through_shows_nothing(canvas: Canvas) -> None:
    """A thin veil before a wall, and a wall whose texture has a hole on the right."""
    wall = texture_of([[[255, 255, 255, 255], [0, 0, 0, 0]]])
    drawn, mesh = upload_quads(
        canvas,
        [quad(-1, 1, -1, 1, -1.0), FULL],
        plain_materials((1, 1, 1, 0.4), (1, 1, 1, 1)),
        [plain_surface(0), plain_surface(1, colour_map=wall)],
    )
    made = canvas.trace(drawn, mesh, mesh.positions, UNIT_CAMERA)
    assert (made[:, : T // 4, 2] == 0).all()  # the wall's depth, not the veil's
    assert (made[:, : T // 4, 3] == 1).all()
    assert (made[:, -T // 4 :] == 0).all()
    drawn.release()


def _shown(x: float, y: float, depth: float) -> F32:
    return np.array([x, y, depth, 1], np.float32)


def test_hidden_is_what_lay_behind_or_outside() -> None:
    """Two pixels a side: seen, behind something nearer, outside the picture, nothing."""
    before = np.zeros((2, 2, 4), np.float32)
    before[0, 0] = _shown(-0.5, 0.5, 0.2)
    before[1, 1] = _shown(0.5, -0.5, 0.1)
    turned = np.zeros((2, 2, 4), np.float32)
    turned[0, 0] = _shown(-0.5, 0.5, 0.24)  # of the same surface, for the tolerance is 0.05
    turned[0, 1] = _shown(0.5, -0.5, 0.2)
    turned[1, 0] = _shown(1.5, 0.25, 0.0)
    made = origins_of(turned, before, 0.05)
    assert made.shown.tolist() == [[SEEN, HIDDEN], [HIDDEN, NOTHING]]
    assert made.places[0, 0].tolist() == [-ORIGIN_STEPS // 2, -ORIGIN_STEPS // 2]
    assert made.places[1, 0].tolist() == [ORIGIN_STEPS * 3 // 2, -ORIGIN_STEPS // 4]


def test_what_is_far_outside_is_cut_where_the_numbers_end() -> None:
    turned = np.zeros((1, 1, 4), np.float32)
    turned[0, 0] = _shown(-7, 7, 0)
    made = origins_of(turned, np.zeros((1, 1, 4), np.float32), 0.05)
    assert made.places[0, 0].tolist() == [-32767, -32767]
    assert made.shown[0, 0] == HIDDEN


def test_at_rest_everything_is_where_it_was(portrait: Portrait) -> None:
    made = portrait.trace(replace(REST, left_eye=1.0))
    on = made.shown != NOTHING
    assert on.mean() > 0.2
    assert (made.shown[on] == SEEN).all()
    still = np.stack(np.meshgrid(CENTRES, CENTRES), -1) * ORIGIN_STEPS
    assert np.abs(made.places[on] - still[on]).max() <= 1


@pytest.mark.parametrize(
    "pose", [Pose(head_y=1), Pose(head_x=-1, mouth=0), Pose(0.5, -0.7, 1.0, 1, 0, 0.5)]
)
def test_the_picture_before_sampled_at_the_origins_is_the_picture(
    portrait: Portrait, pose: Pose
) -> None:
    """In toon light hardly anything but shade changes; copying the picture as it is errs more."""
    before, after = (portrait.draw(one) for one in (pose.face_only(), pose))
    made = portrait.trace(pose)
    seen = made.shown == SEEN
    assert seen.mean() > 0.15
    wrong = np.abs(_sampled(before, made)[seen] - after[1::2, 1::2][seen].astype(float)).mean()
    copied = np.abs(before[1::2, 1::2][seen].astype(float) - after[1::2, 1::2][seen]).mean()
    assert wrong < 0.45 * copied


def _sampled(picture: Stored, origins: Origins) -> npt.NDArray[np.float64]:
    size = len(picture)
    at: npt.NDArray[np.int64] = (
        np.floor((origins.places / ORIGIN_STEPS + 1) / 2 * size).astype(int).clip(0, size - 1)
    )
    return picture[at[..., 1], at[..., 0]].astype(float)


def test_mirrored_origins_are_those_of_the_mirror_images() -> None:
    places = np.zeros((T, T, 2), np.int16)
    places[3, 0] = 500, 70
    shown = np.zeros((T, T), np.uint8)
    shown[3, 0] = SEEN
    made = Origins(places, shown).mirrored()
    assert made.places[3, T - 1].tolist() == [-500, 70]
    assert made.shown[3, T - 1] == SEEN
    assert made.shown.sum() == SEEN
