"""Parts of a catalogue by source, and what a person corrected in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

import dataset.drawing.rendering
from contract.errors import InputError
from contract.rig import HeadBox
from dataset.catalog.catalog import CatalogRow, cache_of, load_catalog
from dataset.catalog.corrections import save_corrections
from dataset.catalog.split import (
    bound_sources,
    load_split,
    split_by_names,
    split_by_shares,
    split_table,
)
from dataset.commands.main import main
from dataset.shards.shard import ShardReader
from dataset.shards.split_file import Split, save_split
from dataset.sheets.heads_sheet import draw_heads
from tests.support.catalog_rows import correction, model, paths, sources
from tests.support.tiny_builds import SIZE, assert_sound, look, write_models
from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner, tiny_annotation


def shares(train: float, validation: float, test: float) -> Mapping[str, float]:
    return {"train": train, "validation": validation, "test": test}


# Splits.


def test_every_source_is_in_one_part_and_parts_have_their_shares() -> None:
    rows = sources(**{f"s{n:02}": 10 for n in range(20)})
    for seed in range(10):
        made = split_by_shares(rows, paths(rows), shares(0.8, 0.1, 0.1), seed)
        assert [len(made.parts[part]) for part in ("train", "validation", "test")] == [16, 2, 2]
        assert set(made.part_of()) == {row.source for row in rows}
        assert made == split_by_shares(rows, paths(rows), shares(0.8, 0.1, 0.1), seed)
    again = [split_by_shares(rows, paths(rows), shares(0.8, 0.1, 0.1), n) for n in range(2)]
    assert again[0].parts != again[1].parts


def test_a_vast_source_goes_to_train_and_each_part_gets_something() -> None:
    rows = sources(vast=100, a=2, b=3)
    for seed in range(10):
        made = split_by_shares(rows, paths(rows), shares(0.9, 0.05, 0.05), seed)
        assert made.parts["train"] == ("vast",)
        assert {*made.parts["validation"], *made.parts["test"]} == {"a", "b"}


def test_sources_that_share_a_character_stay_together() -> None:
    rows = [model("a/1.pmx", 0), model("b/1.pmx", 0), model("b/2.pmx", 1), model("c/1.pmx", 1)]
    rows += sources(d=3, e=3)
    assert bound_sources(rows) == [("a", "b", "c"), ("d",), ("e",)]
    for seed in range(10):
        parts = split_by_shares(rows, paths(rows), shares(0.4, 0.3, 0.3), seed).part_of()
        assert parts["a"] == parts["b"] == parts["c"]
    assert split_by_names(rows, ["d"], ["a"]).parts == {
        "train": ("e",),
        "validation": ("d",),
        "test": ("a", "b", "c"),
    }
    with pytest.raises(InputError, match="a, b, c share near-duplicates; put them into one part"):
        split_by_names(rows, ["a"], ["b"])


def test_a_source_without_a_model_to_draw_is_no_part_of_its_own() -> None:
    rows = sources(a=1, b=1, c=1)
    with pytest.raises(InputError, match="3 parts need 3 separate sources with models to draw"):
        split_by_shares(rows, ["a/0.pmx", "b/0.pmx"], shares(0.8, 0.1, 0.1), 0)
    two = split_by_shares(rows, ["a/0.pmx", "b/0.pmx"], shares(0.5, 0, 0.5), 0)
    assert "c" in two.parts["train"]


@pytest.mark.parametrize(
    "given", [shares(0.9, 0.2, 0.1), shares(0, 0.5, 0.5), shares(1.2, -0.1, -0.1)]
)
def test_shares_that_are_none_are_refused(given: Mapping[str, float]) -> None:
    rows = sources(a=1, b=1, c=1)
    with pytest.raises(InputError, match="must add up to 1, with some of it for train"):
        split_by_shares(rows, paths(rows), given, 0)


@pytest.mark.parametrize(
    ("validation", "test", "fault"),
    [
        (["x"], [], r"source x: not in the catalogue; it has a, b, c"),
        (["a"], ["a"], "source a: named for validation and for test"),
        (["a", "b"], ["c"], "no source is left for train"),
    ],
)
def test_names_that_fit_nothing_are_refused(
    validation: list[str], test: list[str], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        split_by_names(sources(a=1, b=1, c=1), validation, test)


def test_a_split_is_kept_and_refused_where_it_no_longer_fits(tmp_path: Path) -> None:
    rows, path = sources(a=1, b=1, c=1), tmp_path / "split.json"
    made = split_by_names(rows, ["a"], ["b"])
    save_split(path, made)
    assert load_split(path, rows) == made
    with pytest.raises(InputError, match="knows nothing of source d; split again"):
        load_split(path, [*rows, model("d/0.pmx")])
    with pytest.raises(InputError, match="parts a, c, which share characters; split again"):
        load_split(path, [model("a/0.pmx", 0), model("b/0.pmx"), model("c/0.pmx", 0)])
    for text in ("", "{}", '{"train": [], "test": []}', "[" * 100_000):
        path.write_text(text)
        with pytest.raises(InputError, match=r"is no split .* split again"):
            load_split(path, rows)
    with pytest.raises(InputError, match="is no plain file"):
        load_split(tmp_path, rows)


def test_a_split_that_a_person_wrote_will_do_but_no_source_may_be_in_two_parts(
    tmp_path: Path,
) -> None:
    rows, path = sources(a=1, b=1, c=1), tmp_path / "split.json"
    lists = {"train": ["c"], "validation": ["a"], "test": ["b"]}
    path.write_text(json.dumps(lists | {"why": "b is drawn best"}))
    assert load_split(path, rows) == Split(("c",), ("a",), ("b",))
    path.write_text(json.dumps(lists | {"test": ["b", "c"]}))
    with pytest.raises(InputError, match=r"split\.json: the source c is in both train and test"):
        load_split(path, rows)
    path.write_text(json.dumps(lists | {"split_version": 2}))
    with pytest.raises(InputError, match=r"is no split \(another version\)"):
        load_split(path, rows)


def test_the_table_counts_what_is_drawn() -> None:
    rows = sources(a=3, b=1, c=2)
    made = Split(train=("a",), validation=("b",), test=("c",))
    table = split_table(made, rows, ["a/0.pmx", "a/1.pmx", "c/0.pmx"], poses=10)
    assert [line.split() for line in table.splitlines()] == [
        ["sources", "models", "poses", "pictures"],
        ["train", "1", "2", "20", "42"],
        ["validation", "1", "0", "0", "0"],
        ["test", "1", "1", "10", "21"],
    ]


# The commands.


@pytest.fixture
def tiny_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset.drawing.rendering, "open_renderer", open_tiny_device)
    monkeypatch.setattr(dataset.drawing.rendering, "open_scanner", open_tiny_scanner)


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.usefixtures("tiny_device")
def test_parts_of_a_split_become_data_sets_of_their_own(tmp_path: Path) -> None:
    names = {f"s{source}/m{n}": "ok" for source in range(4) for n in range(2)}
    models = write_models(tmp_path / "models", names)
    catalog, out = tmp_path / "catalog.jsonl", tmp_path / "out"
    _run("scan", models, "-o", catalog, "--workers", 1)
    row = load_row(catalog, "s1/m0.pmx")
    box = HeadBox(16.0, 19.0, 0.5)
    save_corrections(tmp_path / "overrides.jsonl", correction(row, head_box=box))
    table = _run("split", catalog, "--validation-sources", "s1", "--test-sources", "s2,s3")
    assert [line.split()[1:3] for line in table.splitlines()[1:4]] == [
        ["1", "2"],
        ["1", "2"],
        ["2", "4"],
    ]
    options = ["--poses", 2, "--size", SIZE, "--workers", 1, "--split", tmp_path / "split.json"]
    for _ in range(2):  # the second time everything is kept
        said = _run("build", catalog, "-o", out, *options)
        assert f"{out}/validation: 4 samples of 2 models" in said
        found = {
            part: sorted(
                held.path
                for shard in (out / part).glob("*.h5")
                for held in ShardReader(shard).models
            )
            for part in ("train", "validation", "test")
        }
        assert found == {
            "train": ["s0/m0.pmx", "s0/m1.pmx"],
            "validation": ["s1/m0.pmx", "s1/m1.pmx"],
            "test": ["s2/m0.pmx", "s2/m1.pmx", "s3/m0.pmx", "s3/m1.pmx"],
        }
    drawn = ShardReader(out / "validation" / "shard-00000.h5").models
    assert [held.facts.head_box for held in drawn] == [box, tiny_annotation().head_box]
    assert_sound(*(out / part for part in found))


def load_row(catalog: Path, path: str) -> CatalogRow:
    return next(row for row in load_catalog(catalog).rows if row.path == path)


@pytest.mark.usefixtures("tiny_device")
def test_the_commands_say_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a/x": "ok", "b/x": "ok"})
    catalog = tmp_path / "catalog.jsonl"
    said = _run("scan", models, "-o", catalog, "--workers", 1)
    assert "2 models of 2 sources: 2 ok, 0 doubtful, 0 refused; 0 groups" in said
    assert "not split: the catalogue has 2 sources (a, b)" in _run(
        "split", catalog, "--if-possible"
    )
    for arguments, fault in (
        (["split", catalog], "3 parts need 3 separate sources"),
        (["split", catalog, "--test-sources", "z"], "source z: not in the catalogue"),
        (["split", models], "is no file; give a catalogue"),
        (["build", catalog, "-o", tmp_path / "o", "--split", catalog], "is no split"),
        (["scan", tmp_path / "none", "-o", catalog], "does not exist"),
    ):
        done = CliRunner().invoke(main, list(map(str, arguments)))
        assert done.exit_code == 1
        assert fault in done.stderr
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    both = CliRunner().invoke(main, ["split", str(catalog), "--test-sources", "a", "--test", "0.1"])
    assert both.exit_code == 2 and "not both" in both.stderr


# The sheet of heads.


def test_heads_are_shown_with_their_lines(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "doubtful", "c": "refuse"})
    catalog, _ = look(models, tmp_path / "catalog.jsonl")
    cache = cache_of(tmp_path / "catalog.jsonl")
    (sheet,) = draw_heads(catalog.rows, cache, tmp_path / "heads.png")
    with Image.open(sheet) as drawn:
        picture = drawn.convert("RGB")
    assert picture.size == (2 * 264 + 8, 256 + 22 + 8 + 8)  # two heads: the refused one has none
    white, panel = (255, 255, 255), (238, 240, 243)
    assert picture.getpixel((8 + 20, 8 + 20)) == panel
    assert picture.getpixel((8 + 100, 8 + 100)) == white  # the tiny head's middle half
    on_line = picture.getpixel((8 + 100, 8 + 64))
    assert isinstance(on_line, tuple) and on_line[0] > on_line[1] + 50
    assert json.loads((tmp_path / "catalog.jsonl").read_text("utf-8").splitlines()[3])["path"] == (
        "c.pmx"
    )
