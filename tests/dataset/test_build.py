"""Whole runs, with worker processes, over models that behave as their files say."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.errors import DeviceError, InputError
from contract.pose import REST, pose_from_vector
from dataset.build.configuration import Configuration
from dataset.build.sampling import draw_sample
from dataset.catalog.provenance import hash_model
from dataset.jobs.pool import Crew
from dataset.shards.shard import ShardReader
from tests.support.tiny_builds import (
    SIZE,
    assert_sound,
    quarantine_rows,
    run,
    tables,
    write_models,
)
from tests.support.tiny_renderer import RENDERER_NAME, tiny_picture

# A run without trouble.


def test_every_sample_is_the_picture_of_its_pose_model_and_light(tmp_path: Path) -> None:
    names = {"源/霊夢": "ok", "a/mio": "ok", "a/ritsu": "ok"}
    models = write_models(tmp_path / "models", names)
    summary, log = run(models, tmp_path / "out")
    assert (summary.models, summary.samples, summary.shards) == (3, 15, 2)
    assert log.startswith("3 models x 5 poses = 15 samples in 2 shards\n")
    assert_sound(tmp_path / "out")
    seen = []
    for path in sorted((tmp_path / "out").glob("*.h5")):
        reader = ShardReader(path)
        assert reader.header.gl_renderer == RENDERER_NAME
        for i, row in enumerate(reader.samples):
            model = reader.models[row["model"]]
            seen.append((model.path, int(row["index"])))
            sample = reader.sample(i)
            pose = pose_from_vector(sample.pose)
            for picture, shown in (
                (sample.rest, REST),
                (sample.expression, pose.face_only()),
                (sample.posed, pose),
            ):
                expected = tiny_picture(model.facts.name, shown, sample.light, SIZE)
                np.testing.assert_array_equal(picture, expected)
    assert seen == [(f"{name}.pmx", i) for name in sorted(names) for i in range(5)]


def test_the_rest_picture_is_stored_once_for_each_light_in_use(tmp_path: Path) -> None:
    run(write_models(tmp_path / "models", {"mio": "ok"}), tmp_path / "out")
    with ShardReader(tmp_path / "out" / "shard-00000.h5") as reader:
        lights = {(row["light"], row["rest"]) for row in reader.samples}
        assert len(lights) == len({light for light, _ in lights}) == 2
        assert len(reader.frame_bytes) == 5 * 2 + 2


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(6)})
    run(models, tmp_path / "one", crew=Crew(1, 60))
    run(models, tmp_path / "three", crew=Crew(3, 60))
    assert tables(tmp_path / "one") == tables(tmp_path / "three")


def test_a_second_run_keeps_every_shard(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok", "c": "ok"})
    run(models, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    summary, log = run(models, tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    assert (summary.samples, summary.pictures) == (15, 0)
    assert "2 of 2 shards finished from an earlier run" in log


# Models that cause trouble.


def test_models_that_refuse_explode_crash_hang_or_show_nothing_cost_only_themselves(
    tmp_path: Path,
) -> None:
    good = {"a": "ok", "d": "ok", "g": "ok", "k": "ok"}
    bad = {
        "b": "refuse",
        "c": "explode",
        "e": "crash",
        "f": "hang",
        "h": "empty",
        "i": "open-explode",
    }
    models = write_models(tmp_path / "models", good | bad)
    summary, log = run(models, tmp_path / "out", crew=Crew(2, 3))
    assert (summary.models, summary.samples, summary.quarantined) == (4, 20, 6)
    found = {row["path"]: (row["code"], row["stage"]) for row in quarantine_rows(tmp_path / "out")}
    assert found == {
        "b.pmx": ("no-head-bone", "open"),
        "c.pmx": ("unexpected-error", "draw"),
        "e.pmx": ("worker-died", "open"),
        "f.pmx": ("timed-out", "open"),
        "h.pmx": ("unusable-picture", "draw"),
        "i.pmx": ("unexpected-error", "open"),
    }
    messages = {row["path"]: row["message"] for row in quarantine_rows(tmp_path / "out")}
    assert messages["e.pmx"] == "e.pmx: its process crashed (SIGSEGV)"
    assert messages["f.pmx"] == "f.pmx: nothing came for 3 s"
    assert messages["c.pmx"].startswith("ZeroDivisionError: exploded (tiny_renderer.py:")
    assert "quarantined b.pmx (no-head-bone): no head bone\n" in log
    assert_sound(tmp_path / "out")
    # The same again: nothing is tried twice, no row is added.
    assert run(models, tmp_path / "out")[0].pictures == 0
    assert len(quarantine_rows(tmp_path / "out")) == 6


def test_deleting_its_row_has_a_model_tried_again(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok"})
    out = tmp_path / "out"
    run(models, tmp_path / "sound")
    out.mkdir()
    sha256 = ShardReader(tmp_path / "sound" / "shard-00000.h5").models[1].sha256
    row = {"path": "b.pmx", "sha256": sha256, "code": "x", "message": "x", "stage": "draw"}
    (out / "quarantine.jsonl").write_text(json.dumps(row) + "\n")
    assert run(models, out)[0].samples == 5
    (out / "quarantine.jsonl").unlink()
    assert run(models, out)[0].samples == 10
    assert tables(out) == tables(tmp_path / "sound")


def test_a_model_that_fails_late_vanishes_from_all_shards(tmp_path: Path) -> None:
    # Its first shards are finished before it meets a pose that it cannot show.
    configuration = Configuration(12, seed=1, size=SIZE, samples_per_shard=2)
    models = write_models(tmp_path / "models", {"a": "ok", "b": "wide"})
    sha256 = hash_model(models / "b.pmx")
    mouths = [draw_sample(1, sha256, index, 1).pose.mouth for index in range(12)]
    assert max(mouths[:2]) <= 0.8 < max(mouths)
    summary, _ = run(models, tmp_path / "out", configuration, Crew(1, 60))
    assert (summary.models, summary.samples, summary.shards) == (1, 12, 6)
    assert [row["code"] for row in quarantine_rows(tmp_path / "out")] == ["too-wide"]
    assert_sound(tmp_path / "out")


def test_a_model_that_changed_since_the_plan_is_put_away(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok"})
    run(models, tmp_path / "out")
    (models / "b.pmx").write_text("ok other")
    (tmp_path / "out" / "shard-00000.h5").unlink()
    run(models, tmp_path / "out")
    assert [row["code"] for row in quarantine_rows(tmp_path / "out")] == ["changed-file"]


def test_a_run_in_which_every_model_fails_is_an_error(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "refuse", "b": "refuse"})
    with pytest.raises(InputError, match=r"all 2 models are quarantined, see .*jsonl \(the first:"):
        run(models, tmp_path / "out")


def test_a_renderer_that_does_not_open_stops_the_run(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(DeviceError, match="no OpenGL here"):
        run(models, tmp_path / "out", open_renderer=open_no_renderer)
    assert quarantine_rows(tmp_path / "out") == []


def open_no_renderer(_size: int) -> Any:  # noqa: ANN401  # never returns
    raise DeviceError("no OpenGL here")


def test_a_renderer_that_dies_stops_the_run(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(DeviceError, match="lost while it opened OpenGL: its process crashed"):
        run(models, tmp_path / "out", open_renderer=open_deadly_renderer)


def open_deadly_renderer(_size: int) -> Any:  # noqa: ANN401  # never returns
    os.kill(os.getpid(), signal.SIGABRT)
