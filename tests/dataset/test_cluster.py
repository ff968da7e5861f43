"""Builds on other machines: the same shards to the byte, whatever befalls the workers."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import DeviceError, InputError
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.build.ledger import BuildSummary
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs import cluster as cluster_module
from dataset.jobs.cluster import Site
from tests.support.dask_cluster import (
    NANNY,
    WITHOUT_OPENGL,
    dask_cluster,
    open_where_there_is_opengl,
)
from tests.support.tiny_builds import (
    FIVE,
    PATIENT,
    assert_sound,
    quarantine_rows,
    run,
    write_models,
)
from tests.support.tiny_renderer import open_tiny_renderer, select_all

pytest.importorskip("distributed", reason="needs the extra cluster (dask.distributed)")

ANY: dict[str, str] = {}


def run_there(
    address: str, models: Path, out: Path, open_renderer: OpenRenderer = open_tiny_renderer
) -> tuple[BuildSummary, str]:
    """A whole run on a cluster; its summary and what it said."""
    log = io.StringIO()
    progress = LogProgress(log, "samples")
    site = Site(address, models, PATIENT.model_timeout, pause=0.5)
    wanted = select_all(models)
    summary = build(models, wanted, out, FIVE, PATIENT, open_renderer, progress, site)
    return summary, log.getvalue()


def _files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.h5"))}


def _in_mid_run(out: Path, act: Callable[[], None]) -> threading.Thread:
    """Do something once the first shard is there."""

    def wait() -> None:
        while not list(out.glob("*.h5")):
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_a_worker_that_is_killed_in_mid_run_costs_nothing(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(16)})
    run(models, tmp_path / "local")
    out = tmp_path / "out"
    with dask_cluster(tmp_path, ANY, ANY, slowness=0.02) as cluster:
        killer = _in_mid_run(out, cluster.workers[0].kill)
        summary, log = run_there(cluster.address, models, out)
        killer.join()
        assert cluster.workers[0].wait() == -9
    assert (summary.models, summary.shards, summary.quarantined) == (16, 8, 0)
    assert "was lost" in log
    assert _files(out) == _files(tmp_path / "local")
    assert len(_files(out)) == 8
    assert_sound(out)


def test_models_that_fail_there_fail_as_they_do_here(tmp_path: Path) -> None:
    kinds = ("ok", "refuse", "crash", "explode", "ok", "ok")
    models = write_models(tmp_path / "models", {f"m{n}": kind for n, kind in enumerate(kinds)})
    run(models, tmp_path / "local")
    with dask_cluster(tmp_path, NANNY, ANY) as cluster:
        summary, _ = run_there(cluster.address, models, tmp_path / "out")
    assert (summary.models, summary.quarantined) == (3, 3)
    assert quarantine_rows(tmp_path / "out") == quarantine_rows(tmp_path / "local")
    assert _files(tmp_path / "out") == _files(tmp_path / "local")


def test_a_model_over_which_two_workers_are_lost_is_left_out(tmp_path: Path) -> None:
    names = {f"m{n}": "kill-parent" if n == 2 else "ok" for n in range(6)}
    models = write_models(tmp_path / "models", names)
    with dask_cluster(tmp_path, ANY, ANY, ANY) as cluster:
        summary, log = run_there(cluster.address, models, tmp_path / "out")
        dead = [worker for worker in cluster.workers if worker.poll() is not None]
    assert len(dead) == 2
    assert summary.models == 5
    (row,) = quarantine_rows(tmp_path / "out")
    assert (row["path"], row["code"]) == ("m2.pmx", "worker-died")
    assert "2 workers of the cluster were lost over it" in log
    assert_sound(tmp_path / "out")
    # All else is as if the model had been in the quarantine from the start.
    local = tmp_path / "local"
    local.mkdir()
    (local / "quarantine.jsonl").write_bytes((tmp_path / "out" / "quarantine.jsonl").read_bytes())
    run(models, local)
    assert _files(tmp_path / "out") == _files(local)


def test_a_worker_without_opengl_is_named_and_gets_no_more_jobs(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(8)})
    with dask_cluster(tmp_path, {WITHOUT_OPENGL: "1"}, ANY, slowness=0.01) as cluster:
        summary, log = run_there(
            cluster.address, models, tmp_path / "out", open_where_there_is_opengl
        )
    assert summary.models == 8
    assert (
        log.count("gets no jobs: it cannot do its job: no OpenGL here; see `renderer doctor`") == 1
    )
    assert_sound(tmp_path / "out")


def test_workers_of_another_version_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with dask_cluster(tmp_path, ANY) as cluster:
        monkeypatch.setattr(cluster_module, "code_version", lambda: "0.0.1 (c0ffee)")
        with pytest.raises(
            DeviceError,
            match=r"none of its 1 worker is of use; tcp://.* runs opentha .* not 0\.0\.1",
        ):
            run_there(cluster.address, models, tmp_path / "out")


def test_a_scheduler_that_goes_away_is_one_line_and_the_rest_follows_later(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(16)})
    out = tmp_path / "out"
    with dask_cluster(tmp_path, ANY, slowness=0.02) as cluster:
        _in_mid_run(out, cluster.scheduler.kill)
        with pytest.raises(InputError, match="the scheduler went away"):
            run_there(cluster.address, models, out)
    assert 0 < len(_files(out)) < 8
    run(models, out)  # on this machine
    run(models, tmp_path / "local")
    assert _files(out) == _files(tmp_path / "local")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "here", "tcp://"])
def test_a_scheduler_that_is_not_there_is_one_line(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(InputError, match=f"^{address}: no scheduler answers there"):
        run_there(address, models, tmp_path / "out")
