"""Toon ramps of our own for the ten shared toon numbers.

MMD's own ten pictures may not be shipped; these have the same roles (a light upper half that
leaves the colour alone, a tinted shade below; 7 to 10 leave the colour alone throughout) in
colours of our choosing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderer.draw.textures import Texture

RAMP_HEIGHT = 32


@dataclass(frozen=True)
class _Ramp:
    """Shade colour at the dark end, where the step lies (0 light .. 1 dark), and its softness."""

    shade: tuple[int, int, int]
    step: float
    softness: float


_RAMPS = (
    _Ramp((200, 200, 206), 0.50, 0.02),  # toon01: cloth, hard step
    _Ramp((240, 220, 224), 0.50, 0.02),  # toon02: light skin, hard step
    _Ramp((150, 150, 162), 0.50, 0.02),  # toon03: dark cloth, hard step
    _Ramp((244, 232, 228), 0.50, 0.05),  # toon04: pale skin
    _Ramp((248, 222, 210), 0.50, 0.30),  # toon05: warm skin, soft
    _Ramp((236, 224, 196), 0.55, 0.20),  # toon06: hair, warm and soft
    _Ramp((255, 255, 255), 0.50, 0.10),  # toon07 .. toon10: none
    _Ramp((255, 255, 255), 0.50, 0.10),
    _Ramp((255, 255, 255), 0.50, 0.10),
    _Ramp((255, 255, 255), 0.50, 0.10),
)


def shared_toon(number: int) -> Texture:
    """The ramp of shared toon ``number`` 0..9 (toon01..toon10), lit end first, 1 pixel wide."""
    ramp = _RAMPS[number]
    v = (np.arange(RAMP_HEIGHT) + 0.5) / RAMP_HEIGHT
    dark = np.clip((v - ramp.step) / ramp.softness + 0.5, 0, 1)[:, None, None]
    colour = 255 + (np.array(ramp.shade, np.float64) - 255) * dark
    alpha = np.full((RAMP_HEIGHT, 1, 1), 255.0)
    return Texture(np.rint(np.concatenate([colour, alpha], axis=2)).astype(np.uint8))
