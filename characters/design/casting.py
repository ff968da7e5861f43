"""Drawing a character within a franchise: face, eyes, mouth, names, and all the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characters.design import spec as s
from characters.design.character_names import character_name
from characters.design.franchise import Franchise
from characters.design.hair_design import draw_hair
from characters.design.palette import draw_palette
from characters.design.wardrobe import accessories_for, draw_body, uniform

Rng = np.random.Generator


def draw_character(franchise: Franchise, seed: int, rng: Rng) -> s.CharacterSpec:
    """One character of a style."""
    male = bool(rng.random() < franchise.male_share)
    child = float(np.clip(rng.normal(0.45 if not male else 0.3, 0.28), 0, 1))
    tone = float(np.clip(franchise.tone + rng.exponential(0.05), 0, 0.8))
    if rng.random() < 0.05:
        tone = float(rng.uniform(0.35, 0.8))
    palette = draw_palette(rng, franchise.hair_families, tone, franchise.vivid, franchise.cloth)
    eye = _eye(franchise, male, child, rng)
    body = draw_body(franchise, male, child, rng)
    hair = draw_hair(franchise, male, eye, rng)
    accessories = accessories_for(franchise, male, hair, rng)
    if {"hat", "beret", "cap"} & set(accessories):
        # Nothing may stand up through the hat.
        flat: s.Back = "short" if hair.back == "spiky" else hair.back
        hair = replace(
            hair,
            ahoge=0,
            back=flat,
            messy=min(hair.messy, 0.5),
            tail_height=min(hair.tail_height, 0.68),
        )
    kana, roman = character_name(rng)
    return s.CharacterSpec(
        seed=seed,
        franchise=franchise.index,
        name=kana,
        name_english=roman,
        head_height=float(np.clip(20.0 / body.heads * rng.uniform(0.9, 1.02), 2.5, 3.7)),
        palette=uniform(palette, body.outfit, rng),
        face=_face(franchise, male, child, rng),
        eye=eye,
        brow=_brow(eye, male, rng),
        mouth=_mouth(franchise, male, rng),
        hair=hair,
        body=body,
        shading=franchise.shading,
        accessories=accessories,
        naming=_naming(franchise, rng),
    )


def _face(f: Franchise, male: bool, child: float, rng: Rng) -> s.Face:
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


def _eye(f: Franchise, male: bool, child: float, rng: Rng) -> s.Eye:
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


def _brow(eye: s.Eye, male: bool, rng: Rng) -> s.Brow:
    return s.Brow(
        y=eye.y + eye.up + float(rng.uniform(0.062, 0.095)),
        half_length=float(rng.uniform(0.075, 0.10)),
        thickness=float(rng.uniform(0.008, 0.014)) * (1.5 if male else 1.0),
        tilt=float(rng.normal(-0.001, 0.008)) + (0.009 if male else 0.0),
        arch=float(rng.uniform(0.008, 0.022)),
    )


def _mouth(f: Franchise, male: bool, rng: Rng) -> s.Mouth:
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


def _naming(f: Franchise, rng: Rng) -> s.Naming:
    kinds: list[s.Naming] = [
        "standard", "viewer", "exchanged", "variants", "english", "blink_only", "empty", "groups",
        "one_wink",
    ]  # fmt: skip
    chance = np.array([0.26, 0.24, 0.10, 0.10, 0.07, 0.08, 0.06, 0.03, 0.06])
    if f.naming_family == 1:
        chance = np.array([0.10, 0.40, 0.10, 0.10, 0.07, 0.08, 0.06, 0.03, 0.06])
    return kinds[int(rng.choice(len(kinds), p=chance / chance.sum()))]
