"""Colours that go together: hue families for hair, eyes, skin and cloth."""

from __future__ import annotations

import colorsys

import numpy as np

from characters.design.franchise import CLOTH, HAIR_FAMILIES, Franchise
from characters.design.spec import Colour, Palette

Rng = np.random.Generator

IRIS_HUES: tuple[float, ...] = (0.58, 0.55, 0.48, 0.36, 0.11, 0.06, 0.99, 0.90, 0.76, 0.68)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """sRGB of a colour given by hue in turns, saturation and value (clamped to [0, 1])."""
    s, v = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    return colorsys.hsv_to_rgb(hue % 1.0, s, v)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` of ``b``."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def times(a: Colour, b: Colour) -> Colour:
    """The product of two colours."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def shade(colour: Colour, depth: float = 1.0) -> Colour:
    """The colour in shadow: darker, richer and a little toward violet, as painters do."""
    h, s, v = colorsys.rgb_to_hsv(*colour)
    toward = 0.72
    turn = (toward - h + 0.5) % 1.0 - 0.5
    return hsv(h + 0.12 * turn * depth, s + (0.14 + 0.1 * s) * depth, v * (1 - 0.26 * depth))


def light(colour: Colour, amount: float) -> Colour:
    """The colour where light glosses it."""
    h, s, v = colorsys.rgb_to_hsv(*colour)
    return hsv(h, s * (1 - 0.62 * amount), v + (1 - v) * (0.25 + 0.6 * amount))


def draw_palette(f: Franchise, rng: Rng) -> Palette:
    """One character's colours."""
    vivid, cloth = f.vivid, f.cloth
    h, s, v = HAIR_FAMILIES[int(rng.choice(f.hair_families))]
    hair = hsv(
        h + rng.normal(0, 0.012), s * vivid * rng.uniform(0.85, 1.1), v * rng.uniform(0.9, 1.06)
    )
    skin = _skin(f.tone, rng)
    ink = mix((0.13, 0.09, 0.10), shade(hair, 1.6), 0.25)
    line = mix(ink, shade(hair, 1.0), f.shading.line_hair)
    if rng.random() < 0.5:
        line = mix(line, (0.06, 0.04, 0.05), 0.85)
    left = _iris(rng, vivid, h if rng.random() < 0.35 else float(rng.choice(IRIS_HUES)))
    odd = rng.random() < 0.03
    right = _iris(rng, vivid, float(rng.choice(IRIS_HUES))) if odd else left
    picks = rng.choice(np.array(cloth), 3, replace=len(cloth) < 3)
    base, trim, accent = (hsv(CLOTH[k][0], CLOTH[k][1] * vivid, CLOTH[k][2]) for k in picks)
    if abs(sum(base) - sum(trim)) < 0.7:
        trim = (0.96, 0.96, 0.97) if sum(base) < 1.9 else (0.20, 0.22, 0.34)
    tip = hair
    if rng.random() < 0.22:
        tip = hsv(h + rng.choice([-0.08, 0.08, 0.5]), min(s + 0.15, 0.6), max(v, 0.6))
    inside = rng.spawn(1)[0]  # apart from all else that is drawn
    return Palette(
        skin=skin,
        skin_shadow=times(skin, (0.95, 0.81, 0.77)),
        blush=mix(skin, (0.98, 0.42, 0.42), 0.10 + 0.45 * max(skin)),
        hair=hair,
        hair_shadow=shade(hair, 0.9),
        hair_light=light(hair, 0.8),
        hair_tip=tip,
        left_iris=left,
        right_iris=right,
        lash=line if sum(line) < 1.9 else mix(line, ink, 0.5),
        line=times(skin, (0.50, 0.32, 0.30)),
        brow=mix(shade(hair, 1.3), (0.2, 0.14, 0.13), 0.35 * (1 - f.shading.line_hair)),
        mouth=_lips(skin, ink, rng),
        cavity=_cavity(inside),
        tongue=hsv(
            inside.uniform(0.96, 1.0), inside.uniform(0.32, 0.60), inside.uniform(0.84, 1.0)
        ),
        cloth=base,
        trim=trim,
        accent=accent,
        lower=shade(base, 0.5) if rng.random() < 0.5 else hsv(*CLOTH[int(rng.choice(cloth))]),
    )


def _skin(tone: float, rng: Rng) -> Colour:
    """Skin about the style's ``tone`` (0 fair .. 1 dark); some is dark, white, or of no human."""
    kind = rng.random()
    if kind < 0.04:  # blue, green, violet, grey, red
        hue = float(rng.choice([0.36, 0.47, 0.58, 0.66, 0.76, 0.98]))
        return hsv(hue + rng.normal(0, 0.02), rng.uniform(0.05, 0.38), rng.uniform(0.62, 0.96))
    tone = float(np.clip(tone + rng.exponential(0.04), -0.1, 0.8))
    if kind < 0.15:
        tone = float(rng.uniform(0.4, 1.25))
    elif kind < 0.23:
        tone = -0.25
    fair, dark = np.array([0.055, 0.125, 1.0]), np.array([0.062, 0.44, 0.70])
    h, s, v = fair + (dark - fair) * tone + rng.normal(0, 1, 3) * [0.014, 0.022, 0.010]
    return hsv(float(h), float(s), float(v))


def _lips(skin: Colour, ink: Colour, rng: Rng) -> Colour:
    """The mouth's line: of darker skin, of the ink of the eyes, or painted lips."""
    kind = rng.random()
    if kind < 0.2:
        return ink
    if kind < 0.55:  # a closed mouth that can hardly be seen
        return times(skin, (0.90, 0.70, 0.64))
    return times(skin, (0.88, 0.40, 0.44) if kind < 0.65 else (0.62, 0.30, 0.30))


def _cavity(rng: Rng) -> Colour:
    """The inside of the mouth: dark, or of a bright red."""
    if rng.random() < 0.45:
        return hsv(rng.uniform(0.96, 1.0), rng.uniform(0.65, 0.85), rng.uniform(0.35, 0.6))
    return hsv(rng.uniform(0.97, 1.02), rng.uniform(0.55, 0.85), rng.uniform(0.65, 0.95))


def _iris(rng: Rng, vivid: float, hue: float) -> Colour:
    return hsv(
        hue + rng.normal(0, 0.012), rng.uniform(0.5, 0.85) * min(vivid, 1.1), rng.uniform(0.62, 0.9)
    )
