"""Reads a picture that somebody gives us, whatever it is, into the stored form."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from contract.errors import InputError
from contract.image import Stored, linear_to_srgb, srgb_to_linear
from contract.text import printable

MOST_PIXELS = 1024
"""A side, of what is drawn: a frame of it takes four times one of half."""
MAX_BYTES = 64 << 20
MAX_SIDE = 16_384
MAX_PIXELS = 64 << 20
_SPECK = 1.5 / 255  # of alpha: fainter than what enlarging leaves beside an edge
_DEEP_GREY = {"I;16", "I;16B", "I;16L", "I", "F"}
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "DDS")


@dataclass(frozen=True)
class Drawing:
    """A picture (H, W, 4) uint8, straight alpha, sRGB, any size, as it was given.

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
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError(f"{path}: is no file; give a picture, best a PNG with transparency")
        if size > MAX_BYTES:
            raise InputError(f"{path}: {size >> 20} MiB; a drawing may have {MAX_BYTES >> 20}")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return decode_drawing(data, path.name)


def decode_drawing(data: bytes, name: str) -> Drawing:
    """The picture in a file's bytes; ``InputError`` as ``read_drawing``."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: {len(data) >> 20} MiB; a drawing may have {MAX_BYTES >> 20}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bound is larger than ours
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                _require_bounds(name, image)
                return _converted(name, image)
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name}: is no picture (known: {', '.join(_FORMATS)}); save the drawing as PNG"
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"{name}: is damaged ({error!s:.100}); save it again as PNG") from error


def _require_bounds(name: str, image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise InputError(
            f"{name}: {width}x{height} pixels; a drawing may have {MAX_SIDE} a side and "
            f"{MAX_PIXELS >> 20} million in all; scale it down"
        )


def _converted(name: str, image: Image.Image) -> Drawing:
    notes = []
    if getattr(image, "n_frames", 1) > 1:
        notes.append(f"animated ({getattr(image, 'n_frames', 1)} frames): the first is taken")
        image.seek(0)
    if image.getexif().get(0x0112, 1) != 1:
        notes.append("turned as its EXIF orientation says")
    upright = ImageOps.exif_transpose(image)
    assert upright is not None  # only with in_place
    has_alpha = upright.has_transparency_data
    upright = _in_srgb(upright, notes)
    if upright.mode in _DEEP_GREY:
        notes.append("16-bit grey reduced to 8 bit")
        grey = np.asarray(upright, np.float64)
        scale = 257.0 if upright.mode != "F" else 1.0
        upright = Image.fromarray(np.clip(np.rint(grey / scale), 0, 255).astype(np.uint8), "L")
    elif upright.mode not in {"RGBA", "RGB"}:
        notes.append(f"converted from {upright.mode} to RGBA")
    return Drawing(name, np.array(upright.convert("RGBA")), has_alpha, tuple(notes))


def _in_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture with the colours of its ICC profile, if it has another than sRGB, in sRGB."""
    data = image.info.get("icc_profile")
    if not data or image.mode in _DEEP_GREY:
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
    unit = picture.astype(np.float32) / np.float32(255)
    alpha = unit[..., 3]
    planes = [*(srgb_to_linear(unit[..., :3]) * alpha[..., None]).transpose(2, 0, 1), alpha]
    small = np.stack([_plane(plane, width, height) for plane in planes], axis=-1)
    coverage = np.clip(small[..., 3:], 0, 1)
    coverage[coverage < _SPECK] = 0
    colour = small[..., :3] / np.maximum(coverage, 1e-6)
    srgb = linear_to_srgb(np.clip(colour, 0, 1).astype(np.float32))
    stored = np.rint(np.concatenate([srgb, coverage], axis=-1) * 255).astype(np.uint8)
    return clean(stored)


def _plane(
    plane: np.ndarray[tuple[int, ...], np.dtype[np.float32]], width: int, height: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    # Reduced without overshoot, which would leave specks of alpha around edges.
    kind = Image.Resampling.HAMMING if width < plane.shape[1] else Image.Resampling.BICUBIC
    image = Image.fromarray(np.ascontiguousarray(plane), "F")
    return np.asarray(image.resize((width, height), kind), np.float32)
