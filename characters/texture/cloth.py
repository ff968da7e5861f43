"""Cloth: the torso with its neckline, plain cells for everything sewn on, skirt or trousers."""

from __future__ import annotations

import numpy as np

from characters.base import atlas
from characters.base.curves import F64, bump, ease
from characters.design.palette import mix, shade
from characters.design.spec import CharacterSpec, Colour, Palette
from characters.texture.paint import canvas, fill, multiply, over

SIZE = 512


def paint_cloth(spec: CharacterSpec) -> F64:
    """cloth.png."""
    picture = np.empty((SIZE, SIZE, 3))
    half = SIZE // 2
    picture[:, :half] = _torso(spec)
    picture[:half, half:] = _cells(spec.palette)
    picture[half:, half:] = _lower(spec)
    return picture


def neckline_y(outfit: str, angle: F64) -> F64:
    """Height of the cloth's upper edge by angle (0 in front)."""
    front = np.abs(angle)
    edge: F64
    match outfit:
        case "sailor":
            edge = -0.20 - 0.26 * ease(front, 0.62, 0.0)
        case "kimono":
            edge = np.interp(front, [0, 0.45, 1.0, 2.9], [-0.485, -0.265, -0.185, -0.15])
        case "dress":
            edge = -0.34 + 0.15 * ease(front, 1.2, 2.6)
        case "camisole":
            edge = -0.44 + 0.02 * np.cos(2 * angle)
        case "off_shoulder":
            edge = np.full(angle.shape, -0.395)
        case "crew":
            edge = -0.185 - 0.045 * ease(front, 0.8, 0.0)
        case _:
            edge = np.full(angle.shape, -0.10)
    return edge


def _torso(spec: CharacterSpec) -> F64:
    u, v = canvas(SIZE, SIZE // 2)
    angle = (u - 0.5) * 2 * np.pi
    y = atlas.TORSO_HIGH - v * (atlas.TORSO_HIGH - atlas.TORSO_LOW)
    colours = spec.palette
    base = inner_colour(spec)
    picture = fill(SIZE, SIZE // 2, base)
    side = ease(np.abs(np.abs(angle) - 1.57), 0.55, 0.1) * ease(y, -0.42, -0.60)
    multiply(picture, (0.84, 0.82, 0.90), 0.8 * side)
    multiply(
        picture, (0.86, 0.84, 0.92), 0.7 * bump(np.abs(angle), 0.42, 0.12) * ease(y, -0.5, -0.9)
    )
    _pattern(picture, spec, angle, y)
    if spec.body.outfit in ("blazer", "gakuran", "vest"):
        _jacket(picture, spec, angle, y)
    if spec.body.outfit in ("shirt", "dress", "coat", "cape"):
        _buttons(picture, angle, y, shade(base, 0.9))
    skin = np.array(colours.skin)
    above = ease(y - neckline_y(spec.body.outfit, angle), -0.006, 0.006)
    over(picture, skin, above)
    if spec.body.outfit == "camisole":
        over(picture, base, ease(np.abs(np.abs(angle) - 0.62), 0.075, 0.06) * ease(y, -0.2, -0.24))
    hem = bump(y - neckline_y(spec.body.outfit, angle) + 0.022, 0, 0.013)
    if spec.body.outfit in ("crew", "dress", "camisole", "off_shoulder"):
        over(picture, colours.trim, 0.9 * hem)
    return picture


def inner_colour(spec: CharacterSpec) -> Colour:
    """What the torso is covered with first: the shirt under a jacket, else the garment itself."""
    if spec.body.outfit in ("blazer", "vest"):
        return (0.97, 0.97, 0.98)
    return spec.palette.cloth


def _jacket(picture: F64, spec: CharacterSpec, angle: F64, y: F64) -> None:
    """The jacket over the shirt, open in a V; a gakuran is closed to the top."""
    closed = spec.body.outfit == "gakuran"
    opening = 0.0 if closed else 1.0
    lowest = -0.62 if spec.body.outfit == "vest" else -0.85
    edge = opening * 0.34 * ease(y, lowest, -0.25)
    covered = ease(np.abs(angle) - edge, -0.008, 0.012)
    over(picture, spec.palette.cloth, covered)
    multiply(
        picture, (0.84, 0.82, 0.90), 0.8 * covered * ease(np.abs(np.abs(angle) - 1.57), 0.5, 0.1)
    )
    if spec.body.outfit == "vest":
        over(picture, spec.palette.trim, 0.95 * bump(np.abs(angle) - edge - 0.06, 0, 0.03))
        return
    _buttons(picture, angle, y, (0.86, 0.72, 0.36), spread=0.0 if closed else 0.12)


def _pattern(picture: F64, spec: CharacterSpec, angle: F64, y: F64) -> None:
    colour = spec.palette.trim
    match spec.body.pattern:
        case "stripes":
            over(picture, colour, 0.9 * ease(np.cos(y * 2 * np.pi / 0.15), 0.15, 0.35))
        case "dots":
            row = np.round(y / 0.09)
            near = np.hypot(((angle / 0.30 + 0.5 * (row % 2)) % 1.0 - 0.5) * 0.085, y - row * 0.09)
            over(picture, colour, 0.85 * ease(near, 0.022, 0.016))
        case "emblem":
            near = np.hypot(angle * 0.36, y + 0.56)
            over(picture, colour, ease(np.abs(near - 0.07), 0.020, 0.012))
            over(picture, colour, ease(near, 0.040, 0.032))
        case "suspenders":
            wide = 0.62 - 0.22 * ease(y, -0.3, -1.0)
            over(picture, spec.palette.accent, ease(np.abs(np.abs(angle) - wide), 0.10, 0.085))
        case "raglan":
            seam = 1.05 - 0.75 * ease(y, -0.62, -0.16)
            over(picture, colour, ease(np.abs(angle) - seam, -0.01, 0.01) * ease(y, -0.70, -0.60))


def _buttons(picture: F64, angle: F64, y: F64, colour: Colour, spread: float = 0.0) -> None:
    over(picture, (0.2, 0.18, 0.24), 0.35 * bump(angle, 0, 0.012))
    for k in range(6):
        at = -0.36 - 0.17 * k
        near = np.hypot((np.abs(angle) - spread) / 0.05, (y - at) / 0.016)
        over(picture, colour, ease(near, 1.1, 0.8))


def _cells(colours: Palette) -> F64:
    size = SIZE // 8
    table: dict[str, Colour] = {
        "cloth": colours.cloth,
        "trim": colours.trim,
        "accent": colours.accent,
        "lower": colours.lower,
        "shoe": (0.22, 0.16, 0.15),
        "white": (0.98, 0.98, 0.98),
        "black": (0.16, 0.15, 0.18),
        "metal": (0.72, 0.74, 0.78),
        "ribbon": colours.accent,
        "ear_out": mix(colours.hair, colours.hair_shadow, 0.25),
        "ear_in": (0.98, 0.80, 0.80),
        "hat": colours.lower,
        "glass": shade(colours.accent, 0.8),
        "sailor": colours.trim,
        "flower": mix(colours.accent, (1.0, 0.9, 0.92), 0.5),
        "gold": (0.92, 0.76, 0.36),
    }
    picture = np.empty((SIZE // 2, SIZE // 2, 3))
    _, v = canvas(size, size)
    for index, name in enumerate(atlas.CELLS):
        row, column = divmod(index, 4)
        tile = fill(size, size, table[name])
        over(tile, shade(table[name], 0.8), ease(v, 0.25, 1.0))
        if name == "sailor":
            stripe: Colour = (0.98, 0.98, 0.98) if sum(colours.trim) < 2.3 else colours.accent
            over(tile, stripe, np.maximum(bump(v, 0.40, 0.022), bump(v, 0.48, 0.022)))
        picture[row * size : (row + 1) * size, column * size : (column + 1) * size] = tile
    return picture


def _lower(spec: CharacterSpec) -> F64:
    u, v = canvas(SIZE // 2, SIZE // 2)
    colour = spec.palette.lower
    picture = fill(SIZE // 2, SIZE // 2, colour)
    if spec.body.plaid:
        for waves, share in ((8, 0.35), (16, 0.18)):
            for w in (u * 2, v):
                line = ease(np.cos(2 * np.pi * waves * w), 0.6, 0.8)
                over(picture, spec.palette.trim, share * line)
    if spec.body.bottom != "trousers":
        multiply(picture, (0.74, 0.72, 0.84), 0.8 * ease(np.cos(2 * np.pi * 16 * u), 0.2, -0.8))
        over(picture, spec.palette.trim, 0.9 * bump(v, 0.93, 0.015))
    return picture
