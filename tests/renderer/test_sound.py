"""A model is refused for what its file has wrong only where its pictures need that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.errors import FormatError
from contract.pose import REST
from contract.rig import Rig
from renderer.draw.canvas import Canvas
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import Mend, MendedKind, MmdModel, Morph
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait
from tests.support.hand_models import bone_offsets, group


@pytest.fixture(scope="module")
def canvas() -> Iterator[Canvas]:
    canvas = Canvas(64)
    yield canvas
    canvas.release()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MmdModel:
    return read_model(write_character(tmp_path_factory.mktemp("character"), seed=5))


@pytest.fixture(scope="module")
def rig(model: MmdModel) -> Rig:
    return fit_rig(model)


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
