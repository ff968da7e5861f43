"""Eyes: irises with pupil, glow and catchlights, the shaded white, lash and mouth cells."""

from __future__ import annotations

import numpy as np

from characters.base.curves import F64, bump, ease
from characters.design.palette import light, mix, shade, times
from characters.design.spec import CharacterSpec, Colour, Eye
from characters.texture.paint import canvas, disc, fill, over

SIZE = 128


def paint_eyes(spec: CharacterSpec) -> F64:
    """eyes.png: left iris, right iris; below them the white."""
    top = [_iris(spec.eye, spec.palette.left_iris), _iris(spec.eye, spec.palette.right_iris)]
    low = [_white(), _white()]
    return np.concatenate([np.concatenate(top, 1), np.concatenate(low, 1)])


def _iris(eye: Eye, colour: Colour) -> F64:
    """One iris; the light comes from the upper left of the picture for both eyes."""
    u, v = canvas(SIZE, SIZE)
    x, y = u * 2 - 1, 1 - v * 2
    r = np.hypot(x, y)
    dark = shade(colour, 1.9)
    bright = light(colour, 0.25)
    if eye.iris_style == "pale":
        colour, dark, bright = light(colour, 0.75), shade(colour, 0.6), light(colour, 1.0)
    picture = fill(SIZE, SIZE, colour)
    match eye.iris_style:
        case "halves":
            over(picture, dark, ease(y, -0.02, 0.02))
        case "dark":
            over(picture, mix(shade(dark, 1.6), (0.05, 0.04, 0.06), 0.6), 0.95)
            over(picture, colour, 0.6 * disc(x, y, (0, -0.8), (0.62, 0.36), 0.8))
        case "dull":
            over(picture, dark, 0.45)
            over(picture, shade(dark, 1.0), 0.5 * ease(y, -0.2, 0.6))
        case "flat":
            over(picture, mix(colour, dark, 0.5), ease(y, -0.15, 0.25))
        case "ring":
            over(picture, dark, 0.75 * ease(y, -0.7, 0.9))
            over(picture, bright, 0.8 * bump(r, 0.62, 0.13) * ease(y, 0.45, -0.4))
        case "bright":
            over(picture, dark, 0.85 * ease(y, 0.0, 0.85))
            over(picture, bright, ease(y, 0.1, -0.8))
        case _:
            over(picture, dark, 0.92 * ease(y, -0.65, 0.65))
            over(picture, bright, 0.95 * disc(x, y, (0, -0.72), (0.72, 0.42), 0.8))
    _pupil(picture, eye, x, y, dark)
    over(picture, shade(dark, 1.0), 0.9 * ease(r, 0.80, 0.90))
    if eye.iris_style not in ("halves", "pale"):
        over(picture, mix(shade(dark, 1.2), (0.05, 0.04, 0.08), 0.4), 0.72 * ease(y, 0.30, 0.85))
    _catchlights(picture, eye, x, y, colour)
    return picture


def _pupil(picture: F64, eye: Eye, x: F64, y: F64, dark: Colour) -> None:
    if eye.pupil <= 0 and eye.iris_style != "slit":
        return
    ink = mix(shade(dark, 1.2), (0.04, 0.03, 0.06), 0.45)
    wide, high = (0.13, 0.62) if eye.iris_style == "slit" else (0.40, 0.46)
    over(
        picture,
        ink,
        disc(x, y, (0, 0.05), (wide * max(eye.pupil, 0.7), high * max(eye.pupil, 0.7)), 0.16),
    )
    up = y - 0.05
    match eye.iris_style:
        case "star":
            over(picture, (1.0, 1.0, 1.0), ease(np.abs(x) ** 0.6 + np.abs(up) ** 0.6, 0.86, 0.80))
        case "heart":
            heart = np.hypot(x, 1.1 * up - 0.55 * np.abs(x) ** 0.7)
            over(picture, (0.98, 0.55, 0.68), ease(heart, 0.42, 0.36))
        case "cross":
            cross = np.minimum(np.maximum(np.abs(x) * 3, np.abs(up)),
                               np.maximum(np.abs(x), np.abs(up) * 3))  # fmt: skip
            over(picture, (1.0, 1.0, 1.0), ease(cross, 0.46, 0.40))


def _catchlights(picture: F64, eye: Eye, x: F64, y: F64, colour: Colour) -> None:
    white = (1.0, 1.0, 1.0)
    if eye.iris_style == "dull":
        return
    match eye.highlight:
        case 0:
            over(picture, white, disc(x, y, (-0.34, 0.44), (0.26, 0.22), 0.12))
            over(picture, white, 0.9 * disc(x, y, (0.34, -0.42), (0.11, 0.10), 0.3))
        case 1:
            over(picture, white, disc(x, y, (-0.30, 0.40), (0.20, 0.30), 0.12))
            over(picture, light(colour, 0.9), 0.9 * disc(x, y, (0.20, -0.55), (0.30, 0.14), 0.5))
        case 2:
            over(picture, white, disc(x, y, (-0.36, 0.36), (0.30, 0.16), 0.12))
            over(picture, white, 0.8 * disc(x, y, (0.40, 0.20), (0.08, 0.08), 0.4))
            over(picture, white, 0.9 * disc(x, y, (0.30, -0.45), (0.12, 0.12), 0.3))
        case 3:
            over(picture, white, disc(x, y, (-0.32, 0.42), (0.34, 0.34), 0.1))
        case 4:
            over(picture, white, disc(x, y, (-0.40, 0.30), (0.12, 0.14), 0.2))
            over(picture, white, 0.9 * disc(x, y, (-0.14, 0.52), (0.08, 0.08), 0.3))
        case _:
            over(picture, white, disc(x, y, (0.0, 0.50), (0.34, 0.17), 0.12))
            over(picture, white, 0.85 * disc(x, y, (-0.36, -0.40), (0.10, 0.12), 0.3))


def _white() -> F64:
    u, v = canvas(SIZE, SIZE)
    picture = fill(SIZE, SIZE, (0.995, 0.99, 0.99))
    over(picture, (0.66, 0.64, 0.74), 0.85 * ease(v, 0.42, 0.18))
    over(picture, (0.93, 0.82, 0.82), 0.5 * ease(np.abs(u - 0.5), 0.33, 0.5))
    return picture


def paint_lash(spec: CharacterSpec) -> F64:
    """lash.png: lash (upper left), lid line (upper right), brow (lower left)."""
    picture = fill(32, 32, spec.palette.lash)
    picture[:16, 16:] = mix(spec.palette.line, spec.palette.skin_shadow, 0.35)
    picture[16:] = spec.palette.brow
    return picture


def paint_mouth(spec: CharacterSpec) -> F64:
    """mouth.png: cavity and teeth above, tongue and line below."""
    size = 64
    half = size // 2
    picture = np.zeros((size, size, 3))
    _, v = canvas(half, half)
    cavity = fill(half, half, spec.palette.cavity)
    over(cavity, light(spec.palette.cavity, 0.4), ease(v, 0.6, 0.95))
    tongue = fill(half, half, spec.palette.tongue)
    over(tongue, times(spec.palette.tongue, (0.90, 0.76, 0.78)), ease(v, 0.0, 0.5))
    picture[:half, :half] = cavity
    picture[:half, half:] = (0.99, 0.98, 0.98)
    picture[half:, :half] = tongue
    picture[half:, half:] = spec.palette.mouth
    return picture
