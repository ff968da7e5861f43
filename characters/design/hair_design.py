"""Drawing a hair style within a franchise."""

from __future__ import annotations

import numpy as np

from characters.design import spec as s
from characters.design.franchise import Franchise

Rng = np.random.Generator


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
    side_chance = np.array([0.5, 0.45, 0.05, 0.0] if male else [0.12, 0.42, 0.34, 0.12])
    side = sides[int(rng.choice(4, p=side_chance))]
    side_y = {"none": 0.3, "short": 0.16, "long": -0.26, "hime": 0.10}[side]
    if side == "long" and rng.random() < 0.35:
        side_y = -0.65
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
        tail_y=float(rng.uniform(-1.0, -0.2)),
        tail_height=float(rng.uniform(0.66, 0.88)),
        parting=float(rng.uniform(-0.45, 0.45)),
        wave=float(rng.choice([0.0, 0.0, 0.0, 0.018, 0.034])),
        curl=float(rng.uniform(-0.5, 1.2)),
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
        else [0.43, 0.10, 0.14, 0.07, 0.07, 0.05, 0.05, 0.05, 0.04]
    )  # fmt: skip
    return kinds[int(rng.choice(9, p=chance))]
