"""Shares of a build, made apart and gathered, are the build."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from contract.errors import InputError
from contract.lock import only_run
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.build.plan import BuildShare, share_from
from tests.support.tiny_builds import (
    FIVE,
    PATIENT,
    assert_sound,
    quarantine_rows,
    run,
    write_models,
)
from tests.support.tiny_renderer import open_tiny_renderer, select_all


def make_share(models: Path, out: Path, share: BuildShare) -> tuple[int, int]:
    """The shards and pictures that a share came to."""
    progress = LogProgress(io.StringIO(), "samples")
    wanted = select_all(models)
    made = build(models, wanted, out, FIVE, PATIENT, open_tiny_renderer, progress, None, share)
    return made.shards, made.pictures


def _files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.h5")}


def test_gathered_shares_are_the_whole_build(tmp_path: Path) -> None:
    names = {f"m{n}": "refuse" if n == 3 else "ok" for n in range(10)}
    models = write_models(tmp_path / "models", names)
    run(models, tmp_path / "whole")
    out = tmp_path / "out"
    counts = [make_share(models, out, BuildShare(number, 3))[0] for number in range(3)]
    assert counts == [2, 2, 1]
    assert sorted(path.name for path in (out / "share-1-of-3").glob("*.h5")) == [
        "shard-00001.h5",
        "shard-00004.h5",
    ]
    summary, log = run(models, out)
    assert (summary.pictures, summary.shards, summary.quarantined) == (0, 5, 1)
    assert "2 shards gathered from share-0-of-3" in log
    assert _files(out) == _files(tmp_path / "whole")
    assert quarantine_rows(out) == quarantine_rows(tmp_path / "whole")
    assert not list(out.glob("share-*"))
    assert_sound(out)


def test_a_share_that_was_never_made_is_made_by_the_build(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(6)})
    make_share(models, tmp_path / "out", BuildShare(1, 3))
    assert run(models, tmp_path / "out")[0].shards == 3
    run(models, tmp_path / "whole")
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")


def test_a_share_goes_on_and_may_be_empty(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(2)})
    first = make_share(models, tmp_path / "out", BuildShare(0, 2))
    assert first[0] == 1 and first[1] > 0
    assert make_share(models, tmp_path / "out", BuildShare(0, 2)) == (1, 0)
    assert make_share(models, tmp_path / "out", BuildShare(1, 2)) == (0, 0)


def test_a_share_that_is_being_made_is_not_gathered(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    share = BuildShare(0, 2)
    make_share(models, tmp_path / "out", share)
    with (
        only_run(share.folder(tmp_path / "out"), print),
        pytest.raises(InputError, match="share-0-of-2: another run is writing there"),
    ):
        run(models, tmp_path / "out")


@pytest.mark.parametrize("text", ["", "3", "3/3", "-1/3", "1/0", "a/b", "0/99999"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"give one as 0/16"):
        share_from(text)
    assert share_from("2/3") == BuildShare(2, 3)
