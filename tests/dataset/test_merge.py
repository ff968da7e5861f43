"""Several data sets become one that holds all of their samples, each once."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.errors import InputError, ShardError
from contract.progress import LogProgress
from dataset.build.plan import load_plan
from dataset.commands.main import main
from dataset.curate.drop import drop_models
from dataset.curate.merge import Merged
from dataset.curate.merge import merge as merge_sets
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import FIVE, assert_sound, run, write_models
from tests.support.tiny_shards import write_shards


def merge(*folders: Path, out: Path) -> Merged:
    return merge_sets(folders, out, LogProgress(io.StringIO(), "shards"))


def _samples(folder: Path) -> list[tuple[str, int, int, tuple[bytes, ...]]]:
    """Model, seed, index and encoded pictures of every sample."""
    found = []
    for path in sorted(folder.rglob("*.h5")):
        with ShardReader(path) as reader:
            for row in reader.samples:
                model = reader.models[row["model"]]
                frames = [
                    reader.encoded_frame(int(row[n])) for n in ("rest", "expression", "posed")
                ]
                found.append((model.sha256, model.seed, int(row["index"]), tuple(frames)))
    return found


def _build(tmp_path: Path, name: str, models: str, seed: int = 3) -> Path:
    folder = write_models(tmp_path / f"{name} models", dict.fromkeys(models, "ok"))
    run(folder, tmp_path / name, replace(FIVE, seed=seed))
    return tmp_path / name


def test_a_merged_set_holds_the_samples_of_all(tmp_path: Path) -> None:
    a, b = _build(tmp_path, "a", "klm"), _build(tmp_path, "b", "no", seed=4)
    before = sorted(_samples(a) + _samples(b))
    merged = merge(a, b, out=tmp_path / "out")
    assert merged == Merged(shards=3, models=5, repeated=0, dropped=0)
    assert sorted(_samples(tmp_path / "out")) == before == sorted(_samples(a) + _samples(b))
    assert_sound(tmp_path / "out")
    done = CliRunner().invoke(main, ["inspect", str(tmp_path / "out")])
    assert done.exit_code == 0 and "seed 3 and 4," in done.stdout


def test_what_several_sets_hold_is_kept_once(tmp_path: Path) -> None:
    a, b = _build(tmp_path, "a", "kl"), _build(tmp_path, "b", "lm")
    other = _build(tmp_path, "other", "k", seed=4)  # other samples of k
    merged = merge(a, b, a, other, out=tmp_path / "out")
    assert (merged.models, merged.repeated) == (3, 1)
    samples = [sample[:3] for sample in _samples(tmp_path / "out")]
    assert len(samples) == len(set(samples)) == 20
    assert_sound(tmp_path / "out")


def test_a_dropped_model_is_not_brought_back(tmp_path: Path) -> None:
    a, b = _build(tmp_path, "a", "kl"), _build(tmp_path, "b", "lm")
    lost = {model.path: model.sha256 for model in load_plan(a).models}["l.pmx"]
    drop_models(a, [lost], "", LogProgress(io.StringIO(), "shards"))
    assert merge(a, b, out=tmp_path / "one").dropped == 1
    assert merge(tmp_path / "one", b, out=tmp_path / "two").models == 2  # nor later
    assert lost not in {sample[0] for sample in _samples(tmp_path / "two")}


def test_sets_of_another_kind_or_half_the_same_are_refused(tmp_path: Path) -> None:
    a = _build(tmp_path, "a", "k")
    models = tmp_path / "a models"
    run(models, tmp_path / "larger", replace(FIVE, size=32))
    run(models, tmp_path / "more", replace(FIVE, poses=7))
    with pytest.raises(ShardError, match=r"size 32, but .* has 16; merge sets of one kind"):
        merge(a, tmp_path / "larger", out=tmp_path / "out")
    with pytest.raises(ShardError, match="not with the same samples"):
        merge(a, tmp_path / "more", out=tmp_path / "out")
    with pytest.raises(InputError, match="exists already"):
        merge(a, out=tmp_path / "more")
    with pytest.raises(InputError, match="holds no shard"):
        merge(a, tmp_path / "a models", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*.tmp"))


def _split(folder: Path, **sources: str) -> Path:
    for part, source in sources.items():
        write_shards(folder / part, sources=1, names=source)
    return folder


def test_parts_are_merged_apart_and_none_gets_what_another_has(tmp_path: Path) -> None:
    a = _split(tmp_path / "a", train="a", validation="b", test="c")
    b = _split(tmp_path / "b", train="d", validation="e", test="f")
    merge(a, b, out=tmp_path / "out")
    shards = sorted(path.relative_to(tmp_path / "out") for path in tmp_path.glob("out/*/*.h5"))
    assert [str(path) for path in shards] == [
        f"{part}/shard-0000{n}.h5" for part in ("test", "train", "validation") for n in range(2)
    ]
    crossed = _split(tmp_path / "crossed", train="b", validation="g", test="h")
    with pytest.raises(InputError, match="the source b is in both train and validation"):
        merge(a, crossed, out=tmp_path / "no")
    with pytest.raises(InputError, match="is not split into parts, as others are"):
        merge(a, write_shards(tmp_path / "whole"), out=tmp_path / "no")
    assert not (tmp_path / "no").exists()
