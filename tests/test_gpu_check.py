"""`make gpu-check`: every check as far as a CPU takes it, and what it says of a machine without."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from bench import gpu_check
from bench.gpu import cost as cost_module
from bench.gpu import learning
from bench.gpu.cost import Cost, cost, estimate, hours_of
from bench.gpu.exported import CPU as ON_CPU
from bench.gpu.exported import exported
from bench.gpu.learning import Trained, resume, stages, two_processes
from bench.gpu.outcome import Outcome, as_json, exit_code
from bench.gpu.pictures import Drawn, agreement, pictures
from bench.gpu.process import in_own_process
from bench.gpu.scale import TINY
from contract.image import Stored
from models.base.execution import Execution, Precision
from models.files import onnx_export
from tests.support.timing import seconds_of
from train.data.batch import CPU
from train.plan.presets import PAPER
from train.plan.stages import STAGES
from train.run.checkpoint import Checkpoint
from train.run.run import Run
from train.run.trainee import Trainee


def _drawn(*drawn: Stored) -> Drawn:
    return Drawn("one", drawn, 1.0)


def _grey(*changes: tuple[int, int]) -> Stored:
    """100 x 100 pixels; the first ``count`` of them changed by ``by`` in one channel."""
    picture = np.full((100, 100, 4), 100, np.uint8)
    for count, by in changes:
        picture.reshape(-1, 4)[:count, 2] = 100 + by
    return picture


# Pictures.


@pytest.mark.parametrize(
    ("changes", "result"),
    [([(10_000, 2)], "passed"), ([(10, -90)], "passed"), ([(11, 3)], "failed")],
    ids=["all by two", "one in a thousand by much", "more by three"],
)
def test_pictures_agree_on_nearly_all_pixels(changes: list[tuple[int, int]], result: str) -> None:
    found = agreement(_drawn(_grey(), _grey(*changes)), _drawn(_grey(), _grey()))
    assert found.result == result
    assert found.numbers["largest_differences"] == [0, abs(changes[0][1])]


def test_the_software_renderer_agrees_with_itself(tmp_path: Path) -> None:
    same, pace, together = pictures("software", TINY, tmp_path)
    assert same.result == "passed"
    assert same.numbers["shares"] == [1.0] * (1 + 2 * TINY.poses)
    for one in (pace, together):  # how much faster a machine is no test can tell
        ratio = one.numbers["ratio"]
        assert isinstance(ratio, float) and ratio > 0


# Training.


def test_losses_are_read_from_their_running_mean() -> None:
    losses, means = [0.5, 0.25, 0.75], [0.5]
    for loss in losses[1:]:
        means.append(0.99 * means[-1] + 0.01 * loss)
    assert learning._undone(means) == pytest.approx(losses)


def test_every_stage_learns_in_half_precision_as_in_whole(tmp_path: Path) -> None:
    found = stages(CPU, "bfloat16", False, TINY, tmp_path)
    assert [one.name for one in found] == [f"{name}, bfloat16" for name in STAGES]
    assert {one.result for one in found} == {"passed"}, found
    for one in found:
        losses = one.numbers["losses"]
        assert isinstance(losses, list) and len(losses) == 3
        assert one.numbers["furthest"] != 0  # it was another arithmetic


def test_a_loss_that_strays_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def strayed(run: Run, _stage: object) -> Trained:
        return Trained([1.0, 1.0 + 0.04 * run.upkeep.channels_last], 0)

    monkeypatch.setattr(learning, "trained", strayed)
    assert stages(CPU, "float16", False, TINY, tmp_path)[0].result == "failed"


@pytest.mark.parametrize(("stage", "precision"), gpu_check._RESUMED)
def test_what_is_gone_on_with_is_the_same(stage: str, precision: Precision, tmp_path: Path) -> None:
    found = resume(CPU, STAGES[stage], precision, TINY, tmp_path)
    assert found.result == "passed", found
    assert found.numbers == {"apart": 0, "usual": 0, "restored": True}


def test_what_is_not_restored_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Trainee, checkpoint: Checkpoint) -> None:
        self.step = checkpoint.step

    monkeypatch.setattr(Trainee, "restore", forgetful)
    found = resume(CPU, STAGES["morpher"], "float32", TINY, tmp_path)
    assert found.result == "failed"
    assert found.numbers["restored"] is False
    assert found.numbers["apart"] != 0


def test_two_processes_come_to_the_same_weights(tmp_path: Path) -> None:
    assert two_processes(CPU, TINY, tmp_path).result == "passed"


# Cost.


def test_a_batch_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def steps(_stage: object, _plan: object, _way: object, _device: object, batch: int) -> object:
        tried.append(batch)
        if batch > 6:
            raise torch.OutOfMemoryError
        return 0.5, 7_000_000_000

    monkeypatch.setattr(cost_module, "_steps", steps)
    found = cost(STAGES["morpher"], PAPER, Execution(), CPU)
    assert tried == [25, 12, 6]
    assert found == Cost("morpher", 6, 25, 0.5, 7_000_000_000)
    row = cost_module._memory(found, Execution())
    assert (row.result, row.said) == ("failed", "batch 25 does not fit; 6 do: 7.0 GB")


def test_hours_are_of_all_samples_at_the_batch_that_fits() -> None:
    whole, half = Cost("morpher", 25, 25, 0.36, None), Cost("rotator-L1", 5, 25, 0.36, None)
    assert hours_of(PAPER, whole) == pytest.approx(3_000_000 / 25 * 0.36 / 3600)
    found = estimate(PAPER, Execution(), [whole, half])
    assert found.numbers["total"] == pytest.approx(12 + 60)
    assert found.said == "72.0 hours of steps (morpher 12.0, rotator-L1 60.0)"


def test_what_a_stage_costs_is_measured_here_too() -> None:
    stage = STAGES["combiner-L1-P"]
    found = cost(stage, TINY.costly, Execution(True, "bfloat16"), CPU)
    assert (found.batch, found.wanted_batch, found.peak_bytes) == (2, 2, None)
    assert found.step_seconds > 0


# ONNX.


def test_exported_networks_agree_with_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The graphs that decide alone are looked at: what applies it need not be as it is written.
    monkeypatch.setattr(onnx_export, "_STRIPS", 1)
    monkeypatch.setattr(torch.onnx, "export", partial(torch.onnx.export, optimize=False))
    found = exported(ON_CPU, TINY, tmp_path)
    assert [(one.name, one.result) for one in found] == [
        ("ONNX, express", "passed"),
        ("ONNX, turn", "passed"),
    ]
    assert exported("NoProvider", TINY, tmp_path)[0].result == "skipped"


# All of them.


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_check_that_dies_hangs_or_raises_costs_itself_only() -> None:
    assert in_own_process("a", list, 60) == []
    (raised,) = in_own_process("a", partial(int, "x"), 60)  # type: ignore[arg-type]
    assert raised.result == "failed" and raised.said.startswith("ValueError: invalid literal")
    (left,) = in_own_process("a", partial(os._exit, 3), 60)
    assert left.said == "its process died (exit code 3)"
    (died,) = in_own_process("a", partial(signal.raise_signal, signal.SIGSEGV), 60)  # type: ignore[arg-type]
    assert died.said == "its process died (SIGSEGV)"
    silent = partial(in_own_process, "a", partial(time.sleep, 1000), 0.5)  # type: ignore[arg-type]
    assert silent() == [Outcome("a", "failed", "not done after 0 s")]
    assert seconds_of(silent) < 60


def test_for_what_no_time_is_left_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gpu_check.run_all(CPU, "software", TINY, 0)
    assert {(one.result, one.said) for one in found} == {("skipped", "no time was left for it")}
    names = [one.name for one in found]
    assert names[0] == "doctor" and names[-2:] == ["stages, bfloat16", "stages, float16"]
    assert exit_code(found) == 0
    assert exit_code([*found, replace(found[0], result="failed")]) == 1


def test_all_is_kept_as_json() -> None:
    one = Outcome("a", "passed", "well", {"n": [1.5]})
    document = json.loads(as_json(gpu_check.machine(CPU), [one]))
    assert document["checks"] == [
        {"name": "a", "result": "passed", "said": "well", "numbers": {"n": [1.5]}}
    ]
    assert document["machine"]["device"] == "cpu"


def test_a_machine_without_a_card_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = CliRunner().invoke(gpu_check.main, [])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert done.output.startswith("error: no graphics card that torch can use; `make gpu-check`")


def test_the_whole_table_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Outcome("pictures", "passed", "alike"), Outcome("resume", "failed", "NOT restored")]
    monkeypatch.setattr(gpu_check, "run_all", lambda *_: rows)
    done = CliRunner().invoke(gpu_check.main, ["--device", "cpu", "-o", str(tmp_path / "a.json")])
    assert done.exit_code == 1
    assert "FAILED" in done.output and "alike" in done.output
    assert len(json.loads((tmp_path / "a.json").read_bytes())["checks"]) == 2
