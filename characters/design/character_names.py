"""Names for characters, put together from Japanese syllables."""

from __future__ import annotations

import numpy as np

_FIRST = [
    "あ:a",
    "い:i",
    "か:ka",
    "き:ki",
    "さ:sa",
    "し:shi",
    "す:su",
    "せ:se",
    "そ:so",
    "た:ta",
    "ち:chi",
    "と:to",
    "な:na",
    "は:ha",
    "ひ:hi",
    "ほ:ho",
    "ま:ma",
    "み:mi",
    "も:mo",
    "や:ya",
    "ゆ:yu",
    "り:ri",
    "る:ru",
    "れ:re",
]
_LAST = [
    "か:ka",
    "き:ki",
    "こ:ko",
    "さ:sa",
    "な:na",
    "ね:ne",
    "ほ:ho",
    "ま:ma",
    "み:mi",
    "や:ya",
    "ゆ:yu",
    "り:ri",
    "ら:ra",
    "れ:re",
    "お:o",
    "と:to",
]


def character_name(rng: np.random.Generator) -> tuple[str, str]:
    """A name in kana and in Latin letters, two to three syllables."""
    picks = [_FIRST[int(rng.integers(len(_FIRST)))]]
    picks += [_LAST[int(k)] for k in rng.integers(len(_LAST), size=int(rng.integers(1, 3)))]
    kana = "".join(pick.split(":")[0] for pick in picks)
    return kana, "".join(pick.split(":")[1] for pick in picks).capitalize()
