"""Styles: a franchise fixes ranges, a character is drawn within them.

A franchise is what a data set calls a source: its characters share the way eyes are drawn, the
proportions, the palette and the light, so that a split by franchise tests on an unseen style.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.design import spec as s
from characters.design.palette import CLOTH, HAIR_FAMILIES

Rng = np.random.Generator


@dataclass(frozen=True)
class Franchise:
    """What the characters of one style share: middles, around which each character varies."""

    index: int
    eye_half_width: float
    eye_up: float
    eye_down: float
    eye_x: float
    eye_fullness: float
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
    chin_point: float
    cheek: float
    half_width: float
    flatness: float
    nose: float
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
    outfits: tuple[s.Outfit, ...]
    shading: s.Shading
    male_share: float
    fancy: float
    naming_family: int


OUTFITS: tuple[s.Outfit, ...] = (
    "sailor", "shirt", "blazer", "turtleneck", "hoodie", "kimono", "dress", "crew", "gakuran",
    "vest",
)  # fmt: skip


def draw_franchise(index: int, rng: Rng) -> Franchise:
    """The ``index``-th style of a collection."""
    u = rng.uniform
    wide = u(0.092, 0.118)
    families = rng.choice(len(HAIR_FAMILIES), int(rng.integers(8, 14)), replace=False)
    cloth = rng.choice(len(CLOTH), int(rng.integers(4, 8)), replace=False)
    outfits = rng.choice(len(OUTFITS), int(rng.integers(3, 6)), replace=False)
    styles: list[s.IrisStyle] = ["deep", "bright", "ring", "flat"]
    return Franchise(
        index=index,
        eye_half_width=wide,
        eye_up=u(0.090, 0.138),
        eye_down=u(0.038, 0.056),
        eye_x=u(0.186, 0.206),
        eye_fullness=u(1.9, 2.7),
        slant=u(-0.012, 0.026),
        lash=u(0.022, 0.036),
        wing=u(0.05, 0.17),
        double_lid=u(0.0, 1.3),
        lower_lash=u(0.003, 0.008),
        iris_share=u(0.72, 0.92),
        iris_styles=tuple(styles[k] for k in rng.choice(4, 2, replace=False)),
        highlight=int(rng.integers(4)),
        ticks=int(rng.choice([0, 0, 0, 2, 3])),
        pupil=u(0.7, 1.1) if rng.random() < 0.8 else 0.0,
        chin_point=u(0.1, 0.9),
        cheek=u(0.0, 1.0),
        half_width=u(0.355, 0.388),
        flatness=u(0.35, 0.9),
        nose=u(0.020, 0.042),
        mouth_half_width=u(0.042, 0.070),
        open_size=u(0.85, 1.2),
        heads=u(5.4, 6.8),
        clump=u(0.85, 1.15),
        messy=u(0.1, 0.9),
        volume=u(0.065, 0.135),
        gloss=max(u(-0.1, 0.95), 0.0),
        ring=int(rng.integers(2)),
        hair_families=tuple(int(k) for k in families),
        cloth=tuple(int(k) for k in cloth),
        vivid=u(0.75, 1.15),
        tone=u(0.0, 0.14),
        blush=u(0.15, 0.6),
        outfits=tuple(OUTFITS[k] for k in outfits),
        shading=_shading(rng),
        male_share=u(0.15, 0.45),
        fancy=u(0.2, 0.9),
        naming_family=int(rng.integers(4)),
    )


def _shading(rng: Rng) -> s.Shading:
    return s.Shading(
        ambient=float(1.0 - 0.24 * rng.random() ** 2),
        specular=float(rng.uniform(0.0, 0.12)),
        edge_size=float(rng.uniform(0.35, 0.75)) if rng.random() < 0.85 else 0.0,
        edge_darkness=float(rng.uniform(0.45, 0.8)),
        toon_edge=float(rng.uniform(0.35, 0.6)),
        toon_tint=float(rng.uniform(0.5, 1.0)),
        hair_sphere=bool(rng.random() < 0.5),
        cel=float(rng.uniform(0.0, 1.0)),
        skin_edge=bool(rng.random() < 0.85),
    )
