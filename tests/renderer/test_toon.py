"""Toon shading and its shared ramps, with bytes worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from contract.light import Light
from renderer.draw.canvas import Canvas
from renderer.draw.lit_materials import lit_materials
from renderer.draw.textures import Texture, shared_toon
from renderer.draw.toon_shades import STEPS, toon_shades
from tests.support.quads import (
    FULL,
    SIZE,
    draw_quads,
    plain_materials,
    plain_surface,
)

TOON = Light(shading="toon")
LIT = (0.5 / np.sqrt(1.5), 1 / np.sqrt(1.5), -0.5 / np.sqrt(1.5))
SHADED = tuple(-value for value in LIT)


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(SIZE)
    yield canvas
    canvas.release()


@pytest.mark.parametrize(("normal", "row"), [(LIT, 0), (SHADED, -1)])
def test_toon_takes_the_ramp_by_the_angle_to_mmds_light(
    canvas: Canvas, normal: tuple[float, float, float], row: int
) -> None:
    ramp = shared_toon(2)
    picture = draw_quads(
        canvas, [FULL], plain_materials((1, 1, 1, 1)), [plain_surface(toon_map=ramp)], normal, TOON
    )
    assert np.abs(picture[..., :3].astype(int) - ramp.pixels[row, 0, :3]).max() <= 1


def test_toon_lights_by_mmds_formula(canvas: Canvas) -> None:
    """ambient 0.3 + diffuse 0.5 x 154/255 = 0.602 = 153.5 of 255."""
    materials = plain_materials((0.5, 0.5, 0.5, 1), ambient=np.full((1, 3), 0.3, np.float32))
    assert np.abs(draw_quads(canvas, [FULL], materials, light=TOON)[..., :3] - 153.5).max() <= 1


@pytest.mark.parametrize(("ambient", "share"), [(0.5, 1.0), (0.75, 0.5), (1.0, 0.0), (1.2, 0.0)])
def test_more_ambient_light_fills_the_shade_of_toon(
    canvas: Canvas, ambient: float, share: float
) -> None:
    """From toon06's shade to its yellow light, neither of them bleached."""
    lit, shade = shared_toon(5).pixels[[0, -1], 0, :3].astype(float)
    surfaces = [plain_surface(toon_map=shared_toon(5))]
    light = Light(ambient, "toon")
    picture = draw_quads(canvas, [FULL], plain_materials((1, 1, 1, 1)), surfaces, SHADED, light)
    expected = lit + (shade - lit) * share
    assert np.abs(picture[..., :3] - expected).max() <= 1


def test_the_ambient_light_never_bleaches_toon(canvas: Canvas) -> None:
    """Skin of diffuse 0.8 and ambient 0.4 stays 0.4 + 0.8 x 154/255 = 0.883, or 225 of 255."""
    ambient = np.full((1, 3), 0.4, np.float32)
    for light in (Light(0.5, "toon"), Light(1.2, "toon")):
        materials = plain_materials((0.8, 0.8, 0.8, 1), ambient=ambient)
        picture = draw_quads(canvas, [FULL], materials, light=light)
        assert np.abs(picture[..., :3] - 225.2).max() <= 1


@pytest.mark.parametrize("number", range(10))
def test_every_ramp_is_read_back_from_lit_to_shaded(canvas: Canvas, number: int) -> None:
    """Normals in steps from the light to away from it; between texels the ramp is filtered."""
    ramp = shared_toon(number).pixels[:, 0, :3].astype(int)
    beside = np.cross(LIT, (0.0, 0.0, 1.0))
    away = np.cross(beside / np.linalg.norm(beside), LIT)
    for row in range(0, 32, 3):
        cosine = 1 - 2 * (row + 0.5) / 32
        normal = cosine * np.array(LIT) + np.sqrt(1 - cosine**2) * away
        picture = draw_quads(
            canvas,
            [FULL],
            plain_materials((1, 1, 1, 1)),
            [plain_surface(toon_map=shared_toon(number))],
            tuple(normal),
            TOON,
        )
        assert np.abs(picture[..., :3].astype(int) - ramp[row]).max() <= 1


def test_a_table_of_shades_by_hand() -> None:
    """A map from (1, 1, 1) to (0.2, 0.4, 0), of two rows: a quarter of the table's
    length lies before the first one's middle, half between the two."""
    ramp = Texture(np.array([[[255, 255, 255, 255]] * 2, [[51, 102, 0, 255]] * 2], np.uint8))
    plain = plain_materials((1, 1, 1, 1))
    shades = toon_shades(ramp, lit_materials(plain, TOON), 0)[:, :3]
    quarter = (STEPS - 1) // 4
    assert (shades[: quarter + 1] == 1).all()
    np.testing.assert_allclose(shades[2 * quarter], (0.6, 0.7, 0.5), atol=1e-6)
    np.testing.assert_allclose(shades[3 * quarter :], [(0.2, 0.4, 0)] * (quarter + 1), atol=1e-6)
    half_filled = toon_shades(ramp, lit_materials(plain, Light(0.75, "toon")), 0)
    np.testing.assert_allclose(half_filled[-1, :3], (0.6, 0.7, 0.5), atol=1e-6)
    multiplied, added = (np.full((1, 4), share, np.float32) for share in (0.5, 0.25))
    morphed = replace(plain, toon_multiply=multiplied, toon_add=added)
    table = toon_shades(ramp, lit_materials(morphed, TOON), 0)
    np.testing.assert_allclose(table[-1, :3], (0.35, 0.45, 0.25), atol=1e-6)


def test_a_morph_of_the_toon_map_is_drawn(canvas: Canvas) -> None:
    """Full light is white, at half of it plus an eighth 0.625, or 159 of 255."""
    plain = plain_materials((1, 1, 1, 1))
    multiplied, added = (np.full((1, 4), share, np.float32) for share in (0.5, 0.125))
    morphed = replace(plain, toon_multiply=multiplied, toon_add=added)
    for materials, expected in ((plain, 255), (morphed, 159.4)):
        surfaces = [plain_surface(toon_map=shared_toon(0))]
        picture = draw_quads(canvas, [FULL], materials, surfaces, LIT, TOON)
        assert np.abs(picture[..., :3] - expected).max() <= 1


def _step(number: int) -> float:
    """Where a ramp is half way from its lit end (0) to its shaded one (1)."""
    blue = shared_toon(number).pixels[:, 0, 2].astype(float)
    return float((blue > (blue[0] + blue[-1]) / 2).sum()) / len(blue)


def test_the_shared_ramps_have_the_character_that_models_expect() -> None:
    """Hue and threshold: greys and skins turn at the half, toon05 and toon06 well past it."""
    ends = [shared_toon(number).pixels[[0, -1], 0, :3].astype(int) for number in range(10)]
    for number in range(4):
        assert _step(number) == 0.5
        assert (ends[number][0] == 255).all()
    assert [int(ends[number][1, 0]) for number in (0, 2)] == [204, 154]
    assert 0.65 < _step(4) < 0.72 < _step(5) < 0.77
    red, green, blue = ends[4][1]
    assert red == 255 and red > green > blue > 210  # peach
    assert np.abs(ends[5][0] - (255, 237, 97)).max() <= 4  # yellow where it is lit
    assert np.abs(ends[5][1] - (195, 172, 3)).max() <= 4
    assert all((ends[number] == 255).all() for number in (6, 7, 8, 9))
