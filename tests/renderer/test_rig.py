"""Rigs: of generated characters, whose truth is known; of real ones, looked at; and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from characters.design.spec import Naming
from characters.files.generate import FRANCHISES, character_spec, write_character
from contract.errors import RigError
from contract.pose import FACE_AXES
from contract.rig import BOX_ANSWERS, Rig, Side
from renderer.fit.fit_rig import draft_rig, fit_rig
from renderer.formats.model import Bone, MmdModel, Morph, VertexOffsets
from renderer.formats.read import read_model
from tests.support.hand_models import bone_offsets
from tests.support.rig_variants import moved

# Together these have every naming that the generator knows.
SEEDS = (0, 1, 2, 3, 5, 8, 10, 13, 15, 16, 18, 23, 34, 39, 73, 86)
BOX_TOLERANCE = 0.05  # of the height of the head


@dataclass(frozen=True)
class Generated:
    """A generated model and what is true about it."""

    model: MmdModel
    truth: dict[str, Any]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Generated]:
    made: dict[int, Generated] = {}

    def make(seed: int) -> Generated:
        if seed not in made:
            folder = tmp_path_factory.mktemp(f"seed{seed}")
            path = write_character(folder, seed, "pmd" if seed % 3 == 0 else "pmx")
            truth = json.loads((folder / "truth.json").read_text("utf-8"))
            made[seed] = Generated(read_model(path), truth)
        return made[seed]

    return make


def test_the_seeds_have_every_naming_and_lids_on_bones() -> None:
    specs = [character_spec(seed, seed % FRANCHISES) for seed in SEEDS]
    assert {spec.naming for spec in specs} == set(get_args(Naming))
    assert any(s.eye.lid_bones and s.seed % 3 for s in specs)  # PMX


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_faces_are_driven_by_what_truly_moves_them(
    generated: Callable[[int], Generated], seed: int
) -> None:
    character = generated(seed)
    rig = fit_rig(character.model)
    for axis in FACE_AXES:
        (use,) = rig.drives[axis]
        right = {(true["morph"], true["side"]) for true in character.truth["drives"][axis]}
        assert (use.morph, use.side.value) in right, (axis, rig.evidence)
        assert use.weight == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_heads_are_boxed(generated: Callable[[int], Generated], seed: int) -> None:
    character = generated(seed)
    box, true = fit_rig(character.model).head_box, character.truth["head_box"]
    height = true["skull_top_y"] - true["chin_y"]
    assert box.chin_y == pytest.approx(true["chin_y"], abs=BOX_TOLERANCE * height)
    assert box.skull_top_y == pytest.approx(true["skull_top_y"], abs=BOX_TOLERANCE * height)
    assert box.centre_x == pytest.approx(true["centre_x"], abs=BOX_TOLERANCE * height)


@dataclass(frozen=True)
class Label:
    """What a person saw in pictures: names of right morphs, and the box in model units.

    ``sides``: whether the eyes close by whole morphs or by halves of a blink.
    """

    left_eye: list[str]
    right_eye: list[str]
    mouth: list[str]
    sides: str
    chin_y: float
    skull_top_y: float
    centre_x: float


LABELS = {
    path: Label(**label)
    for path, label in json.loads(
        (Path(__file__).parent / "data" / "real_labels.json").read_text("utf-8")
    ).items()
}


def names(model: MmdModel, rig: Rig) -> dict[str, str]:
    return {axis: model.morphs[uses[0].morph].name for axis, uses in rig.drives.items()}


def require_label(model: MmdModel, rig: Rig, label: Label) -> None:
    found = names(model, rig)
    assert found["left_eye"] in label.left_eye, rig.evidence
    assert found["right_eye"] in label.right_eye, rig.evidence
    assert found["mouth"] in label.mouth, rig.evidence
    sides = (rig.drives["left_eye"][0].side, rig.drives["right_eye"][0].side)
    halves, wholes = (Side.LEFT, Side.RIGHT), (Side.WHOLE, Side.WHOLE)
    assert sides == (halves if label.sides == "half" else wholes)
    tolerance = BOX_TOLERANCE * (label.skull_top_y - label.chin_y)
    assert rig.head_box.chin_y == pytest.approx(label.chin_y, abs=tolerance)
    assert rig.head_box.skull_top_y == pytest.approx(label.skull_top_y, abs=tolerance)
    assert rig.head_box.centre_x == pytest.approx(label.centre_x, abs=tolerance)
    assert model.bones[rig.head_bone].name == "頭" and model.bones[rig.neck_bone].name == "首"


@pytest.mark.parametrize("path", LABELS)
def test_real_models_are_rigged_as_a_person_would(real_models: Path, path: str) -> None:
    model = read_model(real_models / path)
    rig = fit_rig(model)
    require_label(model, rig, LABELS[path])
    assert rig.doubtful == (), rig.confidence


@pytest.mark.parametrize("path", LABELS)
def test_the_eyes_of_real_models_are_found_without_their_names(
    real_models: Path, path: str
) -> None:
    """Geometry alone tells normal winks from smiles, symbols and the rest."""
    model = read_model(real_models / path)
    nameless = tuple(
        replace(morph, name=f"m{number}x", name_english="", panel=4)
        for number, morph in enumerate(model.morphs)
    )
    rig = fit_rig(replace(model, morphs=nameless))
    found = names(model, rig)
    assert found["left_eye"] in LABELS[path].left_eye, rig.evidence
    assert found["right_eye"] in LABELS[path].right_eye, rig.evidence


@pytest.mark.parametrize("path", LABELS)
def test_eyes_are_found_without_eye_bones(real_models: Path, path: str) -> None:
    model = read_model(real_models / path)
    blind = tuple(
        replace(bone, name=bone.name.replace("目", "々"), name_english="", append=None)
        for bone in model.bones
    )
    require_label(model, fit_rig(replace(model, bones=blind)), LABELS[path])


def test_a_rig_does_not_depend_on_size_and_place(generated: Callable[[int], Generated]) -> None:
    model = generated(8).model
    rig, other = fit_rig(model), fit_rig(moved(model, 3.0, (5.0, -7.0, 2.0)))
    assert other.drives == rig.drives
    assert other.head_box.chin_y == pytest.approx(3 * rig.head_box.chin_y - 7, abs=0.05)
    assert other.head_box.skull_top_y == pytest.approx(3 * rig.head_box.skull_top_y - 7, abs=0.05)
    assert other.split_x == pytest.approx(3 * rig.split_x + 5, abs=1e-3)
    assert other.split_half_width == pytest.approx(3 * rig.split_half_width, rel=1e-3)


def without_morphs(model: MmdModel, lost: Callable[[Morph], bool]) -> MmdModel:
    """Morphs stay in their places, but the lost ones move nothing."""
    nothing = VertexOffsets(np.empty(0, np.int32), np.empty((0, 3), np.float32))
    return replace(
        model, morphs=tuple(replace(m, offsets=nothing) if lost(m) else m for m in model.morphs)
    )


def renamed(model: MmdModel, change: Callable[[Bone], str]) -> MmdModel:
    bones = tuple(replace(b, name=change(b), name_english="") for b in model.bones)
    return replace(model, bones=bones)


def require_refusal(model: MmdModel, code: str, *said: str) -> None:
    with pytest.raises(RigError) as caught:
        fit_rig(model)
    text = str(caught.value)
    assert caught.value.code == code, text
    assert text.startswith(f"{model.path.name}: ") and "\n" not in text
    for words in said:
        assert words in text


def test_models_that_cannot_be_rigged_say_why(generated: Callable[[int], Generated]) -> None:
    model = generated(8).model
    require_refusal(
        without_morphs(model, lambda m: m.panel == 2), "no-left-eye-morph", "left eye", "ウィンク２"
    )
    require_refusal(without_morphs(model, lambda m: m.panel == 3), "no-mouth-morph", "あ")
    require_refusal(replace(model, morphs=()), "no-left-eye-morph")
    without_head = renamed(model, lambda b: b.name.replace("頭", "箱").replace("目", "箱"))
    require_refusal(replace(without_head, morphs=()), "no-head-bone", "頭")
    no_faces = replace(model, faces=np.empty((0, 3), np.int32))
    require_refusal(no_faces, "empty-mesh")


def test_what_a_person_can_give_is_left_open_in_a_draft(
    generated: Callable[[int], Generated],
) -> None:
    model, whole = generated(8).model, fit_rig(generated(8).model)
    draft = draft_rig(without_morphs(model, lambda m: m.panel == 3))
    assert {axis: fault.code for axis, fault in draft.faults.items()} == {"mouth": "no-mouth-morph"}
    assert draft.rig.drives == {**whole.drives, "mouth": ()}
    assert "mouth" in draft.rig.doubtful
    height = whole.head_box.skull_top_y - whole.head_box.chin_y
    assert abs(draft.rig.head_box.chin_y - whole.head_box.chin_y) < 0.1 * height
    assert draft.rig.head_box.skull_top_y == pytest.approx(
        whole.head_box.skull_top_y, abs=0.05 * height
    )


def test_where_nothing_tells_of_eyes_the_head_is_guessed(
    generated: Callable[[int], Generated],
) -> None:
    model = generated(8).model
    box = fit_rig(model).head_box
    faceless = renamed(replace(model, morphs=()), lambda b: b.name.replace("目", "箱"))
    faceless = replace(faceless, bones=tuple(replace(b, append=None) for b in faceless.bones))
    draft = draft_rig(faceless)
    assert list(draft.faults) == ["left_eye", "right_eye", "mouth", "head_box"]
    assert not any(draft.rig.drives.values())
    height = box.skull_top_y - box.chin_y
    assert abs(draft.rig.head_box.chin_y - box.chin_y) < 0.3 * height
    assert abs(draft.rig.head_box.skull_top_y - box.skull_top_y) < 0.3 * height
    assert set(BOX_ANSWERS) <= set(draft.rig.doubtful)


def test_a_lost_right_eye_is_told_from_a_lost_left_one(
    generated: Callable[[int], Generated],
) -> None:
    character = generated(8)
    truth = character.truth
    left = {use["morph"] for use in truth["drives"]["left_eye"] if use["side"] == "whole"}
    assert left
    model = character.model
    kept = {id(model.morphs[index]) for index in left}
    require_refusal(
        without_morphs(model, lambda m: m.panel == 2 and id(m) not in kept),
        "no-right-eye-morph",
        "right eye",
    )


def test_smiling_winks_are_used_only_where_they_are_allowed(
    generated: Callable[[int], Generated],
) -> None:
    character = generated(8)
    smiles = {
        use["morph"]
        for side in ("left_eye", "right_eye")
        for use in character.truth["smiles"][side]
    }
    kept = {id(character.model.morphs[index]) for index in smiles}
    assert kept
    smiling = without_morphs(character.model, lambda m: m.panel == 2 and id(m) not in kept)
    require_refusal(smiling, "no-left-eye-morph", "smile")
    rig = fit_rig(smiling, allow_smile=True)
    assert {rig.drives[axis][0].morph for axis in ("left_eye", "right_eye")} <= smiles


def test_without_a_neck_the_heads_parent_turns(generated: Callable[[int], Generated]) -> None:
    model = generated(8).model
    rig = fit_rig(renamed(model, lambda b: "襟" if b.name == "首" else b.name))
    assert rig.neck_bone == model.bones[rig.head_bone].parent
    assert any(reason.startswith("neck-bone:parent-of-head") for reason in rig.evidence)


def test_a_head_bone_may_be_called_in_english(generated: Callable[[int], Generated]) -> None:
    model = generated(8).model
    rig = fit_rig(
        renamed(model, lambda b: {"頭": "J_Bip_C_Head", "首": "Neck"}.get(b.name, b.name))
    )
    assert model.bones[rig.head_bone].name == "頭" and model.bones[rig.neck_bone].name == "首"


@pytest.mark.parametrize(
    "name", ["bdef2-two-bone-strip.pmx", "qdef-twist-cylinder.pmx", "uv_morph_test.pmx"]
)
def test_things_that_are_no_characters_are_refused(real_models: Path, name: str) -> None:
    require_refusal(read_model(real_models / "fixtures" / name), "no-head-bone")


def with_bone_wink(model: MmdModel, wink: int, head: int) -> MmdModel:
    """The same eye closed by a bone: what moves much hangs on it and drops by the mean move."""
    offsets = model.morphs[wink].offsets
    assert isinstance(offsets, VertexOffsets)
    lengths = np.linalg.norm(offsets.offsets, axis=1)
    lids = lengths > 0.3 * lengths.max()
    mesh = model.vertices
    bones, weights = mesh.bone_indices.copy(), mesh.bone_weights.copy()
    bones[offsets.vertices[lids]] = (len(model.bones), -1, -1, -1)
    weights[offsets.vertices[lids]] = (1, 0, 0, 0)
    lid_bone = replace(model.bones[head], name="瞼", parent=head, append=None, ik=None)
    x, y, z = (float(value) for value in offsets.offsets[lids].mean(axis=0))
    drop = bone_offsets(len(model.bones), (x, y, z), (0.0, 0.0, 0.0, 1.0))
    lidded = replace(
        model,
        vertices=replace(mesh, bone_indices=bones, bone_weights=weights),
        bones=(*model.bones, lid_bone),
    )
    both = {id(m) for m in model.morphs if m.panel == 2}
    silent = without_morphs(lidded, lambda m: id(m) in both)
    return replace(silent, morphs=(*silent.morphs, Morph("閉じる", "", 2, drop)))


def test_a_bone_morph_may_close_an_eye(generated: Callable[[int], Generated]) -> None:
    character = generated(8)
    model = character.model
    whole = [u["morph"] for u in character.truth["drives"]["left_eye"] if u["side"] == "whole"]
    head = next(k for k, b in enumerate(model.bones) if b.name == "頭")
    bone_model = with_bone_wink(model, whole[0], head)
    require_refusal(bone_model, "no-right-eye-morph")  # so the left eye was found


def with_uncoloured_mask(model: MmdModel) -> MmdModel:
    """A great triangle on the head bone before the whole face, which no material colours."""
    mesh = model.vertices
    head = next(k for k, bone in enumerate(model.bones) if bone.name == "頭")
    on_head = int(np.flatnonzero(mesh.bone_indices[:, 0] == head)[0])
    per_vertex = ("normals", "uv", "additional_uv", "weight_types", "bone_indices")
    corners = np.array([[-9, 12, -3], [9, 12, -3], [0, 40, -3]], np.float32)
    masked = replace(
        mesh,
        positions=np.concatenate([mesh.positions, corners]),
        **{
            name: np.concatenate([values, values[[on_head] * 3]])
            for name in (*per_vertex, "bone_weights", "edge_scales")
            for values in [getattr(mesh, name)]
        },
    )
    mask = len(mesh) + np.arange(3, dtype=np.int32)
    return replace(model, vertices=masked, faces=np.concatenate([model.faces, mask[None]]))


def test_what_no_material_colours_is_no_part_of_a_face(
    generated: Callable[[int], Generated],
) -> None:
    model = generated(8).model
    rig, masked = fit_rig(model), fit_rig(with_uncoloured_mask(model))
    assert masked == rig
    with pytest.raises(RigError):
        fit_rig(replace(model, materials=()))
