"""Blinks of the kinds that real models have, made from characters whose truth is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.errors import RigError
from contract.rig import Side
from renderer.fit.eyes import eye_readings
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import MaterialOffsets, MmdModel, Morph, VertexOffsets
from renderer.formats.read import read_model
from tests.support.rig_variants import (
    NOTHING,
    head_of,
    scaled_morphs,
    with_irises_pushed,
    with_morphs_as_groups,
    without_eye_bones,
)

SEEDS = (3, 5)
EYES = ("left_eye", "right_eye")


@dataclass(frozen=True)
class Known:
    """A character; ``right``: for each eye, which morph on which side closes it."""

    model: MmdModel
    right: dict[str, set[tuple[int, str]]]

    @property
    def closers(self) -> set[int]:
        return {morph for axis in EYES for morph, _ in self.right[axis]}

    @property
    def blinks(self) -> set[int]:
        return {morph for axis in EYES for morph, side in self.right[axis] if side != "whole"}


@pytest.fixture(scope="module", params=SEEDS)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder: Path = tmp_path_factory.mktemp("character")
    path = write_character(folder, request.param, "pmd" if request.param % 3 == 0 else "pmx")
    truth = json.loads((folder / "truth.json").read_text("utf-8"))["drives"]
    right = {axis: {(use["morph"], use["side"]) for use in truth[axis]} for axis in EYES}
    return Known(read_model(path), right)


def require_right(known: Known, changed: MmdModel, *, sure: bool = True) -> None:
    rig = fit_rig(changed)
    for axis in EYES:
        (use,) = rig.drives[axis]
        assert (use.morph, use.side.value) in known.right[axis], rig.evidence
    if sure:
        assert not {*EYES} & set(rig.doubtful), rig.objections


def test_a_blink_that_pushes_the_irises_back_closes(known: Known) -> None:
    eyes = next(eye_readings(known.model, head_of(known.model)))
    require_right(known, with_irises_pushed(known.model, known.closers, eyes.iris))


def test_blinks_that_are_groups_close_where_no_eye_bones_are(known: Known) -> None:
    require_right(known, with_morphs_as_groups(without_eye_bones(known.model), known.closers))


def test_winks_alone_tell_where_the_eyes_are(known: Known) -> None:
    """No eye bones, no morph called a blink or of the pupils."""
    bare = without_eye_bones(known.model)
    morphs = tuple(
        replace(morph, offsets=NOTHING) if k in known.blinks or "瞳" in morph.name else morph
        for k, morph in enumerate(bare.morphs)
    )
    require_right(known, replace(bare, morphs=morphs), sure=False)


def test_of_a_blink_that_runs_past_as_much_is_used_as_closes(known: Known) -> None:
    rig = fit_rig(scaled_morphs(known.model, known.closers, 1.7))
    for axis in EYES:
        (use,) = rig.drives[axis]
        assert use.weight == pytest.approx(1 / 1.7, abs=0.1)
    assert fit_rig(known.model).drives["left_eye"][0].weight == 1


def test_what_moves_both_eyes_is_used_on_one_side_only(known: Known) -> None:
    """A wink that moves the other eye's lids halfway would tear it open again."""
    model = known.model
    (wink, _), *_ = sorted(pair for pair in known.right["left_eye"] if pair[1] == "whole")
    (other, _), *_ = sorted(pair for pair in known.right["right_eye"] if pair[1] == "whole")
    mine, theirs = model.morphs[wink].offsets, model.morphs[other].offsets
    assert isinstance(mine, VertexOffsets) and isinstance(theirs, VertexOffsets)
    both = VertexOffsets(
        np.concatenate([mine.vertices, theirs.vertices]),
        np.concatenate([mine.offsets, np.float32(0.4) * theirs.offsets]),
    )
    morphs = [
        replace(morph, offsets=NOTHING) if k in known.blinks else morph
        for k, morph in enumerate(model.morphs)
    ]
    morphs[wink] = replace(model.morphs[wink], offsets=both)
    (use,) = fit_rig(replace(model, morphs=tuple(morphs))).drives["left_eye"]
    assert (use.morph, use.side) == (wink, Side.LEFT)


def test_a_blink_that_only_recolours_is_said_by_name(known: Known) -> None:
    nothing = np.empty(0, np.int32)
    empty3, empty4 = np.empty((0, 3), np.float32), np.empty((0, 4), np.float32)
    recolour = MaterialOffsets(
        nothing,
        np.empty(0, np.bool_),
        empty4,
        empty3,
        np.empty(0, np.float32),
        empty3,
        empty4,
        np.empty(0, np.float32),
        empty4,
        empty4,
        empty4,
    )
    others = tuple(m for k, m in enumerate(known.model.morphs) if m.panel == 3)
    model = replace(known.model, morphs=(*others, Morph("まばたき", "", 2, recolour)))
    with pytest.raises(RigError, match="まばたき is a material morph, which moves no lids"):
        fit_rig(model)
