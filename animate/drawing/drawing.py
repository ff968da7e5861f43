"""Reads a picture that somebody gives us, whatever it is, into the stored form."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from contract.errors import InputError
from contract.files import read_file
from contract.image import Stored, linear_to_srgb, srgb_to_linear
from contract.picture import (
    Decoded,
    PictureError,
    bare_png,
    decode,
    fitted,
    in_rgba,
    is_deep_grey,
    premultiplied,
    rows_of,
    straight,
)
from contract.text import printable

MOST_PIXELS = 1024
"""A side, of what is drawn: a frame of it takes four times one of half."""
READ_SIDE = 4096
"""A larger drawing is reduced to this: an eighth of it is a head of the largest that is drawn."""
MAX_BYTES = 64 << 20
_LEAST = np.float32(1e-6)
_SPECK = 1.5 / 255  # of alpha: fainter than what enlarging leaves beside an edge
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "DDS")
_COLOUR_MODES = {"L", "RGB", "CMYK", "YCbCr"}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's orientation."""
_F32 = npt.NDArray[np.float32]
_LINEAR: _F32 = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
_UNIT: _F32 = np.arange(256, dtype=np.float32) / np.float32(255)
_BAND_ROWS = 256


@dataclass(frozen=True)
class Drawing:
    """A picture (H, W, 4) uint8, straight alpha, sRGB, at most ``READ_SIDE`` pixels a side.

    ``has_alpha``: whether the file has transparency at all. ``notes``: what reading had to do.
    """

    name: str
    picture: Stored
    has_alpha: bool
    notes: tuple[str, ...]


def read_drawing(path: Path) -> Drawing:
    """Read a picture file.

    Raises:
        InputError: it is missing, no picture, too large, or damaged.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no file; give a picture, best a PNG with transparency")
    return decode_drawing(read_file(path, MAX_BYTES), path.name)


def decode_drawing(data: bytes, name: str) -> Drawing:
    """The picture in a file's bytes; ``InputError`` as ``read_drawing``."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: {len(data) >> 20} MiB; a drawing may have {MAX_BYTES >> 20}")
    try:
        png_or_other = bare_png(io.BytesIO(data), with_looks=True)
        return _converted(name, *_upright(decode(png_or_other, _FORMATS, READ_SIDE)))
    except PictureError as error:
        raise InputError(f"{name}: {_in_words(error)}") from error


def _in_words(error: PictureError) -> str:
    match error.fault:
        case "unknown":
            return f"is no picture (known: {', '.join(_FORMATS)}); save the drawing as PNG"
        case "damaged":
            return f"is damaged ({error}); save it again as PNG"
        case "too-large":
            return f"is too large ({error}); scale it down, or save it as PNG"


def _upright(decoded: Decoded) -> tuple[Image.Image, bool, list[str]]:
    """The picture, reduced and turned; whether it can be transparent; and what was done to it."""
    notes = []
    if decoded.is_animated:
        notes.append("animated: the first frame is taken")
    image = decoded.image
    has_alpha = image.has_transparency_data
    if max(decoded.width, decoded.height) > READ_SIDE:
        image = _reduced(image)
        notes.append(
            f"reduced from {decoded.width}x{decoded.height} to {image.width}x{image.height}, which "
            "rows and columns are said of"
        )
    if decoded.orientation in _UPRIGHT:
        notes.append("turned as its EXIF orientation says")
        image = image.transpose(_UPRIGHT[decoded.orientation])
    return image, has_alpha, notes


def _converted(name: str, image: Image.Image, has_alpha: bool, notes: list[str]) -> Drawing:
    image = _in_srgb(image, notes)
    if is_deep_grey(image):
        notes.append("16-bit grey reduced to 8 bit")
    elif image.mode not in {"RGBA", "RGB"}:
        notes.append(f"converted from {image.mode} to RGBA")
    return Drawing(name, np.array(in_rgba(image)), has_alpha, tuple(notes))


def _reduced(image: Image.Image) -> Image.Image:
    """Fitted to ``READ_SIDE``; colours as they are where there is no alpha to weigh them."""
    size = fitted(image.size, READ_SIDE)
    if image.mode in _COLOUR_MODES and not image.has_transparency_data:
        return image.resize(size, Image.Resampling.BOX)
    small = straight(premultiplied(image.size, READ_SIDE, rows_of(image)))
    small.info = {k: v for k, v in image.info.items() if k == "icc_profile"}
    return small


def _in_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture with the colours of its ICC profile, if it has another than sRGB, in sRGB."""
    data = image.info.get("icc_profile")
    if not data or is_deep_grey(image):
        return image
    if image.mode in {"P", "PA", "LA", "1"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        name = ImageCms.getProfileDescription(profile).strip()
        if "srgb" in name.lower():
            return image
        colours = image.convert("RGB") if image.mode in {"RGBA", "RGBX"} else image
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colours, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("its colour profile cannot be used: taken as sRGB")
        return image
    assert converted is not None  # only in place
    notes.append(f"converted from the colours of {printable(name)[:60]} to sRGB")
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def clean(picture: Stored) -> Stored:
    """The picture with colour under alpha 0 forced to 0."""
    return np.where(picture[..., 3:] == 0, np.uint8(0), picture)


def resized(picture: Stored, width: int, height: int) -> Stored:
    """The picture at another size: filtered premultiplied and in linear light, so no fringes."""
    if picture.shape[:2] == (height, width):
        return clean(picture)
    alpha = _UNIT[picture[..., 3]]
    reduces = width < picture.shape[1]
    # Reduced without overshoot, which would leave specks of alpha around edges.
    kind = Image.Resampling.HAMMING if reduces else Image.Resampling.BICUBIC
    coverage = _plane(alpha, width, height, kind).clip(0, 1)
    calm = None if reduces else _plane(alpha, width, height, Image.Resampling.BILINEAR)
    coverage[coverage < _SPECK] = 0
    if calm is not None:
        coverage[calm < _SPECK / 2] = 0
    stored = np.empty((height, width, 4), np.uint8)
    stored[..., 3] = np.rint(coverage * 255)
    for channel in range(3):
        light = _LINEAR[picture[..., channel]]
        light *= alpha
        colour = _plane(light, width, height, kind) / np.maximum(coverage, _LEAST)
        if calm is not None:
            colour = _calmed(colour, coverage, light, calm)
        for top in range(0, height, _BAND_ROWS):
            rows = slice(top, top + _BAND_ROWS)
            srgb = linear_to_srgb(np.clip(colour[rows], 0, 1).astype(np.float32))
            stored[rows, :, channel] = np.rint(srgb * 255)
    stored[stored[..., 3] == 0] = 0
    return stored


def _calmed(colour: _F32, coverage: _F32, light: _F32, calm: _F32) -> _F32:
    """An enlarged channel (H, W), bilinear where it hardly covers, as far as coverage is under one.

    light: the channel by alpha, as it was given; calm: alpha enlarged bilinearly. Light that
    overshoots over coverage that does is any colour, and networks that draw more hair there would
    show it. Bilinear colours lie between those around.
    """
    height, width = calm.shape
    between = _plane(light, width, height, Image.Resampling.BILINEAR) / np.maximum(calm, _LEAST)
    mixed = between + (colour - between) * np.maximum(2 * coverage - 1, 0)
    return mixed.astype(np.float32, copy=False)


def _plane(plane: _F32, width: int, height: int, kind: Image.Resampling) -> _F32:
    image = Image.fromarray(np.ascontiguousarray(plane), "F")
    return np.asarray(image.resize((width, height), kind), np.float32)
