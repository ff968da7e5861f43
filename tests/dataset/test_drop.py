"""A model taken out of a data set is gone, and all else is as if it had never been there."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.errors import InputError
from contract.progress import LogProgress
from dataset.build.plan import load_plan
from dataset.catalog.quarantine import Quarantine, QuarantineRow
from dataset.commands.main import main
from dataset.curate import drop as drop_module
from dataset.curate.drop import Dropped, drop_models
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import assert_sound, run, tables, write_models


def _progress() -> LogProgress:
    return LogProgress(io.StringIO(), "shards")


def _hashes(out: Path) -> dict[str, str]:
    """The SHA-256 of each model of a plan, by its path."""
    return {model.path: model.sha256 for model in load_plan(out).models}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(6)})


def test_what_is_left_is_what_a_build_without_the_model_makes(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(models, out)  # two models a shard
    before = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    hashes = _hashes(out)
    dropped = drop_models(out, [hashes["m2.pmx"]], "its author objects", _progress())
    assert dropped == Dropped(models=1, samples=5, rewritten=1, removed=0)

    without = tmp_path / "without"
    without.mkdir()
    row = QuarantineRow("m2.pmx", hashes["m2.pmx"], "any", "m2.pmx: any", "draw")
    Quarantine(without).add(row)
    run(models, without)
    assert tables(out) == tables(without)
    after = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    assert [name for name in before if before[name] != after[name]] == ["shard-00001.h5"]
    assert_sound(out)


def test_no_build_brings_it_back(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(models, out)
    drop_models(out, [_hashes(out)["m2.pmx"]], "its author objects", _progress())
    after = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    summary, _ = run(models, out)
    assert (summary.pictures, summary.models) == (0, 5)
    assert {path.name: path.read_bytes() for path in out.glob("*.h5")} == after
    (row,) = Quarantine(out).rows
    assert (row.code, row.message) == (
        "dropped",
        "m2.pmx: taken out of the data set: its author objects",
    )


def test_a_shard_of_dropped_models_alone_is_removed(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(models, out)
    hashes = _hashes(out)
    dropped = drop_models(out, [hashes["m0.pmx"], hashes["m1.pmx"][:8].upper()], "", _progress())
    assert dropped == Dropped(models=2, samples=10, rewritten=0, removed=1)
    assert not (out / "shard-00000.h5").exists()
    assert_sound(out)


def test_an_interrupted_drop_goes_on(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run(models, out)
    sha256 = _hashes(out)["m2.pmx"]

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(drop_module, "copy_models", killed)
        with pytest.raises(KeyboardInterrupt):
            drop_models(out, [sha256], "", _progress())
    assert drop_models(out, [sha256], "", _progress()).samples == 5
    assert drop_models(out, [sha256], "", _progress()).samples == 0  # and once more does no harm
    assert_sound(out)


def test_it_is_taken_out_of_the_part_that_has_it(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for part in ("train", "validation", "test"):
        run(models, out / part)
    sha256 = _hashes(out / "train")["m2.pmx"]
    done = CliRunner().invoke(main, ["drop-model", str(out), sha256])
    assert (done.exit_code, done.stdout) == (
        0,
        f"{out}: 1 model with 15 samples taken out; 3 shards rewritten, 0 removed\n",
    )
    for shard in out.rglob("*.h5"):
        assert sha256 not in {row.sha256 for row in ShardReader(shard).models}


@pytest.mark.parametrize(
    ("sha256", "fault"),
    [
        ("abc", "is no SHA-256"),
        ("../../etc/passwd", "is no SHA-256"),
        ("0" * 64, "holds no model with"),
    ],
)
def test_what_names_no_model_changes_nothing(
    sha256: str, fault: str, models: Path, tmp_path: Path
) -> None:
    run(models, tmp_path / "out")
    before = tables(tmp_path / "out")
    with pytest.raises(InputError, match=fault):
        drop_models(tmp_path / "out", [sha256], "", _progress())
    assert tables(tmp_path / "out") == before
    assert not (tmp_path / "out" / "quarantine.jsonl").exists()


def test_a_model_without_a_plan_is_dropped_too(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(models, out)
    sha256 = _hashes(out)["m3.pmx"]
    (out / "plan.json").unlink()
    assert drop_models(out, [sha256], "", _progress()).samples == 5
