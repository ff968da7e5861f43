"""Training in processes of its own: several at once, and some that are killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.conftest import REPOSITORY
from tests.support.tiny_runs import open_run
from tests.support.tiny_shards import SIZE, write_shards
from train.plan.plan import changed
from train.plan.presets import PRESETS
from train.plan.stages import STAGES
from train.run.checkpoint import Checkpoint, load_checkpoint
from train.run.loop import train_stage
from train.run.precompute import FOLDER

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
CHANGES = (
    f"network.size={SIZE}",
    "network.channels=4",
    "network.max_channels=8",
    "network.residual_blocks=1",
    "all.batch=4",
    "augmentation.shift=0",
    "augmentation.scale=0",
    "upkeep.checkpoint_samples=8",
    "upkeep.numbered_samples=24",
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def _state(folder: Path, stage: str) -> Checkpoint:
    return load_checkpoint(folder / stage / "checkpoint.pt")


def _command(shards: Path, folder: Path, stages: tuple[str, ...], *changes: str) -> list[str]:
    settings = [word for change in (*CHANGES, *changes) for word in ("--set", change)]
    wanted = [word for stage in stages for word in ("--stage", stage)]
    words = ["all", str(shards), "-o", str(folder), "--preset", "demo", *wanted, *settings]
    return ["-m", "train.cli", *words]


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def _require_success(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _require_alike(one: Checkpoint, other: Checkpoint) -> None:
    assert one.step == other.step == 8
    assert one.loss == pytest.approx(other.loss, rel=1e-4)
    for name, tensor in one.network.items():
        assert torch.allclose(tensor, other.network[name], atol=1e-4), name


def test_the_number_of_processes_may_change_and_changes_nothing(
    shards: Path, tmp_path: Path
) -> None:
    """One process all the way; then one, two, and one again."""
    length, morpher = "all.samples=32", STAGES["morpher"]
    plan, _ = changed(*PRESETS["demo"], (*CHANGES, length))
    whole, mixed, back = (
        open_run(shards, tmp_path / name, plan) for name in ("whole", "two", "back")
    )
    train_stage(whole, morpher, None)
    train_stage(mixed, morpher, None, stop_after=2)
    _require_success([*TORCHRUN, *_command(shards, mixed.folder, ("morpher",), length)])
    back.rolling("morpher").parent.mkdir(parents=True)
    shutil.copy(mixed.folder / "morpher" / "checkpoint-000000024.pt", back.rolling("morpher"))
    assert _state(back.folder, "morpher").step == 6
    train_stage(back, morpher, None)
    for other in (mixed, back):
        _require_alike(_state(whole.folder, "morpher"), _state(other.folder, "morpher"))


def test_several_processes_train_from_pictures_that_are_kept(shards: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    stages = ("rotator-L1", "combiner-L1-L1")
    for folder, launch in ((one, ()), (two, TORCHRUN)):
        command = _command(shards, folder, stages, "all.samples=32", "upkeep.precompute=true")
        _require_success([*launch, *command])
        assert len(list((folder / FOLDER).glob("*/part-*.npy"))) == 1
    for stage in stages:
        _require_alike(_state(one, stage), _state(two, stage))


def test_a_process_that_is_lost_ends_the_others_in_words(shards: Path, tmp_path: Path) -> None:
    words = [sys.executable, *_command(shards, tmp_path, ("morpher",), "all.samples=100000")]
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = str(asked.getsockname()[1])
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    kept, lost = (
        subprocess.Popen(
            words,
            cwd=REPOSITORY,
            env=_environment() | group | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    )
    path = tmp_path / "morpher" / "checkpoint.pt"
    with kept, lost:
        patience = time.monotonic() + 120
        while not path.exists() and kept.poll() is None:
            assert time.monotonic() < patience
            time.sleep(0.05)
        lost.send_signal(signal.SIGKILL)
        lost.communicate()
        said = kept.communicate(timeout=120)[1]
    assert kept.returncode == 1, said
    (fault,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "another process of this training ended" in fault
    assert "Traceback" not in said
    assert load_checkpoint(path).step > 0


def test_a_killed_run_goes_on_from_a_whole_checkpoint(shards: Path, tmp_path: Path) -> None:
    words = [sys.executable, *_command(shards, tmp_path, ("morpher",), "all.samples=100000")]
    path = tmp_path / "morpher" / "checkpoint.pt"
    steps: list[int] = []
    for _ in range(2):
        with subprocess.Popen(
            words, cwd=REPOSITORY, env=_environment(), stderr=subprocess.DEVNULL
        ) as process:
            before = path.stat().st_mtime_ns if path.exists() else 0
            patience = time.monotonic() + 60
            while not path.exists() or path.stat().st_mtime_ns == before:
                assert time.monotonic() < patience
                time.sleep(0.02)
            time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
        steps.append(load_checkpoint(path).step)
    assert 0 < steps[0] < steps[1]
