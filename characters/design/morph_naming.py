"""What a character's morphs are called, in the ways found in the wild, and what they truly do.

Counted on real models: ウィンク is the smiling wink in six of seven; about half name sides from the
viewer; some have only まばたき; some names are empty or exist twice; spellings vary without end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characters.design.spec import Naming

Shapes = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class NamedMorph:
    """A morph made of shapes; ``groups`` names other morphs instead."""

    name: str
    english: str
    panel: int
    shapes: Shapes
    groups: tuple[str, ...] = ()


_BOTH_CLOSE: Shapes = (("close_left", 1.0), ("close_right", 1.0))
_BOTH_SMILE: Shapes = (("smile_left", 1.0), ("smile_right", 1.0))

# Normal wink left and right, smiling wink left and right, as the character's own sides.
_SPELLINGS: tuple[tuple[str, str, str, str], ...] = (
    ("ウィンク２", "ｳｨﾝｸ２右", "ウィンク", "ウィンク右"),
    ("ウインク2", "ウインク2右", "ウインク", "ウインク右"),
    ("左ウィンク２", "右ウィンク２", "左ウィンク", "右ウィンク"),
    ("ウィンク２左", "ウィンク２右", "ウィンク左", "ウィンク右"),
    ("ｳｨﾝｸ2", "ｳｨﾝｸ右2", "ｳｨﾝｸ", "ｳｨﾝｸ右"),
    ("まばたき左", "まばたき右", "ウィンクＬ", "ウィンクＲ"),
    ("目_閉じ_左", "目_閉じ_右", "目_笑い_左", "目_笑い_右"),
    ("まば左", "まば右", "にこ左", "にこ右"),
)
_ENGLISH: tuple[tuple[str, ...], ...] = (
    ("Blink", "Smile", "Wink_L", "Wink_R", "SmileWink_L", "SmileWink_R", "A", "I", "U", "E", "O"),
    ("EYE_Close", "EYE_Joy", "EYE_Close_L", "EYE_Close_R", "EYE_Joy_L", "EYE_Joy_R",
     "MTH_A", "MTH_I", "MTH_U", "MTH_E", "MTH_O"),
    ("eyeBlinkBoth", "eyeSmileBoth", "eyeBlinkLeft", "eyeBlinkRight", "eyeSmileLeft",
     "eyeSmileRight", "aa", "ih", "ou", "E", "oh"),
)  # fmt: skip


def eye_morphs(naming: Naming, rng: np.random.Generator) -> list[NamedMorph]:
    """The morphs of panel 2 that close eyes."""
    both = [
        NamedMorph("まばたき", "blink", 2, _BOTH_CLOSE),
        NamedMorph("笑い", "smile", 2, _BOTH_SMILE),
    ]
    if naming == "blink_only":
        return both
    if naming == "one_wink":
        return [*both, NamedMorph("ウィンク", "wink", 2, (("smile_right", 1.0),))]
    names = _SPELLINGS[0]
    if naming == "variants":
        names = _SPELLINGS[int(rng.integers(1, len(_SPELLINGS)))]
    close_left, close_right, smile_left, smile_right = names
    if naming == "viewer":
        close_left, close_right, smile_left, smile_right = (
            close_right, close_left, smile_right, smile_left,
        )  # fmt: skip
    if naming == "exchanged":
        close_left, close_right, smile_left, smile_right = (
            smile_left, smile_right, close_left, close_right,
        )  # fmt: skip
    if naming == "english":
        e = _ENGLISH[int(rng.integers(len(_ENGLISH)))]
        both = [NamedMorph(e[0], e[0], 2, _BOTH_CLOSE), NamedMorph(e[1], e[1], 2, _BOTH_SMILE)]
        close_left, close_right, smile_left, smile_right = e[2:6]
    winks = [
        NamedMorph(smile_left, "wink", 2, (("smile_left", 1.0),)),
        NamedMorph(smile_right, "wink right", 2, (("smile_right", 1.0),)),
        NamedMorph(close_left, "wink 2", 2, (("close_left", 1.0),)),
        NamedMorph(close_right, "wink 2 right", 2, (("close_right", 1.0),)),
    ]
    if naming == "groups":
        both = [
            NamedMorph("まばたき", "blink", 2, (), (close_left, close_right)),
            NamedMorph("笑い", "smile", 2, (), (smile_left, smile_right)),
        ]
    if naming == "empty":
        # An empty second copy of a real morph, and a well-named morph that does nothing.
        winks += [
            NamedMorph(close_left, "wink 2", 2, ()),
            NamedMorph("ウィンク３", "wink 3", 2, ()),
        ]
    order = rng.permutation(len(winks)) if naming == "variants" else np.arange(len(winks))
    return both + [winks[int(k)] for k in order]


def other_morphs(naming: Naming, rng: np.random.Generator) -> list[NamedMorph]:
    """Mouth, brows and the rest."""
    vowels = ("あ", "い", "う", "え", "お")
    if naming == "english":
        vowels = tuple(_ENGLISH[int(rng.integers(len(_ENGLISH)))][6:])  # type: ignore[assignment]
    mouth = [
        NamedMorph(name, shape, 3, ((shape, 1.0),))
        for name, shape in zip(vowels, "aiueo", strict=True)
    ]
    return [
        *mouth,
        NamedMorph("あ２", "a 2", 3, (("a", 0.6),)),
        NamedMorph("ワ", "wa", 3, (("grin", 1.0),)),
        NamedMorph("にっこり", "smile mouth", 3, (("smile_mouth", 1.0),)),
        NamedMorph("へ", "frown", 3, (("frown", 1.0),)),
        NamedMorph("なごみ", "calm", 2, (("calm_left", 1.0), ("calm_right", 1.0))),
        NamedMorph("びっくり", "surprised", 2, (("small_pupil", 1.0), ("brow_up", 0.6))),
        NamedMorph("瞳小", "small pupils", 2, (("small_pupil", 1.0),)),
        NamedMorph("真面目", "serious", 1, (("brow_down", 1.0),)),
        NamedMorph("困る", "troubled", 1, (("brow_sad", 1.0),)),
        NamedMorph("怒り", "angry", 1, (("brow_angry", 1.0),)),
        NamedMorph("上", "brow up", 1, (("brow_up", 1.0),)),
        NamedMorph("下", "brow down", 1, (("brow_down", 1.0),)),
        NamedMorph("照れ", "blush", 4, (("blush", 1.0),)),
    ]
