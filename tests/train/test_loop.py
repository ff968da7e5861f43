"""The loop: exact resume, several processes, and stopping where going on would do harm."""

from __future__ import annotations

import json
import pickle
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from contract.errors import InputError, TrainingError
from models.base.execution import Precision
from tests.support.real_filters import real_vgg16_state
from tests.support.tiny_runs import open_run, tiny_plan
from tests.support.tiny_shards import write_shards
from train.loss.vgg import Vgg16, vgg16_from_state
from train.plan.plan import StageSettings, TrainingPlan
from train.plan.stages import STAGES
from train.run.assemble import assemble
from train.run.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from train.run.loop import stopping_softly, train_stage
from train.run.run import Run, write_run
from train.run.watch import HISTORY_FILE, open_watch, read_history

BATCH = 4


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


def _plan(steps: int = 6) -> TrainingPlan:
    return tiny_plan(StageSettings(BATCH, BATCH * steps, 1e-2, 8, "cosine", 0.5, 0.2))


def _run(
    shards: Path, folder: Path, plan: TrainingPlan | None = None, vgg: Vgg16 | None = None
) -> Run:
    return open_run(shards, folder, plan or _plan(), vgg)


def _state(run: Run, stage: str) -> Checkpoint:
    return load_checkpoint(run.rolling(stage))


def _same(one: object, other: object) -> bool:
    """Equal bit for bit, tensors inside mappings and lists included."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _without_seconds(checkpoint: Checkpoint) -> dict[str, object]:
    return vars(replace(checkpoint, seconds=0.0))


@pytest.fixture(scope="module")
def rotators(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose L1 rotator is trained, for the stages that need it."""
    folder = tmp_path_factory.mktemp("rotators")
    train_stage(_run(shards, folder), STAGES["rotator-L1"], None)
    return folder


@pytest.mark.parametrize(
    ("stage", "precision"),
    [
        ("morpher", "float32"),
        ("morpher", "float16"),
        ("rotator-L1", "float32"),
        ("rotator-P", "float32"),
        ("combiner-L1-L1", "float32"),
        ("combiner-L1-P", "float32"),
    ],
)
def test_three_steps_and_three_more_are_six_bit_for_bit(
    shards: Path, rotators: Path, tmp_path: Path, stage: str, precision: Precision
) -> None:
    vgg = vgg16_from_state(real_vgg16_state(), "real filters") if "P" in stage else None
    plan = replace(_plan(), precision=precision)
    whole, parts = (_run(shards, tmp_path / name, plan, vgg) for name in ("whole", "parts"))
    for run in (whole, parts):
        run.folder.mkdir()
        for needed in STAGES[stage].needs:
            (run.folder / needed).symlink_to(rotators / needed)
    train_stage(whole, STAGES[stage], None)
    train_stage(parts, STAGES[stage], None, stop_after=3)
    assert _state(parts, stage).step == 3
    assert not parts.is_finished(stage)
    torch.manual_seed(99)  # what happened in between must not matter
    train_stage(parts, STAGES[stage], None)
    assert _same(_without_seconds(_state(whole, stage)), _without_seconds(_state(parts, stage)))
    assert whole.is_finished(stage)
    assert not _same(_state(whole, stage).network, _state(whole, stage).ema)


def test_float16_scales_gradients_and_learns_like_float32(shards: Path, tmp_path: Path) -> None:
    losses = {}
    for precision in ("float32", "float16"):
        run = _run(shards, tmp_path / precision, replace(_plan(steps=12), precision=precision))
        train_stage(run, STAGES["rotator-L1"], None)
        losses[precision] = _state(run, "rotator-L1").loss
    scaler = _state(run, "rotator-L1").scaler
    assert scaler["scale"] > 1
    assert scaler["_growth_tracker"] >= 10  # a first step may be left out, to lower the scale
    assert losses["float16"] == pytest.approx(losses["float32"], rel=0.02)
    assert losses["float16"] != losses["float32"]


def test_the_stages_build_on_each_other(shards: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    run = _run(shards, tmp_path, _plan(steps=3), Vgg16())
    with pytest.raises(InputError, match="rotator-L1"):
        train_stage(run, STAGES["combiner-L1-P"], None)
    with open_watch(tmp_path, stream=sys.stderr) as watch:
        for stage in STAGES.values():
            train_stage(run, stage, watch)
    start = load_checkpoint(tmp_path / "rotator-L1" / "head-start.pt")
    assert start.step == 2
    p_first = replace(run, folder=tmp_path / "again")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "rotator-L1").symlink_to(tmp_path / "rotator-L1")
    train_stage(p_first, STAGES["rotator-P"], None, stop_after=0)
    assert not p_first.rolling("rotator-P").exists()
    assert (tmp_path / "morpher" / "grid-000000012.png").is_file()
    assert (tmp_path / "morpher" / "checkpoint-000000008.pt").exists() is False
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert {row["stage"] for row in rows} == set(STAGES)
    assert any((tmp_path / "tensorboard").iterdir())


def test_a_perceptual_combiner_may_start_from_the_one_with_l1(
    shards: Path, rotators: Path, tmp_path: Path
) -> None:
    plan = _plan()
    still = replace(plan.stages["morpher"], learning_rate=1e-12)
    warm = {**plan.stages, "combiner-L1-P": replace(still, from_l1=True)}
    run = _run(shards, tmp_path, replace(plan, stages=warm), Vgg16())
    (tmp_path / "rotator-L1").symlink_to(rotators / "rotator-L1")
    train_stage(run, STAGES["combiner-L1-L1"], None, stop_after=1)
    with pytest.raises(InputError, match=r"at step 1 of 6; train that stage first"):
        train_stage(run, STAGES["combiner-L1-P"], None)
    train_stage(run, STAGES["combiner-L1-L1"], None)
    train_stage(run, STAGES["combiner-L1-P"], None, stop_after=1)
    given, begun = _state(run, "combiner-L1-L1").weights, _state(run, "combiner-L1-P").network
    for name, tensor in given.items():
        assert torch.allclose(tensor, begun[name], atol=1e-6), name


def test_networks_are_run_as_the_run_says(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory pixel by pixel, and compiled: the network and the rotator that it builds on."""
    compiled: list[str] = []
    note = lambda network: compiled.append(type(network).__name__)  # noqa: E731
    monkeypatch.setattr(torch.nn.Module, "compile", note)
    plain = _run(shards, tmp_path / "plain")
    said = replace(plain.upkeep, channels_last=True, compiled=True)
    fast = replace(plain, folder=tmp_path / "fast", upkeep=said)
    for run in (plain, fast):
        for name in ("rotator-L1", "combiner-L1-L1"):
            train_stage(run, STAGES[name], None)
    assert compiled == ["FaceRotator", "FaceRotator", "Combiner"]
    for name in ("rotator-L1", "combiner-L1-L1"):
        one, other = _state(plain, name), _state(fast, name)
        assert one.loss == pytest.approx(other.loss, rel=1e-3)
        for state, is_last in ((one, False), (other, True)):
            filters = [t for t in state.network.values() if t.ndim == 4 and min(t.shape[1:]) > 1]
            assert filters
            assert all((not t.is_contiguous()) == is_last for t in filters)


@pytest.mark.parametrize(
    "half", [b'{"stage": "mor', b'{"stage": "mor{"stage": "x"}\n', b'7\n{"samples": 1}\n']
)
def test_a_history_that_a_killed_run_left_half_is_read_and_goes_on(
    shards: Path, tmp_path: Path, half: bytes
) -> None:
    run = _run(shards, tmp_path, _plan(steps=4))
    write_run(run, {"train": ["s0"], "validation": [], "test": []})
    with open_watch(tmp_path) as watch:
        train_stage(run, STAGES["morpher"], watch, stop_after=2)
    path = tmp_path / HISTORY_FILE
    (first,) = read_history(tmp_path)
    assert first["stage"] == "morpher" and first["samples"] == 2 * BATCH
    with path.open("ab") as file:
        file.write(half)
    assert read_history(tmp_path) == [first]
    with open_watch(tmp_path) as watch:
        train_stage(run, STAGES["morpher"], watch)
    rows = read_history(tmp_path)
    assert [row["samples"] for row in rows] == [2 * BATCH, 4 * BATCH]
    assert assemble(tmp_path).metrics == {"held_out": {"morpher": rows[1]}}


def test_training_lowers_the_loss(shards: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path, _plan(steps=60))
    with open_watch(tmp_path) as watch:
        train_stage(run, STAGES["morpher"], watch)
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert rows[-1]["held_out_mse"]["output"] < 0.5 * rows[0]["held_out_mse"]["output"]
    assert rows[-1]["held_out_mse"]["output"] < rows[-1]["copying_mse"]


def test_another_plan_or_other_data_is_refused_by_name(shards: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path)
    train_stage(run, STAGES["morpher"], None, stop_after=1)
    before = run.rolling("morpher").read_bytes()
    other = replace(run, plan=replace(run.plan, seed=1))
    with pytest.raises(InputError, match="begun with seed = 0, now 1"):
        train_stage(other, STAGES["morpher"], None)
    with pytest.raises(InputError, match="begun with data"):
        train_stage(replace(run, fingerprint="other"), STAGES["morpher"], None)
    assert run.rolling("morpher").read_bytes() == before


def test_an_exploding_loss_stops_with_the_samples_and_the_state_before(
    shards: Path, tmp_path: Path
) -> None:
    run = _run(shards, tmp_path)
    train_stage(run, STAGES["morpher"], None, stop_after=2)
    good = _state(run, "morpher")
    weights = dict(good.network)
    weights["change_head.weight"] = weights["change_head.weight"] * float("nan")
    save_checkpoint(run.rolling("morpher"), replace(good, network=weights))
    with pytest.raises(TrainingError, match=r"step 2: the loss is nan.*shard-0000\d\.h5:\d+"):
        train_stage(run, STAGES["morpher"], None)
    assert load_checkpoint(tmp_path / "morpher" / "before-failure.pt").step == 2
    assert _state(run, "morpher").step == 2


class _Trap:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


def test_a_checkpoint_that_would_run_a_program_is_refused_unrun(
    shards: Path, tmp_path: Path
) -> None:
    run = _run(shards, tmp_path)
    path = run.rolling("morpher")
    path.parent.mkdir(parents=True)
    for content in (pickle.dumps(_Trap(tmp_path / "sprung")), b"", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"checkpoint\.pt"):
            train_stage(run, STAGES["morpher"], None)
        assert path.read_bytes() == content
    torch.save({"format": "opentha-checkpoint", "trap": _Trap(tmp_path / "sprung")}, path)
    with pytest.raises(InputError, match="refused"):
        load_checkpoint(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version is 2, here 1"),
        ({"contract": {"pose_version": 9}}, "pose_version is 9, here 1"),
        ({"contract": None}, "pose_version is None, here 1"),
        ({"checkpoint": {"depth": 1}}, "fields are missing or unknown"),
    ],
)
def test_a_checkpoint_of_another_convention_is_refused_by_what_differs(
    change: dict[str, object], fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.pt"
    written = Checkpoint("morpher", {}, 0, {}, None, {}, torch.zeros(1), 0.0, None)
    save_checkpoint(path, written)
    torch.save(torch.load(path, weights_only=True) | change, path)
    with pytest.raises(InputError, match=fault):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("full"), RuntimeError("can't allocate memory: 9 bytes")]
)
def test_running_out_of_memory_says_what_to_lower(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> Tensor:
        raise error

    monkeypatch.setattr("train.run.loop.run_stage", fail)
    with pytest.raises(TrainingError, match=r"--set morpher\.batch=N"):
        train_stage(_run(shards, tmp_path), STAGES["morpher"], None)


def test_a_press_that_arrives_twice_is_one_and_a_later_one_is_heard() -> None:
    """torchrun passes on the Ctrl-C that a terminal has told its processes already."""
    former = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stopping_softly() as stop:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert len(stop) == 2
        stop[0] -= 60
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the later one was not heard")
    assert signal.getsignal(signal.SIGTERM) == former
