"""Drawing a whole character within a franchise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characters.design import spec as s
from characters.design.face_design import draw_brow, draw_eye, draw_face, draw_mouth
from characters.design.franchise import Franchise
from characters.design.hair_design import draw_hair
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
    body = draw_body(franchise, male, child, rng)
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
