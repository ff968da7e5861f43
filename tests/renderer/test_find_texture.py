"""Finding textures as people keep them, inside one folder only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contract.errors import TextureError
from renderer.draw.find_texture import find_texture


def _picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"pixels")
    return path


def _code(folder: Path, reference: str) -> str:
    with pytest.raises(TextureError) as caught:
        find_texture(folder, reference)
    return caught.value.code


@pytest.mark.parametrize(
    "reference",
    [
        "tex\\Face.PNG",
        "tex/face.png",
        "TEX\\FACE.png",
        ".\\tex\\face.png",
        "tex\\sub\\..\\face.png",
        "ｔｅｘ/face.png",
    ],
)
def test_backslashes_case_and_width_do_not_matter(tmp_path: Path, reference: str) -> None:
    expected = _picture(tmp_path / "tex" / "face.png")
    assert find_texture(tmp_path, reference) == expected


def test_decomposed_kana_in_the_file_name_match_composed_ones_in_the_model(tmp_path: Path) -> None:
    decomposed = "か\u3099.png"  # what some unpackers write for が.png
    expected = _picture(tmp_path / decomposed)
    assert find_texture(tmp_path, "が.png") == expected


def test_the_exact_spelling_wins(tmp_path: Path) -> None:
    _picture(tmp_path / "A.png")
    lower = _picture(tmp_path / "a.png")
    assert find_texture(tmp_path, "a.png") == lower


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.png",
        "..\\secret.png",
        "tex/../../secret.png",
        "..\\..\\..\\secret.png",
        "..",
        "/etc/passwd",
        "C:\\Users\\secret.png",
        "\\\\server\\share\\secret.png",
        "../../etc/passwd",
    ],
)
def test_no_path_leaves_the_models_folder(tmp_path: Path, reference: str) -> None:
    _picture(tmp_path / "secret.png")
    folder = tmp_path / "model"
    (folder / "tex").mkdir(parents=True)
    assert _code(folder, reference) == "texture-outside-folder"


def test_no_symbolic_link_leaves_the_models_folder(tmp_path: Path) -> None:
    _picture(tmp_path / "secret.png")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "face.png").symlink_to(tmp_path / "secret.png")
    assert _code(folder, "face.png") == "texture-outside-folder"


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    assert _code(tmp_path, "face.png") == "texture-missing"
    assert _code(tmp_path, "tex/face.png") == "texture-missing"
    assert _code(tmp_path, "bad\0name.png") == "texture-missing"
    (tmp_path / "folder.png").mkdir()
    assert _code(tmp_path, "folder.png") == "texture-missing"


# In a collection, a model's folder has neighbours.


@pytest.mark.parametrize(
    "reference", ["..\\textures\\a.png", "../Textures/A.png", "..\\..\\shared\\a.png"]
)
def test_textures_beside_the_models_folder_are_found_inside_the_bound(
    tmp_path: Path, reference: str
) -> None:
    models = tmp_path / "models"
    folder = models / "franchise" / "miku"
    folder.mkdir(parents=True)
    _picture(models / "franchise" / "textures" / "a.png")
    _picture(models / "shared" / "a.png")
    found = find_texture(folder, reference, models)
    assert found.name == "a.png"
    assert found.parent.name in reference.lower()
    assert _code(folder, reference) == "texture-outside-folder"


@pytest.mark.parametrize("reference", ["..\\..\\secret.png", "..\\link\\secret.png", "l.png"])
def test_nothing_outside_the_bound_is_found(tmp_path: Path, reference: str) -> None:
    _picture(tmp_path / "secret.png")
    models = tmp_path / "models"
    folder = models / "miku"
    folder.mkdir(parents=True)
    (models / "link").symlink_to(tmp_path)
    (folder / "l.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(TextureError) as caught:
        find_texture(folder, reference, models)
    assert caught.value.code == "texture-outside-folder"


def test_a_link_to_a_neighbour_inside_the_bound_is_followed(tmp_path: Path) -> None:
    models = tmp_path / "models"
    _picture(models / "textures" / "a.png")
    (models / "miku").mkdir()
    (models / "miku" / "tex").symlink_to(models / "textures")
    assert find_texture(models / "miku", "tex\\a.png", models).read_bytes() == b"pixels"
    with pytest.raises(TextureError):
        find_texture(models / "miku", "tex\\a.png")


@pytest.mark.parametrize(
    "reference",
    [
        "C:\\Users\\author\\miku\\tex\\face.png",
        "D:/mmd/tex/FACE.png",
        "\\\\server\\share\\tex\\face.png",
        "/home/author/tex/face.png",
        "..\\..\\..\\author\\tex\\face.png",
    ],
)
def test_paths_of_the_authors_disk_mean_their_end_beside_the_model(
    tmp_path: Path, reference: str
) -> None:
    beside = _picture(tmp_path / "face.png")
    assert find_texture(tmp_path, reference) == beside
    nearer = _picture(tmp_path / "tex" / "face.png")
    assert find_texture(tmp_path, reference) == nearer


NAMES = ["顔.png", "テクスチャ", "表情.png", "표정.png", "脸.png", "髪ｿ.bmp"]
UNPACKED = [
    (written, read)
    for written in ("cp932", "gb18030", "utf-8", "cp949")
    for read in ("cp437", "cp850", "latin-1")
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("written", "read"), UNPACKED)
def test_names_that_were_unpacked_in_the_wrong_encoding(
    tmp_path: Path, name: str, written: str, read: str
) -> None:
    try:
        garbled = name.encode(written).decode(read)
    except UnicodeError:
        pytest.skip("that system could not write it")
    if "/" in garbled or "\0" in garbled:
        pytest.skip("that unpacker would cut it")
    _picture(tmp_path / "other.png")
    _picture(tmp_path / "é.png")
    expected = _picture(tmp_path / garbled / "a.png")
    assert find_texture(tmp_path, f"{name}\\a.png") == expected


def test_names_whose_bytes_are_raw_shift_jis(tmp_path: Path) -> None:
    raw = os.fsdecode("顔.png".encode("cp932"))
    expected = _picture(tmp_path / raw)
    assert find_texture(tmp_path, "顔.PNG") == expected


def test_the_right_name_wins_over_a_garbled_one(tmp_path: Path) -> None:
    _picture(tmp_path / "顔.png".encode("cp932").decode("cp437"))
    right = _picture(tmp_path / "顔.png")
    assert find_texture(tmp_path, "顔.png") == right
