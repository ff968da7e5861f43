"""Drawing a whole character within a franchise, and its hair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characters.design import spec as s
from characters.design.face_design import draw_brow, draw_eye, draw_face, draw_mouth
from characters.design.franchise import Franchise
from characters.design.palette import draw_palette
from characters.design.wardrobe import accessories_for, draw_body, uniform

Rng = np.random.Generator
_FIRST_SYLLABLES = (
    "あ:a い:i か:ka き:ki さ:sa し:shi す:su せ:se そ:so た:ta ち:chi と:to な:na は:ha "
    "ひ:hi ほ:ho ま:ma み:mi も:mo や:ya ゆ:yu り:ri る:ru れ:re"
)
_LAST_SYLLABLES = (
    "か:ka き:ki こ:ko さ:sa な:na ね:ne ほ:ho ま:ma み:mi や:ya ゆ:yu り:ri ら:ra れ:re お:o と:to"
)


def draw_character(franchise: Franchise, seed: int, rng: Rng) -> s.CharacterSpec:
    """One character of a style."""
    male = bool(rng.random() < franchise.male_share)
    child = float(np.clip(rng.normal(0.42 if not male else 0.3, 0.36), 0, 1))
    palette = draw_palette(franchise, rng)
    eye = draw_eye(franchise, male, child, rng)
    mouth = draw_mouth(franchise, eye, male, rng)
    body = draw_body(franchise, male, child, eye, rng)
    hair = draw_hair(franchise, male, eye, rng)
    accessories = accessories_for(franchise, male, hair, rng)
    if {"hat", "beret", "cap", "beanie", "witch", "hood"} & set(accessories):
        # Nothing may stand up through the hat.
        flat: s.Back = "short" if hair.back == "spiky" else hair.back
        fringe: s.Fringe = "open" if hair.fringe == "up" else hair.fringe
        hair = replace(
            hair,
            fringe=fringe,
            ahoge=0,
            back=flat,
            messy=min(hair.messy, 0.5),
            tail_height=min(hair.tail_height, 0.68),
        )
    kana, roman = _name(rng)
    return s.CharacterSpec(
        seed=seed,
        franchise=franchise.index,
        name=kana,
        name_english=roman,
        head_height=float(np.clip(20.0 / body.heads * rng.uniform(0.9, 1.02), 2.5, 3.7)),
        palette=uniform(palette, body.outfit, rng),
        face=draw_face(franchise, eye, mouth, male, child, rng),
        eye=eye,
        brow=draw_brow(eye, male, rng),
        mouth=mouth,
        hair=hair,
        body=body,
        shading=franchise.shading,
        accessories=accessories,
        naming=_naming(franchise, rng),
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


def _name(rng: Rng) -> tuple[str, str]:
    """A name in kana and in Latin letters, two to three syllables."""
    first, last = _FIRST_SYLLABLES.split(), _LAST_SYLLABLES.split()
    picks = [first[int(rng.integers(len(first)))]]
    picks += [last[int(k)] for k in rng.integers(len(last), size=int(rng.integers(1, 3)))]
    kana = "".join(pick.split(":")[0] for pick in picks)
    return kana, "".join(pick.split(":")[1] for pick in picks).capitalize()


def draw_hair(f: Franchise, male: bool, eye: s.Eye, rng: Rng) -> s.Hair:
    """A hair style whose fringe ends about the eyes' upper edge."""
    fringe = _fringe(male, rng)
    over = fringe in ("over_eyes", "one_eye")
    lowest = -0.015 if rng.random() < 0.75 else -0.07
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
    side_chance = np.array([0.5, 0.45, 0.05, 0.0] if male else [0.08, 0.30, 0.48, 0.14])
    side = sides[int(rng.choice(4, p=side_chance))]
    side_y = {"none": 0.3, "short": 0.16, "long": -0.26, "hime": 0.10}[side]
    if side == "long" and rng.random() < 0.35:
        side_y = -0.65
    bulk = float(rng.uniform(0.2, 1.0)) if rng.random() < 0.5 else 0.0
    loose = rng.spawn(1)[0]
    return s.Hair(
        volume=f.volume + rng.normal(0, 0.006),
        fringe=fringe,
        fringe_y=eye.y + eye.up + float(rng.uniform(lowest, 0.08)),
        fringe_clumps=int(rng.integers(6, 9)),
        fringe_alpha=float(rng.uniform(0.3, 0.75))
        if rng.random() < (0.45 if over else 0.12)
        else 1.0,
        side=side,
        side_y=side_y + float(rng.uniform(-0.06, 0.06)),
        back=back,
        back_y=back_y + float(rng.uniform(-0.05, 0.05)) * (1 if back != "long" else 4),
        tails=tails,
        tail_y=float(rng.uniform(-1.0, -0.2) - bulk * rng.uniform(0.3, 1.3)),
        tail_bulk=bulk,
        tail_height=float(rng.uniform(0.66, 0.88)),
        parting=float(rng.uniform(-0.45, 0.45)),
        wave=float(rng.choice([0.0, 0.0, 0.0, 0.018, 0.034])),
        curl=float(rng.uniform(-0.5, 1.2)),
        spread=max(0.0, float(loose.uniform(-0.5, 0.8))),
        sway=float(loose.uniform(-0.5, 0.5)) if loose.random() < 0.35 else 0.0,
        messy=float(np.clip(f.messy + rng.normal(0, 0.12) + (0.2 if male else 0), 0, 1)),
        clump=f.clump,
        ahoge=int(rng.choice([0, 1, 2], p=[0.74, 0.21, 0.05])),
        streak=bool(rng.random() < 0.06),
        gloss=f.gloss,
        ring=f.ring,
    )


def _fringe(male: bool, rng: Rng) -> s.Fringe:
    fringes: list[s.Fringe] = [
        "straight", "parted", "swept", "m_shape", "between", "spiky", "curtain", "side",
        "over_eyes", "one_eye", "open", "up",
    ]  # fmt: skip
    chance = np.array([1.4, 0.9, 1.3, 1.0, 1.2, 0.5, 0.9, 1.0, 0.7, 0.6, 0.5, 0.06])
    if male:
        chance = np.array([0.2, 0.8, 1.3, 0.8, 1.3, 1.8, 0.5, 1.2, 0.8, 0.7, 0.8, 1.1])
    return fringes[int(rng.choice(12, p=chance / chance.sum()))]


def _tails(male: bool, rng: Rng) -> s.Tails:
    kinds: list[s.Tails] = [
        "none", "ponytail", "twin", "low_twin", "braids", "side", "buns", "half", "drills",
    ]  # fmt: skip
    chance = np.array(
        [0.93, 0.05, 0, 0.02, 0, 0, 0, 0, 0] if male
        else [0.36, 0.08, 0.24, 0.06, 0.06, 0.06, 0.04, 0.04, 0.06]
    )  # fmt: skip
    return kinds[int(rng.choice(9, p=chance))]
