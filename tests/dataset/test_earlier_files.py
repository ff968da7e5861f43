"""What version 0.1.0 wrote of a data set opens, and says what that version read in it.

``data/0.1.0/generated``: of characters that ``characters generate`` made, one of them copied and
one cut short, at 16 pixels; ``read.json`` is what version 0.1.0 read in the shard.
``data/0.1.0/tiny``: of models of ``tests.support.tiny_renderer``, scanned, corrected and drawn.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract.image import Stored
from contract.rig import HeadBox, MorphUse, Side
from dataset.build.plan import load_plan
from dataset.catalog.catalog import cache_of, load_catalog
from dataset.catalog.choose import DOUBTFUL, NEAR_DUPLICATE, Selection, Wish, choose
from dataset.catalog.corrections import load_corrections, overrides_of
from dataset.catalog.split import load_split
from dataset.scan.scan import ROWS_NAME
from dataset.shards.records import PICTURE_NAMES
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import assert_sound, look, run, tables, write_models

EARLIER = Path(__file__).parent / "data" / "0.1.0"
GENERATED = EARLIER / "generated"
TINY_MODELS = {
    "a/plain": "ok",
    "a/unsure": "doubtful",
    "b/rejected": "ok",
    "b/bursts": "explode",
    "b/moved": "ok",
    "c/none": "refuse",
    "c/last": "ok",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a catalogue that was scanned, reviewed and drawn, with its models."""
    shutil.copytree(EARLIER / "tiny", tmp_path / "tiny")
    write_models(tmp_path / "tiny" / "models", TINY_MODELS)
    return tmp_path / "tiny"


def _selected(catalog: Path) -> Selection:
    corrections = load_corrections(overrides_of(catalog))
    return choose(load_catalog(catalog), corrections, Wish())


def _digest(picture: Stored) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


# A shard.


def test_a_shard_says_what_it_said() -> None:
    said = json.loads((GENERATED / "read.json").read_text("utf-8"))
    with ShardReader(GENERATED / "shard-00001.h5") as reader:
        assert (reader.header.size, reader.header.shading) == (16, "phong")
        assert reader.header.generator == "opentha 0.1.0"
        assert [json.loads(row.to_json()) for row in reader.models] == said["models"]
        found = [reader.sample(number) for number in range(len(reader))]
    assert [
        {"pose": sample.pose.tolist(), "ambient": sample.light.ambient}
        | {name: _digest(getattr(sample, name)) for name in PICTURE_NAMES}
        for sample in found
    ] == said["samples"]
    assert {sample.light.shading for sample in found} == {"phong"}
    assert_sound(GENERATED / "shard-00001.h5")


# A catalogue, its cache, what people corrected in it, and its split.


def test_a_catalogue_of_characters_says_what_it_said() -> None:
    catalog = load_catalog(GENERATED / "catalog.jsonl")
    copy = "franchise_00/copy/model.pmx"
    assert {row.path: row.code or row.status for row in catalog.rows} == {
        "franchise_00/character_00000/model.pmx": "ok",
        copy: "ok",
        "franchise_01/broken.pmx": "truncated-file",
        "franchise_01/character_00001/model.pmx": "ok",
        "franchise_09/character_00005/model.pmd": "ok",
    }
    (group,) = catalog.groups().values()
    assert [row.alike[0].why for row in group] == ["same-bytes", "same-bytes"]
    first = catalog.rows[0].described()
    assert (first.name, first.counts.vertices) == ("いこ", 14449)
    assert first.annotation.head_box == HeadBox(15.115343813598155, 18.8271061038834, 0.0)
    assert first.annotation.drives["left_eye"] == (MorphUse(5, 1.0, Side.WHOLE, "ウィンク２左"),)
    assert choose(catalog, {}, Wish()).left_out == {copy: NEAR_DUPLICATE}


def test_a_split_parts_its_catalogue() -> None:
    catalog = load_catalog(GENERATED / "catalog.jsonl")
    split = load_split(GENERATED / "split.json", catalog.rows)
    assert split.part_of() == {
        "franchise_00": "train",
        "franchise_01": "validation",
        "franchise_09": "test",
    }


def test_corrections_are_followed(tiny: Path) -> None:
    catalog = tiny / "catalog.jsonl"
    before = choose(load_catalog(catalog), {}, Wish())
    assert before.left_out == {"a/unsure.pmx": DOUBTFUL}
    after = {model.path: model.annotation for model in _selected(catalog).models}
    assert after.keys() == {f"{name}.pmx" for name in TINY_MODELS} - {
        "b/rejected.pmx",
        "c/none.pmx",
    }
    assert after["b/moved.pmx"].head_box == HeadBox(16.0, 19.0, 0.25)
    assert after["b/moved.pmx"].drives["mouth"] == (MorphUse(2, 0.5, Side.LEFT, "お"),)


def test_a_catalogue_is_scanned_again_beside_its_old_cache(tiny: Path) -> None:
    """The cache was another annotator's, so every model is looked at; a person's word stays."""
    path = tiny / "catalog.jsonl"
    before = _selected(path)
    catalog, log = look(tiny / "models", path)
    assert "known from earlier scans" not in log
    assert _selected(path) == before
    rows = (cache_of(path) / ROWS_NAME).read_text("utf-8").splitlines()
    assert {json.loads(row)["annotator"] for row in rows} == {catalog.annotator}


# A build.


def _continue(tiny: Path) -> None:
    """Build on in ``tiny``, as version 0.1.0 was told to, whatever version this is."""
    planned = load_plan(tiny / "shards").configuration
    run(tiny / "models", tiny / "shards", planned, selection=_selected(tiny / "catalog.jsonl"))


def _contents(shards: Path) -> dict[str, dict[str, Any]]:
    """All but the name of what drew them."""
    held = tables(shards)
    for table in held.values():
        del table["gl_renderer"]
    return held


def test_a_build_that_is_whole_is_kept(tiny: Path) -> None:
    shards = tiny / "shards"
    before = {path.name: path.read_bytes() for path in shards.iterdir()}
    _continue(tiny)
    assert {name: (shards / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("name", ["shard-00000.h5", "shard-00001.h5", "shard-00002.h5"])
def test_a_build_that_was_interrupted_goes_on_to_the_same_pictures(tiny: Path, name: str) -> None:
    shards = tiny / "shards"
    before = _contents(shards)
    kept = {path: path.read_bytes() for path in shards.iterdir() if path.name != name}
    (shards / name).unlink()
    _continue(tiny)
    assert _contents(shards) == before
    assert {path: path.read_bytes() for path in kept} == kept
    assert_sound(shards)
