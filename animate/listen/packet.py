"""What the decoders of all trackers' packets have in common: measures, and names of blend shapes.

Sources of the names: ARKit's blend shapes (Apple, ``ARFaceAnchor.BlendShapeLocation``), and the
presets of VRM 0.x (blink_l, a, i, u, e, o) and VRM 1.0 (blinkLeft, aa, ih, ou, ee, oh). Left and
right are the face's own. Senders write them in any case, and with _L for Left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from animate.track.face_measures import F64, MEASURES, joints_of_matrix

_GAP_OF_WIDE_MOUTH = 0.25  # of the face's height: a mouth whose weight is 1
NO_FACE: F64 = np.full(len(MEASURES), np.nan)
"""Measures when a tracker says that it sees nobody."""
_LEFT, _RIGHT = ("eyeblinkleft", "blinkleft"), ("eyeblinkright", "blinkright")
_BOTH, _JAW, _LIPS = "blink", "jawopen", "mouthclose"
_VISEMES: Mapping[str, float] = {
    **{"a": 1.0, "o": 0.6, "e": 0.5, "i": 0.25, "u": 0.25},
    **{"aa": 1.0, "oh": 0.6, "ee": 0.5, "ih": 0.25, "ou": 0.25},
}
"""How far a vowel's shape opens the mouth, beside that of a."""
KNOWN: frozenset[str] = frozenset({*_LEFT, *_RIGHT, _BOTH, _JAW, _LIPS, *_VISEMES})
"""The names that mean something here, as ``plain_name`` writes them."""


class PacketError(Exception):
    """A packet is not of the protocol; the next one may be."""


class Decoder(Protocol):
    """Of one sender's packets; it may remember what earlier ones said."""

    def take(self, packet: bytes) -> F64 | None:
        """The six numbers of ``MEASURES``, or ``NO_FACE``; None where it says nothing of a face.

        Raises:
            PacketError: the packet is malformed; then nothing of it is remembered.
        """


def measures(rotation: F64, left_closed: float, right_closed: float, mouth_open: float) -> F64:
    """In the units of ``animate.track.face_measures.Measures``.

    rotation: the head's turn (3, 3): x to the screen's right, y up, z to the viewer. Weights are 0
    to 1, and are clamped to that; eyes are the person's.

    Raises:
        PacketError: a number is not finite.
    """
    weights = np.clip([1 - left_closed, 1 - right_closed, mouth_open], 0, 1)
    made = np.concatenate([joints_of_matrix(rotation), weights * (1, 1, _GAP_OF_WIDE_MOUTH)])
    if not np.isfinite(made).all():
        raise PacketError("a number is not finite")
    return made


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
