"""Checkpoints that are damaged, and disks that are full: one line, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.errors import InputError
from tests.conftest import REPOSITORY
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import SIZE, write_shards
from train.plan.plan import StageSettings
from train.plan.stages import STAGES
from train.run.assemble import assemble
from train.run.checkpoint import load_checkpoint, save_checkpoint
from train.run.loop import train_stage
from train.run.run import Run, write_run

STEPS = 2


def _run(shards: Path, folder: Path) -> Run:
    plan = tiny_plan(StageSettings(4, 4 * STEPS, 1e-2, 8, "cosine", 0.5, 0.2))
    return open_run(shards, folder, plan)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="module")
def trained(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A morpher's whole checkpoint."""
    run = _run(shards, tmp_path_factory.mktemp("trained"))
    train_stage(run, STAGES["morpher"], None)
    return run.rolling("morpher")


def test_bytes_that_changed_never_end_in_a_traceback(trained: Path, tmp_path: Path) -> None:
    whole, rng = trained.read_bytes(), np.random.default_rng(0)
    path = tmp_path / "checkpoint.pt"
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 40):
            data[at] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data))] if rng.random() < 0.3 else data)
        try:
            load_checkpoint(path)
        except InputError as error:
            assert "checkpoint.pt" in str(error)
            refused += 1
    assert refused > 100


def test_a_packed_checkpoint_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))
    with pytest.raises(InputError, match=r"checkpoint\.pt: damaged.*its entries are packed"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stage", "tail"),
        ("step", "many"),
        ("step", -1),
        ("step", True),
        ("network", {"a": 1}),
        ("ema", [torch.zeros(1)]),
        ("optimizer", 7),
        ("random", torch.zeros(3)),
        ("seconds", float("nan")),
        ("loss", "small"),
        ("decides", {"plan": torch.zeros(2)}),
        ("scaler", {"scale": torch.zeros(2)}),
    ],
)
def test_a_field_of_another_kind_is_named(
    trained: Path, tmp_path: Path, field: str, value: object
) -> None:
    path = tmp_path / "checkpoint.pt"
    changes: dict[str, Any] = {field: value}
    save_checkpoint(path, replace(load_checkpoint(trained), **changes))
    with pytest.raises(InputError, match=rf"checkpoint\.pt: damaged.*its {field} is none"):
        load_checkpoint(path)


def _without_momentum(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "state": {0: {"step": torch.zeros(()), "exp_avg": torch.zeros(3)}}}


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: replace(c, network={**c.network, "more": torch.zeros(1)}),
        lambda c: replace(c, network={k: v[:1] if v.ndim else v for k, v in c.network.items()}),
        lambda c: replace(c, ema={"other": torch.zeros(1)}),
        lambda c: replace(c, optimizer={}),
        lambda c: replace(c, optimizer=_without_momentum(dict(c.optimizer))),
        lambda c: replace(c, random=torch.zeros(3, dtype=torch.uint8)),
    ],
)
def test_what_does_not_fit_the_network_is_damage_too(
    shards: Path, trained: Path, tmp_path: Path, damage: Callable[[Any], Any]
) -> None:
    run = _run(shards, tmp_path)
    save_checkpoint(run.rolling("morpher"), damage(replace(load_checkpoint(trained), step=1)))
    with pytest.raises(InputError, match=r"morpher/checkpoint\.pt: damaged"):
        train_stage(run, STAGES["morpher"], None)


def test_a_bundle_is_not_made_of_damage(shards: Path, trained: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path)
    whole = load_checkpoint(trained)
    write_run(run, {"train": [], "validation": [], "test": []})
    save_checkpoint(run.rolling("morpher"), replace(whole, decides={"stage": {}}))
    with pytest.raises(InputError, match=r"morpher/checkpoint\.pt: damaged"):
        assemble(tmp_path)


# Disks and permissions.

_FEW_BYTES = 30_000
_SETTINGS = (
    f"network.size={SIZE}",
    "network.channels=4",
    "network.max_channels=8",
    "network.residual_blocks=1",
    "all.batch=4",
    "all.samples=32",
    "upkeep.checkpoint_samples=8",
)


def _train(shards: Path, out: Path, most_bytes: int = 0) -> subprocess.CompletedProcess[str]:
    """``train all``, with a bound on how large a file may become where one is given."""
    settings = [word for change in _SETTINGS for word in ("--set", change)]
    words = ["all", str(shards), "-o", str(out), "--preset", "demo", "--stage", "morpher"]
    start = "import resource, signal, sys\n"
    if most_bytes:
        start += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))\n"
    return subprocess.run(
        [sys.executable, "-c", f"{start}from train.cli import main\nmain()", *words, *settings],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on files' sizes")
def test_a_disk_that_is_full_ends_training_in_one_line_and_it_goes_on(
    shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    full = _train(shards, out, _FEW_BYTES)
    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    assert "cannot be written" in full.stderr.splitlines()[-1]
    assert not list(out.rglob("*.tmp"))
    again = _train(shards, out)
    assert again.returncode == 0, again.stderr
    assert load_checkpoint(out / "morpher" / "checkpoint.pt").step == 8


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint = load_checkpoint(trained)
    save_checkpoint(path, checkpoint)

    def full(_document: object, _path: Path) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InputError, match=r"checkpoint\.pt: cannot be written \(is the disk full"):
        save_checkpoint(path, replace(checkpoint, step=1))
    assert load_checkpoint(path).step == checkpoint.step
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_log_that_cannot_be_written_is_named(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "log.txt").mkdir()  # as good as a file without permission, for root too
    done = _train(shards, tmp_path)
    assert done.returncode == 1
    assert "log.txt: cannot be written" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
