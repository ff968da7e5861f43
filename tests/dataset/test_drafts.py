"""What is refused for want of something that a person can give, and what comes of it once given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dataset.drawing.rendering
from contract.errors import InputError, TextureError
from contract.image import Stored, picture_fault
from contract.light import Light
from contract.pose import REST, Pose
from contract.rig import HeadBox, MorphUse
from dataset.catalog.catalog import (
    HEAD_BOX,
    TEXTURES,
    Catalog,
    CatalogRow,
    Described,
    judged_row,
    load_catalog,
    save_catalog,
)
from dataset.catalog.choose import Wish, choose
from dataset.catalog.corrections import Correction, corrected_row
from dataset.catalog.duplicates import representatives, with_groups
from dataset.commands.main import main
from dataset.drawing.rendering import open_renderer, open_scanner
from dataset.review.painter import Painter, open_tools
from dataset.review.review import Review
from dataset.shards.shard import ShardReader
from tests.support.catalog_rows import model
from tests.support.draft_models import write_mouthless, write_textureless
from tests.support.tiny_builds import SIZE, look, write_models
from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner, without

MOUTH = {"mouth": (MorphUse(1, 1.0, name="a"),)}


def draft(path: str, *missing: str, textures: str = "") -> CatalogRow:
    """A refused row whose model lacks these."""
    row = model(path)
    described = replace(without(row.described(), *missing), textures=textures)
    return judged_row(row, described)


def said_of(row: CatalogRow, **words: object) -> CatalogRow:
    return corrected_row(row, replace(Correction(row.sha256, row.path), **words))  # type: ignore[arg-type]


# What completes a draft.


def test_a_draft_is_refused_for_the_first_thing_that_is_missing() -> None:
    row = draft("a/0.pmx", "mouth", TEXTURES)
    assert (row.status, row.code, row.message) == ("refused", "no-mouth", "m.pmx: no mouth")
    given = said_of(row, drives=MOUTH)
    assert (given.status, given.code) == ("refused", "no-textures")
    assert list(given.described().missing) == [TEXTURES]


def test_a_morph_completes_what_lacked_only_that() -> None:
    row = draft("a/0.pmx", "mouth")
    given = said_of(row, drives=MOUTH)
    assert (given.status, given.code, given.message) == ("ok", "", "")
    assert given.described().annotation.drives["mouth"] == MOUTH["mouth"]
    assert said_of(row, decision="accept").status == "refused"  # nothing would move the mouth
    assert said_of(row, drives=MOUTH, decision="reject").code == "rejected"


def test_a_guessed_box_is_moved_or_accepted() -> None:
    row = draft("a/0.pmx", HEAD_BOX)
    guess = row.described().annotation.head_box
    higher = HeadBox(guess.chin_y, guess.skull_top_y + 0.5, guess.centre_x)
    moved, accepted = said_of(row, head_box=higher), said_of(row, decision="accept")
    assert moved.described().annotation.head_box == higher
    assert accepted.described().annotation.head_box == guess
    assert said_of(row, drives=MOUTH).code == "no-head_box"
    assert not moved.described().missing and not accepted.described().missing


def test_a_doubt_of_what_is_complete_still_asks() -> None:
    row = draft("a/0.pmx", "mouth")
    annotation = row.described().annotation
    unsure = replace(
        annotation, confidence={**annotation.confidence, "chin": 0.2}, doubtful=("mouth", "chin")
    )
    row = replace(row, model=replace(row.described(), annotation=unsure))
    assert said_of(row, drives=MOUTH).code == "doubtful-chin"
    assert said_of(row, drives=MOUTH, decision="accept").status == "ok"


def test_missing_textures_are_accepted_only_as_they_were_seen() -> None:
    row = draft("a/0.pmx", TEXTURES, textures="00000000")
    assert said_of(row, decision="accept").status == "refused"  # of a copy that has them
    assert said_of(row, decision="accept", textures="1234abcd").status == "refused"
    wanted = said_of(row, decision="accept", textures="00000000")
    assert wanted.status == "ok"
    assert TEXTURES not in wanted.described().annotation.doubtful
    assert f"corrected:{TEXTURES}" in wanted.described().annotation.evidence


def test_only_completed_drafts_are_drawn() -> None:
    rows = (draft("a/0.pmx", "mouth"), draft("b/0.pmx", "mouth"), model("c/0.pmx"))
    catalog = Catalog(Path("models"), "one", rows, (), ())
    word = Correction(rows[0].sha256, rows[0].path, drives=MOUTH)
    chosen = choose(catalog, {word.sha256: word}, Wish(include_doubtful=True))
    assert [one.path for one in chosen.models] == ["a/0.pmx", "c/0.pmx"]
    assert {path: one.code for path, one in chosen.refused.items()} == {"b/0.pmx": "no-mouth"}


def test_drafts_are_grouped_but_stand_for_nobody_else() -> None:
    sound = model("b/0.pmx")
    lacking = draft("a/0.pmx", "mouth")
    alike = replace(lacking.described(), fingerprint=sound.described().fingerprint)
    rows = with_groups([replace(lacking, model=alike), sound])
    assert [row.group for row in rows] == [0, 0]
    kept = representatives({0: rows}, frozenset({lacking.sha256}))
    assert kept[0].path == "b/0.pmx"


# In files.


def test_a_draft_is_kept_in_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalog.jsonl"
    catalog = Catalog(tmp_path / "models", "one", (draft("a/0.pmx", "mouth", HEAD_BOX),), (), ())
    save_catalog(path, catalog)
    assert load_catalog(path) == catalog


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"missing": {}}, "is refused but"),
        ({"missing": {"tail": {"code": "x", "message": "y"}}}, "which is not what it misses"),
        (
            {
                "missing": {
                    "mouth": {"code": "x", "message": "y"},
                    "tail": {"code": "", "message": ""},
                }
            },
            "nothing that a model may miss",
        ),
    ],
)
def test_a_draft_that_does_not_say_what_it_lacks_is_no_row(
    change: Mapping[str, object], fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "catalog.jsonl"
    save_catalog(path, Catalog(tmp_path / "m", "one", (draft("a/0.pmx", "mouth"),), (), ()))
    head, row = map(json.loads, path.read_text("utf-8").splitlines())
    row["model"] |= change
    path.write_text("\n".join(map(json.dumps, (head, row))) + "\n", "utf-8")
    with pytest.raises(InputError, match=fault):
        load_catalog(path)


def test_a_scan_keeps_what_it_knows_of_drafts(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "undriven", "b": "ok"})
    catalog, _ = look(models, tmp_path / "catalog.jsonl")
    row = catalog.rows[0]
    assert (row.status, row.code) == ("refused", "no-mouth")
    assert row.picture is not None
    catalog, log = look(models, tmp_path / "catalog.jsonl")
    assert "2 models, 2 known" in log
    _, log = look(models, tmp_path / "catalog.jsonl", retry=True)
    assert "2 models, 1 known" in log


# All the way, without OpenGL: scanned, given its morph in the review, built.


def test_what_the_review_completes_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)
    models = write_models(tmp_path / "models", {"a/given": "undriven", "b/not": "undriven"})
    path, out = tmp_path / "catalog.jsonl", tmp_path / "out"
    catalog, _ = look(models, path)
    painter = Painter(partial(open_tools, "auto"))
    monkeypatch.setattr(painter, "morph_names", lambda _: ("x", "opens", "y"))
    review = Review(path, painter)
    sha256 = catalog.rows[0].sha256
    assert review.summary(sha256)["missing"] == ["mouth"]
    drive = {"morph": 1, "name": "", "weight": 1.0, "side": "whole"}
    answer = review.correct(sha256, {"drives": {"mouth": [drive]}}, adding=True)
    assert (answer["status"], answer["was"], answer["missing"]) == ("ok", "refused", [])
    arguments = ["build", path, "-o", out, "--poses", 1, "--size", SIZE, "--workers", 1]
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    (shard,) = out.glob("*.h5")
    with ShardReader(shard) as reader:
        assert [one.path for one in reader.models] == ["a/given.pmx"]
    assert "b/not.pmx (no-mouth)" in done.output


# With OpenGL, on characters whose files lack it.


Look = tuple[Path, Described, Stored]


@dataclass(frozen=True)
class Scanned:
    """A folder with a character whose mouth no known morph opens, and one without textures; what
    the scan says of them, and the morph that opens the mouth."""

    folder: Path
    morph: int
    mouthless: Look
    textureless: Look


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    folder = tmp_path_factory.mktemp("drafts")
    mouthless, morph = write_mouthless(folder / "mouthless", 1)
    textureless = write_textureless(folder / "textureless", 1)
    scanner = open_scanner("auto", folder)
    looks = ((path, *scanner.scan(path)) for path in (mouthless, textureless))
    return Scanned(folder, morph, *looks)


def row_of(found: Look) -> tuple[Path, CatalogRow]:
    path, described, picture = found
    assert picture.any()  # what there is to correct is seen
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, judged_row(CatalogRow("m.pmx", sha256, "", "ok"), described)


def test_a_mouth_is_given_to_a_character_without(
    scanned: Scanned,
) -> None:
    path, row = row_of(scanned.mouthless)
    assert (row.status, row.code) == ("refused", "no-mouth-morph")
    assert list(row.described().missing) == ["mouth"]
    box = row.described().annotation.head_box
    truth = json.loads((path.parent / "truth.json").read_text("utf-8"))["head_box"]
    height = truth["skull_top_y"] - truth["chin_y"]
    assert abs(box.skull_top_y - truth["skull_top_y"]) < 0.05 * height
    use = MorphUse(scanned.morph, 1.0)
    given = said_of(row, drives={"mouth": (use,)}, decision="accept")
    assert given.status == "ok"
    renderer = open_renderer("auto", 64, scanned.folder)
    opened = renderer.open(path, given.described().annotation)
    wide, shut = (opened.draw(pose, Light(0.5, "phong")) for pose in (REST, Pose(mouth=0.0)))
    opened.release()
    assert picture_fault(wide, 64, shows_rest=True) is None
    assert not np.array_equal(wide, shut)


def test_a_character_without_textures_is_drawn_white_where_a_person_wants_it(
    scanned: Scanned,
) -> None:
    path, row = row_of(scanned.textureless)
    described = row.described()
    assert (row.status, row.code) == ("refused", "texture-missing")
    assert (list(described.missing), described.textures) == ([TEXTURES], "00000000")
    wanted = said_of(row, decision="accept", textures=described.textures)
    renderer = open_renderer("auto", 64, scanned.folder)
    with pytest.raises(TextureError, match="put it beside the model"):
        renderer.open(path, described.annotation)
    opened = renderer.open(path, wanted.described().annotation)
    assert picture_fault(opened.draw(REST, Light(0.5, "phong")), 64, shows_rest=True) is None
    opened.release()
