"""Small targets with their bytes worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from contract.light import SHADINGS, Light, Shading
from renderer.draw.canvas import Canvas
from renderer.draw.textures import shared_toon
from renderer.formats.model import SphereMode
from tests.support.quads import (
    FULL,
    SIZE,
    UNIT_CAMERA,
    draw_quads,
    plain_materials,
    plain_surface,
    quad,
    texture_of,
    upload_quads,
)

RED, GREEN, BLUE = [255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]
NOTHING = [0, 0, 0, 0]


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(SIZE)
    yield canvas
    canvas.release()


def test_every_byte_of_a_quad_on_the_upper_right(canvas: Canvas) -> None:
    """Row 0 is the top; +x, the character's left, is on the right of the screen."""
    picture = draw_quads(canvas, [quad(0, 1, 0, 1)], plain_materials((1, 0, 0, 1)))
    row_with, row_without = [NOTHING, NOTHING, RED, RED], [NOTHING] * 4
    assert picture.dtype == np.uint8
    assert picture.tolist() == [row_with, row_with, row_without, row_without]


def test_nothing_drawn_is_exactly_the_background(canvas: Canvas) -> None:
    picture = draw_quads(canvas, [quad(5, 6, 5, 6)], plain_materials((1, 1, 1, 1)))
    assert not picture.any()


def test_what_is_nearer_the_viewer_hides_whatever_the_order(canvas: Canvas) -> None:
    """Smaller z is nearer: MMD's characters face -z."""
    near, far = quad(-1, 1, -1, 1, z=-1.0), quad(-1, 1, -1, 1, z=1.0)
    colours = plain_materials((1, 0, 0, 1), (0, 1, 0, 1))
    assert (draw_quads(canvas, [near, far], colours) == RED).all()
    assert (draw_quads(canvas, [far, near], colours) == GREEN).all()


def test_what_faces_the_light_shows_its_texture_unchanged(canvas: Canvas) -> None:
    """0.5 + 0.5 = 1; and 0.5 + 0.83 x 154/255 = 1, as old models spread their colours."""
    surface = plain_surface(colour_map=texture_of([[[240, 200, 160, 255]]]))
    grey = np.full((1, 3), 0.5, np.float32)
    picture = draw_quads(
        canvas, [FULL], plain_materials((0.83, 0.83, 0.83, 1), ambient=grey), [surface]
    )
    assert np.abs(picture.astype(int) - [240, 200, 160, 255]).max() <= 1


def test_both_lights_fall_on_the_colour_of_the_material(canvas: Canvas) -> None:
    """(0.4 + 0.5 x 154/255) (L_a 0.5 + L_d 0.5 cos 60) = 0.702 x 0.75 = 0.526 = 134 of 255."""
    grey = np.full((1, 3), 0.4, np.float32)
    tilted = (np.sqrt(0.75), 0.0, -0.5)
    picture = draw_quads(
        canvas, [FULL], plain_materials((0.5, 0.5, 0.5, 1), ambient=grey), normal=tilted
    )
    assert np.abs(picture.astype(int) - [134, 134, 134, 255]).max() <= 1


def test_phong_is_never_darker_than_the_diffuse_colour(canvas: Canvas) -> None:
    """Without MMD's ambient colour: k_d 0.8 (L_a 0.5 + L_d 0.5 cos 60) = 0.6 = 153 of 255."""
    black = np.zeros((1, 3), np.float32)
    tilted = (np.sqrt(0.75), 0.0, -0.5)
    picture = draw_quads(
        canvas, [FULL], plain_materials((0.8, 0.8, 0.8, 1), ambient=black), normal=tilted
    )
    assert (picture == [153, 153, 153, 255]).all()


def test_light_never_exceeds_the_colour_of_the_material(canvas: Canvas) -> None:
    """k_d 0.4 min(1, 1.2 + 0.5) = 0.4 = 102 of 255."""
    picture = draw_quads(canvas, [FULL], plain_materials((0.4, 0.4, 0.4, 1)), light=Light(1.2))
    assert (picture == [102, 102, 102, 255]).all()


def test_a_surface_edge_on_to_the_light_keeps_its_ambient_part(canvas: Canvas) -> None:
    sideways = (1.0, 0.0, 0.0)
    picture = draw_quads(canvas, [FULL], plain_materials((0.8, 0.8, 0.8, 1)), normal=sideways)
    assert (picture == [102, 102, 102, 255]).all()


def test_phong_adds_the_mirrored_light_to_the_power(canvas: Canvas) -> None:
    """cos 30: r.v = 2 x 0.75 - 1 = 0.5; 0.5^2 x k_s 0.8 x L 0.5 = 0.1 = 25.5 of 255."""
    shiny = np.full((1, 3), 0.8, np.float32)
    materials = plain_materials(
        (0, 0, 0, 1), specular=shiny, specular_power=np.full(1, 2, np.float32)
    )
    picture = draw_quads(canvas, [FULL], materials, normal=(0.5, 0.0, -np.sqrt(0.75)))
    assert np.abs(picture[..., :3].astype(int) - 25.5).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("power", [1, 2, 3, 7, 8, 64, 127, 128, 0.5, 2.25, 200])
def test_a_highlight_follows_its_power_whole_or_not(canvas: Canvas, power: float) -> None:
    """r.v = 0.97: 0.97^power x k_s 1 x L 0.5; small whole powers are other programs."""
    materials = plain_materials(
        (0, 0, 0, 1),
        specular=np.ones((1, 3), np.float32),
        specular_power=np.full(1, power, np.float32),
    )
    cosine = np.sqrt((1 + 0.97) / 2)
    picture = draw_quads(canvas, [FULL], materials, normal=(np.sqrt(1 - cosine**2), 0.0, -cosine))
    assert np.abs(picture[..., :3] - 127.5 * 0.97**power).max() <= 0.6


def test_what_was_drawn_before_leaves_no_trace(canvas: Canvas) -> None:
    """Draw calls are kept by materials and light: other materials, many lights, and back."""
    red, blue = plain_materials((0.8, 0, 0, 1)), plain_materials((0, 0, 0.8, 0.5))
    fresh = [draw_quads(canvas, [FULL], one, light=Light(0.2)) for one in (red, blue)]
    drawn, mesh = upload_quads(canvas, [FULL], red)
    for materials, picture in zip((red, blue, red), (fresh[0], fresh[1], fresh[0]), strict=True):
        for ambient in np.linspace(0.2, 0.5, 20).tolist():
            canvas.draw(drawn, replace(mesh, materials=materials), UNIT_CAMERA, Light(ambient))
        again = canvas.draw(drawn, replace(mesh, materials=materials), UNIT_CAMERA, Light(0.2))
        np.testing.assert_array_equal(again, picture)
    drawn.release()


def test_a_specular_power_of_zero_means_no_highlight(canvas: Canvas) -> None:
    materials = plain_materials((0, 0, 0, 1), specular=np.ones((1, 3), np.float32))
    assert (draw_quads(canvas, [FULL], materials) == [0, 0, 0, 255]).all()


def test_back_faces_are_culled_unless_the_material_is_double_sided(canvas: Canvas) -> None:
    corners, uv = FULL
    turned = (corners[::-1], uv)
    assert not draw_quads(canvas, [turned], plain_materials((1, 0, 0, 1))).any()
    both = [plain_surface(double_sided=True)]
    away = (0.0, 0.0, 1.0)
    assert (
        draw_quads(canvas, [turned], plain_materials((1, 0, 0, 1)), both, normal=away) == RED
    ).all()


def test_a_texture_is_the_right_way_up(canvas: Canvas) -> None:
    texture = texture_of([[RED, GREEN], [BLUE, [255] * 4]])
    picture = draw_quads(
        canvas, [FULL], plain_materials((1, 1, 1, 1)), [plain_surface(colour_map=texture)]
    )
    assert picture[0, 0, :3].argmax() == 0
    assert picture[0, 3, :3].argmax() == 1
    assert picture[3, 0, :3].argmax() == 2
    assert (picture[3, 3] > 150).all()


def test_alpha_blends_in_file_order(canvas: Canvas) -> None:
    """Half green over red: (0.5, 0.5, 0), opaque."""
    quads = [quad(-1, 1, -1, 1, 0.0), quad(-1, 1, -1, 1, -0.1)]
    picture = draw_quads(canvas, quads, plain_materials((1, 0, 0, 1), (0, 1, 0, 0.5)))
    assert np.abs(picture.astype(int) - [127.5, 127.5, 0, 255]).max() <= 0.5


def test_a_transparent_surface_writes_depth_like_any_other(canvas: Canvas) -> None:
    """Drawn first and nearer, it hides what follows: models are authored for that."""
    quads = [quad(-1, 1, -1, 1, -0.1), quad(-1, 1, -1, 1, 0.0)]
    picture = draw_quads(canvas, quads, plain_materials((0, 1, 0, 0.5), (1, 0, 0, 1)))
    assert np.abs(picture.astype(int) - [0, 255, 0, 127.5]).max() <= 0.5


def test_invisible_texels_leave_no_trace_in_colour_or_depth(canvas: Canvas) -> None:
    clear = plain_surface(0, colour_map=texture_of([[NOTHING]]))
    quads = [quad(-1, 1, -1, 1, -0.1), quad(-1, 1, -1, 1, 0.0)]
    picture = draw_quads(
        canvas, quads, plain_materials((1, 1, 1, 1), (1, 0, 0, 1)), [clear, plain_surface(1)]
    )
    assert (picture == RED).all()


@pytest.mark.parametrize("paper", [(255, 255, 255), (0, 0, 0), (255, 0, 255)])
def test_a_half_covered_pixel_shows_no_fringe_on_any_paper(
    canvas: Canvas, paper: tuple[int, int, int]
) -> None:
    """The rim is the surface's own colour at half alpha, so compositing is a plain mix."""
    picture = draw_quads(canvas, [quad(-1, 0.25, -1, 1)], plain_materials((0.2, 0.6, 1, 1)))
    colour = np.array([51, 153, 255])
    rim = picture[:, 2].astype(int)
    assert (rim == [*colour, 128]).all()
    alpha = rim[:, 3:] / 255
    composited = rim[:, :3] * alpha + np.array(paper) * (1 - alpha)
    assert np.abs(composited - (colour + np.array(paper)) / 2).max() <= 1.0


def test_a_faint_texture_keeps_its_colour(canvas: Canvas) -> None:
    """Alpha 16 of 255, premultiplied red: colour survives the trip within rounding."""
    faint = plain_surface(colour_map=texture_of([[[16, 8, 0, 16]]]))
    picture = draw_quads(canvas, [FULL], plain_materials((1, 1, 1, 1)), [faint])
    assert np.abs(picture.astype(int) - [255, 128, 0, 16]).max() <= 1


SPHERE = [[[128, 128, 128, 255]]]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(SphereMode.MULTIPLY, 64), (SphereMode.ADD, 255), (SphereMode.NONE, 128)],
)
def test_sphere_maps_multiply_or_add(canvas: Canvas, mode: SphereMode, expected: int) -> None:
    surface = plain_surface(sphere_mode=mode, sphere_map=texture_of(SPHERE))
    half = plain_materials((0.502, 0.502, 0.502, 1))
    picture = draw_quads(canvas, [FULL], half, [surface])
    assert np.abs(picture[..., :3].astype(int) - expected).max() <= 1


def test_a_sphere_map_is_looked_up_by_the_normal(canvas: Canvas) -> None:
    """Up is the top row of the picture, the screen's right its right column."""
    corners = texture_of([[RED, GREEN], [BLUE, [255] * 4]])
    surface = plain_surface(sphere_mode=SphereMode.MULTIPLY, sphere_map=corners)
    tilt = 0.5
    for x, y, channel in ((-tilt, tilt, 0), (tilt, tilt, 1), (-tilt, -tilt, 2)):
        normal = (x, y, -np.sqrt(1 - x * x - y * y))
        picture = draw_quads(
            canvas, [FULL], plain_materials((1, 1, 1, 1)), [surface], normal=normal
        )
        assert picture[0, 0, :3].argmax() == channel


def test_a_sub_texture_is_looked_up_by_the_first_additional_uv(canvas: Canvas) -> None:
    halves = texture_of([[RED, GREEN]])
    surface = plain_surface(sphere_mode=SphereMode.SUB_TEXTURE, sphere_map=halves)
    for u, colour in ((0.25, RED), (0.75, GREEN)):
        picture = draw_quads(
            canvas, [FULL], plain_materials((1, 1, 1, 1)), [surface], sub_uv=(u, 0.5)
        )
        assert (picture == colour).all()


def test_an_edge_is_as_wide_as_its_size_says_in_pixels(canvas: Canvas) -> None:
    """A back face behind the quad, pushed right: size 1 at 4 pixels is 1/64 of a pixel a unit."""
    corners, uv = quad(-1, 0, -1, 1)
    hull = (corners[::-1], uv)
    width = np.full(1, 64.0, np.float32)  # one pixel of this tiny target
    blue_edge = np.array([[0, 0, 1, 1]], np.float32)
    materials = plain_materials((1, 0, 0, 1), edge_size=width, edge_color=blue_edge)
    picture = draw_quads(
        canvas, [hull], materials, [plain_surface(draw_edge=True)], normal=(1.0, 0.0, 0.0)
    )
    assert (picture[:, 0] == NOTHING).all()  # moved away from the left rim
    assert (picture[:, 1:3] == BLUE).all()
    assert (picture[:, 3] == NOTHING).all()


def _wall(slope: float = 0.0) -> list[tuple[list[tuple[float, float, float]], list[Any]]]:
    """A wall on the left half, every triangle twice, once of each winding."""
    corners, uv = quad(-1, 0, -1, 1)
    leaning = [(x, y, slope * x) for x, y, _ in corners]
    return [(leaning, uv), (leaning[::-1], uv[::-1])]


@pytest.mark.parametrize("slope", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("shading", SHADINGS)
def test_the_outline_of_a_double_wall_lies_beside_it_and_never_on_it(
    canvas: Canvas, shading: Shading, slope: float
) -> None:
    """Normals in the wall, as smoothing makes them of its two sides; outlines one pixel wide."""
    light = Light(shading=shading)
    aside = np.array([1.0, 0.0, slope]) / np.hypot(1.0, slope)
    width = np.full(2, 64.0 * np.hypot(1.0, slope), np.float32)
    edge = np.tile(np.array([0, 0, 1, 1], np.float32), (2, 1))
    materials = plain_materials((1, 0, 0, 1), (1, 0, 0, 1), edge_size=width, edge_color=edge)
    surfaces = [plain_surface(number, draw_edge=True) for number in range(2)]
    picture = draw_quads(canvas, _wall(slope), materials, surfaces, tuple(aside), light)
    assert (picture[:, :2, 2] == 0).all()
    assert (picture[:, :2, 0] > 100).all()
    assert (picture[:, 2] == BLUE).all()
    assert (picture[:, 3] == NOTHING).all()


@pytest.mark.parametrize("normal", [(0.0, 0.0, -1.0), (0.0, 0.0, 1.0)])
def test_a_wall_without_sides_has_no_outline(
    canvas: Canvas, normal: tuple[float, float, float]
) -> None:
    """Its hull moves away from the viewer, whichever side the normals were authored for."""
    materials = plain_materials((1, 0, 0, 1), (1, 0, 0, 1), edge_size=np.full(2, 64.0, np.float32))
    surfaces = [plain_surface(number, draw_edge=True) for number in range(2)]
    picture = draw_quads(canvas, _wall(), materials, surfaces, normal=normal)
    assert (picture[:, :2] == RED).all()
    assert (picture[:, 2:] == NOTHING).all()


@pytest.mark.parametrize("shading", SHADINGS)
@pytest.mark.parametrize("normal", [(0.3, 0.4, -np.sqrt(0.75)), (-0.3, -0.4, np.sqrt(0.75))])
def test_both_windings_of_a_double_sided_wall_are_lit_alike(
    canvas: Canvas, shading: Shading, normal: tuple[float, float, float]
) -> None:
    """Both are drawn at one depth: whichever wins a pixel, nothing shows it."""
    light = Light(shading=shading)
    surfaces = [plain_surface(k, double_sided=True, toon_map=shared_toon(0)) for k in range(2)]
    colours = plain_materials((0.8, 0.6, 0.4, 1), (0.8, 0.6, 0.4, 1))
    picture = draw_quads(canvas, _wall(0.7), colours, surfaces, normal, light)
    alone = draw_quads(canvas, _wall(0.7)[:1], colours, surfaces[:1], normal, light)
    assert (picture == alone).all()


def test_a_material_without_edge_flag_has_no_edge(canvas: Canvas) -> None:
    corners, uv = FULL
    assert not draw_quads(canvas, [(corners[::-1], uv)], plain_materials((1, 0, 0, 1))).any()


def test_a_material_faded_out_is_gone_with_its_edge(canvas: Canvas) -> None:
    picture = draw_quads(
        canvas, [FULL], plain_materials((1, 0, 0, 0)), [plain_surface(draw_edge=True)]
    )
    assert not picture.any()


def test_texture_morph_factors_multiply_then_add(canvas: Canvas) -> None:
    factors = {
        "texture_multiply": np.array([[0.5, 1, 1, 1]], np.float32),
        "texture_add": np.array([[0.25, 0, 0, 0]], np.float32),
    }
    surface = plain_surface(colour_map=texture_of([[[255, 255, 255, 255]]]))
    picture = draw_quads(canvas, [FULL], plain_materials((1, 1, 1, 1), **factors), [surface])
    assert np.abs(picture.astype(int) - [191, 255, 255, 255]).max() <= 1


@pytest.mark.parametrize("shading", SHADINGS)
def test_the_same_picture_twice_is_the_same_bytes(shading: Shading) -> None:
    """Last in this file: each new canvas takes OpenGL from the one before."""
    pictures = []
    for _ in range(2):
        canvas = Canvas(SIZE)
        quads = [quad(-0.3, 0.7, -0.2, 0.9)]
        light = Light(shading=shading)
        pictures.append(draw_quads(canvas, quads, plain_materials((0.3, 0.5, 1, 1)), light=light))
        canvas.release()
    assert (pictures[0] == pictures[1]).all()
