"""Builds on other machines: the same shards to the byte, whatever befalls the workers."""

from __future__ import annotations

import gc
import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import DeviceError, InputError
from contract.lock import only_run
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.build.ledger import BuildSummary
from dataset.catalog.catalog import Catalog, cache_of
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs import cluster as cluster_module
from dataset.jobs import scheduler as scheduler_module
from dataset.jobs.cluster import Site
from dataset.scan import scan as scan_module
from dataset.scan.scan import scan
from tests.support.dask_cluster import (
    NANNY,
    WITHOUT_OPENGL,
    dask_cluster,
    open_where_there_is_opengl,
)
from tests.support.rounds.trouble import has_small_disks, small_disk
from tests.support.tiny_builds import (
    FIVE,
    PATIENT,
    assert_sound,
    look,
    quarantine_rows,
    run,
    write_models,
)
from tests.support.tiny_renderer import open_tiny_renderer, open_tiny_scanner, select_all

Client = pytest.importorskip(
    "distributed", reason="needs the extra cluster (dask.distributed)"
).Client

ANY: dict[str, str] = {}

SLOWLY = pytest.mark.timeout(900)
"""Dozens of processes are started: on a machine that does much else that takes minutes."""


def run_there(
    address: str,
    models: Path,
    out: Path,
    open_renderer: OpenRenderer = open_tiny_renderer,
    log: io.StringIO | None = None,
) -> tuple[BuildSummary, str]:
    """A whole run on a cluster; its summary and what it said."""
    log = log or io.StringIO()
    progress = LogProgress(log, "samples")
    site = Site(address, models, PATIENT.model_timeout, pause=0.5)
    wanted = select_all(models)
    summary = build(models, wanted, out, FIVE, PATIENT, open_renderer, progress, site)
    return summary, log.getvalue()


def scan_there(
    address: str, models: Path, out: Path, *, retry: bool = False
) -> tuple[Catalog, str]:
    """A whole scan on a cluster; its catalogue and what it said."""
    log = io.StringIO()
    site = Site(address, models, PATIENT.model_timeout, pause=0.5)
    progress = LogProgress(log, "models")
    catalog = scan(models, out, PATIENT, open_tiny_scanner, progress, retry=retry, site=site)
    return catalog, log.getvalue()


def _files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.h5"))}


def _in_mid_run(out: Path, act: Callable[[], object], first: str = "*.h5") -> threading.Thread:
    """Do something once the first file of some name is there."""

    def wait() -> None:
        while not list(out.glob(first)):
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@SLOWLY
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


@pytest.mark.parametrize("deadly", ["kill-parent", "open-kill-parent"])
def test_a_model_over_which_two_workers_are_lost_is_left_out(deadly: str, tmp_path: Path) -> None:
    """However soon they are: a worker says at which model it is before it begins with it."""
    names = {f"m{n}": deadly if n == 2 else "ok" for n in range(6)}
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


@SLOWLY
def test_models_are_looked_at_there_as_here_though_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_module, "_MODELS_A_JOB", 3)
    kinds = ("ok", "doubtful", "refuse", "textured", "ok", "open-explode", "crash", "undriven")
    behaviours = {f"{n % 3}/m{n}": kind for n, kind in enumerate((*kinds, *["ok"] * 10))}
    models = write_models(tmp_path / "models", behaviours)
    (models / "0" / "face.png").write_text("blue")
    wanted, _ = look(models, tmp_path / "local.jsonl")
    out = tmp_path / "there.jsonl"
    with dask_cluster(tmp_path, ANY, ANY, slowness=0.1) as cluster:
        killer = _in_mid_run(cache_of(out), cluster.workers[0].kill, "*.png")
        found, log = scan_there(cluster.address, models, out)
        killer.join()
        assert "was lost" in log
        # What is known is not looked at again, there as little as here.
        again, log = scan_there(cluster.address, models, out)
    assert "known from earlier scans" in log
    assert (
        [row.path for row in found.rows if row.code == "worker-died"]
        == [row.path for row in wanted.rows if row.code == "worker-died"]
        == ["0/m6.pmx"]
    )
    assert found.rows == wanted.rows == again.rows
    assert out.read_bytes() == (tmp_path / "local.jsonl").read_bytes()
    kept = [
        {path.name: path.read_bytes() for path in cache_of(one).glob("*.png")}
        for one in (out, tmp_path / "local.jsonl")
    ]
    assert kept[0] == kept[1]


def test_a_models_folder_that_is_gone_for_a_while_costs_no_model(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(8)})
    run(models, tmp_path / "local")
    out, away, log = tmp_path / "out", tmp_path / "away", io.StringIO()

    def vanish() -> None:
        models.rename(away)
        until = time.monotonic() + 60
        while "does not see the folder" not in log.getvalue() and time.monotonic() < until:
            time.sleep(0.05)
        away.rename(models)

    with dask_cluster(tmp_path, ANY, slowness=0.02) as cluster:
        gone = _in_mid_run(out, vanish)
        summary, said = run_there(cluster.address, models, out, log=log)
        gone.join()
    assert (summary.models, summary.quarantined) == (8, 0)
    assert f"does not see the folder {models}; mount it there; its job is tried again" in said
    assert _files(out) == _files(tmp_path / "local")


def test_a_worker_whose_disk_is_full_is_named_and_gets_no_more_jobs(tmp_path: Path) -> None:
    if not has_small_disks(tmp_path):
        pytest.skip("no disk may be mounted here")
    models = write_models(tmp_path / "models", {f"m{n}": "ok" for n in range(6)})
    with (
        small_disk(tmp_path / "disk", 1 << 14) as disk,
        dask_cluster(tmp_path, {"TMPDIR": str(disk)}, ANY, slowness=0.02) as cluster,
    ):
        summary, log = run_there(cluster.address, models, tmp_path / "out")
    assert (summary.models, summary.quarantined) == (6, 0)
    assert log.count("gets no jobs: it cannot do its job: ") == 1
    assert "No space left" in log or "disk is full" in log
    assert_sound(tmp_path / "out")


def test_two_builds_into_one_folder_are_one(tmp_path: Path) -> None:
    """Each on a machine of its own: the folder is locked before a scheduler is asked for."""
    models = write_models(tmp_path / "models", {"a": "ok"})
    with (
        only_run(tmp_path / "out", lambda _: None),
        pytest.raises(InputError, match="out: another run is writing there; wait for its end"),
    ):
        run_there("tcp://127.0.0.1:9", models, tmp_path / "out")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "here", "tcp://"])
def test_a_scheduler_that_is_not_there_is_one_line(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "CONNECT_SECONDS", 1)
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(InputError, match=f"^{address}: no scheduler answers there"):
        run_there(address, models, tmp_path / "out")
    with pytest.raises(InputError, match=f"^{address}: no scheduler answers there"):
        scan_there(address, models, tmp_path / "catalog.jsonl")
    # Nothing is left for the garbage collector to close, in the middle of whatever it may be.
    assert {it.status for it in gc.get_objects() if type(it) is Client} <= {"closed"}
