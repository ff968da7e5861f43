"""Textures: those of files, decoded within limits, and the shared toon ramps.

Real models give files wrong extensions; the decoder goes by content. Files from strangers: what
decoding takes is checked before pixels are decoded.

MMD's own ten toon ramps may not be shipped; models are authored for them all the same, so ours have
their character: the hue of light and shade, and where the one gives way to the other. 1 to 4 turn
hard at a right angle to the light; 5, for skin, stays white well past it and ends in peach; 6, for
hair, is yellow throughout and darkens late; 7 to 10 leave the colour alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from contract.errors import TextureError
from contract.picture import (
    Decoded,
    PictureError,
    bare_png,
    decode,
    premultiplied,
    rows_of,
)

MAX_FILE_BYTES = 1 << 28
_FORMATS = ("PNG", "BMP", "DIB", "TGA", "JPEG", "DDS", "GIF", "TIFF", "WEBP")
RAMP_HEIGHT = 32  # of a toon ramp


@dataclass(frozen=True)
class Texture:
    """Pixels (H, W, 4) uint8, premultiplied by alpha, first row at the top (v = 0).

    Premultiplied, so that filtering never mixes in the colour of invisible pixels.
    """

    pixels: npt.NDArray[np.uint8]

    @cached_property
    def opaque(self) -> bool:
        """Whether no pixel lets anything through."""
        return bool((self.pixels[..., 3] == 255).all())


def load_texture(path: Path, max_side: int) -> Texture:
    """Decode any of the formats models use, scaled down to ``max_side`` pixels where larger.

    Raises:
        TextureError: ``texture-corrupt``, or ``texture-too-large`` where the file has over 256 MiB
            or decoding would go beyond the bounds of ``contract.picture``.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _too_large(path, f"over {MAX_FILE_BYTES >> 20} MiB")
        with path.open("rb") as file:
            decoded = decode(bare_png(file, with_looks=False), _FORMATS, max_side)
            return Texture(_premultiplied(path, decoded, max_side))
    except PictureError as error:
        if error.fault == "too-large":
            raise _too_large(path, str(error)) from error
        raise _corrupt(path, error) from error
    except OSError as error:
        raise _corrupt(path, error) from error


def _too_large(path: Path, fault: str) -> TextureError:
    return TextureError(
        f"texture {path.name} is too large ({fault}); scale it down", "texture-too-large"
    )


def _corrupt(path: Path, error: Exception) -> TextureError:
    return TextureError(
        f"texture {path.name} cannot be decoded ({error}); replace it by a sound picture",
        "texture-corrupt",
    )


def _premultiplied(path: Path, decoded: Decoded, max_side: int) -> npt.NDArray[np.uint8]:
    image = decoded.image
    alpha = _with_bmp_alpha(path, image)
    if alpha is not None:
        return premultiplied(image.size, max_side, partial(_rgba_rows, alpha))
    if image.format in {"TGA", "BMP", "DIB"} and _lacks_alpha(image):
        image.putalpha(255)
    return premultiplied(image.size, max_side, rows_of(image))


def _lacks_alpha(image: Image.Image) -> bool:
    """Whether alpha is 0 everywhere: nobody wrote it, and the picture is opaque."""
    return image.mode in {"RGBA", "LA"} and image.getchannel("A").getextrema() == (0, 0)


def _rgba_rows(bgra: npt.NDArray[np.uint8], first: int, end: int) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(bgra[first:end, :, [2, 1, 0, 3]]), "RGBA")


def _with_bmp_alpha(path: Path, image: Image.Image) -> npt.NDArray[np.uint8] | None:
    """The blue, green, red and fourth bytes (H, W, 4) of a 32-bit BMP's pixels, for Pillow drops
    the fourth, which is alpha; ``None`` for anything else. They stay in the file."""
    if image.format != "BMP" or image.mode != "RGB":
        return None
    with path.open("rb") as file:
        header = file.read(34)
    pixels_at, header_size = struct.unpack_from("<II", header, 10)
    width, height, _planes, bits, compression = struct.unpack_from("<iiHHI", header, 18)
    if header_size < 40 or bits != 32 or compression not in (0, 3):
        return None
    if abs(height) != image.height or width != image.width:
        return None
    if path.stat().st_size < pixels_at + image.width * image.height * 4:
        return None
    shape = (image.height, image.width, 4)
    bgra = np.memmap(path, np.uint8, "r", pixels_at, shape)
    if not bgra[..., 3].any():
        return None  # nobody wrote it
    return bgra if height < 0 else bgra[::-1]


@dataclass(frozen=True)
class _Ramp:
    """From ``light`` to ``shade`` about ``step`` (0 lit .. 1 turned away), over ``softness``."""

    shade: tuple[int, int, int]
    step: float = 0.5
    softness: float = 0.02
    light: tuple[int, int, int] = (255, 255, 255)


_NONE = _Ramp((255, 255, 255))
_RAMPS = (
    _Ramp((204, 204, 204)),  # toon01: cloth
    _Ramp((245, 226, 226)),  # toon02: light skin
    _Ramp((154, 154, 154)),  # toon03: dark cloth
    _Ramp((248, 240, 236)),  # toon04: pale skin
    _Ramp((255, 231, 222), step=0.68, softness=0.15),  # toon05: warm skin
    _Ramp((195, 172, 4), step=0.74, softness=0.09, light=(255, 237, 98)),  # toon06: yellow hair
    *(_NONE, _NONE, _NONE, _NONE),  # toon07 .. toon10
)


def shared_toon(number: int) -> Texture:
    """The ramp of shared toon ``number`` 0..9 (toon01..toon10), lit end first, 1 pixel wide."""
    ramp = _RAMPS[number]
    v = (np.arange(RAMP_HEIGHT) + 0.5) / RAMP_HEIGHT
    dark = np.clip((v - ramp.step) / ramp.softness + 0.5, 0, 1)[:, None, None]
    light, shade = np.array(ramp.light, np.float64), np.array(ramp.shade, np.float64)
    colour = light + (shade - light) * dark
    alpha = np.full((RAMP_HEIGHT, 1, 1), 255.0)
    return Texture(np.rint(np.concatenate([colour, alpha], axis=2)).astype(np.uint8))
