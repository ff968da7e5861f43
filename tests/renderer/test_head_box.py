"""Chin and skull top on heads made of plain shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from contract.rig import DOUBTFUL_BELOW
from renderer.fit.chin import find_chin
from renderer.fit.confidence import Found, judged
from renderer.fit.eyes import Eye, Eyes
from renderer.fit.skull_top import find_skull_top
from renderer.formats.model import MmdModel
from tests.support.hand_models import bone, material, model, vertices
from tests.support.rig_variants import grid_mesh

F64 = npt.NDArray[np.float64]
Mesh = tuple[F64, npt.NDArray[np.int32]]
EYES_Y = 10.0  # with eyes one unit apart


def eyes(vertex_count: int) -> Eyes:
    left, right = (Eye(x, EYES_Y, 0.2, 0.2, -0.5) for x in (0.5, -0.5))
    return Eyes(left, right, np.zeros(vertex_count, np.bool_), "")


def cap(top: float, bottom: float, radius: float) -> Mesh:
    """The upper part of an upright ellipsoid about the origin of x and z."""
    down, around = np.linspace(0, np.pi / 2, 20), np.linspace(0, 2 * np.pi, 33)
    ring, height = radius * np.sin(down), bottom + (top - bottom) * np.cos(down)
    x, z = ring[:, None] * np.cos(around), ring[:, None] * np.sin(around)
    return grid_mesh(np.stack([x, np.broadcast_to(height[:, None], x.shape), z], axis=-1))


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    """The four sides and the top of a box, as one part."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    corners = [(x0, z0), (x1, z0), (x1, z1), (x0, z1), (x0, z0)]
    rows = [
        [(x, y0, z) for x, z in corners],
        [(x, y1, z) for x, z in corners],
        [((x0 + x1) / 2, y1, (z0 + z1) / 2)] * 5,
    ]
    return grid_mesh(np.array(rows))


def joined(*meshes: Mesh) -> MmdModel:
    points, triangles, start = [], [], 0
    for mesh_points, mesh_triangles in meshes:
        points.append(mesh_points)
        triangles.append(mesh_triangles + start)
        start += len(mesh_points)
    flat = [(float(x), float(y), float(z)) for x, y, z in np.concatenate(points)]
    faces = np.concatenate(triangles).astype(np.int32)
    whole = model(vertices(flat), [bone()], materials=[material(index_count=faces.size)])
    return replace(whole, faces=faces)


def skull_top(*meshes: Mesh, chin_y: float = 9.0) -> Found:
    whole = joined(*meshes)
    on_head = np.ones(len(whole.vertices), np.bool_)
    return find_skull_top(whole, eyes(len(whole.vertices)), chin_y, on_head)


HAIR = cap(11.9, 9.8, 1.3)


def test_the_top_of_plain_hair_is_the_skull_top() -> None:
    found = skull_top(HAIR)
    assert found.y == pytest.approx(11.9, abs=0.03)
    assert found.evidence.startswith("skull-top:dome:")
    assert set(found.checks.values()) == {1.0}


def test_a_tuft_and_a_band_do_not_raise_it() -> None:
    tuft = box((-0.05, 11.7, -0.1), (0.05, 12.8, 0.1))
    band = box((-1.3, 11.6, -0.08), (1.3, 12.1, 0.08))
    assert skull_top(HAIR, tuft, band).y == pytest.approx(11.9, abs=0.04)


def test_a_hat_that_stays_above_the_brows_is_no_hair() -> None:
    hat = cap(12.9, 11.0, 1.5)
    assert skull_top(HAIR, hat).y == pytest.approx(11.9, abs=0.03)


def test_ears_and_buns_at_the_sides_do_not_raise_it() -> None:
    ears = [box((x - 0.2, 11.2, -0.1), (x + 0.2, 12.7, 0.1)) for x in (-0.9, 0.9)]
    assert skull_top(HAIR, *ears).y == pytest.approx(11.9, abs=0.03)


def test_without_hair_the_proportion_decides() -> None:
    tower = cap(19.0, 11.0, 1.5)
    found = skull_top(tower)
    assert found.evidence == "skull-top:proportion"
    assert found.y == pytest.approx(EYES_Y + 1.91, abs=0.01)
    assert judged(found.checks).score < DOUBTFUL_BELOW


def face(profile: list[tuple[float, float]]) -> MmdModel:
    """A strip across the middle along a profile of (y, z)."""
    rows = [[(x, y, z) for x in (-0.3, 0.3)] for y, z in profile]
    return joined(grid_mesh(np.array(rows)))


def chin_of(whole: MmdModel, lips_y: float = 9.4) -> Found:
    skin = np.ones(len(whole.faces), np.bool_)
    return find_chin(whole, eyes(len(whole.vertices)), lips_y, skin)


def chin(whole: MmdModel, lips_y: float = 9.4) -> float:
    return chin_of(whole, lips_y).y


def test_the_chin_is_where_the_profile_turns_back() -> None:
    whole = face([(9.5, -1.0), (9.1, -1.05), (9.0, -0.98), (8.97, -0.6), (8.0, -0.4)])
    assert chin(whole) == pytest.approx(8.99, abs=0.02)


def test_a_face_cut_off_at_the_chin_ends_there() -> None:
    assert chin(face([(9.5, -1.0), (9.05, -0.9)])) == pytest.approx(9.05, abs=0.02)


def test_a_dent_under_the_lip_is_no_chin() -> None:
    whole = face([(9.5, -1.0), (9.35, -0.92), (9.2, -1.0), (9.0, -0.98), (8.98, -0.5), (8, -0.5)])
    assert chin(whole) == pytest.approx(8.99, abs=0.02)


def test_a_receding_chin_ends_where_it_falls_back() -> None:
    """Below the lips it leans back by 0.35, which is no fall yet."""
    whole = face([(9.5, -1.0), (9.3, -0.98), (9.0, -0.65), (8.98, -0.2), (8.0, -0.2)])
    assert chin(whole) == pytest.approx(8.99, abs=0.02)


def test_an_open_mouth_is_no_chin() -> None:
    profile = [(9.5, -1.0), (9.42, -1.0), (9.41, -0.5), (9.36, -0.5), (9.35, -1.0)]
    whole = face([*profile, (9.1, -0.98), (9.08, -0.4), (8.0, -0.4)])
    assert chin(whole, lips_y=9.45) == pytest.approx(9.09, abs=0.02)


@pytest.mark.parametrize("profile", [[(9.5, -1.0), (6.0, -1.0)], [(9.5, -1.0), (8.3, -1.0)]])
def test_a_chin_that_is_not_seen_is_where_the_lips_put_it(
    profile: list[tuple[float, float]],
) -> None:
    """A scarf of the skin's material hides the chin of both."""
    found = chin_of(face(profile), lips_y=9.33)
    assert found.y == pytest.approx(9.0)
    assert judged(found.checks).score < DOUBTFUL_BELOW
