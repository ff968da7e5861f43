"""Files that are read and written: pipes, bounds, and what killed writers left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from animate.motion.motion import read_csv
from animate.track.calibration import load
from contract.errors import InputError
from contract.files import read_file, replacing, scratch_folder, temporary_of, write_bytes
from contract.lock import only_run
from dataset.catalog.corrections import load_corrections
from dataset.shards.split_file import read_split
from models.base.config import NetworkConfig
from models.files.bundle import load_bundle, save_bundle
from models.files.onnx_record import read_onnx_record
from tests.support.untrained import untrained
from train.run.run import read_run

NOT_WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def gone() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


# Reading.


@NOT_WINDOWS
@pytest.mark.timeout(20)
def test_a_pipe_where_a_file_should_be_keeps_nobody_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "bundle.json"
    os.mkfifo(pipe)
    for other in ("onnx.json", "run.json"):
        os.mkfifo(tmp_path / other)
    for read in (
        lambda: read_csv(pipe, 25),
        lambda: read_split(pipe),
        lambda: load_corrections(pipe),
        lambda: load(pipe),
        lambda: load_bundle(tmp_path),
        lambda: read_onnx_record(tmp_path),
        lambda: read_run(tmp_path),
    ):
        with pytest.raises(InputError):
            read()


def test_reading_is_bounded_and_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(1 << 20))
    assert len(read_file(path, 1 << 20)) == 1 << 20
    with pytest.raises(InputError, match="over 0 MiB, which is not read"):
        read_file(path, (1 << 20) - 1)
    for wrong in (tmp_path, tmp_path / "none", tmp_path / ("n" * 400), Path("a\0b")):
        with pytest.raises(InputError):
            read_file(wrong, 1)


def test_a_bundle_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the system's answer is made up."""
    config = NetworkConfig(size=16, channels=2, max_channels=4, residual_blocks=1)
    save_bundle(tmp_path / "bundle", untrained(config, "L1"))
    assert load_bundle(tmp_path / "bundle").configurations()
    usual = Path.open

    def refusing(path: Path, *arguments: object, **options: object) -> object:
        if path.suffix == ".safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refusing)
    with pytest.raises(InputError, match=r"\.safetensors: cannot be read \(Permission denied\)"):
        load_bundle(tmp_path / "bundle")


# Writing.


@NOT_WINDOWS
def test_what_a_process_that_is_gone_left_is_removed_by_the_next_that_writes_there(
    tmp_path: Path,
) -> None:
    dead, living = gone(), os.getppid()
    left = [tmp_path / f".a.png.{dead}.tmp", tmp_path / f".b.{dead}.tmp"]
    others = [
        tmp_path / f".a.png.{living}.tmp",  # its process may still be writing
        tmp_path / ".a.png.tmp",  # nobody knows whose
        tmp_path / f"a.png.{dead}.tmp",
    ]
    for path in (left[0], *others):
        path.write_bytes(b"half")
    left[1].mkdir()
    (left[1] / "inner").touch()
    write_bytes(tmp_path / "a.png", b"whole")
    assert not left[0].exists()
    assert left[1].exists()  # it is not written yet
    temporary_of(tmp_path / "b")
    assert not left[1].exists()
    assert all(path.exists() for path in others)


@NOT_WINDOWS
def test_what_killed_processes_left_among_temporary_files_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = (f"opentha-serve-{gone()}-a", f"opentha-serve-{os.getppid()}-b", "opentha-serve-x")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.gif").touch()
    other = tmp_path / f"opentha-export-{gone()}-c"
    other.mkdir()
    with scratch_folder("serve") as folder:
        (folder / "recording.gif").touch()
        found = {path.name for path in tmp_path.iterdir()}
        assert found == {*names[1:], other.name, folder.name}
    assert not folder.exists()


def test_a_run_removes_what_lies_in_its_folders(tmp_path: Path) -> None:
    stage = tmp_path / "run" / "morpher"
    stage.mkdir(parents=True)
    half = stage / f".checkpoint-000000100.pt.{gone()}.tmp"
    half.touch()
    kept = stage / f".checkpoint.pt.{os.getppid()}.tmp"
    kept.touch()
    with only_run(tmp_path / "run", lambda _: None):
        assert not half.exists()
        assert kept.exists()


@NOT_WINDOWS
def test_a_bundle_that_was_moved_aside_by_a_process_that_is_gone_comes_back(tmp_path: Path) -> None:
    config = NetworkConfig(size=16, channels=2, max_channels=4, residual_blocks=1)
    bundle, folder = untrained(config, "L1"), tmp_path / "bundle"
    save_bundle(folder, bundle)
    folder.rename(tmp_path / f".bundle.{gone()}.old")
    with pytest.raises(InputError, match="exists already"):
        save_bundle(folder, bundle)  # it does again
    load_bundle(folder)
    folder.rename(tmp_path / f".bundle.{gone()}.old")
    save_bundle(folder, bundle, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_that_cannot_be_written_is_told_of_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match="cannot be written"),
        replacing(tmp_path / "file" / "a.png"),
    ):
        pytest.fail("worked in vain")
    with pytest.raises(InputError, match="is a folder"), replacing(tmp_path):
        pytest.fail("worked in vain")
