"""Finding textures inside the model's folder only, and decoding what real models ship."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.errors import TextureError
from renderer.draw.textures import find_texture, load_texture

RED, CLEAR_WHITE = (255, 0, 0, 255), (255, 255, 255, 0)


def _picture(path: Path, picture_format: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2), (255, 0, 0)).save(path, picture_format)
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


@pytest.mark.parametrize("picture_format", ["PNG", "BMP", "TGA", "JPEG", "DDS", "GIF"])
def test_the_content_decides_not_the_extension(tmp_path: Path, picture_format: str) -> None:
    path = _picture(tmp_path / "ball.sph", picture_format)
    pixels = load_texture(path, 64).pixels
    assert pixels.shape == (2, 2, 4)
    assert np.abs(pixels.astype(int) - np.array(RED)).max() <= 2  # JPEG and DXT are lossy


def test_pixels_are_premultiplied_so_that_invisible_colour_is_gone(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), RED)
    image.putpixel((1, 0), CLEAR_WHITE)
    image.save(tmp_path / "a.png")
    assert load_texture(tmp_path / "a.png", 64).pixels[0].tolist() == [list(RED), [0, 0, 0, 0]]


def test_grey_of_16_bits_is_scaled(tmp_path: Path) -> None:
    grey = np.array([[0, 257, 0x8080, 65535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as written:
        assert written.mode == "I;16"
    pixels = load_texture(tmp_path / "a.png", 64).pixels
    assert pixels[0, :, :3].tolist() == [[value] * 3 for value in (0, 1, 128, 255)]
    assert (pixels[..., 3] == 255).all()


def test_a_photoshop_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "face.psd").write_bytes(b"8BPS" + bytes(200))
    with pytest.raises(TextureError, match=r"face\.psd cannot be decoded") as caught:
        load_texture(tmp_path / "face.psd", 64)
    assert caught.value.code == "texture-corrupt" and "\n" not in str(caught.value)


def _bmp32(path: Path, pixels_bgra: list[bytes], compression: int = 0) -> Path:
    """A 32-bit BMP, 1 pixel wide, bottom row first."""
    body = b"".join(pixels_bgra)
    header = struct.pack("<IiiHHIIiiII", 40, 1, len(pixels_bgra), 1, 32, compression, 0, 0, 0, 0, 0)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body)
    return path


def test_a_32_bit_bmp_carries_alpha(tmp_path: Path) -> None:
    path = _bmp32(tmp_path / "a.bmp", [b"\x00\x00\xff\xff", b"\xff\xff\xff\x00"])
    # Bottom row red, top row invisible.
    assert load_texture(path, 64).pixels[:, 0].tolist() == [[0, 0, 0, 0], list(RED)]


def test_a_32_bit_bmp_whose_alpha_nobody_wrote_is_opaque(tmp_path: Path) -> None:
    path = _bmp32(tmp_path / "a.bmp", [b"\x00\x00\xff\x00"])
    assert load_texture(path, 64).pixels[0, 0].tolist() == list(RED)


def test_a_large_texture_is_scaled_down_to_the_limit(tmp_path: Path) -> None:
    Image.new("RGB", (512, 128), (255, 0, 0)).save(tmp_path / "a.png")
    pixels = load_texture(tmp_path / "a.png", 64).pixels
    assert pixels.shape == (16, 64, 4)
    assert (pixels == RED).all()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60), b"DDS " + bytes(200)],
)
def test_a_corrupt_texture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "face.png").write_bytes(content)
    with pytest.raises(TextureError, match=r"face\.png cannot be decoded") as caught:
        load_texture(tmp_path / "face.png", 64)
    assert caught.value.code == "texture-corrupt"


def test_a_truncated_png_is_corrupt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "face.png").write_bytes((tmp_path / "whole.png").read_bytes()[:4000])
    with pytest.raises(TextureError, match="cannot be decoded"):
        load_texture(tmp_path / "face.png", 64)


def test_a_picture_30000_pixels_wide_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (30000, 20)).save(tmp_path / "wide.png")
    with pytest.raises(TextureError, match="too large") as caught:
        load_texture(tmp_path / "wide.png", 64)
    assert caught.value.code == "texture-too-large"
