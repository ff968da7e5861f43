"""Pictures of strangers: what Pillow raises on them, and what they may take."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from contract.picture import PictureError, bare_png, decode, premultiplied, rows_of, straight

KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "DDS")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def fault_of(data: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        decode(io.BytesIO(data), KINDS, 64)
    return caught.value


def _dds(flags: int, fourcc: bytes, bits: int = 0) -> bytes:
    """A DDS header of 8x8 pixels with a pixel format of one's own."""
    head = b"DDS " + struct.pack("<7I44x", 124, 0x1007, 8, 8, 0, 0, 0)
    pixel_format = struct.pack("<II4sI4I", 32, flags, fourcc, bits, 0, 0, 0, 0)
    return head + pixel_format + bytes(20 + 256)


def _tiff(**tags: int) -> bytes:
    """A TIFF of 8x8 grey pixels in which some tags (by number, as t258=9) say something else."""
    data = bytearray(saved(Image.new("L", (8, 8)), "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", data, entry)
        if f"t{tag}" in tags:
            struct.pack_into("<I", data, entry + 8, tags[f"t{tag}"])
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        _dds(0x4, b"ZZZZ"),
        _dds(0x0, b"\0\0\0\0"),
        _dds(0x40, b"\0\0\0\0", 7),
        _tiff(t258=99),
        _tiff(t259=7777),
        _tiff(t262=4444),
        _tiff(t273=1 << 30),
        saved(Image.new("RGB", (8, 8)), "PNG")[:40],
        saved(Image.new("RGB", (8, 8)), "WEBP")[:40],
        saved(Image.new("RGB", (64, 64)), "JPEG")[:-300],
    ],
)
def test_whatever_pillow_raises_is_one_error(data: bytes) -> None:
    error = fault_of(data)
    assert error.fault in {"damaged", "unknown"}
    assert "\n" not in str(error)


def _png(width: int, height: int, colours: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 8 bits with what chunks one likes between its header and its end."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    every = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in every)


def _png_header(width: int, height: int) -> bytes:
    """A PNG that promises many pixels and holds none."""
    return _png(width, height, 6, (b"IDAT", b""))


def test_a_palette_that_is_missing_or_wrong_is_damage() -> None:
    pixels, palette = (b"IDAT", zlib.compress(bytes(4))), (b"PLTE", bytes(768))
    decode(io.BytesIO(_png(3, 1, 3, palette, pixels)), KINDS, 64)
    assert "no palette" in str(fault_of(_png(3, 1, 3, pixels)))
    too_long = (b"tRNS", bytes(300))
    assert fault_of(_png(3, 1, 3, palette, too_long, pixels)).fault == "damaged"


@pytest.mark.parametrize("kind", [b"IDAT", b"PLTE", b"iCCP", b"tEXt", b"acTL"])
@pytest.mark.parametrize("bare", [False, True])
def test_a_chunk_that_says_4_gib_is_refused_and_takes_nothing(kind: bytes, bare: bool) -> None:
    whole = _png(3, 1, 3, (kind, bytes(40)))
    at = whole.index(kind) - 4
    data = whole[:at] + struct.pack(">I", 2**32 - 16) + whole[at + 4 :]
    tracemalloc.start()
    with pytest.raises(PictureError) as caught:
        file = io.BytesIO(data)
        decode(bare_png(file, with_looks=True) if bare else file, KINDS, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.fault in {"damaged", "unknown"}
    assert peak < 4 << 20


def test_what_decoding_would_take_is_known_before_it_is_taken() -> None:
    assert "at most 16384 a side" in str(fault_of(_png_header(16385, 1)))
    assert "64 million in all" in str(fault_of(_png_header(8192, 8193)))
    assert fault_of(_png_header(8192, 8192)).fault == "damaged"  # within bounds, but empty
    large = Image.new("L", (5200, 5200))
    error = fault_of(saved(large, "WEBP", method=0))
    assert error.fault == "too-large"
    assert "5200x5200 pixels as WEBP take 412 MiB to decode" in str(error)
    decode(io.BytesIO(saved(large, "PNG", compress_level=1)), KINDS, 64)


def test_a_tiff_is_bounded_by_its_largest_tile() -> None:
    data = _tiff(t278=8)
    decode(io.BytesIO(data), KINDS, 64)
    tiled = bytearray(data)
    (at,) = struct.unpack_from("<I", tiled, 4)
    (count,) = struct.unpack_from("<H", tiled, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", tiled, entry)
        if tag == 278:
            struct.pack_into("<HHII", tiled, entry, 322, 4, 1, 1 << 30)
    assert fault_of(bytes(tiled)).fault in {"too-large", "damaged"}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "I;16"])
@pytest.mark.parametrize("size", [(5, 3), (700, 1900), (2500, 1000)])
def test_bands_give_what_the_whole_gives(mode: str, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    width, height = size
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (height, width), np.uint16))
        whole = Image.fromarray(np.rint(np.asarray(image, np.float64) / 257).astype(np.uint8), "L")
    else:
        made = Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8), "RGBA")
        whole = image = made if mode == "RGBA" else made.convert(mode)
    wanted = whole.convert("RGBA").convert("RGBa")
    side = 500
    if max(size) > side:
        width, height = (max(1, round(w * side / max(size))) for w in size)
        wanted = wanted.resize((width, height), Image.Resampling.BOX)
    found = premultiplied(image.size, side, rows_of(image))
    assert np.abs(found.astype(int) - np.asarray(wanted)).max() <= 1
    if max(size) <= side:
        alpha = np.asarray(straight(found))[..., 3]
        np.testing.assert_array_equal(alpha, np.asarray(wanted)[..., 3])
