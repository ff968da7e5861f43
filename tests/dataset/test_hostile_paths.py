"""Folders of models as only an enemy, or a failing disk, would leave them: each costs one model."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.errors import InputError, TextureError
from contract.progress import LogProgress
from contract.text import escaped_path
from dataset.catalog.catalog import load_catalog
from dataset.drawing.rendering import texture_references, texture_stamp
from dataset.scan.walk import list_models
from dataset.unpack.unpack import RECORD_NAME, unpack
from renderer.draw.find_texture import find_texture
from tests.support.tiny_builds import look, write_models

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such paths")


@pytest.mark.parametrize(
    "reference",
    ["loop.png", "a/x.png", "x" * 400 + ".png", "d/" * 2100 + "x.png", "é" * 300, "\udc80.png"],
)
def test_no_texture_path_is_more_than_a_missing_texture(tmp_path: Path, reference: str) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(TextureError):
        find_texture(tmp_path, reference, tmp_path)
    assert texture_stamp(tmp_path, "model.pmx", (reference,))


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_a_folder_too_deep_for_the_system_is_left_out_and_said(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"ok": "ok"})
    with _inside(models):
        for _ in range(25):  # a path of over 4096 bytes can only be made step by step
            Path("n" * 200).mkdir()
            os.chdir("n" * 200)
        Path("deep.pmx").write_text("ok deep")
    try:
        catalog, log = look(models, tmp_path / "catalog.jsonl")
        assert [row.path for row in catalog.rows] == ["ok.pmx"]
        assert "1 folder cannot be listed" in log
    finally:
        with _inside(models):  # pytest cannot remove what it cannot name
            depth = 0
            while Path("n" * 200).is_dir():
                os.chdir("n" * 200)
                depth += 1
            Path("deep.pmx").unlink()
            for _ in range(depth):
                os.chdir("..")
                Path("n" * 200).rmdir()


def test_a_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may list everything, so the system's answer is made up."""
    models = write_models(tmp_path / "models", {"a": "ok", "secret/b": "ok"})
    usual = os.scandir

    def refusing(path: Any) -> Any:  # noqa: ANN401
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path)

    monkeypatch.setattr(os, "scandir", refusing)
    listing = list_models(models)
    assert (listing.models, listing.unread) == (("a.pmx",), ("secret",))
    with pytest.raises(InputError, match="some cannot be listed"):
        list_models(models / "secret")
    _, log = look(models, tmp_path / "catalog.jsonl")
    assert "1 folder cannot be listed; what is in it is left out: mend its permissions" in log
    assert "(as secret)" in log


def test_folders_named_in_no_utf8_are_scanned(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\x83\x7e"))
    models = write_models(folder, {"b": "refuse"})
    odd = models / os.fsdecode(b"x\x83")
    odd.mkdir()
    (odd / "a.pmx").write_text("ok a")
    out = Path(os.fsdecode(os.fsencode(tmp_path) + b"/o\x84")) / "catalog.jsonl"
    out.parent.mkdir()
    catalog, _ = look(models, out)
    paths = [escaped_path(os.fsdecode(path)) for path in (b"b.pmx", b"x\x83/a.pmx")]
    assert [row.path for row in catalog.rows] == paths
    assert load_catalog(out).rows == catalog.rows
    assert load_catalog(out).models_folder == models


def _zip_of(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m.pmx", data)
    return path


def _unpacked(models: Path, *archives: Path) -> tuple[str, ...]:
    """What was at fault."""
    progress = LogProgress(io.StringIO(), "archives")
    return unpack(archives, models, texture_references, progress).faults


def test_an_archive_named_longer_than_a_folder_can_be_costs_no_other(tmp_path: Path) -> None:
    """In Shift-JIS a letter takes two bytes, where our folder's name takes three."""
    sound = _zip_of(tmp_path / "a.zip", b"1")
    name = ("ア" * 120).encode("cp932") + b".zip"
    try:
        long = sound.rename(tmp_path / os.fsdecode(name))
    except OSError:
        pytest.skip("this file system takes no such names")
    faults = _unpacked(tmp_path / "models", long, _zip_of(tmp_path / "b.zip", b"2"))
    assert not faults
    assert [len(path.name) for path in (tmp_path / "models").glob("ア*")] == [80]
    assert (tmp_path / "models" / "b" / "m.pmx").read_bytes() == b"2"


@pytest.mark.parametrize("record", [b"[" * 50_000, b"\xff", None])
def test_a_folder_whose_record_is_none_is_left_alone(record: bytes | None, tmp_path: Path) -> None:
    path = _zip_of(tmp_path / "x.zip", b"new")
    folder = tmp_path / "models" / "x"
    folder.mkdir(parents=True)
    if record is None:
        os.mkfifo(folder / RECORD_NAME)
    else:
        (folder / RECORD_NAME).write_bytes(record)
    faults = _unpacked(tmp_path / "models", path)
    assert "holds other files" in faults[0]
