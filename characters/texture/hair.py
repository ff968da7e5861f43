"""Hair: gradient from root to tip, fine lines, the gloss ring, and a darker inner side."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, ease
from characters.design.palette import light, shade
from characters.design.spec import CharacterSpec
from characters.shape.hair_shell import RING_TOP_Y, TEXTURE_SPAN, TILES
from characters.texture.paint import canvas, fill, over

WIDTH, HEIGHT = 384, 512


def paint_hair(spec: CharacterSpec, rng: np.random.Generator) -> F64:
    """hair.png: outer side left (a few locks side by side), inner side right."""
    half = WIDTH // 2
    u, v = canvas(HEIGHT, half)
    y = RING_TOP_Y - v * TEXTURE_SPAN
    lock = np.floor(u * TILES)
    across = (u * TILES - lock) * 2 - 1
    colours, hair = spec.palette, spec.hair
    outer = fill(HEIGHT, half, colours.hair)
    over(outer, colours.hair_shadow, 0.50 * ease(y, 0.82, 1.06))
    low = min(hair.back_y, hair.tail_y if hair.tails != "none" else 9.0)
    over(outer, colours.hair_tip, 0.85 * ease(y, low + 0.55, low - 0.05))
    over(outer, light(colours.hair, 0.25), 0.30 * ease(y, 0.66, 0.46))
    _lines(outer, u, spec, rng)
    _edges(outer, across, y, spec)
    if hair.streak:
        stripe = ease(np.abs(across - 0.1), 0.30, 0.22) * (lock == 1)
        over(outer, colours.accent, 0.85 * stripe)
    _ring(outer, u, across, y, spec, rng)
    inner = outer * np.array(_ratio(spec))
    return np.concatenate([outer, inner], 1)


def see_through(hair: F64, spec: CharacterSpec) -> F64:
    """The hair's picture (H, W, 4), its alpha lower from the eyes' upper edge down."""
    _, v = canvas(HEIGHT, 1)
    up = RING_TOP_Y - v * TEXTURE_SPAN - spec.eye.y - spec.eye.up
    alpha = 1 - (1 - spec.hair.fringe_alpha) * ease(up, 0.07, -0.02)
    return np.concatenate([hair, np.broadcast_to(alpha[..., None], (*hair.shape[:2], 1))], -1)


def _ratio(spec: CharacterSpec) -> F64:
    ratio: F64 = np.array(shade(spec.palette.hair, 0.75)) / np.maximum(spec.palette.hair, 0.02)
    return ratio


def _edges(picture: F64, across: F64, y: F64, spec: CharacterSpec) -> None:
    """Each lock rounds off: darker along both edges, most on the right, away from the light."""
    soft = 0.30 * (1 - spec.shading.cel) + 0.05
    right = ease(across, 0.62 - soft, 0.62 + soft)
    left = ease(across, -0.80 + soft, -0.80 - soft)
    root = 0.55 + 0.45 * ease(y, 0.95, 0.7)
    over(picture, spec.palette.hair_shadow, (0.60 * right + 0.35 * left) * root)


def _lines(picture: F64, u: F64, spec: CharacterSpec, rng: np.random.Generator) -> None:
    """Streaks along the locks, darker and lighter, of a few widths."""
    streak = np.zeros_like(u)
    for waves, size in ((7, 0.5), (17, 0.35), (41, 0.25)):
        streak += size * np.sin(2 * np.pi * (waves * u + rng.random()))
    fine = 1 - 0.6 * spec.shading.cel
    dark, pale = ease(streak, 0.1, 0.8) * fine, ease(streak, -0.2, -0.9) * fine
    over(picture, spec.palette.hair_shadow, 0.30 * dark)
    over(picture, light(spec.palette.hair, 0.35), 0.22 * pale)


def _ring(
    picture: F64, u: F64, across: F64, y: F64, spec: CharacterSpec, rng: np.random.Generator
) -> None:
    """The angel ring: on every lock an arc with ragged edges where the dome faces the light."""
    gloss = spec.hair.gloss
    if gloss <= 0:
        return
    saw = np.abs((u * 15 + rng.random()) % 1.0 - 0.5) * 2
    fine = np.abs((u * 33 + rng.random()) % 1.0 - 0.5) * 2
    ragged = 0.040 * saw + 0.02 * fine
    middle = 0.81 - 0.035 * across**2
    upper = middle + 0.028 + 0.4 * ragged
    lower = middle - 0.026 - ragged
    soft = 0.006 if spec.hair.ring == 0 else 0.03
    band = ease(y, lower - soft, lower + soft) * ease(y, upper + soft, upper - soft)
    over(picture, spec.palette.hair_light, gloss * band * ease(np.abs(across), 0.95, 0.75))
