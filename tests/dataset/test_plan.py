from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from contract.errors import InputError
from contract.files import MAX_MODEL_BYTES
from dataset.build.configuration import Configuration, generator_name
from dataset.build.plan import (
    PLAN_NAME,
    BuildPlan,
    ShardPart,
    load_plan,
    make_plan,
    plan_to_json,
    settle_plan,
)
from dataset.catalog.choose import PlannedModel, Selection
from dataset.scan.walk import list_models
from tests.support.tiny_renderer import select_all, tiny_annotation

FOUR_POSES = Configuration(4)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _settle(folder: Path, out: Path, wanted: Configuration = FOUR_POSES) -> BuildPlan:
    return settle_plan(select_all(folder), out, wanted)


# Walking.


def test_models_are_listed_by_path_whatever_their_folder_and_case(tmp_path: Path) -> None:
    _write(tmp_path, {"b.pmd": "", "東方/霊夢/霊夢.PMX": "", "a/z.pmx": "", "a/readme.txt": ""})
    assert list_models(tmp_path).models == ("a/z.pmx", "b.pmd", "東方/霊夢/霊夢.PMX")


def test_archives_links_and_hidden_files_are_no_models(tmp_path: Path) -> None:
    models = tmp_path / "models"
    _write(tmp_path, {"outside/secret.pmx": "", "models/a.pmx": "", "models/._a.pmx": ""})
    _write(models, {"b.zip": "", "c.RAR": "", "d.7z": "", "e.lzh": ""})
    (models / "file.pmx").symlink_to(tmp_path / "outside" / "secret.pmx")
    (models / "folder").symlink_to(tmp_path / "outside")
    (models / "loop").symlink_to(models)
    listing = list_models(models)
    assert listing.models == ("a.pmx",)
    assert listing.archives == ("b.zip", "c.RAR", "d.7z", "e.lzh")
    assert listing.links == ("file.pmx", "folder", "loop")


@pytest.mark.parametrize(
    ("files", "given", "fault"),
    [
        ({"models/readme.txt": ""}, "models", "no PMX or PMD model in this folder"),
        ({"models/a.zip": ""}, "models", r"unpack the archives first \(1, as a.zip\)"),
        ({"models": ""}, "models", "models: is a file; give the folder"),
        ({}, "models", "models: does not exist; give the folder"),
    ],
)
def test_a_place_without_models_is_refused(
    files: dict[str, str], given: str, fault: str, tmp_path: Path
) -> None:
    _write(tmp_path, files)
    with pytest.raises(InputError, match=fault):
        list_models(tmp_path / given)


# Planning.


def test_copies_are_planned_once_and_named(tmp_path: Path) -> None:
    _write(tmp_path, {"a.pmx": "one", "b.pmx": "two", "c/a copy.pmx": "one"})
    plan = make_plan(select_all(tmp_path), FOUR_POSES)
    assert plan.models == (
        PlannedModel("a.pmx", _hash("one"), tiny_annotation()),
        PlannedModel("b.pmx", _hash("two"), tiny_annotation()),
    )
    assert plan.selection.duplicates == {"c/a copy.pmx": "a.pmx"}


def test_a_file_that_cannot_be_hashed_is_named(tmp_path: Path) -> None:
    _write(tmp_path, {"a.pmx": "one"})
    os.mkfifo(tmp_path / "pipe.pmx")
    with (tmp_path / "vast.pmx").open("wb") as file:
        file.truncate(MAX_MODEL_BYTES + 1)
    plan = make_plan(select_all(tmp_path), FOUR_POSES)
    assert [model.path for model in plan.models] == ["a.pmx"]
    assert {path: refusal.code for path, refusal in plan.selection.refused.items()} == {
        "pipe.pmx": "unreadable-file",
        "vast.pmx": "file-too-large",
    }


def _plan(models: int, poses: int, samples_per_shard: int) -> BuildPlan:
    planned = tuple(PlannedModel(f"{n}.pmx", f"{n:064}", tiny_annotation()) for n in range(models))
    wanted = Configuration(poses, samples_per_shard=samples_per_shard)
    return BuildPlan(wanted, Selection(planned, {}, {}, {}, (), ()))


def test_whole_models_are_spread_evenly_over_the_shards_they_need() -> None:
    # Three models fit in a shard; four models are two and two, not three and one.
    assert _plan(4, 3, 10).shards() == (
        (ShardPart(0, 0, 3), ShardPart(1, 0, 3)),
        (ShardPart(2, 0, 3), ShardPart(3, 0, 3)),
    )
    assert [len(parts) for parts in _plan(10, 3, 10).shards()] == [2, 3, 2, 3]


def test_a_plan_is_counted_before_its_shards_are_made(tmp_path: Path) -> None:
    """A stranger's, say: a million shards for each of its models."""
    with pytest.raises(InputError, match="2000000 shards, and may have 100000"):
        _plan(2, 1_000_000, 1)
    (tmp_path / PLAN_NAME).write_bytes(plan_to_json(_plan(2, 10, 10)))
    text = (tmp_path / PLAN_NAME).read_text("utf-8")
    for old, new in (
        ('"poses": 10', '"poses": ' + "9" * 60),
        ('"samples_per_shard": 10', '"samples_per_shard": 0'),
        ('"extended_at": []', '"extended_at": [1e999]'),
    ):
        assert old in text
        (tmp_path / PLAN_NAME).write_text(text.replace(old, new), "utf-8")
        with pytest.raises(InputError, match=r"plan\.json"):
            load_plan(tmp_path)


def test_a_plan_without_models_has_no_shards() -> None:
    assert _plan(0, 4, 10).shards() == ()
    assert _plan(0, 40, 10).shards() == ()


def test_a_model_too_large_for_a_shard_is_cut_evenly() -> None:
    assert _plan(2, 7, 3).shards() == (
        (ShardPart(0, 0, 2),),
        (ShardPart(0, 2, 2),),
        (ShardPart(0, 4, 3),),
        (ShardPart(1, 0, 2),),
        (ShardPart(1, 2, 2),),
        (ShardPart(1, 4, 3),),
    )


@pytest.mark.parametrize(
    ("models", "poses", "chosen"),
    # At least 16; the poses of one model, up to 1024; a 64th of all, up to 1024.
    [(3, 2, 16), (3, 300, 300), (3, 5000, 1024), (200, 64, 200), (200, 640, 1024)],
)
def test_shards_are_sized_by_the_number_of_models(
    models: int, poses: int, chosen: int, tmp_path: Path
) -> None:
    _write(tmp_path, {f"{n}.pmx": str(n) for n in range(models)})
    plan = make_plan(select_all(tmp_path), Configuration(poses))
    assert plan.configuration.samples_per_shard == chosen


def _one_model(folder: Path) -> Path:
    _write(folder, {"0.pmx": "0"})
    return folder


# The plan of a folder.


def test_a_plan_survives_saving_even_with_names_that_are_no_unicode(tmp_path: Path) -> None:
    models = tmp_path / "models"
    _write(models, {"葵/a.pmx": "one", "葵/b.pmx": "one", "c.zip": ""})
    (models / os.fsdecode(b"\x83\x7e\x83\x4e.pmx")).write_text("two")
    plan = _settle(models, tmp_path / "out")
    assert load_plan(tmp_path / "out") == plan
    assert _settle(models, tmp_path / "out") == plan


def test_the_plan_says_everything_that_decides_the_pictures(tmp_path: Path) -> None:
    _settle(_one_model(tmp_path / "models"), tmp_path / "out", Configuration(4, seed=9))
    saved = json.loads((tmp_path / "out" / PLAN_NAME).read_text("utf-8"))
    assert saved["configuration"] == {
        "poses": 4,
        "seed": 9,
        "size": 256,
        "shading": "phong",
        "ambient_low": 0.5,
        "ambient_high": 0.5,
        "light_levels": 8,
        "codec": "qoi",
        "samples_per_shard": 16,
        "sampling_version": 1,
        "generator": generator_name(),
        "origins": False,
    }


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"poses": 5}, "poses 4 -> 5"),
        ({"seed": 1}, "seed 0 -> 1"),
        ({"size": 128, "shading": "toon"}, "size 256 -> 128; shading phong -> toon"),
        ({"ambient_high": 1.2}, r"ambient_high 0.5 -> 1.2"),
        ({"samples_per_shard": 99}, "samples_per_shard 16 -> 99"),
        ({"generator": "opentha 9"}, "generator .* -> opentha 9"),
    ],
)
def test_another_configuration_is_refused_and_named(
    change: dict[str, int | float | str], difference: str, tmp_path: Path
) -> None:
    models = _one_model(tmp_path / "models")
    _settle(models, tmp_path / "out")
    wanted = Configuration(**{"poses": 4, **change})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"another configuration \({difference}\)"):
        _settle(models, tmp_path / "out", wanted)


def test_other_models_are_refused_and_named(tmp_path: Path) -> None:
    models = _one_model(tmp_path / "models")
    _settle(models, tmp_path / "out")
    _write(models, {"new.pmx": "new"})
    with pytest.raises(InputError, match=r"1 is new, as new\.pmx"):
        _settle(models, tmp_path / "out")
    (models / "new.pmx").unlink()
    (models / "0.pmx").rename(models / "1.pmd")
    with pytest.raises(InputError, match=r"is new, as 1\.pmd"):
        _settle(models, tmp_path / "out")


def test_shards_without_a_plan_are_not_written_over(tmp_path: Path) -> None:
    _write(tmp_path / "out", {"shard-00000.h5": "mine"})
    with pytest.raises(InputError, match=r"holds shard-00000\.h5 but no plan\.json"):
        _settle(_one_model(tmp_path / "models"), tmp_path / "out")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plan_version": 1}', "[" * 100_000])
def test_a_file_that_is_no_plan_is_refused(text: str, tmp_path: Path) -> None:
    _write(tmp_path, {PLAN_NAME: text})
    with pytest.raises(InputError, match="is no plan of this version"):
        load_plan(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"poses": 0},
        {"poses": 10**60},
        {"light_levels": 10**9},
        {"seed": -1},
        {"size": 2},
        {"size": 5000},
        {"ambient_low": 2.0},
        {"codec": "x"},
    ],
)
def test_a_configuration_outside_its_limits_is_refused(
    values: dict[str, int | float | str],
) -> None:
    with pytest.raises(InputError):
        Configuration(**{"poses": 4, **values})  # type: ignore[arg-type]
