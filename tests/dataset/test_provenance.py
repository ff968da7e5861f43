from __future__ import annotations

import os
from pathlib import Path

import pytest

from contract.errors import ModelError
from contract.text import printable, shown_path
from dataset.catalog.provenance import (
    MAX_TERMS_BYTES,
    decode_text,
    find_terms,
    hash_model,
    source_of,
)
from dataset.shards.records import FoundText


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("path", "source"),
    [("東方/霊夢/a.pmx", "東方"), ("franchise/a.pmx", "franchise"), ("a.pmx", ".")],
)
def test_the_source_is_the_first_folder(path: str, source: str) -> None:
    assert source_of(path) == source


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    _write(tmp_path, {"a.pmx": b"abc"})
    assert hash_model(tmp_path / "a.pmx") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_link_is_not_hashed(tmp_path: Path) -> None:
    (tmp_path / "a.pmx").symlink_to("/etc/passwd")
    with pytest.raises(ModelError, match="not a plain file"):
        hash_model(tmp_path / "a.pmx")


# Terms.


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["readme.txt", "LICENSE", "COPYRIGHT.txt"], "LICENSE"),
        (["readme.txt", "COPYRIGHT.txt"], "COPYRIGHT.txt"),
        (["notes.txt", "お読みください.txt"], "お読みください.txt"),
        (["モデル利用規約.txt", "README.md"], "モデル利用規約.txt"),
        (["更新履歴.txt", "texture.png"], "更新履歴.txt"),
        (["texture.png", "readme.exe"], None),
    ],
)
def test_the_most_telling_file_is_chosen(
    names: list[str], chosen: str | None, tmp_path: Path
) -> None:
    _write(tmp_path / "s" / "m", dict.fromkeys(names, b"terms"))
    found = find_terms(tmp_path, "s/m/a.pmx")
    assert (found and found.path) == (f"s/m/{chosen}" if chosen else None)


def test_the_nearest_folder_is_asked_first_and_none_beyond_the_models(tmp_path: Path) -> None:
    models = tmp_path / "models"
    _write(tmp_path, {"readme.txt": b"not ours"})
    _write(models, {"s/m/a.pmx": b"", "s/m/empty.txt": b" \n"})
    assert find_terms(models, "s/m/a.pmx") is None
    _write(models, {"license.txt": b"of all"})
    assert find_terms(models, "s/m/a.pmx") == FoundText("license.txt", "of all")
    _write(models, {"s/readme.txt": b"of the source"})
    assert find_terms(models, "s/m/a.pmx") == FoundText("s/readme.txt", "of the source")


def test_links_and_pipes_are_not_read_as_terms(tmp_path: Path) -> None:
    (tmp_path / "license.txt").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "readme.txt")
    assert find_terms(tmp_path, "a.pmx") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le"])
def test_text_is_read_in_any_of_the_usual_encodings(encoding: str) -> None:
    text = "このモデルの利用規約 (terms)\n再配布禁止"
    assert decode_text(text.replace("\n", "\r\n").encode(encoding)) == text


def test_big_endian_text_is_read() -> None:
    assert decode_text("terms 規約".encode("utf-16-be")) == "terms 規約"


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_a_long_text_is_cut_between_characters(encoding: str, tmp_path: Path) -> None:
    _write(tmp_path, {"readme.txt": ("x" + "禁" * MAX_TERMS_BYTES).encode(encoding)})
    found = find_terms(tmp_path, "a.pmx")
    assert found
    assert set(found.text) == {"x", "禁"}
    assert len(found.text.encode(encoding)) in range(MAX_TERMS_BYTES - 3, MAX_TERMS_BYTES + 1)


def test_bytes_in_no_encoding_still_give_a_text() -> None:
    assert decode_text(b"ok \x81\x20 end") == "ok \ufffd  end"


def test_what_steers_a_terminal_is_taken_out() -> None:
    assert decode_text(b"a\x1b[31mb\x07\tc") == "a[31mb\tc"
    assert printable("a\x1b[2J\nb") == "a [2J b"


def test_paths_of_another_time_are_shown_in_japanese() -> None:
    assert shown_path(os.fsdecode("ミク.pmx".encode("cp932"))) == "ミク.pmx"
    assert shown_path("源/a.pmx") == "源/a.pmx"
