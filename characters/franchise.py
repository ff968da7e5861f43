"""Styles: a franchise fixes ranges, a character is drawn within them.

A franchise is what a data set calls a source: its characters share the way eyes are drawn, the
proportions, the palette and the light, so that a split by franchise tests on an unseen style.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characters import spec as s
from characters.names import character_name
from characters.palette import CLOTH, HAIR_FAMILIES, draw_palette

Rng = np.random.Generator


@dataclass(frozen=True)
class Franchise:
    """What the characters of one style share; pairs are (middle, spread)."""

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
        ambient=float(1.0 - 0.32 * rng.random() ** 2),
        specular=float(rng.uniform(0.0, 0.12)),
        edge_size=float(rng.uniform(0.35, 0.75)) if rng.random() < 0.85 else 0.0,
        edge_darkness=float(rng.uniform(0.45, 0.8)),
        toon_edge=float(rng.uniform(0.35, 0.6)),
        toon_tint=float(rng.uniform(0.5, 1.0)),
        hair_sphere=bool(rng.random() < 0.5),
        cel=float(rng.uniform(0.0, 1.0)),
        skin_edge=bool(rng.random() < 0.85),
    )


def draw_character(franchise: Franchise, seed: int, rng: Rng) -> s.CharacterSpec:
    """One character of a style."""
    male = bool(rng.random() < franchise.male_share)
    child = float(np.clip(rng.normal(0.45 if not male else 0.3, 0.28), 0, 1))
    tone = float(np.clip(franchise.tone + rng.exponential(0.05), 0, 0.8))
    if rng.random() < 0.05:
        tone = float(rng.uniform(0.35, 0.8))
    palette = draw_palette(rng, franchise.hair_families, tone, franchise.vivid, franchise.cloth)
    eye = _eye(franchise, male, child, rng)
    body = _body(franchise, male, child, rng)
    hair = _hair(franchise, male, eye, rng)
    accessories = _accessories(franchise, male, hair, rng)
    if {"hat", "beret", "cap"} & set(accessories):
        # Nothing may stand up through the hat.
        flat: s.Back = "short" if hair.back == "spiky" else hair.back
        hair = replace(hair, ahoge=0, back=flat, messy=min(hair.messy, 0.5))
    kana, roman = character_name(rng)
    return s.CharacterSpec(
        seed=seed,
        franchise=franchise.index,
        name=kana,
        name_english=roman,
        head_height=float(np.clip(20.0 / body.heads * rng.uniform(0.9, 1.02), 2.5, 3.7)),
        palette=palette,
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
        half_width=f.half_width + rng.normal(0, 0.005) + 0.006 * child,
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
        tilt=float(rng.normal(0.002, 0.008)) + (0.008 if male else 0.0),
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


def _hair(f: Franchise, male: bool, eye: s.Eye, rng: Rng) -> s.Hair:
    fringes: list[s.Fringe] = [
        "straight", "parted", "swept", "m_shape", "between", "spiky", "curtain", "side",
    ]  # fmt: skip
    chance = np.array([1.4, 0.9, 1.2, 1.0, 1.2, 0.5, 0.9, 1.0])
    if male:
        chance = np.array([0.2, 0.8, 1.3, 0.8, 1.3, 1.8, 0.5, 1.2])
    fringe = fringes[int(rng.choice(8, p=chance / chance.sum()))]
    backs: list[s.Back] = ["short", "bob", "flip", "medium", "long", "spiky"]
    chance = np.array([3.0, 0.4, 0.4, 0.3, 0.2, 2.0] if male else [0.5, 1.6, 0.9, 1.4, 2.2, 0.1])
    back = backs[int(rng.choice(6, p=chance / chance.sum()))]
    tails = _tails(male, rng)
    if tails not in ("none", "half", "side"):
        back = "short" if rng.random() < 0.75 else "bob"
    back_y = {
        "short": 0.16, "bob": 0.03, "flip": -0.02, "medium": -0.30, "long": -0.95, "spiky": 0.16,
    }[back]  # fmt: skip
    sides: list[s.SideLocks] = ["none", "short", "long", "hime"]
    side_chance = np.array([0.5, 0.45, 0.05, 0.0] if male else [0.12, 0.42, 0.34, 0.12])
    side = sides[int(rng.choice(4, p=side_chance))]
    side_y = {"none": 0.3, "short": 0.16, "long": -0.26, "hime": 0.10}[side]
    if side == "long" and rng.random() < 0.35:
        side_y = -0.65
    return s.Hair(
        volume=f.volume + rng.normal(0, 0.006),
        fringe=fringe,
        fringe_y=eye.y + eye.up + float(rng.uniform(-0.015, 0.05)),
        fringe_clumps=int(rng.integers(6, 9)),
        side=side,
        side_y=side_y + float(rng.uniform(-0.06, 0.06)),
        back=back,
        back_y=back_y + float(rng.uniform(-0.05, 0.05)) * (1 if back != "long" else 4),
        tails=tails,
        tail_y=float(rng.uniform(-1.0, -0.2)),
        tail_height=float(rng.uniform(0.66, 0.88)),
        parting=float(rng.uniform(-0.45, 0.45)),
        wave=float(rng.choice([0.0, 0.0, 0.0, 0.018, 0.034])),
        curl=float(rng.uniform(-0.5, 1.2)),
        messy=float(np.clip(f.messy + rng.normal(0, 0.12) + (0.2 if male else 0), 0, 1)),
        clump=f.clump,
        ahoge=int(rng.choice([0, 1, 2], p=[0.66, 0.28, 0.06])),
        streak=bool(rng.random() < 0.06),
        gloss=f.gloss,
        ring=f.ring,
    )


def _tails(male: bool, rng: Rng) -> s.Tails:
    kinds: list[s.Tails] = [
        "none", "ponytail", "twin", "low_twin", "braids", "side", "buns", "half", "drills",
    ]  # fmt: skip
    chance = np.array(
        [0.93, 0.05, 0, 0.02, 0, 0, 0, 0, 0] if male
        else [0.43, 0.10, 0.14, 0.07, 0.07, 0.05, 0.05, 0.05, 0.04]
    )  # fmt: skip
    return kinds[int(rng.choice(9, p=chance))]


def _body(f: Franchise, male: bool, child: float, rng: Rng) -> s.Body:
    heads = f.heads + (0.25 if male else 0.0) - 1.0 * child + rng.normal(0, 0.1)
    outfit = f.outfits[int(rng.integers(len(f.outfits)))]
    if male and outfit in ("sailor", "dress"):
        outfit = "gakuran" if rng.random() < 0.5 else "shirt"
    if not male and outfit == "gakuran":
        outfit = "blazer"
    neckwear: list[s.Neckwear] = ["none", "tie", "ribbon", "scarf", "choker"]
    allowed = {"sailor": (0, 2, 2), "shirt": (0, 1, 2), "blazer": (1, 2, 2), "crew": (0, 0, 4),
               "dress": (0, 4, 2), "turtleneck": (0,), "hoodie": (0,), "kimono": (0,),
               "gakuran": (0, 3)}[outfit]  # fmt: skip
    pick = int(rng.choice(allowed))
    return s.Body(
        male=male,
        heads=float(np.clip(heads, 4.4, 7.2)),
        shoulder=(0.50 if male else 0.425) - 0.06 * child + float(rng.normal(0, 0.01)),
        neck=(0.135 if male else 0.112) - 0.010 * child,
        bust=0.0 if male else float(np.clip(rng.normal(0.16, 0.08) * (1 - child * 0.8), 0, 0.3)),
        outfit=outfit,
        bottom="trousers" if male or rng.random() < 0.1 else
        ("long_skirt" if outfit in ("kimono", "dress") else "skirt"),
        neckwear=neckwear[pick],
        plaid=bool(rng.random() < 0.3),
    )  # fmt: skip


def _accessories(f: Franchise, male: bool, hair: s.Hair, rng: Rng) -> tuple[str, ...]:
    found = []
    top = ["headband", "bow", "hat", "beret", "cat_ears", "headphones", "clips", "flower", "cap"]
    chance = np.array([1.0, 1.3, 0.4, 0.6, 0.8, 0.7, 1.5, 0.8, 0.2])
    if male:
        chance = np.array([0.2, 0.0, 0.5, 0.2, 0.5, 1.0, 0.6, 0.0, 0.8])
    if hair.tails == "buns":
        chance[[1, 2, 3, 4, 8]] = 0
    if rng.random() < 0.30 + 0.35 * f.fancy:
        found.append(top[int(rng.choice(len(top), p=chance / chance.sum()))])
    if rng.random() < 0.11:
        found.append("glasses")
    if rng.random() < 0.08:
        found.append("earrings")
    return tuple(found)


def _naming(f: Franchise, rng: Rng) -> s.Naming:
    kinds: list[s.Naming] = [
        "standard", "viewer", "exchanged", "variants", "english", "blink_only", "empty", "groups",
        "one_wink",
    ]  # fmt: skip
    chance = np.array([0.26, 0.24, 0.10, 0.10, 0.07, 0.08, 0.06, 0.03, 0.06])
    if f.naming_family == 1:
        chance = np.array([0.10, 0.40, 0.10, 0.10, 0.07, 0.08, 0.06, 0.03, 0.06])
    return kinds[int(rng.choice(len(kinds), p=chance / chance.sum()))]
