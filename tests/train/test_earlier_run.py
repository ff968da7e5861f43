"""A run folder that version 0.1.0 wrote, as it was after two steps of four, still opens.

A network of one channel, on the drawn faces of ``tests.support.tiny_shards``. What lay in its
folder lies in ``data/run_0.1.0``, the checkpoint compressed.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from contract.errors import InputError
from models.base.config import NetworkConfig
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.plan.plan import StageSettings, TrainingPlan
from train.plan.stages import STAGES
from train.run.assemble import assemble
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.run import RUN_FILE, read_run
from train.run.watch import HISTORY_FILE, open_watch

WRITTEN = Path(__file__).parent / "data" / "run_0.1.0"
SETTINGS = StageSettings(4, 16, 1e-2, 8, "cosine", 0.5, 0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "morpher").mkdir()
    for name in (RUN_FILE, HISTORY_FILE):
        (tmp_path / name).write_bytes((WRITTEN / name).read_bytes())
    packed = (WRITTEN / "morpher" / "checkpoint.pt.xz").read_bytes()
    (tmp_path / "morpher" / "checkpoint.pt").write_bytes(lzma.decompress(packed))
    return tmp_path


def _plan() -> TrainingPlan:
    return replace(tiny_plan(SETTINGS), network=NetworkConfig(16, 1, 1, 0, 0.0), ema_samples=0)


def test_training_goes_on_and_ends_in_a_bundle(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begun = load_checkpoint(folder / "morpher" / "checkpoint.pt")
    shards = write_shards(tmp_path_factory.mktemp("shards"))
    run = replace(open_run(shards, folder, _plan()), fingerprint=str(begun.decides["data"]))
    assert begun.step == 2
    assert dict(begun.decides) == run.decides(STAGES["morpher"])
    with open_watch(folder) as watch:
        train_stage(run, STAGES["morpher"], watch)
    assert run.is_finished("morpher")
    bundle = assemble(folder)
    assert list(bundle.networks()) == ["morpher"]
    assert bundle.stages[0]["sources"] == read_run(folder)["sources"] != {}
    rows = [json.loads(line) for line in (folder / HISTORY_FILE).read_text().splitlines()]
    assert [row["samples"] for row in rows] == [8, 16]


def test_another_plan_is_refused_by_the_name_of_what_differs(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begun = load_checkpoint(folder / "morpher" / "checkpoint.pt")
    shards = write_shards(tmp_path_factory.mktemp("shards"))
    plan = replace(_plan(), precision="bfloat16")
    run = replace(open_run(shards, folder, plan), fingerprint=str(begun.decides["data"]))
    with pytest.raises(InputError, match="begun with precision = float32, now bfloat16"):
        train_stage(run, STAGES["morpher"], None)
