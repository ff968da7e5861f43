"""Decode textures within limits.

Real models give files wrong extensions; the decoder goes by content. Files from strangers: sizes
are checked before pixels are decoded.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from contract.errors import TextureError

MAX_SIDE = 16384
MAX_PIXELS = 1 << 26
MAX_FILE_BYTES = 1 << 28
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_FORMATS = ("PNG", "BMP", "DIB", "TGA", "JPEG", "DDS", "GIF", "TIFF", "WEBP")


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
        TextureError: ``texture-corrupt``, or ``texture-too-large`` beyond 16384 pixels a side,
            64 megapixels or 256 MiB of file.
    """
    try:
        with warnings.catch_warnings():
            # Our own size check replaces Pillow's, which only warns.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if path.stat().st_size > MAX_FILE_BYTES:
                raise TextureError(_too_large(path), "texture-too-large")
            with Image.open(_picture_file(path), formats=_FORMATS) as image:
                _require_sane_size(path, image)
                return Texture(_premultiplied(path, image, max_side))
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        struct.error,
        IndexError,
        KeyError,
        NotImplementedError,
    ) as error:
        # What Pillow's decoders raise on broken data, read off its plugins.
        raise TextureError(
            f"texture {path.name} cannot be decoded ({error}); replace it by a sound picture",
            "texture-corrupt",
        ) from error


def _picture_file(path: Path) -> Path | io.BytesIO:
    """The file, or of a PNG what decides its pixels: texts, profiles and dates may be of any size,
    and broken, without changing those."""
    with path.open("rb") as file:
        if file.read(len(_PNG_SIGNATURE)) != _PNG_SIGNATURE:
            return path
        data = file.read()
    kept: list[bytes | memoryview] = [_PNG_SIGNATURE]
    view, offset = memoryview(data), 0
    while offset + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        end = offset + 12 + size
        if kind in _PNG_CHUNKS or end > len(data):
            kept.append(view[offset:end])
        offset = end
    return io.BytesIO(b"".join(kept))


def _too_large(path: Path) -> str:
    return (
        f"texture {path.name} is too large (at most {MAX_SIDE} pixels a side, "
        f"{MAX_PIXELS >> 20} megapixels, {MAX_FILE_BYTES >> 20} MiB); scale it down"
    )


def _require_sane_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TextureError(_too_large(path), "texture-too-large")


def _premultiplied(path: Path, image: Image.Image, max_side: int) -> npt.NDArray[np.uint8]:
    straight = _with_bmp_alpha(path, image) or _eight_bits(image).convert("RGBA")
    if image.format in ("TGA", "BMP", "DIB") and straight.getchannel("A").getextrema() == (0, 0):
        # 32 bits a pixel with an alpha byte that nobody wrote: the picture is opaque.
        straight.putalpha(255)
    premultiplied = straight.convert("RGBa")
    if max(premultiplied.size) > max_side:
        scale = max_side / max(premultiplied.size)
        width, height = (max(1, round(side * scale)) for side in premultiplied.size)
        premultiplied = premultiplied.resize((width, height), Image.Resampling.BOX)
    return np.asarray(premultiplied)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits scaled to 8, which Pillow would clip; anything else as it is."""
    if not image.mode.startswith("I"):
        return image
    grey = np.asarray(image).clip(0, 65535).astype(np.float64)
    return Image.fromarray(np.rint(grey / 257).astype(np.uint8), "L")


def _with_bmp_alpha(path: Path, image: Image.Image) -> Image.Image | None:
    """A 32-bit BMP whose fourth byte is alpha, which Pillow drops; ``None`` for anything else."""
    if image.format != "BMP" or image.mode != "RGB":
        return None
    data = path.read_bytes()
    pixels_at, header_size = struct.unpack_from("<II", data, 10)
    if header_size < 40:
        return None
    width, height, _planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    size = image.width * image.height * 4
    if bits != 32 or compression not in (0, 3) or len(data) < pixels_at + size:
        return None
    if abs(height) != image.height or width != image.width:
        return None
    bgra = np.frombuffer(data, np.uint8, size, pixels_at).reshape(image.height, image.width, 4)
    rows = bgra if height < 0 else bgra[::-1]
    return Image.fromarray(np.ascontiguousarray(rows[..., [2, 1, 0, 3]]), "RGBA")
