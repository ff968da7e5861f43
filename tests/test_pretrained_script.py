"""`make pretrained`: goes on where it stopped, refuses other parameters, and tells what it made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import pretrained
from contract.errors import InputError
from models.base.config import NetworkConfig
from models.files.bundle import load_bundle
from pretrained import Parameters, Step, do_steps, install, keep_parameters, steps, write_card
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.cli import main as train
from train.plan.plan import StageSettings
from train.plan.stages import STAGES
from train.run.loop import train_stage
from train.run.run import write_run
from train.run.watch import open_watch

BY = Parameters(240, 24, 10, 4, 0, ("network.channels=8",))


def test_every_parameter_reaches_a_command() -> None:
    told = " ".join(step.command for step in steps(Path("out"), BY, workers=3))
    for word in ("-n 240", "--franchises 24", "--poses 10", "--light-levels 4", "--workers 3"):
        assert word in told
    assert "--set network.channels=8" in told and "--shading mixed" in told
    assert "--set" not in " ".join(s.command for s in steps(Path(), replace(BY, changes=()), 1))


def test_a_folder_that_was_begun_with_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out" / "parameters.json"
    keep_parameters(path, BY)
    keep_parameters(path, BY)
    with pytest.raises(InputError, match="begun with poses = 10, now 20; give the same again"):
        keep_parameters(path, replace(BY, poses=20))
    with pytest.raises(InputError, match="begun with changes"):
        keep_parameters(path, replace(BY, changes=()))


def test_what_was_done_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pretrained, "BIN", tmp_path)
    for name, code in (("right", 0), ("wrong", 3)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/ran\nexit {code}\n")
        program.chmod(0o755)
    todo = (Step("a", "A", "right a"), Step("b", "B", "wrong b"), Step("c", "C", "right c"))
    for _ in range(2):
        with pytest.raises(SystemExit) as left:
            do_steps(tmp_path, todo)
        assert left.value.code == 3
    assert (tmp_path / "ran").read_text().split() == ["a", "b", "b"]
    assert "A: done before" in capsys.readouterr().out


def test_what_was_trained_becomes_a_bundle_with_its_card(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards")
    plan = tiny_plan(StageSettings(4, 8))
    run = open_run(shards, tmp_path / "run", plan)
    with open_watch(run.folder) as watch:
        for name in ("morpher", "rotator-L1", "combiner-L1-L1"):
            write_run(run, {"train": ["s3", "s2"], "validation": ["s1"], "test": ["s0"]})
            train_stage(run, STAGES[name], watch)
    train(["bundle", str(run.folder)], standalone_mode=False)
    words = ["evaluate", str(run.folder / "bundle"), "--data", str(shards)]
    train([*words, "-o", str(tmp_path / "evaluation")], standalone_mode=False)
    install(tmp_path, tmp_path / "installed")
    bundle = load_bundle(tmp_path / "installed")
    assert bundle.configurations() == ("PU-L1", "ZH-L1", "FU-L1-L1")
    assert isinstance(next(iter(bundle.networks().values())).config, NetworkConfig)
    write_card(tmp_path, BY, tmp_path / "docs" / "card.md", "A short run.")
    card = (tmp_path / "docs" / "card.md").read_text()
    assert "240 of 24 sources" in card and "2 sources were trained on" in card
    assert "| FU-L1-L1 |" in card and "### At rest" in card
    assert "\nA short run.\n" in card
    told = json.dumps([bundle.metrics, *map(dict, bundle.stages)]) + card
    assert str(tmp_path) not in told  # nothing of where it was made
    with Image.open(tmp_path / "docs" / "card.webp") as picture:
        assert picture.width > 100
