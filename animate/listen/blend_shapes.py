"""Weights of blend shapes by the names that trackers and avatars know -> eyes and mouth.

Sources: the names of ARKit's blend shapes (Apple, ``ARFaceAnchor.BlendShapeLocation``), and the
presets of VRM 0.x (blink_l, a, i, u, e, o) and VRM 1.0 (blinkLeft, aa, ih, ou, ee, oh). Left and
right are the face's own. Senders write them in any case, and with _L for Left.
"""

from __future__ import annotations

from collections.abc import Mapping

_LEFT, _RIGHT = ("eyeblinkleft", "blinkleft"), ("eyeblinkright", "blinkright")
_BOTH, _JAW, _LIPS = "blink", "jawopen", "mouthclose"
_VISEMES: Mapping[str, float] = {
    **{"a": 1.0, "o": 0.6, "e": 0.5, "i": 0.25, "u": 0.25},
    **{"aa": 1.0, "oh": 0.6, "ee": 0.5, "ih": 0.25, "ou": 0.25},
}
"""How far a vowel's shape opens the mouth, beside that of a."""
KNOWN: frozenset[str] = frozenset({*_LEFT, *_RIGHT, _BOTH, _JAW, _LIPS, *_VISEMES})
"""The names that mean something here, as ``plain_name`` writes them."""


def plain_name(name: str) -> str:
    """A shape's name without the ways in which senders differ."""
    lower = name.lower()
    for short, long in (("_l", "left"), ("_r", "right")):
        if lower.endswith(short):
            return lower.removesuffix(short) + long
    return lower


def eyes_and_mouth(weights: Mapping[str, float]) -> tuple[float, float, float]:
    """How far the left eye and the right are closed, and the mouth open; of plain names."""

    def weight(name: str) -> float:
        return weights.get(name, 0.0)

    both = weight(_BOTH)
    left, right = (max(both, *map(weight, names)) for names in (_LEFT, _RIGHT))
    vowels = sum(share * weight(name) for name, share in _VISEMES.items())
    # Lips that stay together while the jaw drops.
    return left, right, max(weight(_JAW) - weight(_LIPS), vowels)
