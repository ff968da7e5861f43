"""Drawing a face within a franchise: head, eyes, brows and mouth."""

from __future__ import annotations

import numpy as np

from characters.design import spec as s
from characters.design.franchise import Franchise

Rng = np.random.Generator


def draw_face(f: Franchise, male: bool, child: float, rng: Rng) -> s.Face:
    """The shape of the head; ``child`` is 1 for a small child, 0 for a grown-up."""
    return s.Face(
        half_width=f.half_width + rng.normal(0, 0.005) + 0.006 * child - 0.012 * male,
        depth=float(rng.uniform(0.95, 1.04)),
        chin_point=float(np.clip(f.chin_point + rng.normal(0, 0.15) - 0.25 * child, 0, 1)),
        cheek=float(np.clip(f.cheek * 0.6 + 0.5 * child + rng.normal(0, 0.1), 0, 1)),
        jaw=float(np.clip((0.55 if male else 0.1) - 0.3 * child + rng.normal(0, 0.1), 0, 1)),
        nose=f.nose * (1.15 if male else 1.0) * (1 - 0.3 * child),
        flatness=f.flatness,
        elf_ears=bool(rng.random() < 0.06 * f.fancy),
        blush=f.blush * (0.4 if male else 1.0) * float(rng.uniform(0.6, 1.2)),
        mole=int(rng.choice([-1, 0, 1], p=[0.03, 0.94, 0.03])),
    )


def draw_eye(f: Franchise, male: bool, child: float, rng: Rng) -> s.Eye:
    """The eyes."""
    size = 1 + 0.10 * (child - 0.4) - (0.10 if male else 0.0) + rng.normal(0, 0.03)
    tall = size * ((0.74 + 0.16 * child) if male else (0.92 + 0.14 * child))
    half_width = f.eye_half_width * (0.5 + 0.5 * size)
    up, down = f.eye_up * tall, f.eye_down * tall
    iris_height = (up + down) * float(rng.uniform(0.50, 0.56))
    if rng.random() < 0.07:  # heavy lids
        up *= 0.70
    return s.Eye(
        x=f.eye_x + rng.normal(0, 0.004),
        y=0.362 - (up - down) / 2 + rng.normal(0, 0.010) - 0.012 * child,
        half_width=half_width,
        up=up,
        down=down,
        slant=f.slant + rng.normal(0, 0.008) + (0.008 if male else 0.0),
        peak=float(rng.uniform(0.44, 0.56)),
        fullness=f.eye_fullness + rng.normal(0, 0.08),
        lash=f.lash * (0.75 if male else 1.0),
        wing=f.wing * (0.4 if male else 1.0),
        lower_lash=f.lower_lash * (0.7 if male else 1.0),
        double_lid=f.double_lid,
        iris_width=float(np.clip(iris_height * f.iris_share, half_width * 0.60, half_width * 0.80)),
        iris_height=iris_height,
        iris_drop=float(rng.uniform(-0.004, 0.008)),
        iris_style=_iris_style(f, rng),
        pupil=f.pupil,
        highlight=f.highlight,
        close_at=float(rng.uniform(0.5, 0.75)),
        ticks=0 if male else f.ticks,
    )


def _iris_style(f: Franchise, rng: Rng) -> s.IrisStyle:
    rare: tuple[s.IrisStyle, ...] = ("star", "slit", "slit")
    if rng.random() < 0.05:
        return rare[int(rng.integers(len(rare)))]
    return f.iris_styles[int(rng.integers(len(f.iris_styles)))]


def draw_brow(eye: s.Eye, male: bool, rng: Rng) -> s.Brow:
    """Brows that go with the eyes."""
    return s.Brow(
        y=eye.y + eye.up + float(rng.uniform(0.062, 0.095)),
        half_length=float(rng.uniform(0.075, 0.10)),
        thickness=float(rng.uniform(0.008, 0.014)) * (1.5 if male else 1.0),
        tilt=float(rng.normal(-0.001, 0.008)) + (0.009 if male else 0.0),
        arch=float(rng.uniform(0.008, 0.022)),
    )


def draw_mouth(f: Franchise, male: bool, rng: Rng) -> s.Mouth:
    """The mouth."""
    size = f.open_size * rng.uniform(0.85, 1.15)
    return s.Mouth(
        y=0.138 + rng.normal(0, 0.006),
        half_width=f.mouth_half_width * (1.15 if male else 1.0) * float(rng.uniform(0.9, 1.1)),
        smile=float(rng.normal(0.007, 0.006)),
        open_half_width=float(np.clip(0.066 * size * (1.1 if male else 1.0), 0.05, 0.084)),
        open_up=0.022 * size,
        open_down=float(min(0.072 * size, 0.085)),
        squareness=float(rng.uniform(0.0, 0.8)),
        line=float(rng.uniform(0.0032, 0.0050)),
        teeth=bool(rng.random() < 0.75),
    )
