"""The skin: face with soft shadows and blush, neck with the head's shadow, plain skin."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from characters.base import atlas
from characters.base.curves import F64, bump, ease
from characters.base.surface import Surface
from characters.design.palette import times
from characters.design.spec import CharacterSpec
from characters.shape.face_shape import FaceShape
from characters.texture.paint import canvas, fill, multiply, over

SIZE = 512


def paint_skin(spec: CharacterSpec, shape: FaceShape, fringe: Surface) -> F64:
    """skin.png; ``fringe`` casts its shadow on the forehead."""
    picture = fill(SIZE, SIZE, spec.palette.skin)
    split = round(SIZE * atlas.FACE_SHARE)
    _paint_face(picture[:, :split], spec, shape, fringe)
    _paint_neck(picture[: SIZE // 2, split:], spec)
    return picture


def _paint_face(picture: F64, spec: CharacterSpec, shape: FaceShape, fringe: Surface) -> None:
    u, v = canvas(*picture.shape[:2])
    x = (u - 0.5) * atlas.FACE_WIDTH
    y = atlas.FACE_HIGH - v * (atlas.FACE_HIGH - atlas.FACE_LOW)
    colours, eye = spec.palette, spec.eye
    edge = np.abs(x) / np.maximum(shape.half_width(y), 1e-3)
    multiply(picture, (0.98, 0.88, 0.84), 0.5 * ease(edge, 0.78, 1.05) * ease(y, 0.75, 0.3))
    tone = np.array(colours.skin_shadow)
    over(picture, tone, 0.45 * ease(y, 0.62, 0.80))
    # Not on the lids: closing stretches them, and the shadow would become streaks.
    clear = ease(y, eye.y + eye.up - 0.01, eye.y + eye.up + 0.05)
    over(picture, tone, 0.85 * clear * _cast_shadow(fringe, picture.shape[:2], spec.shading.cel))
    if spec.face.shadow_side:
        away = x * spec.face.shadow_side - 0.62 * shape.half_width(y) + 0.10 * bump(y, 0.25, 0.10)
        over(picture, tone, 0.75 * ease(away, -0.006, 0.006))
    _blush(picture, spec, x, y)
    # The eye sockets: a warm tint around the lids and under the upper lash.
    near = np.hypot((np.abs(x) - eye.x) / (eye.half_width * 1.25), (y - eye.y - 0.02) / 0.13)
    over(picture, colours.blush, (0.20 + 0.5 * spec.face.makeup) * ease(near, 1.05, 0.75))
    _nose(picture, spec, x, y)
    _mark(picture, spec, x, y)
    low = bump(x, 0, 0.035) * bump(y, spec.mouth.y - 0.032, 0.009)
    over(picture, tone, 0.55 * low)


def _cast_shadow(fringe: Surface, size: tuple[int, ...], cel: float) -> F64:
    """What the fringe covers, moved down a little: (H, W) in [0, 1], soft unless ``cel``."""
    height, width = size
    uv = atlas.face_uv(fringe.positions - np.array([-0.008, 0.042, 0.0])) / np.array(
        [atlas.FACE_SHARE, 1.0]
    )
    corners = (uv * np.array([width, height]))[fringe.faces].reshape(-1, 6)
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for triangle in corners.tolist():
        draw.polygon(triangle, fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(1.2 + 5.0 * (1 - cel)))
    return np.asarray(soft, np.float64) / 255


def _blush(picture: F64, spec: CharacterSpec, x: F64, y: F64) -> None:
    eye, strength = spec.eye, spec.face.blush
    deep = times(spec.palette.blush, (0.95, 0.6, 0.6))
    out, centre = eye.x + 0.03, eye.y - eye.down - 0.055
    match spec.face.blush_style:
        case "oval":
            spot = np.hypot((np.abs(x) - out) / 0.062, (y - centre) / 0.028)
            over(picture, spec.palette.blush, strength * ease(spot, 1.12, 0.88))
        case "across":
            band = bump(y, centre + 0.02, 0.034) * ease(np.abs(x), out + 0.09, out - 0.02)
            over(picture, spec.palette.blush, strength * band)
        case _:
            spot = bump(np.abs(x), out, 0.085) * bump(y, centre, 0.042)
            over(picture, spec.palette.blush, strength * spot)
    strokes_too = spec.face.blush_style == "strokes" or spec.shading.cel > 0.8
    if strokes_too and not spec.body.male:
        slant = np.abs(x) - out + 0.01 + 0.35 * (y - centre)
        strokes = sum(bump(slant, k * 0.028, 0.0035) for k in (-1, 0, 1)) * bump(y, centre, 0.016)
        over(picture, deep, 0.8 * np.minimum(strokes, 1))


def _nose(picture: F64, spec: CharacterSpec, x: F64, y: F64) -> None:
    tone = np.array(spec.palette.skin_shadow)
    up = y - spec.face.nose_y
    match spec.face.nose_style:
        case "shadow":
            over(picture, tone * 0.92, 0.9 * bump(x, 0.004, 0.014) * bump(up, -0.024, 0.008))
            over(picture, tone, 0.22 * bump(x, 0.016, 0.010) * bump(up, 0.013, 0.022))
            over(picture, (1.0, 0.99, 0.97), 0.5 * bump(x, -0.004, 0.007) * bump(up, 0.0, 0.009))
        case "dot":
            over(picture, spec.palette.line, 0.75 * bump(x, 0.0, 0.006) * bump(up, -0.012, 0.0045))
        case "line":
            slope = bump(x + 0.18 * up, 0.004, 0.0042) * ease(np.abs(up), 0.028, 0.018)
            over(picture, spec.palette.line, 0.65 * slope)
        case "gloss":
            over(picture, (1.0, 0.99, 0.97), 0.9 * bump(x, -0.003, 0.007) * bump(up, 0.0, 0.012))
        case "wedge":
            side = ease(x, -0.002, 0.004) * ease(x - 0.45 * (0.045 - up), 0.004, -0.006)
            over(picture, tone, 0.8 * side * ease(up, -0.026, -0.018) * ease(up, 0.05, 0.03))


def _mark(picture: F64, spec: CharacterSpec, x: F64, y: F64) -> None:
    """What some wear on their cheeks."""
    eye, face = spec.eye, spec.face
    cheek_x, cheek_y = eye.x + 0.02, eye.y - eye.down - 0.065
    tone = np.array(spec.palette.skin_shadow) * 0.8
    match face.mark:
        case "freckles":
            for k in range(7):
                at = cheek_x + 0.018 * (k - 3), cheek_y + 0.011 * ((k * 5) % 3 - 1)
                spot = np.hypot(np.abs(x) - at[0], y - at[1])
                over(picture, tone, 0.6 * ease(spot, 0.0065, 0.0035))
        case "whiskers":
            for k in (-1, 0, 1):
                slant = y - cheek_y - 0.024 * k - 0.10 * k * (np.abs(x) - cheek_x)
                stroke = ease(np.abs(slant), 0.0045, 0.002) * bump(np.abs(x), cheek_x, 0.045)
                over(picture, spec.palette.line, stroke)
        case "stripes":
            for k in (0, 1):
                band = ease(np.abs(y - cheek_y + 0.026 * k), 0.0085, 0.006)
                over(picture, spec.palette.accent, band * ease(np.abs(x), cheek_x, cheek_x + 0.01))
        case "plaster":
            near = np.maximum(np.abs(x - cheek_x) / 0.055, np.abs(y - cheek_y) / 0.020)
            over(picture, (0.93, 0.80, 0.62), ease(near, 1.05, 0.95))
            pad = np.maximum(np.abs(x - cheek_x) / 0.018, np.abs(y - cheek_y) / 0.020)
            over(picture, (0.99, 0.95, 0.88), ease(pad, 1.05, 0.95))
        case "star":
            spike = np.abs(x - cheek_x) ** 0.6 + np.abs(y - cheek_y) ** 0.6
            over(picture, spec.palette.accent, ease(spike, 0.120, 0.108))
        case "scar":
            slant = x + cheek_x - 0.35 * (y - cheek_y)
            over(picture, tone, ease(np.abs(slant), 0.006, 0.003) * bump(y, cheek_y, 0.05))
    if face.mole:
        spot = np.hypot(x - face.mole * (eye.x + 0.035), y - eye.y + eye.down + 0.035)
        over(picture, (0.30, 0.18, 0.17), 0.9 * ease(spot, 0.0085, 0.0055))


def paint_blush(spec: CharacterSpec) -> F64:
    """blush.png (H, W, 4): a soft spot with slanted strokes."""
    u, v = canvas(32, 64)
    x, y = u * 2 - 1, 1 - v * 2
    spot = 0.75 * ease(np.hypot(x, y), 1.0, 0.1)
    slant = x + 0.25 * y
    strokes = sum(bump(slant, k * 0.36, 0.055) for k in (-1, 0, 1)) * ease(np.abs(y), 0.6, 0.4)
    colour = fill(32, 64, spec.palette.blush)
    over(colour, times(spec.palette.blush, (0.92, 0.5, 0.5)), np.minimum(strokes, 1))
    return np.concatenate([colour, np.maximum(spot, strokes * 0.9)[..., None]], -1)


def _paint_neck(picture: F64, spec: CharacterSpec) -> None:
    u, v = canvas(*picture.shape[:2])
    y = atlas.NECK_HIGH - v / 0.96 * (atlas.NECK_HIGH - atlas.NECK_LOW)
    # The shadow's lower edge follows the chin: lowest in front.
    edge = -0.085 - 0.035 * np.cos(u * np.pi)
    strength = spec.shading.neck_shadow
    over(picture, spec.palette.skin_shadow, strength * ease(y, edge - 0.012, edge + 0.012))
    over(picture, spec.palette.skin_shadow, 0.5 * strength * ease(u, 0.35, 0.9))
