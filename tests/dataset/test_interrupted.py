"""Whole runs that are killed, interrupted, damaged or out of space, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import pytest

from contract.errors import InputError
from contract.lock import only_run
from dataset.catalog.quarantine import Quarantine, Refusal
from tests.conftest import REPOSITORY
from tests.support.tiny_builds import (
    COMMAND,
    assert_sound,
    run,
    tables,
    write_models,
)
from tests.support.tiny_renderer import SLOWNESS, open_killed_once, select_all


def test_damaged_and_lost_shards_are_made_again(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(8)})
    out = tmp_path / "out"
    run(models, out)
    before = tables(out)
    shards = sorted(out.glob("*.h5"))
    damaged = bytearray(shards[0].read_bytes())
    with h5py.File(shards[0]) as file:
        damaged[file["frames"].id.get_offset() + 40] ^= 4
    shards[0].write_bytes(damaged)
    shards[1].write_bytes(shards[1].read_bytes()[:-100])
    shards[2].unlink()
    kept = shards[3].stat().st_mtime_ns
    _, log = run(models, out)
    assert "frame 0: its bytes changed (checksum differs): it is made again" in log
    assert "no whole HDF5 file" in log
    assert tables(out) == before
    assert shards[3].stat().st_mtime_ns == kept


def test_a_half_written_quarantine_row_is_dropped(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "refuse"})
    run(models, tmp_path / "out")
    with (tmp_path / "out" / "quarantine.jsonl").open("a") as file:
        file.write('{"path": "a.pmx", "sha')
    run(models, tmp_path / "out")
    assert [row.path for row in Quarantine(tmp_path / "out").rows] == ["b.pmx"]


def test_a_worker_that_is_killed_once_costs_no_model(tmp_path: Path) -> None:
    behaviours = {f"m{n}": "ok" for n in range(6)} | {"m2": "drawn-killed-once"}
    models = write_models(tmp_path / "models", behaviours)
    summary, _ = run(models, tmp_path / "out")
    assert (summary.models, summary.quarantined) == (6, 0)
    (tmp_path / "whole").mkdir()
    run(models, tmp_path / "whole")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_a_worker_that_is_killed_while_it_starts_is_started_again(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok"})
    opening = partial(open_killed_once, tmp_path / "mark")
    summary, _ = run(models, tmp_path / "out", open_renderer=opening)
    assert (summary.models, summary.quarantined) == (2, 0)
    assert (tmp_path / "mark.died").exists()


def test_a_plan_takes_mended_models_back_and_draws_no_other_again(tmp_path: Path) -> None:
    models, out = (
        write_models(tmp_path / "models", {"a": "ok", "b": "ok", "c": "ok"}),
        tmp_path / "out",
    )
    whole = select_all(models)
    b = whole.models[1]
    refusal = Refusal(b.sha256, "worker-died", "b.pmx: its process was killed", "open")
    without = replace(whole, models=(whole.models[0], whole.models[2]), refused={b.path: refusal})
    run(models, out, selection=without)
    assert [row.path for row in Quarantine(out).rows] == ["b.pmx"]
    before = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    alone = replace(whole, models=(b,))
    pictures_of_one = run(models, tmp_path / "alone", selection=alone)[0].pictures
    summary, _ = run(models, out, selection=whole)
    assert (summary.models, summary.quarantined, summary.pictures) == (3, 0, pictures_of_one)
    after = {path.name: path.read_bytes() for path in out.glob("*.h5")}
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
    assert_sound(out)
    run(models, out, selection=whole)  # once taken back, it is of the plan


def test_a_quarantine_file_that_is_none_is_refused_by_line(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "quarantine.jsonl").write_text("hello\n")
    with pytest.raises(InputError, match=r"quarantine\.jsonl: line 1 is no quarantine row"):
        run(models, tmp_path / "out")


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with (
        only_run(tmp_path / "out", print),
        pytest.raises(InputError, match="another run is writing there"),
    ):
        run(models, tmp_path / "out")


@contextmanager
def started(models: Path, out: Path, slowness: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    """``dataset build`` of the configuration FIVE as a process of its own."""
    script = out.parent / "command.py"
    script.write_text(COMMAND)
    options = "--poses 5 --seed 3 --size 16 --ambient 0.5..1.2 --light-levels 2 --workers 2"
    arguments = [models, "-o", out, *options.split(), "--samples-per-shard", "10"]
    process = subprocess.Popen(
        [sys.executable, script, "build", *map(str, arguments)],
        env=os.environ | {SLOWNESS: str(slowness)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process


def wait_for_a_shard(process: subprocess.Popen[str], out: Path) -> None:
    while not list(out.glob("*.h5")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_a_killed_run_continues_to_the_same_bytes(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(16)})
    out = tmp_path / "out"
    with started(models, out, slowness=0.01) as process:
        wait_for_a_shard(process, out)
        process.kill()
    finished = {path: path.stat().st_mtime_ns for path in out.glob("*.h5")}
    assert 0 < len(finished) < 8
    (out / ".shard-00007.h5.1.tmp").write_text("left by a killed writer")
    _, log = run(models, out)
    assert f"{len(finished)} of 8 shards finished from an earlier run" in log
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    run(models, tmp_path / "whole")
    assert tables(out) == tables(tmp_path / "whole")
    assert_sound(out)


def test_ctrl_c_while_workers_start_is_silent(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with started(models, tmp_path / "out", slowness=0.01) as process:
        while not (tmp_path / "out" / "plan.json").exists():
            time.sleep(0.001)
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(16)})
    with started(models, tmp_path / "out", slowness=0.01) as process:
        wait_for_a_shard(process, tmp_path / "out")
        os.killpg(process.pid, how)  # as a terminal and batch systems do: to the workers too
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.endswith("of 8 shards finished; the same command continues\ninterrupted\n")
    assert "Traceback" not in errors
    names = {path.suffix for path in (tmp_path / "out").iterdir()}
    assert names == {".h5", ".json", ".jsonl", ".cache", ""}  # shards, plan, catalogue, .lock


# Both fill up while pictures are drawn, or while the shard itself is written.
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_full_disk_is_one_line_and_nothing_finished_is_lost(share: float, tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(3)})
    run(models, tmp_path / "whole")
    whole = max(path.stat().st_size for path in (tmp_path / "whole").glob("*.h5"))
    limit = int(whole * share) // 1024  # bash counts in KiB
    command = f"ulimit -f {limit}; exec {sys.executable} -c '{LIMITED}' {models} {tmp_path}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert "cannot be written (File too large); free space or choose another folder" in done.stdout
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left <= {
        ".lock",
        "plan.json",
        "shard-00001.h5",
    }  # the last shard is smaller, and may fit
    run(models, tmp_path / "out")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


LIMITED = """
import io, sys
from pathlib import Path
from contract.errors import InputError
from tests.support.tiny_builds import run
if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]), Path(sys.argv[2], "out"))
    except InputError as error:
        print(error)
"""
