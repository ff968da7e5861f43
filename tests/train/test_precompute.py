"""Rotators' pictures, kept on disk: the same training, nothing stale, nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from contract.errors import InputError
from models.networks.face_rotator import FaceRotator
from tests.support.tiny_runs import TINY, open_run, tiny_plan
from tests.support.tiny_shards import SIZE, write_shards
from train.data import pathways as pathways_module
from train.data.batch import load_batch
from train.data.pathways import Pathways
from train.plan.plan import StageSettings
from train.plan.stages import STAGES
from train.run import precompute as precompute_module
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.precompute import FOLDER, precompute
from train.run.run import Run

STAGE = STAGES["combiner-L1-L1"]
SAMPLE_BYTES = 4 + 2 * 4 * SIZE * SIZE * 2


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten samples a part, so that the 24 of the training set make three."""
    monkeypatch.setattr(pathways_module, "PART_BYTES", 10 * SAMPLE_BYTES)


def _run(shards: Path, folder: Path) -> Run:
    return open_run(shards, folder, replace(tiny_plan(StageSettings(4, 32, 1e-2)), ema_samples=0))


def _rotator(seed: int = 0) -> FaceRotator:
    return FaceRotator(TINY, torch.Generator().manual_seed(seed)).requires_grad_(False).eval()


class Kept(NamedTuple):
    pathways: Pathways
    notes: list[str]


def _keep(run: Run, rotator: FaceRotator) -> Kept:
    notes: list[str] = []
    return Kept(precompute(run, STAGE, rotator, notes.append), notes)


def test_what_is_kept_is_what_the_rotator_makes(shards: Path, tmp_path: Path) -> None:
    run, rotator = _run(shards, tmp_path), _rotator()
    kept, notes = _keep(run, rotator)
    assert kept.parts == 3
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        f"part-0000{part}.npy" for part in range(3)
    ]
    size = sum(path.stat().st_size for path in kept.folder.iterdir())
    assert kept.bytes_of(range(3)) == 24 * SAMPLE_BYTES == pytest.approx(size, abs=3 * 1024)
    assert f"24 samples take {24 * SAMPLE_BYTES / 1e9:.2f} GB" in notes[0]
    numbers = [23, 0, 9, 10, 9]
    batch = load_batch(run.samples, numbers, STAGE.pictures, SIZE)
    made = rotator(batch.image, batch.pose[:, STAGE.axes])
    read = kept.read(numbers)
    for one, wanted in zip(read, made[:2], strict=True):
        assert one.dtype == torch.float16
        assert float((one.float() - wanted).abs().max()) <= 2**-12 + 1e-6


def test_training_from_it_is_training_on_the_fly(shards: Path, tmp_path: Path) -> None:
    fly = _run(shards, tmp_path / "fly")
    kept = replace(fly, folder=tmp_path / "kept", upkeep=replace(fly.upkeep, precompute=True))
    train_stage(fly, STAGES["rotator-L1"], None)
    kept.folder.mkdir()
    (kept.folder / "rotator-L1").symlink_to(fly.folder / "rotator-L1")
    for run in (fly, kept):
        train_stage(run, STAGE, None)
    assert not (fly.folder / FOLDER).exists()
    a, b = (load_checkpoint(run.rolling(STAGE.name)) for run in (fly, kept))
    assert a.step == b.step == 8
    assert a.loss == pytest.approx(b.loss, rel=1e-3)
    assert a.loss != b.loss  # the kept pictures were used: they are rounded


def test_a_broken_off_computation_goes_on_where_it_was(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, rotator = _run(shards, tmp_path), _rotator()
    turned = precompute_module._turned
    begun: list[int] = []

    def broken(run: Run, stage: object, rotator: FaceRotator, numbers: range) -> Iterator[object]:
        begun.append(numbers.start)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return turned(run, STAGE, rotator, numbers)

    monkeypatch.setattr(precompute_module, "_turned", broken)
    with pytest.raises(KeyboardInterrupt):
        _keep(run, rotator)
    (folder,) = (tmp_path / FOLDER).iterdir()
    assert [path.name for path in folder.iterdir()] == ["part-00000.npy"]
    first = (folder / "part-00000.npy").stat()
    kept, notes = _keep(run, rotator)
    assert begun == [0, 10, 10, 20]
    assert (folder / "part-00000.npy").stat() == first
    assert kept.missing() == []
    assert f"{14 * SAMPLE_BYTES / 1e9:.2f} GB more" in notes[0]
    assert _keep(run, rotator).notes == []


def test_another_rotator_or_other_data_finds_nothing_kept(shards: Path, tmp_path: Path) -> None:
    run = _run(shards, tmp_path)
    kept, _ = _keep(run, _rotator())
    numbers = range(24)
    for other_run, rotator in (
        (run, _rotator(1)),
        (replace(run, fingerprint="other"), _rotator()),
        (replace(run, samples=run.samples.with_mirror_images()), _rotator()),
        (replace(run, plan=replace(run.plan, precision="bfloat16")), _rotator()),
    ):
        other, notes = _keep(other_run, rotator)
        assert other.folder != kept.folder
        assert notes
    changed, _ = _keep(run, _rotator(1))
    assert not torch.equal(changed.read(numbers), kept.read(numbers))


def test_what_does_not_fit_the_disk_is_refused_before_it_starts(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    free = precompute_module._SPARE + 24 * SAMPLE_BYTES - 1
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free))
    with pytest.raises(InputError, match=r"24 samples take .* GB more, and 1\.07 GB are free"):
        _keep(_run(shards, tmp_path), _rotator())
    (folder,) = (tmp_path / FOLDER).iterdir()
    assert not list(folder.iterdir())


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    kept = Pathways(tmp_path, 2, SIZE)

    def picture(value: float) -> Tensor:
        return torch.full((2, 4, SIZE, SIZE), value)

    kept.write(0, [(picture(0.5), picture(-1.0))])
    assert torch.equal(kept.read([1])[:, 0, 0, 0, 0], torch.tensor([0.5, -1.0]).half())
    path = tmp_path / "part-00000.npy"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(InputError, match=r"part-00000\.npy: record 1: its bytes changed"):
        Pathways(tmp_path, 2, SIZE).read([0, 1])
    for content in (data[:-9], b"", data.replace(b"<u4", b"<f4")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"part-00000\.npy"):
            Pathways(tmp_path, 2, SIZE).read([0])
