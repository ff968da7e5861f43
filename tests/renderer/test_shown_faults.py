"""What is wrong with a model costs what it shows: nothing, a doubt, or the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.errors import FormatError, TextureError
from contract.pose import REST
from contract.rig import Rig
from renderer.draw.canvas import Canvas
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import Mend, MendedKind, MmdModel, Morph, SphereMode
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait
from tests.support.hand_models import bone_offsets, group

Square = tuple[
    float, float, float
]  # centre x, centre y, half a side; in head heights from the chin


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(128)
    yield canvas
    canvas.release()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MmdModel:
    return read_model(write_character(tmp_path_factory.mktemp("character"), seed=5))


@pytest.fixture(scope="module")
def rig(model: MmdModel) -> Rig:
    return fit_rig(model)


def with_square(
    model: MmdModel, rig: Rig, square: Square, *, alpha: float = 1.0, depth: float | None = None
) -> MmdModel:
    """The model with a square before it (or at a z) that hangs on the head; its map is missing."""
    x, y, half = square
    box, mesh = rig.head_box, model.vertices
    height = box.skull_top_y - box.chin_y
    z = float(mesh.positions[:, 2].min()) - 0.1 if depth is None else depth
    corners = np.array(
        [(x + i * half, y + j * half) for i, j in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    )
    corners = corners * height + (box.centre_x, box.chin_y)
    count = len(mesh)

    def longer(name: str, rows: object) -> object:
        return np.concatenate([getattr(mesh, name), np.asarray(rows, getattr(mesh, name).dtype)])

    added = {
        "positions": [(*corner, z) for corner in corners],
        "normals": [(0, 0, -1)] * 4,
        "uv": [(0, 0)] * 4,
        "additional_uv": np.zeros((4, *mesh.additional_uv.shape[1:])),
        "weight_types": [0] * 4,
        "bone_indices": [(rig.head_bone, -1, -1, -1)] * 4,
        "bone_weights": [(1, 0, 0, 0)] * 4,
        "edge_scales": [0] * 4,
    }
    first = model.materials[0]
    material = replace(
        first,
        texture=len(model.texture_paths),
        diffuse=(*first.diffuse[:3], alpha),
        double_sided=True,
        draw_edge=False,
        first_index=model.faces.size,
        index_count=6,
    )
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32) + count
    return replace(
        model,
        vertices=replace(mesh, **{k: longer(k, rows) for k, rows in added.items()}),  # type: ignore[arg-type]
        faces=np.concatenate([model.faces, faces]),
        materials=(*model.materials, material),
        texture_paths=(*model.texture_paths, "lost.png"),
    )


def verdict(canvas: Canvas, model: MmdModel, rig: Rig) -> str:
    """``used``, ``doubtful`` or ``refused``."""
    try:
        portrait = Portrait(canvas, model, rig)
    except TextureError as error:
        assert (str(error).split(":")[0], error.code) == (model.path.name, "texture-missing")
        return "refused"
    portrait.release()
    return "doubtful" if portrait.colour_missing else "used"


@pytest.mark.parametrize(
    ("square", "expected"),
    [
        ((0.17, 0.36, 0.08), "refused"),  # the left eye
        ((-0.17, 0.36, 0.08), "refused"),
        ((0.0, 0.12, 0.06), "refused"),  # the mouth
        ((0.0, 0.8, 0.3), "refused"),  # much of the head
        ((0.7, 1.1, 0.1), "doubtful"),  # beside it
        ((0.0, -3.0, 0.3), "used"),  # below the frame
    ],
)
def test_where_a_missing_texture_would_show(
    canvas: Canvas, model: MmdModel, rig: Rig, square: Square, expected: str
) -> None:
    assert verdict(canvas, with_square(model, rig, square), rig) == expected


def test_a_blush_that_is_transparent_shows_nowhere(
    canvas: Canvas, model: MmdModel, rig: Rig
) -> None:
    blush = with_square(model, rig, (0.0, 0.3, 0.3), alpha=0.0)
    assert verdict(canvas, blush, rig) == "used"


def test_what_the_head_hides_shows_nowhere(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    inside = float(model.bones[rig.head_bone].position[2])
    hidden = with_square(model, rig, (0.0, 0.5, 0.02), depth=inside)
    assert verdict(canvas, hidden, rig) == "used"


@pytest.mark.parametrize(("material", "expected"), [("顔", "refused"), ("服", "doubtful")])
def test_textures_of_a_character(
    canvas: Canvas, material: str, expected: str, tmp_path: Path
) -> None:
    model = read_model(write_character(tmp_path, seed=2))
    rig = fit_rig(model)
    (number,) = (m.texture for m in model.materials if m.name == material)
    (tmp_path / model.texture_paths[number]).unlink()
    assert verdict(canvas, model, rig) == expected


@pytest.mark.parametrize("mode", [SphereMode.MULTIPLY, SphereMode.ADD])
def test_a_missing_sphere_map_adds_nothing(
    canvas: Canvas, model: MmdModel, rig: Rig, mode: SphereMode
) -> None:
    plain = tuple(replace(m, sphere_mode=SphereMode.NONE) for m in model.materials)
    lost = len(model.texture_paths)
    shiny = tuple(replace(m, sphere_mode=mode, sphere_texture=lost) for m in model.materials)
    pictures = []
    for materials in (plain, shiny):
        paths = (*model.texture_paths, "lost.spa")
        portrait = Portrait(canvas, replace(model, materials=materials, texture_paths=paths), rig)
        pictures.append(portrait.draw(REST))
        portrait.release()
    assert np.array_equal(pictures[0], pictures[1])


# Records that reading had to mend.


def refusal(canvas: Canvas, model: MmdModel, rig: Rig, *of: tuple[MendedKind, int]) -> str:
    """The code that a model with these records mended is refused with; nothing: it is drawn."""
    mends = tuple(Mend("something: broken", one, "index-out-of-range") for one in of)
    try:
        portrait = Portrait(canvas, replace(model, mends=mends), rig)
    except FormatError as error:
        assert str(error).startswith(f"{model.path.name}: something: broken, but its pictures")
        return error.code
    assert portrait.draw(REST).any()
    portrait.release()
    return ""


def driving(rig: Rig) -> set[int]:
    return {use.morph for uses in rig.drives.values() for use in uses}


def bone_called(model: MmdModel, name: str) -> int:
    return next(number for number, bone in enumerate(model.bones) if bone.name == name)


def test_morphs_that_drive_no_axis_may_be_broken(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    others = set(range(len(model.morphs))) - driving(rig)
    assert others
    assert refusal(canvas, model, rig, *(("morph", morph) for morph in others)) == ""


def test_morphs_that_drive_one_may_not(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    for morph in driving(rig):
        assert refusal(canvas, model, rig, ("morph", morph)) == "index-out-of-range"


def test_a_morph_that_a_driving_group_names_may_not(
    canvas: Canvas, model: MmdModel, rig: Rig
) -> None:
    count = len(model.morphs)
    (mouth,) = rig.drives["mouth"]
    grouped = Morph("群", "", 3, group([(count + 1, 1.0), (mouth.morph, 1.0)]))
    named = Morph("骨", "", 3, bone_offsets(0, (0, 0, 0), (0, 0, 0, 1)))
    larger = replace(model, morphs=(*model.morphs, grouped, named))
    by_group = {**rig.drives, "mouth": (replace(mouth, morph=count),)}
    assert refusal(canvas, larger, rig, ("morph", count + 1)) == ""
    grouping = replace(rig, drives=by_group)
    assert refusal(canvas, larger, grouping, ("morph", count + 1)) == "index-out-of-range"
    assert refusal(canvas, larger, grouping, ("joint", 0)) == "index-out-of-range"


def test_bones_of_the_head_and_above_it_may_not_be_broken(
    canvas: Canvas, model: MmdModel, rig: Rig
) -> None:
    bone = rig.head_bone
    while bone >= 0:
        assert refusal(canvas, model, rig, ("bone", bone)) == "index-out-of-range"
        bone = model.bones[bone].parent


def test_the_place_of_a_bone_counts_where_it_turns(
    canvas: Canvas, model: MmdModel, rig: Rig
) -> None:
    assert refusal(canvas, model, rig, ("joint", rig.neck_bone)) == "index-out-of-range"
    above = model.bones[rig.neck_bone].parent
    assert above >= 0
    assert refusal(canvas, model, rig, ("joint", above)) == ""


def test_bones_below_the_frame_may_be_broken(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    low = model.vertices.positions[:, 1] < rig.head_box.chin_y - 6
    carrying = np.unique(model.vertices.bone_indices[low])
    legs = [int(k) for k in carrying if k >= 0 and "足" in model.bones[k].name]
    assert legs
    assert refusal(canvas, model, rig, *(("bone", k) for k in legs)) == ""


def test_materials_count_where_they_show(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    count = len(model.materials)
    unused = replace(model.materials[0], index_count=0)
    more = replace(model, materials=(*model.materials, unused))
    assert refusal(canvas, more, rig, ("material", 0)) == "index-out-of-range"
    assert refusal(canvas, more, rig, ("material", count)) == ""


def test_what_no_picture_needs_costs_nothing(canvas: Canvas, model: MmdModel, rig: Rig) -> None:
    mended = replace(model, mends=(Mend("header: odd"),))
    Portrait(canvas, mended, rig).release()
