"""Drawing a body, its clothes and what is worn on the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characters.design import spec as s
from characters.design.franchise import Franchise

Rng = np.random.Generator

_NECKWEAR: dict[s.Outfit, tuple[s.Neckwear, ...]] = {
    "sailor": ("none", "ribbon", "ribbon"),
    "shirt": ("none", "tie", "ribbon"),
    "blazer": ("tie", "ribbon", "ribbon"),
    "vest": ("tie", "ribbon", "none"),
    "crew": ("none", "none", "choker", "pendant", "headphones"),
    "dress": ("none", "choker", "ribbon", "pendant"),
    "turtleneck": ("none", "pendant", "headphones"),
    "hoodie": ("none", "headphones"),
    "kimono": ("none",),
    "gakuran": ("none", "scarf"),
    "coat": ("none", "none", "tie"),
    "camisole": ("none", "choker", "pendant", "bell"),
    "off_shoulder": ("none", "choker", "pendant", "bell"),
    "cape": ("ribbon", "none"),
}

_HEADWEAR_GIRLS = {
    "headband": 1.0, "bow": 1.3, "hat": 0.4, "beret": 0.6, "cat_ears": 0.6, "headphones": 0.7,
    "clips": 1.5, "flower": 0.8, "cap": 0.2, "fox_ears": 0.4, "rabbit_ears": 0.35, "horns": 0.3,
    "tiara": 0.3, "dog_ears": 0.3, "bear_ears": 0.3, "frill": 0.5, "beanie": 0.4, "witch": 0.3,
    "hood": 0.4,
}  # fmt: skip
_HEADWEAR_BOYS = {
    "headband": 0.2, "hat": 0.5, "beret": 0.2, "cat_ears": 0.3, "headphones": 1.0, "clips": 0.6,
    "cap": 0.8, "fox_ears": 0.3, "horns": 0.4, "dog_ears": 0.3, "beanie": 0.6, "hood": 0.6,
}  # fmt: skip
_BESIDE_BUNS = (
    "bow", "hat", "beret", "cat_ears", "cap", "fox_ears", "rabbit_ears", "horns", "dog_ears",
    "bear_ears", "frill", "beanie", "witch", "hood", "tiara",
)  # fmt: skip


def draw_body(f: Franchise, male: bool, child: float, eye: s.Eye, rng: Rng) -> s.Body:
    """A body and its outfit; ``child`` is 1 for a small child, 0 for a grown-up.

    The height of the eyes tells how large the head is for it, and so where its joints lie.
    """
    heads = f.heads + (0.25 if male else 0.0) - 1.5 * (child - 0.2) + rng.normal(0, 0.1)
    outfit = f.outfits[int(rng.integers(len(f.outfits)))]
    if male and outfit in ("sailor", "dress", "camisole", "off_shoulder"):
        outfit = "gakuran" if rng.random() < 0.5 else "shirt"
    if not male and outfit == "gakuran":
        outfit = "blazer"
    neckwear = _NECKWEAR[outfit]
    arms = _arms(rng)
    roots = _roots(eye.y + (eye.up - eye.down) / 2 - _EYES_Y, rng.spawn(1)[0])
    return s.Body(
        male=male,
        heads=float(np.clip(heads, 4.0, 7.4)),
        shoulder=(0.50 if male else 0.425) - 0.09 * child + float(rng.normal(0, 0.02)),
        shoulder_y=roots.shoulder_y,
        neck_root_y=roots.neck_y,
        head_root_y=roots.head_y,
        head_root_z=roots.head_z,
        neck=(0.128 if male else 0.104) - 0.010 * child,
        bust=0.0 if male else float(np.clip(rng.normal(0.16, 0.08) * (1 - child * 0.8), 0, 0.3)),
        outfit=outfit,
        bottom="trousers" if male or rng.random() < 0.1 else
        ("long_skirt" if outfit in ("kimono", "dress") else "skirt"),
        neckwear="big_scarf"
        if rng.random() < 0.07
        else neckwear[int(rng.integers(len(neckwear)))],
        plaid=bool(rng.random() < 0.3),
        pattern=_pattern(outfit, rng),
        sleeve=_sleeve(outfit, rng),
        left_arm=arms[0],
        right_arm=arms[1],
        turn=float(rng.normal(0, 0.28)) if rng.random() < 0.45 else 0.0,
        lean=float(rng.normal(0, 0.10)) if rng.random() < 0.4 else 0.0,
        carried=_carried(arms, rng),
    )  # fmt: skip


@dataclass(frozen=True)
class _Roots:
    """Heights of the shoulders' joints, and where neck and head turn about."""

    shoulder_y: float
    neck_y: float
    head_y: float
    head_z: float


def _roots(eyes_above: float, rng: Rng) -> _Roots:
    """What a body hangs on, by how far the eyes lie above where most have them.

    As 21 models made by people have it: a head whose eyes lie high is small for its body, so
    shoulders and neck's root lie low below it, and the head's root high. A neck's root comes within
    0.036 of what eyes and shoulders tell, a head's within 0.03. What shows of the shoulders is skin
    and clothes: those of these models lie 0.15 above the arms' joints, those made here 0.05, so
    these joints lie 0.1 higher.
    """
    shoulder_y = float(np.clip(_SHOULDER_Y - 0.8 * eyes_above + rng.normal(0, 0.05), -0.36, -0.14))
    told = _NECK_ROOT_Y - 1.35 * eyes_above + 0.5 * (shoulder_y - _SHOULDER_Y)
    neck_y = float(np.clip(told + rng.normal(0, 0.036), -0.31, -0.035))
    head_y = _HEAD_ROOT_Y + 1.1 * eyes_above - 0.25 * (neck_y - told) + float(rng.normal(0, 0.028))
    head_z = _HEAD_ROOT_Z + 0.3 * eyes_above + float(rng.normal(0, 0.028))
    return _Roots(
        shoulder_y, neck_y, float(np.clip(head_y, 0.0, 0.23)), float(np.clip(head_z, 0.0, 0.15))
    )


_EYES_Y, _SHOULDER_Y = 0.377, -0.235
_NECK_ROOT_Y, _HEAD_ROOT_Y, _HEAD_ROOT_Z = -0.117, 0.074, 0.062

_BOTH_ARMS: dict[s.ArmPose, float] = {
    "a": 0.34, "low": 0.18, "down": 0.16, "akimbo": 0.05, "behind": 0.08, "hold": 0.11,
    "chest": 0.06, "up": 0.02,
}  # fmt: skip
_GESTURES: tuple[s.ArmPose, ...] = ("raised", "cheek", "chin", "chest", "akimbo", "up")
_RESTING: tuple[s.ArmPose, ...] = ("a", "low", "down", "down", "akimbo", "behind")


def _arms(rng: Rng) -> tuple[s.ArmPose, s.ArmPose]:
    """Left and right: both alike, or one that makes a gesture."""
    if rng.random() < 0.68:
        pose = list(_BOTH_ARMS)[int(rng.choice(len(_BOTH_ARMS), p=list(_BOTH_ARMS.values())))]
        return pose, pose
    gesture = _GESTURES[int(rng.integers(len(_GESTURES)))]
    resting = _RESTING[int(rng.integers(len(_RESTING)))]
    return (gesture, resting) if rng.random() < 0.5 else (resting, gesture)


def _carried(arms: tuple[s.ArmPose, s.ArmPose], rng: Rng) -> s.Carried:
    if arms == ("hold", "hold"):
        held: tuple[s.Carried, ...] = ("plush", "book", "cup", "flowers", "none")
        return held[int(rng.integers(len(held)))]
    if "chin" in arms and rng.random() < 0.5:
        return "microphone"
    if "raised" in arms and rng.random() < 0.4:
        return "staff"
    return "strap" if rng.random() < 0.06 else "none"


def _pattern(outfit: s.Outfit, rng: Rng) -> s.Pattern:
    fitting: dict[s.Outfit, tuple[s.Pattern, ...]] = {
        "crew": ("plain", "stripes", "emblem", "raglan", "suspenders"),
        "hoodie": ("plain", "plain", "emblem", "raglan"),
        "turtleneck": ("plain", "plain", "stripes"),
        "shirt": ("plain", "plain", "suspenders", "dots"),
        "dress": ("plain", "dots", "stripes"),
        "off_shoulder": ("plain", "stripes", "dots"),
    }
    choice = fitting.get(outfit, ("plain",))
    return choice[int(rng.integers(len(choice)))]


def _sleeve(outfit: s.Outfit, rng: Rng) -> float:
    if outfit in ("dress", "camisole"):
        return 0.0
    if outfit == "off_shoulder":
        return float(rng.choice([0.8, 1.6, 2.0]))
    if outfit in ("crew", "sailor", "shirt", "vest"):
        return float(rng.choice([0.62, 0.8, 2.0]))
    return 2.0


def uniform(palette: s.Palette, outfit: s.Outfit, rng: Rng) -> s.Palette:
    """School clothes are often white with a coloured collar."""
    if outfit not in ("sailor", "shirt") or rng.random() < 0.45:
        return palette
    pale: s.Colour = (0.97, 0.97, 0.985)
    return replace(palette, cloth=pale, trim=palette.cloth if outfit == "sailor" else pale)


def accessories_for(f: Franchise, male: bool, hair: s.Hair, rng: Rng) -> tuple[str, ...]:
    """Accessories that go with the hair, by name."""
    found = []
    chance = dict(_HEADWEAR_BOYS if male else _HEADWEAR_GIRLS)
    if hair.tails == "buns":
        for name in _BESIDE_BUNS:
            chance[name] = 0.0
    if rng.random() < 0.36 + 0.35 * f.fancy:
        weights = np.array(list(chance.values()))
        found.append(list(chance)[int(rng.choice(len(weights), p=weights / weights.sum()))])
    if rng.random() < 0.15:
        found.append("glasses")
    if rng.random() < 0.08:
        found.append("earrings")
    return tuple(found)
