"""Catalogues as files: they move, they are checked, and they are written over by nothing else."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from contract.errors import InputError
from contract.progress import LogProgress
from contract.text import place, shown_path
from dataset.build.build import build
from dataset.catalog.catalog import load_catalog
from dataset.catalog.choose import Wish, choose
from tests.support.tiny_builds import (
    FIVE,
    PATIENT,
    assert_sound,
    look,
    write_models,
)
from tests.support.tiny_renderer import open_tiny_renderer


def test_a_catalogue_and_its_models_move_together(tmp_path: Path) -> None:
    models = write_models(tmp_path / "here" / "models", {"a": "ok"})
    look(models, tmp_path / "here" / "catalog.jsonl")
    (tmp_path / "here").rename(tmp_path / "there")
    catalog = load_catalog(tmp_path / "there" / "catalog.jsonl")
    assert (catalog.models_folder / catalog.rows[0].path).is_file()


def test_names_of_shift_jis_bytes_are_escaped_at_the_door(tmp_path: Path) -> None:
    """Models, their folders, their terms, archives and the folder of all of them."""
    miku = os.fsdecode("初音ミク".encode("cp932"))
    home = tmp_path / miku
    models = write_models(home / "models", {"b": "refuse", "a\\x5cb": "ok"})
    written = models / miku / f"{miku}.pmx"
    written.parent.mkdir()
    written.write_text("ok miku", "utf-8")
    (models / miku / f"{miku}readme.txt").write_text("terms", "utf-8")
    (models / f"{miku}.zip").write_bytes(b"PK")
    out = tmp_path / "catalog.jsonl"
    catalog, _ = look(models, out)
    text = out.read_bytes().decode("utf-8")  # strictly
    assert "\\\\x8f\\\\x89" in text
    assert load_catalog(out) == catalog
    assert [row.status for row in catalog.rows] == ["ok", "ok", "refused"]
    row = catalog.rows[0]
    assert place(models, catalog.rows[1].path) == models / "a\\x5cb.pmx"
    assert place(load_catalog(out).models_folder, row.path) == written
    assert shown_path(row.path) == "初音ミク/初音ミク.pmx"
    assert row.licence is not None
    assert shown_path(row.licence.path) == "初音ミク/初音ミクreadme.txt"
    assert shown_path(catalog.archives[0]) == "初音ミク.zip"
    build_out = tmp_path / "out"
    progress = LogProgress(io.StringIO(), "samples")
    selection = choose(catalog, {}, Wish())
    build(models, selection, build_out, FIVE, PATIENT, open_tiny_renderer, progress)
    assert_sound(build_out)


def _rewritten(catalog: Path, changes: dict[str, object]) -> None:
    head, row = (json.loads(line) for line in catalog.read_text("utf-8").splitlines())
    catalog.write_text(f"{json.dumps(head)}\n{json.dumps(row | changes)}\n", "utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "../secret.pmx"},
        {"path": "/etc/passwd"},
        {"path": "a//b.pmx"},
        {"picture": "../../picture.png"},
        {"picture": "a/b.png"},
        {"status": "fine"},
        {"status": "refused"},
        {"model": None},
        {"sha256": 5},
        {"unknown": 1},
        {"group": "x"},
    ],
)
def test_a_strangers_catalogue_cannot_leave_its_folders(
    changes: dict[str, object], tmp_path: Path
) -> None:
    out = tmp_path / "catalog.jsonl"
    look(write_models(tmp_path / "models", {"a": "ok"}), out)
    _rewritten(out, changes)
    with pytest.raises(InputError, match="is no catalogue of this version"):
        load_catalog(out)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"catalog_version": 0}', "[" * 100_000, "\n\n"])
def test_what_is_no_catalogue_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "catalog.jsonl"
    path.write_text(text + "\n", "utf-8")
    with pytest.raises(InputError, match=r"is no catalogue of this version .* scan again"):
        load_catalog(path)
    with pytest.raises(InputError, match="is no file; give a catalogue"):
        load_catalog(tmp_path)


def test_a_folder_is_not_written_over(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(InputError, match="is a folder; give a file name"):
        look(models, tmp_path)


def test_a_catalogue_that_is_named_like_a_folder_is_refused(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"a": "ok"})
    with pytest.raises(InputError, match=r"is a \.jsonl file; give .*out.catalog\.jsonl"):
        look(models, tmp_path / "out")
    assert not (tmp_path / "out").exists()
