"""File systems that have no locks: work goes on, is said once, and nothing is called damaged."""

from __future__ import annotations

import errno
import fcntl
import io
import os
from pathlib import Path

import pytest

from contract import lock
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.catalog.choose import Wish, choose
from dataset.scan.scan import scan
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import FIVE, PATIENT, assert_sound, run, write_models
from tests.support.tiny_renderer import open_tiny_renderer, open_tiny_scanner


@pytest.mark.parametrize("code", ["ENOLCK", "EOPNOTSUPP", "EINVAL", "ENOSYS"])
def test_scan_and_build_go_on_without_locks(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_fd: int, _operation: int) -> None:
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(lock, "_told_of", set())
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok"})
    out, log = tmp_path / "out", io.StringIO()
    progress = LogProgress(log, "models")
    for _ in range(2):  # what the first run leaves locks nobody out
        catalog = scan(models, out / "catalog.jsonl", PATIENT, open_tiny_scanner, progress)
        selection = choose(catalog, {}, Wish())
        build(models, selection, out, FIVE, PATIENT, open_tiny_renderer, progress)
    assert_sound(out)
    # Where not even the call exists, files stand in for locks.
    assert log.getvalue().count("has no locks") == (code != "ENOSYS")


def test_shards_are_read_without_asking_for_their_lock(tmp_path: Path) -> None:
    """Somebody holds it all the while, which to HDF5 is like a file system that has none."""
    models = write_models(tmp_path / "models", {"a": "ok"})
    run(models, tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.h5")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with ShardReader(path) as reader:
            assert len(reader) == 5
        assert_sound(tmp_path / "out")
