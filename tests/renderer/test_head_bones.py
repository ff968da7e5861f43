"""Which bones turn the head, under whatever names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from characters.files.generate import write_character
from contract.errors import RigError
from renderer.fit.head_bones import find_head_bone, find_neck_bone
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model


def found(model: MmdModel) -> tuple[int, int]:
    head, _ = find_head_bone(model)
    return head, find_neck_bone(model, head)[0]


@pytest.mark.parametrize("seed", [0, 1, 2, 5, 8, 13, 29])
def test_bones_without_telling_names_are_known_by_what_they_carry(
    tmp_path: Path, seed: int
) -> None:
    model = read_model(write_character(tmp_path, seed))
    named = found(model)
    assert (model.bones[named[0]].name, model.bones[named[1]].name) == ("頭", "首")
    numbered = tuple(
        replace(bone, name=f"骨{number}", name_english=f"bone{number}")
        for number, bone in enumerate(model.bones)
    )
    nameless = replace(model, bones=numbered)
    assert found(nameless) == named
    assert find_head_bone(nameless)[1].startswith("head-bone:carries-the-face")
    with pytest.raises(RigError, match="no bone is called") as caught:
        find_head_bone(replace(nameless, morphs=()))
    assert caught.value.code == "no-head-bone"


@pytest.mark.parametrize(
    ("head", "neck"),
    [("cf_j_head", "cf_j_neck"), ("head neck upper", "head neck lower"), ("머리", "목")],
)
def test_names_of_other_exporters(tmp_path: Path, head: str, neck: str) -> None:
    model = read_model(write_character(tmp_path, 5))
    named = found(model)
    other = {named[0]: head, named[1]: neck}
    bones = tuple(
        replace(bone, name=other.get(number, f"骨{number}"), name_english="")
        for number, bone in enumerate(model.bones)
    )
    renamed = replace(model, bones=bones)
    assert found(renamed) == named
    assert find_head_bone(renamed)[1] == f"head-bone:name:{head}"
    assert find_neck_bone(renamed, named[0])[1] == f"neck-bone:name:{neck}"
