"""What a plan foretells: counts that a build has, and shards that leave no worker waiting."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from contract.errors import InputError
from dataset.build.configuration import Configuration
from dataset.build.plan import make_plan
from dataset.catalog.choose import PlannedModel, Selection
from dataset.forecast import MOST_WAITING, Trial, fitting_plan, forecast, try_models
from tests.support.tiny_builds import COMMAND, FIVE, PATIENT, look, run, write_models
from tests.support.tiny_renderer import open_tiny_renderer, select_all, tiny_annotation

TRIAL = Trial(
    models=4, open_seconds=1, picture_seconds=0.1, frame_bytes=1000, largest_frame_bytes=2000
)
PLAIN = Configuration(10)  # one light: two pictures a sample, and one


def _selection(count: int) -> Selection:
    models = (PlannedModel(f"{n}.pmx", f"{n:064}", tiny_annotation()) for n in range(count))
    return Selection(tuple(models), {}, {}, {}, (), ())


def test_seconds_are_those_of_the_longest_queue() -> None:
    # A model takes 1 + 21 * 0.1 = 3.1 s; shards of two models, three of them, for two workers.
    plan = make_plan(_selection(6), replace(PLAIN, samples_per_shard=20))
    told = forecast(plan, TRIAL, workers=2)
    assert (told.models, told.samples, told.pictures, told.shards) == (6, 60, 126, 3)
    assert told.seconds == pytest.approx(2 * 6.2)
    assert told.waiting == pytest.approx(1 / 4)


def test_the_largest_shards_that_keep_workers_busy_are_chosen() -> None:
    selection = _selection(400)
    plan = fitting_plan(selection, PLAIN, TRIAL, 16, None)
    told = forecast(plan, TRIAL, 16)
    assert told.waiting <= MOST_WAITING
    assert make_plan(selection, PLAIN).configuration.samples_per_shard == 63
    whole = [10 * n for n in range(told.samples_per_shard // 10 + 1, 7)]
    for limit in whole:  # every larger size lets them wait longer
        larger = make_plan(selection, replace(PLAIN, samples_per_shard=limit))
        assert forecast(larger, TRIAL, 16).waiting > MOST_WAITING


def test_one_model_is_cut_for_many_workers() -> None:
    plan = fitting_plan(_selection(1), replace(PLAIN, poses=1000), TRIAL, 8, None)
    assert len(plan.shards()) >= 8
    assert (
        forecast(plan, TRIAL, 8).waiting
        < forecast(make_plan(_selection(1), PLAIN), TRIAL, 8).waiting
    )


def test_no_shard_is_larger_than_wished_nor_another_than_asked_for() -> None:
    free = forecast(fitting_plan(_selection(64), PLAIN, TRIAL, 2, None), TRIAL, 2)
    small = fitting_plan(_selection(64), PLAIN, TRIAL, 2, free.largest_shard_bytes // 3)
    assert forecast(small, TRIAL, 2).largest_shard_bytes <= free.largest_shard_bytes // 3
    asked = replace(PLAIN, samples_per_shard=30)
    assert fitting_plan(_selection(64), asked, TRIAL, 2, 1).configuration.samples_per_shard == 30


def test_a_trial_measures_what_can_be_drawn(tmp_path: Path) -> None:
    models = write_models(tmp_path, {"a": "ok", "b": "explode", "c": "ok"})
    selection = select_all(models).models
    trial = try_models(models, selection, FIVE, PATIENT, open_tiny_renderer, 3)
    assert trial.models == 2
    assert 0 < trial.picture_seconds < 10 and 0 <= trial.open_seconds < 60
    assert 20 < trial.frame_bytes <= trial.largest_frame_bytes < 16 * 16 * 5
    bad = [model for model in selection if model.path == "b.pmx"]
    with pytest.raises(InputError, match=r"no model that was tried can be drawn .*exploded"):
        try_models(models, bad, FIVE, PATIENT, open_tiny_renderer, 1)


def test_the_command_foretells_what_the_build_makes(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"s{n % 3}/m{n}": "ok" for n in range(8)})
    catalog = tmp_path / "catalog.jsonl"
    look(models, catalog)
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    options = "--poses 5 --seed 3 --size 16 --ambient 0.5..1.2 --light-levels 2 --workers 2"
    shown = "plan", str(catalog), *options.split(), "--shard-mb", "0.1"

    def told(*more: str) -> str:
        return subprocess.check_output([sys.executable, str(script), *shown, *more], text=True)

    text = told("--samples-per-shard", "10")
    assert text.splitlines()[1].split()[:4] == ["all", "8", "40", "96"]
    assert text.endswith("build with --samples-per-shard 10\n")
    foretold = json.loads(told("--samples-per-shard", "10", "--json"))["parts"]["."]
    summary, _ = run(models, tmp_path / "out")
    made = (summary.models, summary.samples, summary.shards)
    assert made == (foretold["models"], foretold["samples"], foretold["shards"])
    assert foretold["pictures"] == pytest.approx(summary.pictures, rel=0.1)
    assert not (tmp_path / "plan.json").exists()
