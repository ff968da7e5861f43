"""The models that a run saw get into its bundle."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.data.samples import open_splits
from train.plan.plan import StageSettings
from train.plan.stages import STAGES
from train.run.assemble import assemble
from train.run.loop import train_stage
from train.run.run import RUN_FILE, write_run
from train.run.watch import open_watch


def test_a_bundle_names_the_models_of_its_data_and_of_no_other(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards")
    run = open_run(shards, tmp_path / "run", tiny_plan(StageSettings(samples=8, batch=4)))
    splits = open_splits(shards)
    write_run(run, splits.sources(), splits.models())
    with open_watch(run.folder) as watch:
        train_stage(run, STAGES["morpher"], watch)
    saw = assemble(run.folder).saw
    every = {model.sha256 for reader in run.samples.readers for model in reader.models}
    assert {model for models in saw.values() for model in models} == every
    assert set(saw["train"]) == {one.sha256 for one in run.samples.characters}

    # A record that a training on other data wrote says nothing of these networks.
    record = json.loads((run.folder / RUN_FILE).read_text())
    (run.folder / RUN_FILE).write_text(json.dumps(record | {"data": "0" * 64}))
    assert assemble(run.folder).saw == {}
