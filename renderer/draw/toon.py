"""Toon ramps of our own for the ten shared toon numbers.

MMD's own ten pictures may not be shipped; models are authored for them all the same, so these have
their character: the hue of light and shade, and where the one gives way to the other. 1 to 4 turn
hard at a right angle to the light; 5, for skin, stays white well past it and ends in peach; 6, for
hair, is yellow throughout and darkens late; 7 to 10 leave the colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renderer.draw.textures import Texture

RAMP_HEIGHT = 32


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
