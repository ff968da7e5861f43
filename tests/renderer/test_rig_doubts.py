"""Rigs of changed characters: right where they can be, doubtful where they cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from characters.files.generate import write_character
from contract.pose import FACE_AXES
from contract.rig import ANSWERS, DOUBTFUL_BELOW, MorphUse, Rig, Side
from renderer.fit.blinks import Blink
from renderer.fit.confidence import Judgement, doubtful_of, judged, objections_of, ramp
from renderer.fit.fit_rig import fit_rig
from renderer.fit.lids import Closing
from renderer.fit.winks import Wink, agreeing
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from tests.support.rig_variants import (
    dome,
    grid_mesh,
    head_extent,
    scaled_morphs,
    with_empty_originals,
    with_exchanged_names,
    with_head_turned,
    with_part,
)

SEEDS = (8, 33)  # one-eyed winks; a PMX and a PMD


@dataclass(frozen=True)
class Known:
    """A character, its truth, and its head's height."""

    model: MmdModel
    drives: dict[str, set[tuple[int, str]]]
    chin_y: float
    skull_top_y: float
    eye_y: float

    @property
    def height(self) -> float:
        return self.skull_top_y - self.chin_y

    def closers(self) -> set[int]:
        return {morph for axis in ("left_eye", "right_eye") for morph, _ in self.drives[axis]}


@pytest.fixture(scope="module", params=SEEDS)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Known:
    folder = tmp_path_factory.mktemp("character")
    path = write_character(folder, request.param, "pmd" if request.param % 3 == 0 else "pmx")
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
    drives = {
        axis: {(use["morph"], use["side"]) for use in truth["drives"][axis]} for axis in FACE_AXES
    }
    box = truth["head_box"]
    return Known(read_model(path), drives, box["chin_y"], box["skull_top_y"], truth["eye_y"])


def uses(rig: Rig) -> dict[str, tuple[int, str]]:
    return {axis: (use.morph, use.side.value) for axis, (use,) in rig.drives.items()}


def require_right(known: Known, rig: Rig) -> None:
    for axis, use in uses(rig).items():
        assert use in known.drives[axis], rig.evidence
    tolerance = 0.05 * known.height
    assert rig.head_box.chin_y == pytest.approx(known.chin_y, abs=tolerance)
    assert rig.head_box.skull_top_y == pytest.approx(known.skull_top_y, abs=tolerance)


def test_plain_characters_raise_no_doubt(known: Known) -> None:
    rig = fit_rig(known.model)
    require_right(known, rig)
    assert rig.doubtful == (), rig.confidence


def test_names_from_the_other_side_change_nothing(known: Known) -> None:
    (left, *_), (right, *_) = (
        sorted(morph for morph, side in known.drives[axis] if side == "whole")
        for axis in ("left_eye", "right_eye")
    )
    rig = fit_rig(with_exchanged_names(known.model, left, right))
    require_right(known, rig)
    assert rig.doubtful == ()


def test_empty_morphs_of_good_names_are_passed_over(known: Known) -> None:
    wholes = {m for axis in FACE_AXES for m, side in known.drives[axis] if side == "whole"}
    model, copies = with_empty_originals(known.model, wholes)
    for axis, (morph, side) in uses(fit_rig(model)).items():
        right = {(copies.get(m, m), s) for m, s in known.drives[axis]}
        assert (morph, side) in right


def test_lids_that_only_narrow_are_doubted(known: Known) -> None:
    rig = fit_rig(scaled_morphs(known.model, known.closers(), 0.5))
    assert {"left_eye", "right_eye"} <= set(rig.doubtful)
    assert any(o.startswith("left_eye:covered=") for o in rig.objections)


def test_a_mouth_without_names_is_doubted(known: Known) -> None:
    morphs = tuple(
        replace(morph, name=f"m{number}x") if morph.panel == 3 else morph
        for number, morph in enumerate(known.model.morphs)
    )
    assert fit_rig(replace(known.model, morphs=morphs)).doubtful == ("mouth",)


@pytest.mark.parametrize(
    ("axis", "degrees", "check"),
    [(1, 15, "turned"), (1, -15, "turned"), (2, 9, "tilted"), (0, 20, "nodding"), (0, -22, "nod")],
)
def test_heads_that_do_not_stand_straight_are_flagged(
    known: Known, axis: int, degrees: float, check: str
) -> None:
    found = fit_rig(with_head_turned(known.model, axis, degrees))
    assert found.confidence["upright"] < DOUBTFUL_BELOW
    assert any(o.startswith(f"upright:{check}") for o in found.objections)


def test_hidden_eyes_are_flagged(known: Known) -> None:
    h = known.height
    low, _ = head_extent(known.model, known.chin_y + 0.2 * h, known.skull_top_y)
    around = np.linspace(-1.2, 1.2, 20)
    y = known.eye_y + h * np.linspace(-0.15, 0.15, 5)[:, None]
    x, z = 0.5 * h * np.sin(around), low[2] - 0.1 * h + 0.3 * h * (1 - np.cos(around))
    visor = grid_mesh(np.stack(np.broadcast_arrays(x, y, z), axis=-1))
    found = fit_rig(with_part(known.model, visor))
    assert found.confidence["upright"] < DOUBTFUL_BELOW
    assert any(o.startswith("upright:eyes-hidden") for o in found.objections)


@pytest.mark.parametrize("rise", [0.15, 0.3])
def test_a_hat_down_over_the_brows_does_not_raise_the_skull_top(known: Known, rise: float) -> None:
    h, base = known.height, known.eye_y + 0.12 * known.height
    low, high = head_extent(known.model, known.chin_y + 0.4 * h, known.skull_top_y)
    centre = np.array([0.0, base, (low[2] + high[2]) / 2])
    radii = np.array([0.56 * h, known.skull_top_y + rise * h - base, (high[2] - low[2]) * 0.56])
    require_right(known, fit_rig(with_part(known.model, dome(centre, radii, 0.0))))


def test_a_hood_does_not_raise_the_skull_top_without_a_doubt(known: Known) -> None:
    h = known.height
    low, high = head_extent(known.model, known.chin_y + 0.4 * h, known.skull_top_y)
    around = np.linspace(0.9, 2 * np.pi - 0.9, 33)
    polar = np.linspace(-0.9, np.pi / 2, 24)[:, None]
    x, y = 0.6 * h * np.cos(polar) * np.sin(around), known.chin_y + h * (0.5 + 0.62 * np.sin(polar))
    z = (low[2] + high[2]) / 2 - 0.6 * (high[2] - low[2]) * np.cos(polar) * np.cos(around)
    hood = grid_mesh(np.stack(np.broadcast_arrays(x, y, z), axis=-1))
    rig = fit_rig(with_part(known.model, hood))
    if "skull_top" not in rig.doubtful:
        require_right(known, rig)


def test_a_face_without_any_texture_is_flagged(known: Known) -> None:
    bare = tuple(replace(material, texture=-1) for material in known.model.materials)
    found = fit_rig(replace(known.model, materials=bare))
    assert found.confidence["upright"] < DOUBTFUL_BELOW
    assert any(o.startswith("upright:no-face-texture") for o in found.objections)


def test_scores_are_products_of_what_checks_say() -> None:
    assert judged({"a": 0.5, "b": 1.0, "c": 0.5}) == Judgement(0.25, ("a=0.50", "c=0.50"))
    judgements = dict.fromkeys(ANSWERS, Judgement()) | {"chin": judged({"sharp": 0.4})}
    assert doubtful_of(judgements) == ("chin",)
    assert objections_of(judgements) == ("chin:sharp=0.40",)


@pytest.mark.parametrize(("value", "factor"), [(0, 0.2), (1, 0.2), (2, 0.6), (3, 1), (9, 1)])
def test_ramps_rise_from_their_floor(value: float, factor: float) -> None:
    assert ramp(value, 1, 3, 0.2) == pytest.approx(factor)
    assert ramp(-value, -1, -3, 0.2) == pytest.approx(factor)


def test_eyes_that_close_in_different_manners_are_doubted_a_little(known: Known) -> None:
    """Without the right eye's winks half of a blink is taken: right, but not of one manner."""
    rig = fit_rig(known.model)
    whole = {axis for axis, (use,) in rig.drives.items() if use.side.value == "whole"}
    alone = {morph for morph, side in known.drives["right_eye"] if side == "whole"}
    if not {"left_eye", "right_eye"} <= whole:
        pytest.skip("this character has no one-eyed winks")
    changed = fit_rig(scaled_morphs(known.model, alone, 0.0))
    assert changed.drives["right_eye"][0].side.value == "right"
    assert "left_eye:eyes-of-one-manner=0.70" in changed.objections
    assert "right_eye:eyes-of-one-manner=0.70" in changed.objections
    assert changed.confidence["left_eye"] < rig.confidence["left_eye"]


@pytest.mark.parametrize(
    ("kinds", "covered", "score"), [(0.0, 0.0, 1.0), (3.9, 0.25, 1.0), (6.0, 0.0, 0.4)]
)
def test_choices_for_the_two_eyes_are_compared(kinds: float, covered: float, score: float) -> None:
    def wink(side: Side, hint: float, covered: float) -> Wink:
        closing = Closing(9, 0.75, 0.0, 0.0, covered)
        blink = Blink(0, (closing, closing), (1.0, 1.0), 0.0, hint)
        return Wink(MorphUse(0, 1.0, side), "", blink, judged({"seen": 1.0}))

    left, right = wink(Side.LEFT, kinds, 1.0), wink(Side.RIGHT, 0.0, 1.0 - covered)
    for judgement in agreeing(left, right):
        assert judgement.score == pytest.approx(score)
        assert bool(judgement.objections) == (score < 1)
