"""Normals to be lit by: turned out, and off skin that leans away from the face; others are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.rig import HeadBox, MorphUse, Rig
from renderer.deform.deformer import Deformer
from renderer.fit.fit_rig import fit_rig
from renderer.fit.raycast import first_hits
from renderer.formats.model import F32, MmdModel, face_materials
from renderer.formats.read import read_model
from renderer.portrait.normals import lit_normals, outward_normals
from tests.support import hand_models


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


def test_normals_without_length_are_made_where_the_faces_have_an_outside(model: MmdModel) -> None:
    nothing = [0.0, 0.0, 0.0]
    single, double = [[0, 1, 2]], [[0, 1, 2], [0, 2, 1]]
    assert np.allclose(outward_normals(_triangle(model, single, nothing)), [0.0, 0.0, -1.0])
    assert np.array_equal(outward_normals(_triangle(model, double, nothing)), np.zeros((3, 3)))


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


SIDE = 21  # vertices along a side of the wall
CHIN, TOP = 10.0, 13.0
MOUTH = MorphUse(0, 1.0)


def _wall(slant: float = 0.0) -> MmdModel:
    """A wall before the viewer, from chin to skull top, whose lower part a mouth morph moves.

    It recedes by ``slant`` a unit to the character's left; its normals face the viewer.
    """
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, SIDE), np.linspace(CHIN, TOP, SIDE))
    places = [
        (float(a), float(b), slant * float(a)) for a, b in np.stack([x, y], axis=-1).reshape(-1, 2)
    ]
    lower = dict.fromkeys(range(5 * SIDE), (0.0, -0.1, 0.0))
    wall = hand_models.model(
        hand_models.vertices(places),
        [hand_models.bone(), hand_models.bone((0.0, 11.0, 0.0), 0)],
        [hand_models.morph("あ", hand_models.vertex_offsets(lower))],
        [hand_models.material(index_count=(SIDE - 1) ** 2 * 6)],
    )
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    upper = np.stack([corner, corner + SIDE, corner + SIDE + 1], axis=1)
    lower_right = np.stack([corner, corner + SIDE + 1, corner + 1], axis=1)
    return replace(wall, faces=np.concatenate([upper, lower_right]).astype(np.int32))


DRIVES = {"left_eye": (), "right_eye": (), "mouth": (MOUTH,)}
RIG = Rig(HeadBox(CHIN, TOP, 0.0), 1, "", 0, "", 0.0, 0.1, DRIVES, confidence={}, doubtful=())


def _lit(model: MmdModel, normals: F32) -> F32:
    worn = replace(model, vertices=replace(model.vertices, normals=normals))
    return lit_normals(worn, RIG, Deformer(worn))


def _leaning(degrees: float) -> F32:
    """Normals of the whole wall that lean to the side."""
    turn = np.radians(degrees)
    return np.tile(np.array([np.sin(turn), 0, -np.cos(turn)], np.float32), (SIDE * SIDE, 1))


FACE = slice(0, 15 * SIDE)  # below the hair line; what is above is never looked at


def test_skin_whose_normals_lean_far_away_takes_those_of_its_surface() -> None:
    assert np.allclose(_lit(_wall(), _leaning(80))[FACE], [0, 0, -1], atol=1e-3)
    slanted = np.array([1, 0, -1]) / np.sqrt(2)
    inner = _lit(_wall(1.0), -_leaning(45))[FACE].reshape(-1, SIDE, 3)[3:, 5:-5]
    assert np.allclose(inner, slanted, atol=0.05)


def test_skin_whose_normals_lean_a_little_keeps_them() -> None:
    for degrees in (0, 20, 29):
        assert np.allclose(_lit(_wall(), _leaning(degrees)), _leaning(degrees), atol=1e-6)


def test_of_a_sound_face_only_what_leans_strongly_is_replaced() -> None:
    normals = _leaning(10)
    middle, beside = SIDE * SIDE // 2, SIDE * SIDE // 2 + 3
    normals[middle], normals[beside] = _leaning(75)[0], _leaning(48)[0]
    lit = _lit(_wall(), normals)
    assert np.allclose(lit[middle], [0, 0, -1], atol=1e-3)
    others = np.arange(SIDE * SIDE) != middle
    assert np.allclose(lit[others], normals[others], atol=1e-6)


def test_what_the_mouth_does_not_move_is_no_skin() -> None:
    still = replace(
        _wall(), morphs=(hand_models.morph("あ", hand_models.vertex_offsets({0: (0.0, 0.0, 0.0)})),)
    )
    assert np.allclose(_lit(still, _leaning(80)), _leaning(80), atol=1e-6)


def test_skin_beyond_the_front_of_the_face_keeps_its_normals() -> None:
    """Another wall of the same skin, half a head behind: the back of a head, or a throat."""
    wall = _wall()
    mesh = wall.vertices
    both = replace(
        mesh,
        **{
            name: np.concatenate([values, values])
            for name in vars(mesh)
            if not name.startswith("sdef") and (values := getattr(mesh, name)) is not None
        },
    )
    both.positions[SIDE * SIDE :, 2] += 1.5
    material = replace(wall.materials[0], index_count=2 * wall.materials[0].index_count)
    doubled = replace(
        wall,
        vertices=both,
        faces=np.concatenate([wall.faces, wall.faces + SIDE * SIDE]),
        materials=(material,),
    )
    lit = _lit(doubled, np.concatenate([_leaning(80), _leaning(80)]))
    assert np.allclose(lit[FACE], [0, 0, -1], atol=1e-3)
    assert np.allclose(lit[SIDE * SIDE :], _leaning(80), atol=1e-6)


@pytest.mark.parametrize("path", ["mmdagent-ex/Gene/Gene_light.pmx", "vroid/TestModel/test.pmx"])
def test_a_soundly_authored_real_face_stays_nearly_as_it_is(real_models: Path, path: str) -> None:
    model = read_model(real_models / path)
    lit = lit_normals(model, fit_rig(model), Deformer(model))
    assert (np.abs(lit - outward_normals(model)).max(axis=1) > 0.1).mean() < 0.03


def test_a_real_face_of_boxes_and_goggles_is_lit_as_one(real_models: Path) -> None:
    """Lat Miku's eyes and mouth lie in boxes on a flat face; no toon shows their walls."""
    model = read_model(real_models / "piapro/LatMiku/Normal.pmd")
    rig = fit_rig(model)
    box, height = rig.head_box, rig.head_box.skull_top_y - rig.head_box.chin_y
    x = box.centre_x + height * np.linspace(-0.2, 0.2, 21)
    y = box.chin_y + height * np.linspace(0.05, 0.5, 24)
    corners = model.vertices.positions[model.faces].astype(np.float64)
    front = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] < 0
    skin = np.flatnonzero((face_materials(model) == 17) & front)
    hits = first_hits(corners[skin], np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    seen = hits.triangles >= 0
    assert seen.mean() > 0.9
    darkest = []
    for normals in (outward_normals(model), lit_normals(model, rig, Deformer(model))):
        at = np.einsum("nk,nk->n", hits.weights, normals[model.faces[skin[hits.triangles]], 2])
        darkest.append(float((-at[seen]).min()))
    assert darkest[0] < 0 and darkest[1] > 0.55
