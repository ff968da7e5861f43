"""Normals that point inward are turned round; how they lean is not touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from renderer.portrait.normals import outward_normals


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MmdModel:
    return read_model(write_character(tmp_path_factory.mktemp("character"), seed=1))


def _triangle(model: MmdModel, faces: list[list[int]], normal: list[float]) -> MmdModel:
    """Three vertices in the plane z = 0; face 0 1 2 is clockwise for a viewer at -z."""
    positions = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    vertices = replace(
        model.vertices,
        positions=positions,
        normals=np.tile(np.array(normal, np.float32), (3, 1)),
    )
    return replace(model, vertices=vertices, faces=np.array(faces, np.int32))


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([0.0, 0.0, -1.0], [0.0, 0.0, -1.0]),
        ([0.0, 0.0, 1.0], [0.0, 0.0, -1.0]),
        ([0.6, 0.0, 0.8], [-0.6, 0.0, -0.8]),
        ([0.6, 0.0, -0.8], [0.6, 0.0, -0.8]),
    ],
)
def test_a_normal_looks_out_of_its_face(
    model: MmdModel, stored: list[float], expected: list[float]
) -> None:
    normals = outward_normals(_triangle(model, [[0, 1, 2]], stored))
    assert np.allclose(normals, expected)


def test_where_both_windings_share_vertices_nothing_is_turned(model: MmdModel) -> None:
    normals = outward_normals(_triangle(model, [[0, 1, 2], [0, 2, 1]], [0.0, 0.0, 1.0]))
    assert np.allclose(normals, [0.0, 0.0, 1.0])


def test_a_head_turned_inside_out_is_mended(model: MmdModel) -> None:
    broken = replace(model, vertices=replace(model.vertices, normals=-model.vertices.normals))
    mended, sound = outward_normals(broken), outward_normals(model)
    same = (mended * sound).sum(axis=1) > 0
    assert same.mean() > 0.95


def test_a_real_face_with_inward_normals_is_mended(real_models: Path) -> None:
    """Lat Miku's face has a fifth of its normals inward, which drew black seams across it."""
    lat = read_model(real_models / "piapro/LatMiku/Normal.pmd")
    turned = (outward_normals(lat) != lat.vertices.normals).any(axis=1)
    assert 0.02 < turned.mean() < 0.05
