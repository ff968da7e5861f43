"""What of a catalogue is drawn, and what a person says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contract.errors import InputError
from contract.rig import HeadBox, MorphUse, Side
from dataset.catalog.catalog import Catalog, CatalogRow
from dataset.catalog.choose import DOUBTFUL, NEAR_DUPLICATE, Wish, choose
from dataset.catalog.corrections import Correction, load_corrections, save_corrections
from tests.support.catalog_rows import correction, model, paths
from tests.support.tiny_renderer import tiny_annotation

# What is drawn.


def catalog_of(rows: Sequence[CatalogRow]) -> Catalog:
    return Catalog(Path("models"), "one", tuple(rows), (), ())


def test_doubtful_models_near_duplicates_and_copies_are_left_out() -> None:
    copy = replace(model("c/0.pmx"), path="c/copy.pmx")
    refused = CatalogRow("e/0.pmx", "f" * 64, "e", "refused", code="no-head-bone", message="why")
    rows = [
        model("a/0.pmx", 0),
        model("b/0.pmx", 0),
        model("c/0.pmx"),
        copy,
        model("d/0.pmx", doubtful=True),
        refused,
    ]
    chosen = choose(catalog_of(rows), {}, Wish())
    assert [one.path for one in chosen.models] == ["a/0.pmx", "c/0.pmx"]
    assert chosen.left_out == {"b/0.pmx": NEAR_DUPLICATE, "d/0.pmx": DOUBTFUL}
    assert chosen.duplicates == {"c/copy.pmx": "c/0.pmx"}
    assert {path: one.code for path, one in chosen.refused.items()} == {"e/0.pmx": "no-head-bone"}
    assert chosen.paths() == {row.path for row in rows}
    chosen = choose(catalog_of(rows), {}, Wish(keep_duplicates=True, include_doubtful=True))
    assert [one.path for one in chosen.models] == paths([*rows[:3], rows[4]])
    chosen = choose(catalog_of(rows), {}, Wish(sources={"b"}))
    assert [one.path for one in chosen.models] == ["b/0.pmx"]


def test_a_persons_word_decides() -> None:
    rows = [model("a/0.pmx", 0), model("b/0.pmx", 0), model("d/0.pmx", doubtful=True)]
    found = catalog_of(rows)

    def drawn(corrections: dict[str, Correction]) -> list[str]:
        return [one.path for one in choose(found, corrections, Wish()).models]

    assert drawn(correction(rows[1], decision="accept")) == ["b/0.pmx"]
    assert drawn(correction(rows[0], decision="reject")) == ["b/0.pmx"]
    assert drawn(correction(rows[2], decision="accept")) == ["a/0.pmx", "d/0.pmx"]
    chosen = choose(found, correction(rows[0], decision="reject"), Wish())
    assert chosen.left_out["a/0.pmx"] == "rejected in review"


def test_what_a_person_sets_is_drawn_and_no_longer_doubted() -> None:
    row = model("d/0.pmx", doubtful=True)
    box, wink = HeadBox(16.0, 20.0, 0.25), (MorphUse(2, 0.9, Side.LEFT, "wink"),)
    corrections = correction(row, head_box=box, drives={"left_eye": wink})
    (planned,) = choose(catalog_of([row]), corrections, Wish()).models
    assert planned.annotation.head_box == box
    assert planned.annotation.drives["left_eye"] == wink
    assert planned.annotation.drives["mouth"] == tiny_annotation().drives["mouth"]
    assert planned.annotation.confidence["chin"] == 1.0
    assert planned.annotation.doubtful == ()
    assert "corrected:left_eye" in planned.annotation.evidence
    # A wink alone does not answer for the chin.
    assert not choose(catalog_of([row]), correction(row, drives={"left_eye": wink}), Wish()).models


def test_a_correction_that_is_none_is_refused(tmp_path: Path) -> None:
    row, path = model("a/0.pmx"), tmp_path / "overrides.jsonl"
    upside_down = correction(row, head_box=HeadBox(20.0, 16.0, 0.0))
    with pytest.raises(InputError, match=r"overrides of a/0\.pmx: .* mend or delete that line"):
        choose(catalog_of([row]), upside_down, Wish())
    good = correction(row, decision="accept", head_box=HeadBox(1.0, 2.0, 0.0))
    save_corrections(path, good)
    assert load_corrections(path) == good
    with path.open("a") as file:
        file.write('{"sha256": "x"}\n')
    with pytest.raises(InputError, match="line 2 is no override"):
        load_corrections(path)


def test_a_decision_whose_line_lacks_its_newline_counts_and_stays(tmp_path: Path) -> None:
    row, path = model("a/0.pmx"), tmp_path / "overrides.jsonl"
    save_corrections(path, correction(row, decision="reject"))
    written = path.read_bytes().removesuffix(b"\n")
    path.write_bytes(written)
    said = load_corrections(path)
    assert said[row.sha256].decision == "reject"
    assert not choose(catalog_of([row]), said, Wish()).models
    assert path.read_bytes() == written
