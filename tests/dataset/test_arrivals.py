"""What another machine sends is believed only when it is whole and of the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dataset.build.arrivals import Arrivals
from dataset.build.build_worker import ShardMade
from dataset.build.plan import load_plan
from dataset.jobs.errand import Returned
from dataset.jobs.messages import Message, ModelFailed
from tests.support.tiny_builds import FIVE, run, write_models


@pytest.fixture
def arrivals(tmp_path: Path) -> Arrivals:
    """Of a plan of two shards, which lie sound in the folder "made"."""
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(4)})
    run(models, tmp_path / "made")
    (tmp_path / "out").mkdir()
    return Arrivals(models, load_plan(tmp_path / "made"), tmp_path / "out")


def _returned(tmp_path: Path, *more: Message) -> Returned:
    plan = load_plan(tmp_path / "made")
    name = "shard-00000.h5"
    data = (tmp_path / "made" / name).read_bytes()
    return Returned("tcp://w:1", (*more, ShardMade(plan.shards()[0])), {name: data})


def _left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "out").iterdir()]


def test_a_whole_shard_is_put_in_its_place(arrivals: Arrivals, tmp_path: Path) -> None:
    returned = _returned(tmp_path)
    assert arrivals.take(0, returned) is None
    assert (tmp_path / "out" / "shard-00000.h5").read_bytes() == returned.files["shard-00000.h5"]
    assert arrivals.take(0, returned) is None  # twice does no harm
    assert _left(tmp_path) == ["shard-00000.h5"]


def test_a_damaged_a_missing_and_a_strange_shard_are_refused(
    arrivals: Arrivals, tmp_path: Path
) -> None:
    returned = _returned(tmp_path)
    data = bytearray(returned.files["shard-00000.h5"])
    data[len(data) // 3] ^= 1  # among the pictures, or in HDF5's own structures
    damaged = replace(returned, files={"shard-00000.h5": bytes(data)})
    cut = replace(returned, files={"shard-00000.h5": bytes(data[:1000])})
    models = tmp_path / "models"
    run(models, tmp_path / "strange", replace(FIVE, seed=9))
    strange = (tmp_path / "strange" / "shard-00000.h5").read_bytes()
    less = replace(returned, messages=(ShardMade(load_plan(tmp_path / "made").shards()[0][:1]),))
    for wrong, fault in (
        (damaged, "checksum|damaged|h5"),
        (cut, "no whole HDF5 file"),
        (replace(returned, files={}), "did not come"),
        (replace(returned, files={"shard-00000.h5": strange}), "of another data set"),
        (less, "does not hold what it should"),
    ):
        found = arrivals.take(0, wrong)
        assert found and re.search(fault, found)
    assert _left(tmp_path) == []


def test_a_model_that_is_whole_here_is_not_to_blame(arrivals: Arrivals, tmp_path: Path) -> None:
    unread = ModelFailed(1, "unreadable-file", "m1.pmx: cannot be read", "open")
    found = arrivals.take(0, _returned(tmp_path, unread))
    assert found == "m1.pmx: cannot be read; here it is whole"
    refused = ModelFailed(1, "no-head-bone", "m1.pmx: no head bone", "open")
    assert arrivals.take(0, _returned(tmp_path, refused)) is None


def test_while_the_models_are_gone_nobody_is_to_blame(arrivals: Arrivals, tmp_path: Path) -> None:
    unread = ModelFailed(1, "unreadable-file", "m1.pmx: cannot be read", "open")
    (tmp_path / "models" / "m1.pmx").unlink()
    assert arrivals.take(0, _returned(tmp_path, unread)) is None  # it is as bad here
    (tmp_path / "models").rename(tmp_path / "away")
    assert arrivals.take(0, _returned(tmp_path, unread)) is not None
