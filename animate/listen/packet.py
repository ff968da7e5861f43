"""What the decoders of all trackers' packets have in common."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from animate.track.face_measures import F64, MEASURES, joints_of_matrix

_GAP_OF_WIDE_MOUTH = 0.25  # of the face's height: a mouth whose weight is 1
NO_FACE: F64 = np.full(len(MEASURES), np.nan)
"""Measures when a tracker says that it sees nobody."""


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
