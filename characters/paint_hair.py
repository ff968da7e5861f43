"""Hair: gradient from root to tip, fine lines, the gloss ring, and a darker inner side."""

from __future__ import annotations

import numpy as np

from characters.curves import F64, ease
from characters.hair import RING_TOP_Y, TEXTURE_SPAN
from characters.paint import canvas, fill, over
from characters.palette import light, shade
from characters.spec import CharacterSpec

WIDTH, HEIGHT = 256, 512


def paint_hair(spec: CharacterSpec, rng: np.random.Generator) -> F64:
    """hair.png: outer side left, inner side right."""
    half = WIDTH // 2
    u, v = canvas(HEIGHT, half)
    y = RING_TOP_Y - v * TEXTURE_SPAN
    outer = fill(HEIGHT, half, spec.palette.hair)
    over(outer, spec.palette.hair_shadow, 0.55 * ease(y, 0.80, 1.04))
    low = min(spec.hair.back_y, spec.hair.tail_y if spec.hair.tails != "none" else 9.0)
    over(outer, spec.palette.hair_tip, 0.85 * ease(y, low + 0.55, low - 0.05))
    over(outer, light(spec.palette.hair, 0.2), 0.25 * ease(y, 0.62, 0.46))
    _lines(outer, u, spec, rng)
    if spec.hair.streak:
        over(outer, spec.palette.accent, 0.85 * ease(np.abs(u - 0.62), 0.045, 0.035))
    _ring(outer, u, y, spec, rng)
    inner = outer * np.array(_ratio(spec))
    return np.concatenate([outer, inner], 1)


def _ratio(spec: CharacterSpec) -> F64:
    ratio: F64 = np.array(shade(spec.palette.hair, 0.75)) / np.maximum(spec.palette.hair, 0.02)
    return ratio


def _lines(picture: F64, u: F64, spec: CharacterSpec, rng: np.random.Generator) -> None:
    """Streaks along the locks, darker and lighter, of a few widths."""
    columns = u[0]
    streak = np.zeros(len(columns))
    for waves, size in ((7, 0.5), (17, 0.35), (41, 0.25)):
        streak += size * np.sin(2 * np.pi * (waves * columns + rng.random()))
    over(picture, spec.palette.hair_shadow, 0.30 * ease(streak, 0.1, 0.8) * np.ones_like(u))
    over(picture, light(spec.palette.hair, 0.35), 0.22 * ease(streak, -0.2, -0.9) * np.ones_like(u))


def _ring(picture: F64, u: F64, y: F64, spec: CharacterSpec, rng: np.random.Generator) -> None:
    """The angel ring: a band with ragged edges at the height where the dome faces the light."""
    gloss = spec.hair.gloss
    if gloss <= 0:
        return
    saw = np.abs((u * 9 + rng.random()) % 1.0 - 0.5) * 2
    fine = np.abs((u * 23 + rng.random()) % 1.0 - 0.5) * 2
    ragged = 0.045 * saw + 0.02 * fine
    middle = 0.80
    upper = middle + 0.030 + 0.5 * ragged
    lower = middle - 0.030 - ragged
    soft = 0.006 if spec.hair.ring == 0 else 0.03
    band = ease(y, lower - soft, lower + soft) * ease(y, upper + soft, upper - soft)
    over(picture, spec.palette.hair_light, gloss * band)
