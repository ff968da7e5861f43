"""Styles: a franchise fixes ranges, a character is drawn within them.

A franchise is what a data set calls a source: its characters share the way eyes are drawn, the
proportions, the palette and the light, so that a split by franchise tests on an unseen style.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from characters.design import spec as s

Rng = np.random.Generator
Kind = TypeVar("Kind")

# (hue, saturation, value) of hair, natural and not; the hue is in turns.
HAIR_FAMILIES: tuple[tuple[float, float, float], ...] = (
    (0.07, 0.30, 0.20),  # black-brown
    (0.62, 0.28, 0.24),  # blue-black
    (0.05, 0.48, 0.36),  # dark brown
    (0.06, 0.52, 0.56),  # brown
    (0.09, 0.50, 0.76),  # light brown
    (0.125, 0.45, 0.95),  # blonde
    (0.14, 0.22, 0.97),  # pale blonde
    (0.00, 0.66, 0.66),  # red
    (0.04, 0.66, 0.86),  # orange
    (0.94, 0.42, 0.95),  # pink
    (0.78, 0.32, 0.82),  # lilac
    (0.73, 0.48, 0.56),  # violet
    (0.60, 0.46, 0.84),  # blue
    (0.56, 0.34, 0.94),  # sky
    (0.48, 0.50, 0.76),  # teal
    (0.38, 0.36, 0.68),  # green
    (0.62, 0.06, 0.93),  # silver
    (0.10, 0.04, 0.97),  # white
)
CLOTH: tuple[tuple[float, float, float], ...] = (
    (0.62, 0.62, 0.36), (0.60, 0.10, 0.96), (0.0, 0.0, 0.18), (0.99, 0.62, 0.70),
    (0.58, 0.50, 0.74), (0.36, 0.40, 0.46), (0.76, 0.40, 0.56), (0.10, 0.34, 0.80),
    (0.94, 0.34, 0.92), (0.48, 0.44, 0.62), (0.13, 0.60, 0.90), (0.05, 0.46, 0.42),
)  # fmt: skip


@dataclass(frozen=True)
class EyeRanges:
    """How the eyes of one style are drawn: middles, and the kinds that a character picks from."""

    styles: tuple[s.EyeStyle, ...]
    half_width: float
    up: float
    down: float
    x: float
    y: float
    fullness: float
    slant: float
    lash: float
    wing: float
    double_lid: float
    lower_lash: float
    iris_share: float
    iris_styles: tuple[s.IrisStyle, ...]
    highlight: int
    ticks: int
    pupil: float


@dataclass(frozen=True)
class Franchise:
    """What the characters of one style share: middles, around which each character varies."""

    index: int
    eyes: EyeRanges
    chin_point: float
    cheek: float
    half_width: float
    flatness: float
    nose: float
    nose_styles: tuple[s.NoseStyle, ...]
    mouth_share: float
    mouth_half_width: float
    open_size: float
    heads: float
    clump: float
    messy: float
    volume: float
    gloss: float
    ring: int
    hair_families: tuple[int, ...]
    cloth: tuple[int, ...]
    vivid: float
    tone: float
    blush: float
    blush_style: s.BlushStyle
    outfits: tuple[s.Outfit, ...]
    shading: s.Shading
    male_share: float
    fancy: float
    naming_family: int


_EYES: tuple[s.EyeStyle, ...] = (
    "plain", "plain", "tall", "tall", "round", "wide", "sleepy", "sharp", "droopy", "narrow",
    "staring",
)  # fmt: skip
_IRISES: tuple[s.IrisStyle, ...] = (
    "deep", "deep", "bright", "ring", "flat", "halves", "dull", "dark", "pale",
)  # fmt: skip
_NOSES: tuple[s.NoseStyle, ...] = ("shadow", "shadow", "dot", "line", "gloss", "wedge", "none")
_FLAT_NOSES: tuple[s.NoseStyle, ...] = ("none", "dot", "dot", "line", "gloss")
_BLUSHES: tuple[s.BlushStyle, ...] = ("soft", "soft", "strokes", "oval", "across")
OUTFITS: tuple[s.Outfit, ...] = (
    "sailor", "shirt", "blazer", "turtleneck", "hoodie", "kimono", "dress", "crew", "gakuran",
    "vest", "coat", "camisole", "off_shoulder", "cape",
)  # fmt: skip


def draw_franchise(index: int, rng: Rng) -> Franchise:
    """The ``index``-th style of a collection."""
    u = rng.uniform
    wide = u(0.087, 0.114)
    families = rng.choice(len(HAIR_FAMILIES), int(rng.integers(8, 14)), replace=False)
    cloth = rng.choice(len(CLOTH), int(rng.integers(4, 8)), replace=False)
    outfits = rng.choice(len(OUTFITS), int(rng.integers(4, 8)), replace=False)
    flat = rng.random() < 0.35
    return Franchise(
        index=index,
        eyes=_eyes(wide, rng),
        chin_point=u(0.1, 0.9),
        cheek=u(0.0, 1.0),
        half_width=u(0.312, 0.400),
        flatness=u(0.35, 0.9),
        nose=0.0 if flat else u(0.010, 0.042),
        nose_styles=_some(_FLAT_NOSES if flat else _NOSES, 2, rng),
        mouth_share=u(0.29, 0.47),
        mouth_half_width=u(0.024, 0.070),
        open_size=u(0.8, 1.3),
        heads=u(5.2, 7.0),
        clump=u(0.85, 1.15),
        messy=u(0.1, 0.9),
        volume=u(0.065, 0.135),
        gloss=max(u(-0.1, 0.95), 0.0),
        ring=int(rng.integers(2)),
        hair_families=tuple(int(k) for k in families),
        cloth=tuple(int(k) for k in cloth),
        vivid=u(0.75, 1.15),
        tone=u(-0.04, 0.12),
        blush=max(u(-0.3, 0.75), 0.0),
        blush_style=_some(_BLUSHES, 1, rng)[0],
        outfits=tuple(OUTFITS[k] for k in outfits),
        shading=_shading(flat, rng),
        male_share=u(0.15, 0.45),
        fancy=u(0.2, 0.9),
        naming_family=int(rng.integers(4)),
    )


def _eyes(half_width: float, rng: Rng) -> EyeRanges:
    u = rng.uniform
    return EyeRanges(
        styles=_some(_EYES, 3, rng),
        half_width=half_width,
        up=u(0.085, 0.138),
        down=u(0.038, 0.063),
        x=u(0.155, 0.224),
        y=u(0.347, 0.415),
        fullness=u(1.9, 2.7),
        slant=u(-0.036, 0.020),
        lash=u(0.013, 0.044),
        wing=u(0.02, 0.14),
        double_lid=max(u(-0.4, 1.3), 0.0),
        lower_lash=u(0.002, 0.008),
        iris_share=u(0.72, 0.95),
        iris_styles=_some(_IRISES, 3, rng),
        highlight=int(rng.integers(6)),
        ticks=int(rng.choice([0, 0, 0, 2, 3, 4])),
        pupil=u(0.7, 1.1) if rng.random() < 0.8 else 0.0,
    )


def _some(kinds: tuple[Kind, ...], count: int, rng: Rng) -> tuple[Kind, ...]:
    """``count`` of the kinds; one that stands there twice may be among them twice."""
    return tuple(kinds[int(k)] for k in rng.choice(len(kinds), count, replace=False))


_LINES: tuple[str, ...] = ("thin", "drawn", "black")
_LINE_SHARES = (0.27, 0.33, 0.40)
_EDGES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "thin": ((0.15, 0.32), (0.0, 0.45)),
    "drawn": ((0.32, 0.75), (0.4, 0.8)),
    "black": ((0.6, 1.1), (0.85, 1.0)),
}
"""Sizes and darkness of outlines. Many models for MMD keep its own, which are black."""


def _shading(flat: bool, rng: Rng) -> s.Shading:
    lines = _LINES[int(rng.choice(len(_LINES), p=_LINE_SHARES))]
    thin = lines == "thin"
    size, darkness = _EDGES[lines]
    return s.Shading(
        ambient=float(1.0 - 0.24 * rng.random() ** 2),
        specular=float(rng.uniform(0.0, 0.12)),
        edge_size=float(rng.uniform(*size)) * (rng.random() < 0.9),
        edge_darkness=float(rng.uniform(*darkness)),
        toon_edge=float(rng.uniform(0.35, 0.6)),
        toon_tint=float(rng.uniform(0.5, 1.0)),
        hair_sphere=bool(rng.random() < 0.5),
        cel=float(rng.uniform(0.0, 1.0)),
        skin_edge=bool(rng.random() < 0.85),
        neck_shadow=float(np.clip(rng.spawn(1)[0].uniform(-0.3, 1.7), 0.0, 1.0)),
        flat_face=float(rng.uniform(0.6, 1.0) if flat else rng.uniform(0.0, 0.5)),
        line_hair=float(rng.uniform(0.35, 0.95) if thin else rng.uniform(0.0, 0.35)),
    )
