"""Decoding what real models ship."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.errors import TextureError
from renderer.draw.textures import load_texture

RED, CLEAR_WHITE = (255, 0, 0, 255), (255, 255, 255, 0)


def _picture(path: Path, picture_format: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2), (255, 0, 0)).save(path, picture_format)
    return path


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


def _chunk(kind: bytes, data: bytes, *, broken: bool = False) -> bytes:
    crc = zlib.crc32(kind + data) ^ broken
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


@pytest.mark.parametrize(
    "chunk",
    [
        _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * (3 << 20))),
        _chunk(b"tEXt", b"Comment\0" + b"x" * (3 << 20)),
        _chunk(b"iCCP", b"profile\0\0" + zlib.compress(b"x" * (80 << 20))),
        _chunk(b"tEXt", b"Software\0paint", broken=True),
        _chunk(b"gAMA", b"short"),
    ],
    ids=["packed text", "text", "profile", "checksum", "gamma"],
)
def test_what_a_png_says_beside_its_pixels_is_passed_over(tmp_path: Path, chunk: bytes) -> None:
    data = _picture(tmp_path / "a.png").read_bytes()
    header = 8 + 12 + 13
    (tmp_path / "a.png").write_bytes(data[:header] + chunk + data[header:])
    assert (load_texture(tmp_path / "a.png", 64).pixels == RED).all()


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_all_that_decides_pixels_of_a_png_is_kept(tmp_path: Path, mode: str) -> None:
    """A palette with transparent entries; grey with alpha."""
    if mode == "P":
        image = Image.new("P", (2, 1), 0)
        image.putpalette([255, 0, 0, 255, 255, 255])
        image.putpixel((1, 0), 1)
        image.save(tmp_path / "a.png", transparency=b"\xff\x00")
    else:
        Image.new(mode, (2, 1), 1).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as plain:
        expected = np.asarray(plain.convert("RGBA").convert("RGBa"))
    assert (load_texture(tmp_path / "a.png", 64).pixels == expected).all()


def test_a_png_that_is_cut_is_corrupt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for size in (20, 33, 40, len(data) // 2):
        (tmp_path / "a.png").write_bytes(data[:size])
        with pytest.raises(TextureError, match="cannot be decoded"):
            load_texture(tmp_path / "a.png", 64)
