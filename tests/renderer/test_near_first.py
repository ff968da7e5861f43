from collections.abc import Iterator

import numpy as np
import pytest

from renderer.draw.canvas import Canvas
from renderer.draw.near_first import SurfaceOrder, near_first
from tests.support.quads import FULL, SIZE, draw_quads, plain_materials, plain_surface, quad

DEEP = 24
WALLS = np.arange(DEEP * 3, dtype=np.int32).reshape(DEEP, 3)


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(SIZE)
    yield canvas
    canvas.release()


def test_layers_come_nearest_first() -> None:
    """Twenty-four walls one behind another, the farthest first: twelve layers of two."""
    depths = np.repeat(np.arange(DEEP, 0, -1), 3).astype(np.float32)
    order = near_first(WALLS, depths)[:, 0] // 3
    assert order.reshape(12, 2).tolist() == [[wall, wall + 1] for wall in range(DEEP - 2, -1, -2)]


def test_a_face_is_as_near_as_its_nearest_corner() -> None:
    depths = np.tile(np.array([5, 5, 0], np.float32), DEEP)
    depths[:3] = 1  # nearer in the mean, farther at the nearest
    assert near_first(WALLS, depths)[-1].tolist() == [0, 1, 2]


def test_faces_of_one_place_keep_their_order() -> None:
    walls = np.array([[0, 1, 2], [3, 4, 5], [0, 2, 1], [2, 1, 0]], np.int32)
    depths = np.array([1, 2, 3, 0, 9, 9], np.float32)
    assert near_first(walls, depths).tolist() == [[3, 4, 5], [0, 1, 2], [0, 2, 1], [2, 1, 0]]


def test_no_faces_are_no_faces() -> None:
    assert near_first(np.zeros((0, 3), np.int32), np.zeros(0, np.float32)).shape == (0, 3)


@pytest.mark.parametrize(("alpha", "seen"), [(1.0, 255), (0.5, 191)])
def test_only_what_hides_is_sorted(canvas: Canvas, alpha: float, seen: int) -> None:
    """A wall before another, of one material, the farther first: it shines through a faint one."""
    walls = [quad(-1, 1, -1, 1, 1.0), FULL]
    white = plain_materials((1, 1, 1, alpha))
    picture = draw_quads(canvas, walls, white, [plain_surface(0, index_count=12)])
    assert np.abs(picture[..., 3].astype(int) - seen).max() <= 1
    assert picture.shape == (SIZE, SIZE, 4)


def _walls(*depths: float, places: tuple[int, ...] = ()) -> SurfaceOrder:
    """Triangles that lie apart, at these depths; those of one of ``places`` share a corner."""
    corners = np.array(
        [[(k, 0, z), (k, 1, z), (k, 2, z)] for k, z in enumerate(depths)], np.float32
    )
    for surface, place in enumerate(places):
        corners[surface, 0] = place, -1, 100
    faces = np.arange(3 * len(depths)).reshape(-1, 1, 3)
    return SurfaceOrder(list(faces.astype(np.int32)), corners.reshape(-1, 3))


def test_opaque_surfaces_come_nearest_first_between_those_that_are_not() -> None:
    order = _walls(3, 1, 2, 0, 5, 4)
    assert order.of([True] * 6) == (3, 1, 2, 0, 5, 4)
    assert order.of([True, True, True, False, True, True]) == (1, 2, 0, 3, 5, 4)
    assert order.of([False] * 6) == (0, 1, 2, 3, 4, 5)


def test_surfaces_that_touch_stay_in_their_order() -> None:
    """The second lies nearer than the first, and shares a corner with it; the third is free."""
    assert _walls(3, 1, 2, places=(7, 7, 8)).of([True] * 3) == (2, 0, 1)
    assert _walls(3, 2, 1, places=(7, 7, 7)).of([True] * 3) == (0, 1, 2)
    assert _walls(3, 2, 1, places=(7, 8, 7)).of([True] * 3) == (1, 0, 2)


def test_a_surface_without_faces_is_last_of_its_kind() -> None:
    none = np.zeros((0, 3), np.int32)
    order = SurfaceOrder([none, np.array([[0, 1, 2]], np.int32)], np.eye(3, dtype=np.float32))
    assert order.of([True, True]) == (1, 0)
    assert SurfaceOrder([], np.zeros((0, 3), np.float32)).of([]) == ()


def test_a_layer_upon_a_wall_is_seen_whatever_the_depths_say(canvas: Canvas) -> None:
    """Two quads of one place, red then green; a blue one far behind is drawn last or first."""
    walls = [FULL, FULL, quad(-1, 1, -1, 1, 1.0)]
    colours = plain_materials((1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1))
    assert (draw_quads(canvas, walls, colours) == [0, 255, 0, 255]).all()
