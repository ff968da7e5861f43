"""What toon shading multiplies a material's colour by, from full light to full shade, as tables.

A toon map, its morphs and what ambient light fills are the same at all fragments that are equally
shaded; looked up in a table they cost software OpenGL half of what they cost worked out.
"""

from __future__ import annotations

import numpy as np

from renderer.draw.lit_materials import LitMaterials
from renderer.draw.textures import Texture
from renderer.formats.model import F32

STEPS = 513
"""Of a table: one falls on the middle of each of a toon map's, usually, 32 texels, and 15 lie
between two, so that where a map turns from light to shade colours are off by a thirty-second of
the difference at most."""
_LEAST_ALPHA = np.float32(1 / 1024)


def toon_shades(ramp: Texture, lit: LitMaterials, material: int) -> F32:
    """(STEPS, 4): the last number means nothing. The first entry is that of full light."""
    straight = _straight(_down_the_middle(ramp))
    filled = straight + (straight[:1] - straight) * np.float32(lit.fill)
    shades: F32 = filled * lit.states.toon_multiply[material] + lit.states.toon_add[material]
    return shades


def _down_the_middle(ramp: Texture) -> F32:
    """The map (STEPS, 4) in [0, 1], premultiplied, sampled from top to bottom as OpenGL would."""
    height, width, _ = ramp.pixels.shape
    middle = ramp.pixels[:, (width - 1) // 2 : width // 2 + 1].mean(1) / 255
    at = np.linspace(0, 1, STEPS) * height - 0.5
    rows = np.arange(height)
    return np.stack([np.interp(at, rows, column) for column in middle.T], 1).astype(np.float32)


def _straight(premultiplied: F32) -> F32:
    alpha = premultiplied[:, 3:]
    return np.concatenate([premultiplied[:, :3] / np.maximum(alpha, _LEAST_ALPHA), alpha], 1)
