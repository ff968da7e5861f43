"""Drawing a face within a franchise: head, eyes, brows and mouth.

Where things lie is drawn as widely as drawings have it: by the distance of the eyes, the height of
their middle and the mouth's share of the way from the chin to the lower lids.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characters.design import spec as s
from characters.design.franchise import Franchise

Rng = np.random.Generator
_OUTERMOST = 0.91  # of the face's half width: where an eye may end
_LEAST_HALF_WIDTH, _GREATEST_HALF_WIDTH = 0.295, 0.415
_LEAST_GAP = 0.033  # from the middle to the corner of an eye
_THICKEST_SHUT_LASH = 0.042  # drawn by people: 0.04 at the most, its soft edges with it

# Factors on half width, rise, drop and thickness of the lash; then what is added to the slant and
# the lid's fullness, and where its arc peaks (0 inner corner, 1 outer corner).
_EYE_STYLES: dict[s.EyeStyle, tuple[float, float, float, float, float, float, float]] = {
    "plain": (1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.50),
    "tall": (0.84, 1.14, 1.30, 1.0, 0.0, 0.1, 0.48),
    "round": (0.94, 1.04, 1.55, 0.9, 0.0, -0.3, 0.50),
    "wide": (1.16, 0.92, 1.0, 1.0, 0.004, 0.2, 0.50),
    "sleepy": (1.02, 0.58, 1.05, 1.1, -0.006, 0.9, 0.50),
    "sharp": (1.04, 0.86, 0.90, 1.1, 0.034, 0.1, 0.42),
    "droopy": (1.02, 0.95, 1.0, 1.0, -0.034, 0.1, 0.46),
    "narrow": (0.98, 0.60, 0.72, 0.9, 0.010, 0.2, 0.48),
    "staring": (1.0, 0.88, 1.0, 0.9, 0.0, 0.2, 0.50),
}


def draw_eye(f: Franchise, male: bool, child: float, rng: Rng) -> s.Eye:
    """The eyes; ``child`` is 1 for a small child, 0 for a grown-up."""
    of = f.eyes
    style = of.styles[int(rng.integers(len(of.styles)))]
    wide, rise, drop, lash, tilt, full, peak = _EYE_STYLES[style]
    size = 1 + 0.16 * (child - 0.4) - (0.10 if male else 0.0) + rng.normal(0, 0.05)
    tall = size * ((0.74 + 0.16 * child) if male else (0.88 + 0.18 * child))
    half_width = float(np.clip(of.half_width * wide * (0.4 + 0.6 * size), 0.062, 0.128))
    up, down = of.up * tall * rise, of.down * tall * drop
    full_height = (of.up + of.down * drop) * tall  # of an eye whose lid does not hang
    iris_height = full_height * float(rng.uniform(0.46, 0.56))
    narrowest, widest = 0.58, 0.82
    if style == "staring":
        iris_height, narrowest, widest = (up + down) * float(rng.uniform(0.28, 0.40)), 0.32, 0.56
    if style == "narrow":
        iris_height = min(iris_height, (up + down) * 0.72)
    lids = float(np.clip(of.y - 0.024 * (child - 0.4) + rng.normal(0, 0.010), 0.30, 0.435))
    x = max(of.x + float(rng.normal(0, 0.007)), half_width + _LEAST_GAP)
    x = min(x, _OUTERMOST * _GREATEST_HALF_WIDTH - half_width, _widest_apart(lids))
    eye = s.Eye(
        style=style,
        x=x,
        y=lids - (min(of.up * tall, 1.4 * up) - down) / 2,
        half_width=half_width,
        up=up,
        down=down,
        slant=of.slant + tilt + rng.normal(0, 0.010) + (0.008 if male else 0.0),
        peak=float(peak + rng.uniform(-0.05, 0.06)),
        fullness=max(of.fullness + full + rng.normal(0, 0.12), 1.6),
        lash=of.lash * lash * (0.75 if male else 1.0) * float(rng.uniform(0.85, 1.2)),
        wing=of.wing * (0.4 if male else 1.0),
        lower_lash=of.lower_lash * (0.7 if male else 1.0),
        double_lid=of.double_lid * (0.4 if style == "sleepy" else 1.0),
        iris_width=float(
            np.clip(iris_height * of.iris_share, half_width * narrowest, half_width * widest)
        ),
        iris_height=iris_height,
        iris_drop=_iris_drop(style, up, down, iris_height, rng),
        iris_style=_iris_style(f, rng),
        pupil=of.pupil,
        highlight=of.highlight if rng.random() < 0.8 else int(rng.integers(6)),
        close_at=float(rng.uniform(0.4, 1.05)),
        shut_lash=float(rng.uniform(0.7, 1.75)),
        ticks=0 if male else (of.ticks if rng.random() < 0.8 else int(rng.integers(2, 6))),
        lower_ticks=int(rng.integers(2, 4)) if not male and rng.random() < 0.16 else 0,
        lid_bones=bool(rng.random() < 0.10),
    )
    return replace(eye, shut_lash=min(eye.shut_lash, _THICKEST_SHUT_LASH / eye.lash))


def _widest_apart(lids: float) -> float:
    """How far from the middle eyes lie at most: those of people's characters who have a low
    forehead above their eyes do not stand wide apart."""
    return 0.47 * (1 - 1.47 * lids)


def _iris_drop(style: s.EyeStyle, up: float, down: float, high: float, rng: Rng) -> float:
    """How far above its place on the lower lid the iris stands."""
    if style == "staring":  # white all round, or below it alone where the iris is small
        middle = max((up + down) / 2, up + down - 1.35 * high)
        return middle - 0.93 * high + float(rng.uniform(0.0, 0.004))
    return float(rng.uniform(-0.004, 0.008))


def _iris_style(f: Franchise, rng: Rng) -> s.IrisStyle:
    rare: tuple[s.IrisStyle, ...] = ("star", "slit", "slit", "heart", "cross")
    if rng.random() < 0.07:
        return rare[int(rng.integers(len(rare)))]
    return f.eyes.iris_styles[int(rng.integers(len(f.eyes.iris_styles)))]


def draw_mouth(f: Franchise, eye: s.Eye, male: bool, rng: Rng) -> s.Mouth:
    """The mouth: anything from a few pixels to a third of the face, and of any shape."""
    lids_low = eye.y - eye.down - abs(eye.slant) / 2
    share = float(np.clip(f.mouth_share + rng.normal(0, 0.03), 0.27, 0.54))
    y = max(share * lids_low, 0.080)
    size = f.open_size * float(rng.choice([0.26, 0.5, 0.85, 1.05, 1.3], p=_MOUTH_SIZES))
    size *= float(rng.uniform(0.85, 1.15))
    aspect = float(np.exp(rng.normal(0, 0.28)))
    wide = float(np.clip(0.066 * size * aspect * (1.1 if male else 1.0), 0.014, 0.105))
    tall = 0.106 * size / aspect**0.5
    rise = float(rng.uniform(0.06, 0.40))
    half_width = f.mouth_half_width * (1.15 if male else 1.0) * float(rng.uniform(0.75, 1.25))
    mouth = s.Mouth(
        y=y,
        half_width=float(np.clip(half_width, 0.018, max(1.25 * wide, 0.03))),
        smile=float(rng.normal(0.006, 0.008)),
        open_half_width=wide,
        open_up=float(np.clip(tall * rise, 0.006, lids_low - y - 0.10)),
        open_down=float(np.clip(tall * (1 - rise), 0.010, y - 0.020 - 0.30 * wide)),
        jaw=max(float(rng.uniform(-0.012, 0.050)), 0.0) * min(size, 1.0),
        top=float(rng.choice([1.3, 2.0, 3.0, 5.0])),
        low=float(rng.choice([1.15, 1.6, 2.0, 2.4, 4.0], p=[0.12, 0.2, 0.3, 0.26, 0.12])),
        cat=0.0,
        crooked=float(rng.normal(0, 0.09)) * half_width * (rng.random() < 0.25),
        line=float(rng.uniform(0.0026, 0.0052)) * (0.75 if size < 0.5 else 1.0),
        tongue=float(rng.spawn(1)[0].uniform(0.25, 0.5)),
        teeth=_teeth(size, rng),
    )
    if rng.random() < 0.10:
        return replace(mouth, cat=0.22 * mouth.half_width, top=2.0, low=2.0, smile=0.004)
    return mouth


_MOUTH_SIZES = (0.08, 0.12, 0.22, 0.31, 0.27)


def _teeth(size: float, rng: Rng) -> s.Teeth:
    if size < 0.4:
        return "none"
    kinds: tuple[s.Teeth, ...] = ("none", "upper", "both", "fang", "fangs")
    return kinds[int(rng.choice(5, p=[0.28, 0.44, 0.08, 0.10, 0.10]))]


def draw_face(
    f: Franchise, eye: s.Eye, mouth: s.Mouth, male: bool, child: float, rng: Rng
) -> s.Face:
    """The shape of the head, wide enough for its eyes."""
    outer = (eye.x + eye.half_width) / _OUTERMOST
    half_width = f.half_width + rng.normal(0, 0.007) + 0.014 * (child - 0.3) - 0.012 * male
    lids_low = eye.y - eye.down
    marks: tuple[s.FaceMark, ...] = ("freckles", "whiskers", "stripes", "plaster", "star", "scar")
    styles: tuple[s.BlushStyle, ...] = ("soft", "strokes", "oval", "across")
    strong = rng.random() < 0.12
    return s.Face(
        half_width=float(np.clip(half_width, max(outer, _LEAST_HALF_WIDTH), _GREATEST_HALF_WIDTH)),
        depth=float(np.clip(rng.normal(1 + 0.8 * (eye.y - 0.34), 0.05), 0.88, 1.14)),
        chin_point=float(np.clip(f.chin_point + rng.normal(0, 0.15) - 0.25 * child, 0, 1)),
        cheek=float(np.clip(f.cheek * 0.6 + 0.5 * child + rng.normal(0, 0.1), 0, 1)),
        jaw=float(np.clip((0.55 if male else 0.1) - 0.3 * child + rng.normal(0, 0.1), 0, 1)),
        nose=f.nose * (1.15 if male else 1.0) * (1 - 0.5 * child),
        nose_y=mouth.y + (lids_low - mouth.y) * float(rng.uniform(0.44, 0.62)),
        nose_style=f.nose_styles[int(rng.integers(len(f.nose_styles)))],
        flatness=f.flatness,
        elf_ears=bool(rng.random() < 0.07 * f.fancy),
        blush=1.0 if strong else f.blush * (0.4 if male else 1.0) * float(rng.uniform(0.6, 1.2)),
        blush_style=styles[int(rng.integers(4))] if strong else f.blush_style,
        mole=int(rng.choice([-1, 0, 1], p=[0.03, 0.94, 0.03])),
        mark=marks[int(rng.integers(len(marks)))] if rng.random() < 0.08 else "none",
        makeup=0.0 if male or child > 0.6 else float(max(rng.uniform(-1.2, 0.6), 0.0)),
        shadow_side=int(rng.choice([-1, 0, 1], p=[0.06, 0.88, 0.06])),
    )


def draw_brow(eye: s.Eye, male: bool, rng: Rng) -> s.Brow:
    """Brows that go with the eyes: thin or bushy, calm, cross or worried; a few are dots."""
    above = eye.y + eye.up + float(rng.uniform(0.045, 0.10))
    if eye.style in ("sleepy", "narrow"):
        above += 0.02
    if rng.random() < 0.03:
        return s.Brow(above + 0.02, half_length=0.026, thickness=0.034, tilt=0.0, arch=0.0)
    return s.Brow(
        y=above,
        half_length=float(rng.uniform(0.06, 0.105)) * min(eye.half_width / 0.1, 1.0),
        thickness=float(rng.uniform(0.005, 0.015)) * (1.5 if male else 1.0),
        tilt=float(rng.normal(0.0, 0.013)) + (0.009 if male else 0.0),
        arch=float(rng.uniform(0.002, 0.022)),
    )
