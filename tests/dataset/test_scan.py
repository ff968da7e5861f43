"""Scans, with worker processes, over models that behave as their files say."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dataset.scan.scan
from contract.progress import LogProgress
from dataset.build.build import build
from dataset.catalog.catalog import Catalog, cache_of, load_catalog
from dataset.catalog.choose import Wish, choose
from dataset.drawing.rendering import annotating_files
from dataset.jobs.pool import Crew
from tests.conftest import REPOSITORY
from tests.support.tiny_builds import (
    COMMAND,
    FIVE,
    PATIENT,
    assert_sound,
    look,
    quarantine_rows,
    write_models,
)
from tests.support.tiny_renderer import SLOWNESS, open_tiny_renderer


def verdicts(catalog: Catalog) -> dict[str, tuple[str, str]]:
    return {row.path: (row.status, row.code) for row in catalog.rows}


# What a row says.


def test_every_model_has_a_row_in_the_order_of_paths(tmp_path: Path) -> None:
    behaviours = {"源/霊夢": "ok", "b/x": "doubtful", "a/z": "refuse", "a/y": "open-explode"}
    models = write_models(tmp_path / "models", behaviours)
    (models / "源" / "readme.txt").write_text("再配布禁止", "utf-8")
    (models / "packed.zip").write_bytes(b"PK")
    (models / "b" / "link.pmx").symlink_to(models / "b" / "x.pmx")
    out = tmp_path / "catalog.jsonl"
    catalog, log = look(models, out)
    assert verdicts(catalog) == {
        "a/y.pmx": ("refused", "unexpected-error"),
        "a/z.pmx": ("refused", "no-head-bone"),
        "b/x.pmx": ("doubtful", "doubtful-chin"),
        "源/霊夢.pmx": ("ok", ""),
    }
    assert list(verdicts(catalog)) == sorted(verdicts(catalog))
    assert (catalog.archives, catalog.links) == (("packed.zip",), ("b/link.pmx",))
    assert "1 link not followed (as b/link.pmx)" in log
    assert "1 archive left packed; unpack to use what is in it (as packed.zip)" in log
    rows = {row.path: row for row in catalog.rows}
    assert rows["b/x.pmx"].message == "chin:x=0.2"
    assert [row.source for row in catalog.rows] == ["a", "a", "b", "源"]
    terms = rows["源/霊夢.pmx"].licence
    assert terms is not None
    assert terms.text == "再配布禁止"
    assert load_catalog(out) == catalog
    assert (cache_of(out) / str(rows["源/霊夢.pmx"].picture)).is_file()


def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"{n}/m": "ok" for n in range(6)})
    for name, workers in (("one", 1), ("three", 3)):
        look(models, tmp_path / f"{name}.jsonl", Crew(workers, 60))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "three.jsonl").read_bytes()


@pytest.mark.parametrize(("behaviour", "code"), [("crash", "worker-died"), ("hang", "timed-out")])
def test_a_model_that_kills_or_silences_its_worker_costs_itself_only(
    behaviour: str, code: str, tmp_path: Path
) -> None:
    behaviours = {"a": "ok", "b": behaviour, "c": "ok", "d": "doubtful"}
    models = write_models(tmp_path / "models", behaviours)
    catalog, _ = look(models, tmp_path / "catalog.jsonl", Crew(2, 2))
    assert verdicts(catalog) == {
        "a.pmx": ("ok", ""),
        "b.pmx": ("refused", code),
        "c.pmx": ("ok", ""),
        "d.pmx": ("doubtful", "doubtful-chin"),
    }


# What is known is not looked at again.


def _scanned(log: str) -> str:
    return log.splitlines()[0]


def test_a_second_scan_looks_at_what_is_new_only(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "refuse", "c": "doubtful"})
    out = tmp_path / "catalog.jsonl"
    look(models, out)
    before = out.read_bytes()
    _, log = look(models, out)
    assert _scanned(log) == "3 models, 3 known from earlier scans"
    assert out.read_bytes() == before
    write_models(models, {"d": "doubtful"})
    catalog, log = look(models, out)
    assert _scanned(log) == "4 models, 3 known from earlier scans"
    assert catalog.rows[3].status == "doubtful"
    (models / "a.pmx").rename(models / "z.pmx")
    catalog, log = look(models, out)
    assert _scanned(log) == "4 models, 4 known from earlier scans"
    assert [row.path for row in catalog.rows] == ["b.pmx", "c.pmx", "d.pmx", "z.pmx"]


def test_refused_models_are_looked_at_again_on_request(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "refuse"})
    out = tmp_path / "catalog.jsonl"
    look(models, out)
    _, log = look(models, out, retry=True)
    assert _scanned(log) == "2 models, 1 known from earlier scans"


def test_a_changed_texture_has_its_model_looked_at_again(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "textured", "b": "ok"})
    out = tmp_path / "catalog.jsonl"
    for known in (0, 2, 1, 2):
        if known == 1:
            (models / "face.png").write_bytes(b"white")
        _, log = look(models, out)
        assert _scanned(log) == "2 models" + (
            f", {known} known from earlier scans" if known else ""
        )


# A model is its bytes with the textures that it finds.


def copies(models: Path, text: str, names: dict[str, str | None]) -> Path:
    """One file's bytes at several places, each with its face.png, or without one."""
    for name, face in names.items():
        path = models / f"{name}.pmx"
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
        if face is not None:
            (path.parent / "face.png").write_text(face, "utf-8")
    return models


def test_a_copy_that_has_its_textures_is_not_refused_for_another_that_has_not(
    tmp_path: Path,
) -> None:
    faces = {"a/first": None, "b/second": "white", "c/third": None}
    models = copies(tmp_path / "models", "textured strictly", faces)
    catalog, _ = look(models, tmp_path / "catalog.jsonl", Crew(1, 60))
    assert verdicts(catalog) == {
        "a/first.pmx": ("refused", "texture-missing"),
        "b/second.pmx": ("ok", ""),
        "c/third.pmx": ("refused", "texture-missing"),
    }
    assert [row.message for row in catalog.rows] == [
        "first.pmx: no face.png",
        "",
        "third.pmx: no face.png",
    ]
    chosen = choose(catalog, {}, Wish())
    assert [model.path for model in chosen.models] == ["b/second.pmx"]
    out = tmp_path / "out"
    log = io.StringIO()
    build(models, chosen, out, FIVE, PATIENT, open_tiny_renderer, LogProgress(log, "samples"))
    assert_sound(out)
    assert [row["path"] for row in quarantine_rows(out)] == ["a/first.pmx", "c/third.pmx"]


def test_a_refusal_for_the_bytes_names_each_copy_itself(tmp_path: Path) -> None:
    models = copies(tmp_path / "models", "refuse me", {"a/first": None, "b/second": None})
    out = tmp_path / "catalog.jsonl"
    for _ in range(2):  # the second time both are known
        catalog, _log = look(models, out, Crew(1, 60))
        assert [row.message for row in catalog.rows] == [
            "first.pmx: no head bone",
            "second.pmx: no head bone",
        ]


def test_copies_are_duplicates_only_with_the_same_textures(tmp_path: Path) -> None:
    faces: dict[str, str | None] = {"a/x": "white", "b/x": "brown", "c/x": "white"}
    models = copies(tmp_path / "models", "textured x", faces)
    catalog, _ = look(models, tmp_path / "catalog.jsonl")
    assert {row.sha256 for row in catalog.rows} == {catalog.rows[0].sha256}
    selection = choose(catalog, {}, Wish(keep_duplicates=True))
    assert [model.path for model in selection.models] == ["a/x.pmx", "b/x.pmx"]
    assert selection.duplicates == {"c/x.pmx": "a/x.pmx"}
    out = tmp_path / "out"
    log = io.StringIO()
    for _ in range(2):  # the second run keeps the first one's shards
        progress = LogProgress(log, "samples")
        summary = build(models, selection, out, FIVE, PATIENT, open_tiny_renderer, progress)
        assert (summary.models, summary.samples) == (2, 10)
    assert summary.pictures == 0
    assert_sound(out)


def test_another_annotator_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    look(models, tmp_path / "catalog.jsonl")
    monkeypatch.setattr(dataset.scan.scan, "annotator_version", lambda: "another")
    catalog, log = look(models, tmp_path / "catalog.jsonl")
    assert _scanned(log) == "1 model"
    assert catalog.annotator == "another"


def test_damaged_memory_costs_a_look_only(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok", "b": "ok"})
    out = tmp_path / "catalog.jsonl"
    first, _ = look(models, out)
    rows = cache_of(out) / "rows.jsonl"
    whole = rows.read_bytes().splitlines(keepends=True)
    rows.write_bytes(whole[0] + b"not json\n" + whole[1][:-20])
    catalog, log = look(models, out)
    assert catalog == first
    assert _scanned(log) == "2 models, 1 known from earlier scans"
    (cache_of(out) / str(first.rows[0].picture)).unlink()
    catalog, _ = look(models, out)
    assert (cache_of(out) / str(catalog.rows[0].picture)).is_file()


def test_a_model_whose_worker_was_killed_by_something_else_is_no_worse_for_it(
    tmp_path: Path,
) -> None:
    models = write_models(tmp_path / "models", {"a": "killed-once", "b": "killed-once", "c": "ok"})
    catalog, _ = look(models, tmp_path / "catalog.jsonl")
    assert {row.status for row in catalog.rows} == {"ok"}


def test_what_a_machine_may_be_to_blame_for_is_looked_at_again(tmp_path: Path) -> None:
    models, out = write_models(tmp_path / "models", {"a": "ok", "b": "crash"}), tmp_path / "c.jsonl"
    catalog, _ = look(models, out)
    assert verdicts(catalog)["b.pmx"] == ("refused", "worker-died")
    again, log = look(models, out)
    assert _scanned(log) == "2 models, 1 known from earlier scans"
    assert again == catalog


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_scan_continues(how: signal.Signals, tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {f"m{n:02}": "ok" for n in range(24)})
    script, out = tmp_path / "command.py", tmp_path / "catalog.jsonl"
    script.write_text(COMMAND)
    process = subprocess.Popen(
        [sys.executable, str(script), "scan", str(models), "-o", str(out), "--workers", "2"],
        env=os.environ | {SLOWNESS: "0.1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    rows = cache_of(out) / "rows.jsonl"
    with process:
        while not (rows.exists() and b"\n" in rows.read_bytes()):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, how)
        _, errors = process.communicate(timeout=20)
    known = rows.read_bytes().count(b"\n")
    assert 0 < known < 24
    assert not out.exists()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert f"stopped with {known} of 24 models scanned; the same command continues" in errors
    catalog, log = look(models, out)
    assert _scanned(log) == f"24 models, {known} known from earlier scans"
    assert len(catalog.rows) == 24


def test_what_was_found_ages_with_every_file_that_decides_it_and_no_other() -> None:
    """A rule that a cached refusal came from may stand in the contract as well."""
    decide = {path.relative_to(REPOSITORY).as_posix() for path in annotating_files()}
    assert {
        "contract/image.py",
        "contract/rig.py",
        "dataset/catalog/fingerprint.py",
        "dataset/drawing/rendering.py",
        "renderer/draw/shaders/surface.frag",
        "renderer/fit/fit_rig.py",
    } <= decide
    assert not [path for path in decide if path.startswith(("renderer/cli", "dataset/commands"))]
