"""Toon ramps of our own, and the hair's sphere map."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from characters.base.curves import F64, ease
from characters.design.palette import light
from characters.design.spec import CharacterSpec, Colour
from characters.texture.paint import canvas, fill, over

SIZE = 32


def paint_toon(shadow: Colour, edge: float, soft: float) -> F64:
    """A ramp: light above, ``shadow`` below ``edge`` (share of the height)."""
    _, v = canvas(SIZE, SIZE)
    picture = fill(SIZE, SIZE, (1.0, 1.0, 1.0))
    over(picture, shadow, ease(v, edge - soft, edge + soft))
    return picture


def toons(spec: CharacterSpec) -> dict[str, F64]:
    """The four ramps by file name."""
    edge, tint = spec.shading.toon_edge, spec.shading.toon_tint

    def shadow(colour: tuple[float, float, float]) -> Colour:
        r, g, b = (1 - (1 - c) * tint for c in colour)
        return (r, g, b)

    return {
        "toon_skin.png": paint_toon(shadow((0.98, 0.84, 0.80)), edge + 0.12, 0.10),
        "toon_hair.png": paint_toon(shadow((0.80, 0.78, 0.88)), edge, 0.07),
        "toon_cloth.png": paint_toon(shadow((0.80, 0.79, 0.88)), edge, 0.07),
        "toon_flat.png": fill(SIZE, SIZE, (1.0, 1.0, 1.0)),
    }


def sphere_bmp(spec: CharacterSpec) -> bytes:
    """hair.spa: a soft light added on top of the hair, a BMP as the name says in MMD."""
    u, v = canvas(64, 64)
    x, y = u * 2 - 1, 1 - v * 2
    glow = np.exp(-(((y - 0.45) / 0.22) ** 2) - (x / 0.75) ** 2)
    colour = np.array(light(spec.palette.hair, 0.7)) * 0.22
    picture = (np.clip(glow[..., None] * colour, 0, 1) * 255 + 0.5).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "BMP")
    return out.getvalue()
