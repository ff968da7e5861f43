"""All textures of a character; here its toon ramps and its hair's sphere map are painted."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from characters.base.curves import F64, ease
from characters.design.palette import light
from characters.design.spec import CharacterSpec, Colour
from characters.shape.assembly import Built
from characters.shape.face_shape import FaceShape
from characters.texture.cloth import paint_cloth
from characters.texture.eyes import paint_eyes, paint_lash, paint_mouth
from characters.texture.hair import paint_hair, see_through
from characters.texture.paint import canvas, fill, in_8_bits, over
from characters.texture.skin import paint_blush, paint_skin
from contract.picture import png_bytes

_TOON_SIZE = 32


def textures(spec: CharacterSpec, built: Built, rng: np.random.Generator) -> dict[str, bytes]:
    """Every texture of the character as a file, by name."""
    pictures = {
        "skin.png": paint_skin(spec, FaceShape(spec.face), built.fringe),
        "eyes.png": paint_eyes(spec),
        "blush.png": paint_blush(spec),
        "mouth.png": paint_mouth(spec),
        "lash.png": paint_lash(spec),
        "hair.png": paint_hair(spec, rng),
        "cloth.png": paint_cloth(spec),
        **_toons(spec),
    }
    if spec.hair.fringe_alpha < 1:
        pictures["fringe.png"] = see_through(pictures["hair.png"], spec)
    files = {name: png_bytes(in_8_bits(picture)) for name, picture in pictures.items()}
    if spec.shading.hair_sphere:
        files["hair.spa"] = _sphere_bmp(spec)
    return files


def _toon(shadow: Colour, edge: float, soft: float) -> F64:
    """A ramp: light above, ``shadow`` below ``edge`` (share of the height)."""
    _, v = canvas(_TOON_SIZE, _TOON_SIZE)
    picture = fill(_TOON_SIZE, _TOON_SIZE, (1.0, 1.0, 1.0))
    over(picture, shadow, ease(v, edge - soft, edge + soft))
    return picture


def _toons(spec: CharacterSpec) -> dict[str, F64]:
    """The four ramps by file name."""
    edge, tint = spec.shading.toon_edge, spec.shading.toon_tint

    def shadow(colour: tuple[float, float, float]) -> Colour:
        r, g, b = (1 - (1 - c) * tint for c in colour)
        return (r, g, b)

    return {
        "toon_skin.png": _toon(shadow((0.98, 0.84, 0.80)), edge + 0.12, 0.10),
        "toon_hair.png": _toon(shadow((0.80, 0.78, 0.88)), edge, 0.07),
        "toon_cloth.png": _toon(shadow((0.80, 0.79, 0.88)), edge, 0.07),
        "toon_flat.png": fill(_TOON_SIZE, _TOON_SIZE, (1.0, 1.0, 1.0)),
    }


def _sphere_bmp(spec: CharacterSpec) -> bytes:
    """hair.spa: a soft light added on top of the hair, a BMP as the name says in MMD."""
    u, v = canvas(64, 64)
    x, y = u * 2 - 1, 1 - v * 2
    glow = np.exp(-(((y - 0.45) / 0.22) ** 2) - (x / 0.75) ** 2)
    colour = np.array(light(spec.palette.hair, 0.7)) * 0.22
    picture = (np.clip(glow[..., None] * colour, 0, 1) * 255 + 0.5).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "BMP")
    return out.getvalue()
