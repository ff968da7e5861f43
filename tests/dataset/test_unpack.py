"""Archives made here, byte by byte where it matters, and what comes of them."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import libarchive
import pytest
from click.testing import CliRunner

from contract.errors import InputError
from contract.progress import LogProgress
from dataset.commands.main import main
from dataset.drawing.rendering import texture_references
from dataset.scan.walk import list_models
from dataset.unpack.archive import Budget
from dataset.unpack.names import safe_path
from dataset.unpack.unpack import Summary, find_archives, unpack
from tests.support.archive_bytes import lzh_of, old_rar_of, rar_of
from tests.support.model_bytes import PmdBuilder, PmxBuilder

JAPANESE = {"ミク/顔.png": b"face", "ミク/服\\表.png": b"cloth", "readme.txt": b"terms"}


class _Raw(zipfile.ZipInfo):
    """A name of any bytes, without the flag that says UTF-8."""

    def __init__(self, name: bytes) -> None:
        super().__init__("x")
        self.raw = name

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  # zipfile's own name
        return self.raw, self.flag_bits & ~0x800


def zip_of(path: Path, files: Mapping[bytes, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(_Raw(name), data)
    return path


def model(*textures: str) -> bytes:
    builder = PmxBuilder().begin("textures", len(textures))
    for texture in textures:
        builder.text(texture)
    return builder.to_bytes()


def open_all(
    models: Path, *archives: Path, password: str | None = None, budget: Budget | None = None
) -> tuple[Summary, str]:
    log = io.StringIO()
    progress = LogProgress(log, "archives")
    found = find_archives(archives)
    return unpack(found, models, texture_references, progress, password, budget), log.getvalue()


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "gb18030", "big5hkscs", "cp949"])
def test_names_are_read_as_the_models_find_their_textures(encoding: str, tmp_path: Path) -> None:
    """Bytes that more than one encoding reads: the textures decide."""
    textures = {
        "utf-8": "テクスチャ/顔.png",
        "cp932": "テクスチャ/顔.png",
        "gb18030": "贴图/脸部.png",
        "big5hkscs": "貼圖/臉部.png",
        "cp949": "텍스처/얼굴.png",
    }[encoding]
    files = {"a/m.pmx": model(textures.replace("/", "\\")), f"a/{textures}": b"face"}
    path = zip_of(tmp_path / "x.zip", {n.encode(encoding): data for n, data in files.items()})
    summary, log = open_all(tmp_path / "models", path)
    assert (summary.unpacked, summary.models, summary.faults) == (1, 1, ()), log
    assert files_of(tmp_path / "models" / "x") == files
    assert f"names in {encoding.removesuffix('hkscs')}" in log


def test_a_shift_jis_name_may_hold_the_byte_of_a_backslash(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"表情\\ソ.png".encode("cp932"): b"face"})
    open_all(tmp_path / "models", path)
    assert files_of(tmp_path / "models" / "x") == {"表情/ソ.png": b"face"}


@pytest.mark.parametrize("kind", ["7zip", "zip"])
def test_other_formats(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ミク.7z"
    with libarchive.file_writer(str(path), kind) as archive:
        archive.add_file_from_memory("tex/顔.png", 4, b"face")
        archive.add_file_from_memory("m.pmx", 5, b"model")
    open_all(tmp_path / "models", path)
    assert files_of(tmp_path / "models" / "ミク") == {"tex/顔.png": b"face", "m.pmx": b"model"}


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("ミク.pmd", "cp932"), ("表情.pmd", "cp932"), ("m.pmd", "ascii"), ("脸部.pmd", "gb18030")],
)
def test_lzh(name: str, encoding: str, tmp_path: Path) -> None:
    """Chinese names come out as Shift-JIS where that reads them: nothing tells otherwise."""
    path = lzh_of(tmp_path / "old.lzh", name.encode(encoding), b"Pmd")
    summary, log = open_all(tmp_path / "models", path)
    (found,) = files_of(tmp_path / "models" / "old")
    assert found == name or encoding == "gb18030", log
    assert (summary.models, (tmp_path / "models/old" / found).read_bytes()) == (1, b"Pmd")


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "gb18030"])
def test_rar_of_both_kinds(encoding: str, tmp_path: Path) -> None:
    """Newer ones hold UTF-8; older ones what the machine had that made them."""
    files = {"贴图/脸.png": b"face", "m.pmx": model("贴图\\脸.png")}
    if encoding == "cp932":
        files = {"表/ミク.png": b"face", "m.pmx": model("表\\ミク.png")}
    make = rar_of if encoding == "utf-8" else old_rar_of
    path = make(tmp_path / "x.rar", {n.encode(encoding): data for n, data in files.items()})
    summary, log = open_all(tmp_path / "models", path)
    assert (summary.unpacked, summary.models, summary.faults) == (1, 1, ()), log
    assert files_of(tmp_path / "models" / "x") == files


def test_a_cut_rar_costs_only_itself(tmp_path: Path) -> None:
    for make in (rar_of, old_rar_of):
        path = make(tmp_path / f"{make.__name__}.rar", {b"m.pmx": model(), b"b.png": b"b" * 900})
        path.write_bytes(path.read_bytes()[:-500])
        summary, log = open_all(tmp_path / "models", path)
        assert (summary.unpacked, len(summary.faults)) == (0, 1), log


def test_a_folder_for_each_archive_and_none_twice(tmp_path: Path) -> None:
    for name in ("a/miku.zip", "b/miku.zip", "b/MIKU.7z", "c/con.zip"):
        zip_of(tmp_path / "in" / name, {b"m.pmx": name.encode()})
    models = tmp_path / "models"
    summary, _ = open_all(models, tmp_path / "in")
    assert (summary.unpacked, summary.known) == (4, 0)
    places = {path.parent.name: path.read_bytes() for path in models.glob("*/m.pmx")}
    assert places == {
        "miku": b"a/miku.zip",
        "MIKU.7z": b"b/MIKU.7z",
        "miku.zip": b"b/miku.zip",
        "_con": b"c/con.zip",
    }
    (models / "miku.zip" / "m.pmx").write_bytes(b"mine")
    summary, _ = open_all(models, tmp_path / "in")
    assert (summary.unpacked, summary.known, summary.faults) == (0, 4, ())
    assert (models / "miku.zip" / "m.pmx").read_bytes() == b"mine"
    assert len(list_models(models).models) == 4


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {b"m.pmx": b"whole"})
    left = tmp_path / "models" / ".x.unpacking" / "files"
    left.mkdir(parents=True)
    (left / "half.pmx").write_bytes(b"half")
    (tmp_path / "models" / "other.pmx").write_bytes(b"")
    assert list_models(tmp_path / "models").models == ("other.pmx",)
    open_all(tmp_path / "models", path)
    assert files_of(tmp_path / "models") == {"x/m.pmx": b"whole", "other.pmx": b""}


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {b"m.pmx": b"new"})
    (tmp_path / "models" / "x").mkdir(parents=True)
    (tmp_path / "models" / "x" / "m.pmx").write_bytes(b"old")
    summary, _ = open_all(tmp_path / "models", path)
    assert "holds other files" in summary.faults[0]
    assert files_of(tmp_path / "models") == {"x/m.pmx": b"old"}


def test_archives_in_archives_are_unpacked_once(tmp_path: Path) -> None:
    deepest = zip_of(tmp_path / "c.zip", {b"deep.pmx": b"3"}).read_bytes()
    inner = zip_of(tmp_path / "b.zip", {b"m.pmx": b"2", b"c.zip": deepest}).read_bytes()
    outer = zip_of(tmp_path / "a.zip", {b"sub/b.zip": inner, b"top.pmx": b"1", b"bad.rar": b"no"})
    _, log = open_all(tmp_path / "models", outer)
    found = files_of(tmp_path / "models" / "a")
    assert set(found) == {"top.pmx", "sub/b/m.pmx", "sub/b/c.zip", "bad.rar"}
    assert "2 nested archives left packed" in log


@pytest.mark.parametrize(
    "name",
    ["../out.pmx", "a/../../out.pmx", "..\\..\\out.pmx", "/../out.pmx", "C:\\..\\out.pmx"],
)
def test_no_path_leaves_the_folder(name: str, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {name.encode(): b"out", b"m.pmx": b"in"})
    _, log = open_all(tmp_path / "models", path)
    assert files_of(tmp_path) == {"x.zip": path.read_bytes(), "models/x/m.pmx": b"in"}
    assert "1 link or path out of it passed over" in log


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("/etc/passwd", "etc/passwd"),
        ("C:\\models\\a.pmx", "C_/models/a.pmx"),
        ("con/NUL.txt/com1 .pmx", "_con/_NUL.txt/_com1 .pmx"),
        ('a. /b<>|?*".pmx.', "a/b______.pmx"),
        ("a\x1b[31m\u202eb\n.pmx", "a_[31m b_.pmx"),
        ("./a//b.pmx", "a/b.pmx"),
        ("x" * 300 + ".pmx", "x" * 116 + ".pmx"),
        ("語" * 100 + ".pmx", "語" * 78 + ".pmx"),
    ],
)
def test_names_are_made_safe_for_every_system(name: str, safe: str) -> None:
    assert str(safe_path(name)) == safe


def test_links_are_passed_over(tmp_path: Path) -> None:
    secret = tmp_path / "secret.pmx"
    secret.write_bytes(b"secret")
    link = zipfile.ZipInfo("m.pmx")
    link.external_attr = 0o120777 << 16
    link.create_system = 3
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, str(secret))
        archive.writestr("other.pmx", b"in")
    _, log = open_all(tmp_path / "models", tmp_path / "x.zip")
    assert files_of(tmp_path / "models" / "x") == {"other.pmx": b"in"}
    assert not (tmp_path / "models" / "x" / "m.pmx").is_symlink()
    assert "1 link" in log


@pytest.mark.parametrize("budget", [Budget(files=3), Budget(bytes=5000)])
def test_files_and_bytes_are_bounded(budget: Budget, tmp_path: Path) -> None:
    """Those of nested archives are counted too."""
    inner = zip_of(tmp_path / "i.zip", {b"1.pmx": b"x" * 4000, b"2.pmx": b"y" * 4000}).read_bytes()
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.pmx", b"")
        archive.writestr("i.zip", inner)
    summary, _ = open_all(tmp_path / "models", path, budget=budget)
    assert "holds more than" in summary.faults[0]
    assert files_of(tmp_path / "models") == {}
    assert open_all(tmp_path / "models", path)[0].models == 3


def test_sizes_that_lie_are_caught(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {b"m.pmx": b"x" * 1000})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature) + at
        data[start : start + 4] = struct.pack("<I", 10)
    path.write_bytes(data)
    summary, _ = open_all(tmp_path / "models", path)
    assert len(summary.faults) == 1
    assert files_of(tmp_path / "models") == {}


@pytest.mark.parametrize("data", [b"", b"no archive at all", b"PK\x03\x04" + bytes(99)])
def test_what_is_no_archive_costs_only_itself(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.zip").write_bytes(data)
    zip_of(tmp_path / "in" / "good.zip", {b"m.pmx": b"in"})
    summary, log = open_all(tmp_path / "models", tmp_path / "in")
    assert files_of(tmp_path / "models").get("good/m.pmx") == b"in"
    assert summary.unpacked >= 1
    assert "Traceback" not in log


@pytest.mark.skipif(os.name == "nt", reason="Windows starts no such script")
def test_no_archive_starts_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libarchive has programs undo what it cannot, by a file's first bytes."""
    called = tmp_path / "called"
    program = tmp_path / "bin" / "lrzip"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {called}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    (tmp_path / "x.zip").write_bytes(b"LRZI\0\6" + bytes(90))
    summary, _ = open_all(tmp_path / "models", tmp_path / "x.zip")
    assert len(summary.faults) == 1
    assert not called.exists()


def test_a_list_of_files_of_this_machine_is_no_archive(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    listed = f"#mtree\n./m.pmx type=file mode=0644 size=6 contents={secret}\n"
    (tmp_path / "x.zip").write_text(listed)
    summary, _ = open_all(tmp_path / "models", tmp_path / "x.zip")
    (fault,) = summary.faults
    assert "is damaged, or no archive" in fault


def test_a_locked_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    with libarchive.file_writer(
        str(path), "zip", options="zip:encryption=traditional", passphrase="miku"
    ) as archive:
        archive.add_file_from_memory("m.pmx", 5, b"model")
    summary, _ = open_all(tmp_path / "models", path)
    assert "locked.zip: is locked with a password" in summary.faults[0]
    assert files_of(tmp_path / "models") == {}
    summary, _ = open_all(tmp_path / "models", path, password="miku")
    assert files_of(tmp_path / "models") == {"locked/m.pmx": b"model"}


def test_archives_whose_own_names_are_no_unicode(tmp_path: Path) -> None:
    name = os.fsdecode("ミク.zip".encode("cp932"))
    zip_of(tmp_path / "in" / name, {b"m.pmx": b"in"})
    for known in (0, 1):
        summary, _ = open_all(tmp_path / "models", tmp_path / "in")
        assert summary.known == known
    assert files_of(tmp_path / "models") == {"ミク/m.pmx": b"in"}


def test_a_pmd_with_its_textures_in_gbk(tmp_path: Path) -> None:
    """Its own texture names are in the same bytes as the archive's: they stay together."""
    texture = "脸部.bmp".encode("gb18030")
    builder = PmdBuilder().begin("materials", 1).material(texture)
    path = zip_of(tmp_path / "x.zip", {b"m.pmd": builder.to_bytes(), texture: b"face"})
    open_all(tmp_path / "models", path)
    (reference,) = texture_references(tmp_path / "models" / "x" / "m.pmd")[10:]
    assert (tmp_path / "models" / "x" / reference).read_bytes() == b"face"


def test_the_command(tmp_path: Path) -> None:
    zip_of(tmp_path / "in" / "x.zip", {b"m.pmx": model()})
    (tmp_path / "in" / "bad.zip").write_bytes(b"bad")
    done = CliRunner().invoke(
        main, ["unpack", str(tmp_path / "in"), "-o", str(tmp_path / "models")]
    )
    assert done.exit_code == 0, done.output
    assert "1 archive unpacked with 1 model, 1 fault" in done.output
    alone = CliRunner().invoke(
        main, ["unpack", str(tmp_path / "in" / "bad.zip"), "-o", str(tmp_path / "models")]
    )
    assert alone.exit_code == 1
    nothing = CliRunner().invoke(main, ["unpack", str(tmp_path / "models"), "-o", str(tmp_path)])
    assert nothing.exit_code == 1
    assert "no archive in it" in nothing.output


def test_what_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        find_archives([tmp_path / "absent.zip"])
