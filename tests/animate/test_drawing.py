"""Drawings from strangers: read rightly whatever they are, or refused in one line."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animate.drawing.drawing import Drawing, clean, decode_drawing, read_drawing, resized
from animate.pose.open_poser import fitted
from animate.pose.poser import shown_bytes, spread
from contract.errors import InputError
from contract.image import Stored, network_to_stored, stored_to_network
from tests.support.shifting import Shifting, bytes_of

RED_GREEN = np.array([[[255, 0, 0, 255], [0, 255, 0, 128]]], np.uint8)


def test_a_png_with_alpha_is_read_to_the_byte() -> None:
    drawing = decode_drawing(bytes_of(Image.fromarray(RED_GREEN, "RGBA")), "a.png")
    np.testing.assert_array_equal(drawing.picture, RED_GREEN)
    assert drawing.has_alpha
    assert drawing.notes == ()


@pytest.mark.parametrize(
    ("image", "pixel", "has_alpha", "note"),
    [
        (Image.new("RGB", (2, 2), (1, 2, 3)), (1, 2, 3, 255), False, None),
        (Image.new("L", (2, 2), 7), (7, 7, 7, 255), False, "from L"),
        (Image.new("LA", (2, 2), (7, 9)), (7, 7, 7, 9), True, "from LA"),
        (Image.new("I;16", (2, 2), 257 * 200), (200, 200, 200, 255), False, "16-bit"),
        (Image.new("1", (2, 2), 1), (255, 255, 255, 255), False, "from 1"),
    ],
)
def test_other_kinds_are_converted_and_named(
    image: Image.Image, pixel: tuple[int, ...], has_alpha: bool, note: str | None
) -> None:
    drawing = decode_drawing(bytes_of(image), "a.png")
    assert tuple(drawing.picture[0, 0]) == pixel
    assert drawing.has_alpha == has_alpha
    assert (note is None and not drawing.notes) or note in drawing.notes[0]  # type: ignore[operator]


def test_a_palette_with_transparency_keeps_it() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putdata([0, 1])
    drawing = decode_drawing(bytes_of(image, transparency=0), "a.png")
    assert drawing.picture[0, 0, 3] == 0
    assert tuple(drawing.picture[0, 1]) == (10, 20, 30, 255)
    assert drawing.has_alpha


def test_cmyk_is_converted() -> None:
    drawing = decode_drawing(bytes_of(Image.new("CMYK", (8, 8)), "JPEG"), "a.jpg")
    assert drawing.picture.min() >= 250
    assert drawing.notes == ("converted from CMYK to RGBA",)


def test_a_turned_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    data = bytes_of(Image.fromarray(RED_GREEN[..., :3], "RGB"), exif=exif)
    drawing = decode_drawing(data, "a.png")
    assert drawing.picture.shape == (2, 1, 4)
    assert tuple(drawing.picture[0, 0]) == (255, 0, 0, 255)
    assert "EXIF" in drawing.notes[0]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGBA", (4, 4), colour) for colour in ("red", "blue")]
    data = bytes_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    drawing = decode_drawing(data, "a.gif")
    assert tuple(drawing.picture[0, 0, :3]) == (255, 0, 0)
    assert "animated: the first frame" in drawing.notes[0]


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    whole = bytes_of(Image.effect_noise((64, 64), 50).convert("RGBA"))
    for data, fault in (
        (b"hello", "is no picture"),
        (b"", "is no picture"),
        (whole[:200], "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is no picture"),
    ):
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(InputError, match=fault) as caught:
            read_drawing(tmp_path / "a.png")
        assert "\n" not in str(caught.value)
    for path, fault in ((tmp_path, "is no file"), (tmp_path / "none.png", "cannot be read")):
        with pytest.raises(InputError, match=fault):
            read_drawing(path)


def test_vast_pictures_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(InputError, match="20000x1 pixels; at most 16384 a side"):
        decode_drawing(bytes_of(Image.new("1", (20_000, 1))), "a.png")
    with pytest.raises(InputError, match="scale it down"):
        decode_drawing(bytes_of(Image.new("1", (9000, 9000))), "a.png")


# Sizes.


def test_colour_under_transparency_does_not_leak_into_what_is_seen() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[...] = (255, 0, 255, 0)  # magenta where nothing is seen
    picture[:, 32:] = (0, 255, 0, 255)
    small = resized(picture, 16, 16)
    seen = small[small[..., 3] > 0]
    assert (seen[:, 0] <= 1).all()
    assert (seen[:, 2] <= 1).all()
    assert (small[:, :6] == 0).all()
    assert (clean(picture)[:, :32] == 0).all()


def test_light_is_averaged_not_bytes() -> None:
    stripes = np.full((64, 64, 4), 255, np.uint8)
    stripes[:, ::2, :3] = 0
    small = resized(stripes, 16, 16)
    assert small[8, 8, 0] == pytest.approx(188, abs=2)  # half of the light, not half of the bytes


def test_an_enlarged_soft_edge_has_no_colour_that_was_not_beside_it() -> None:
    """Two greys in turn, of alpha by chance: what hardly covers lies between them."""
    generator = np.random.Generator(np.random.PCG64(3))
    picture = np.empty((24, 24, 4), np.uint8)
    picture[..., :3] = np.where(np.indices((24, 24)).sum(0) % 2, 100, 150)[..., None]
    picture[..., 3] = generator.choice([0, 0, 3, 255], (24, 24))
    wide = resized(clean(picture), 61, 61)
    faint = (wide[..., 3] > 0) & (wide[..., 3] < 128)
    assert faint.sum() > 500
    assert wide[faint, :3].min() >= 99
    assert wide[faint, :3].max() <= 151
    assert wide[wide[..., 3] > 200, :3].max() > 151  # what is seen stays sharp


def test_the_same_size_changes_nothing() -> None:
    picture = clean(np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8))
    np.testing.assert_array_equal(resized(picture, 8, 8), picture)


def _drawing(picture: Stored) -> bytes:
    return bytes_of(Image.fromarray(picture, "RGBA"))


def _square(side: int) -> Drawing:
    picture = np.zeros((side, side, 4), np.uint8)
    picture[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return decode_drawing(_drawing(picture), "a.png")


def test_only_squares_with_transparency_fit() -> None:
    picture, networks = _square(32).picture, Shifting()
    fits, _ = fitted(_square(32), networks)
    assert fits.shape == (32, 32, 4)
    assert fits[0, 0].tolist() == [0, 0, 0, 0]
    with pytest.raises(InputError, match=r"16x32; it must be square; try `animate check a\.png"):
        fitted(decode_drawing(_drawing(picture[:, :16]), "a.png"), networks)
    with pytest.raises(InputError, match="no transparent background"):
        fitted(decode_drawing(_drawing(np.full_like(picture, 255)), "a.png"), networks)
    with pytest.raises(InputError, match="wholly transparent"):
        fitted(decode_drawing(_drawing(np.zeros_like(picture)), "a.png"), networks)


@pytest.mark.parametrize(
    ("side", "size", "draws_wide", "drawn", "note"),
    [
        (16, None, True, 16, ""),
        (100, None, True, 100, ""),
        (8, None, True, 16, "a.png: 8x8 pixels, enlarged to 16: networks draw no less"),
        (1030, None, True, 1024, "a.png: 1030x1030 pixels, reduced to 1024: networks draw no more"),
        (100, None, False, 16, "a.png: 100x100 pixels, reduced to 16: networks draw no more"),
        (100, 50, True, 50, ""),
        (100, 8, True, 16, ""),
    ],
)
def test_a_drawing_is_drawn_at_its_own_size_where_that_can_be(
    side: int, size: int | None, draws_wide: bool, drawn: int, note: str
) -> None:
    picture, told = fitted(_square(side), Shifting(draws_wide=draws_wide), size)
    assert picture.shape == (drawn, drawn, 4)
    assert told == note


def test_colours_spread_under_nothing_from_the_nearest_that_are_seen() -> None:
    picture = stored_to_network(_square(33).picture)
    picture[:3, 8:16] = np.float32(0.25)
    picture[:, 20, 20] = -1
    wide = spread(picture)
    seen = picture[3] > -1
    np.testing.assert_array_equal(wide[:, seen], picture[:, seen])
    np.testing.assert_array_equal(wide[3], picture[3])
    assert wide[0, 0, :32].max() == 0.25
    assert wide[0, 26, :32].min() == 1
    assert wide[0, 20, 20] == 1
    nothing = np.full((4, 5, 5), -1, np.float32)
    np.testing.assert_array_equal(spread(nothing), nothing)


def test_bytes_by_table_are_those_by_the_formula() -> None:
    ramp = np.arange(256, dtype=np.uint8).repeat(4).reshape(16, 16, 4)
    ramp[0, 0] = (7, 9, 200, 1)
    np.testing.assert_array_equal(shown_bytes(stored_to_network(ramp)), clean(ramp))
    values = np.random.default_rng(0).uniform(-1.2, 1.2, (4, 100, 100)).astype(np.float32)
    apart = shown_bytes(values).astype(int) - network_to_stored(values)
    assert np.abs(apart).max() <= 1
    assert (apart != 0).mean() < 0.01


# Colour profiles.

_P3 = [[0.51512, 0.29198, 0.1571], [0.2412, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]


def _tag(kind: bytes, body: bytes) -> bytes:
    data = kind + bytes(4) + body
    return data + bytes(-len(data) % 4)


def display_p3() -> bytes:
    """An ICC profile with P3's primaries (D50, rows X Y Z) and a gamma of 2.2."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    name = b"Wide\0"
    columns = zip(*_P3, strict=True)
    primaries = zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    tags = {
        b"desc": _tag(b"desc", struct.pack(">I", len(name)) + name + bytes(78)),
        b"wtpt": _tag(b"XYZ ", fixed(0.9642, 1.0, 0.8249)),
        **{k: _tag(b"XYZ ", fixed(*c)) for k, c in primaries},
        **{k: _tag(b"curv", struct.pack(">IH", 1, 0x0233)) for k in (b"rTRC", b"gTRC", b"bTRC")},
        b"cprt": _tag(b"text", b"none\0"),
    }
    table, bodies = struct.pack(">I", len(tags)), b""
    for key, body in tags.items():
        table += key + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(bodies), len(body))
        bodies += body
    head = struct.pack(">I4sI4s4s4s", 0, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249) + bytes(48)
    whole = head.ljust(128, b"\0")[:128] + table + bodies
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_a_profile_are_converted_to_srgb(mode: str) -> None:
    colour = (200, 120, 80, 90)[: len(mode)]
    kept = io.BytesIO()
    Image.new(mode, (4, 4), colour).save(kept, "PNG", icc_profile=display_p3())
    read = decode_drawing(kept.getvalue(), "a.png")
    # By the matrices of P3 and sRGB: the same colour is more saturated in the smaller space.
    assert np.abs(read.picture[0, 0, :3].astype(int) - (214, 116, 69)).max() <= 2
    assert read.picture[0, 0, 3] == (90 if mode == "RGBA" else 255)
    assert any("converted from the colours of Wide" in note for note in read.notes)


def test_a_profile_that_is_none_is_said_and_passed_over() -> None:
    kept = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 120, 80)).save(kept, "PNG", icc_profile=b"no profile at all")
    read = decode_drawing(kept.getvalue(), "a.png")
    assert tuple(read.picture[0, 0]) == (200, 120, 80, 255)
    assert read.notes == ("its colour profile cannot be used: taken as sRGB",)
