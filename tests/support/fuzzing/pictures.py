"""Pictures, as textures and as drawings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.fuzzing.mutation import any_number, anywhere, in_png
from tests.support.fuzzing.target import Seed, Target


def _pictures(_folder: Path) -> list[Seed]:
    import io

    from PIL import Image

    rng = np.random.default_rng(3)
    shades = rng.integers(0, 256, (24, 20, 4), np.uint8)
    shades[:6, :, 3] = 0
    rgba = Image.fromarray(shades, "RGBA")
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(shades[..., 0].astype(np.uint16) * 257)
    frames = {"save_all": True, "append_images": [rgba.rotate(90), rgba], "duration": 40}
    kinds: list[tuple[Image.Image, str, dict[str, Any]]] = [
        *((one, "PNG", {}) for one in (rgba, rgb.convert("P"), deep, grey.convert("1"))),
        (rgba, "PNG", frames),
        *((rgb, "JPEG", {"progressive": p, "quality": 60}) for p in (False, True)),
        *((rgb.convert("CMYK"), "JPEG", {}), (grey, "JPEG", {})),
        *((rgba, "WEBP", {"lossless": lossless}) for lossless in (False, True)),
        (rgba, "WEBP", frames),
        *((rgb, "GIF", {}), (rgba, "GIF", frames), (rgb, "BMP", {}), (rgba, "BMP", {})),
        *((rgb.convert("P"), "BMP", {}), (rgba, "TGA", {}), (grey, "TGA", {"rle": True})),
        *((rgba, "TIFF", {"compression": c}) for c in (None, "tiff_lzw", "tiff_adobe_deflate")),
        *((rgb, "TIFF", {"compression": "jpeg"}), (deep, "TIFF", {}), (grey, "TIFF", {})),
        *((rgba, "DDS", {"pixel_format": p}) for p in (None, "DXT1", "DXT5", "BC5")),
        *((rgb, "DDS", {}), (grey, "DDS", {})),
    ]
    seeds = []
    for image, kind, options in kinds:
        out = io.BytesIO()
        given = {name: value for name, value in options.items() if value is not None}
        source = rgb if options.get("pixel_format") == "BC5" else image
        source.save(out, kind, **given)
        special = (in_png, in_png) if kind == "PNG" else (any_number,)
        seeds.append(Seed(out.getvalue(), (*special, any_number, anywhere)))
    return seeds


def _read_texture(path: Path) -> None:
    from renderer.draw.textures import load_texture

    load_texture(path, 16)


def _read_drawing(path: Path) -> None:
    from animate.drawing.check import check
    from animate.drawing.drawing import read_drawing

    drawing = read_drawing(path)
    if drawing.picture.size < 1 << 14 and drawing.picture[0, 0, 0] % 64 == 0:
        check(drawing)  # slower by far than reading


TARGETS: Mapping[str, Target] = {
    "textures": Target("texture.png", _pictures, _read_texture, share=4),
    "drawings": Target("drawing.png", _pictures, _read_drawing, share=3),
}
