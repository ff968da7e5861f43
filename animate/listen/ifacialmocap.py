"""iFacialMocap: a telephone's packets of text.

Source: ifacialmocap.com, "for developers": ``name-weight|...|=head#x,y,z,...|rightEye#...|``,
weights of ARKit's blend shapes in 0 to 100, angles in degrees. In another form of it & stands for
the -. Angles are about ARKit's axes of a face: x to the person's left, y up, z to the viewer.
"""

from __future__ import annotations

import math
import re

from scipy.spatial.transform import Rotation

from animate.listen.packet import PacketError, eyes_and_mouth, measures, plain_name
from animate.track.face_measures import F64

GREETING = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
"""Sent to the telephone it makes it answer, to the port of the same number."""
_MOST_PARTS = 1024
_SHAPE = re.compile(r"(\w+)[-&](-?\d{1,9}(?:\.\d{1,20})?)")
_TURN = re.compile(r"=?\s*head#(.*)")


class IFacialMocapDecoder:
    """Remembers nothing: each packet says all."""

    def take(self, packet: bytes) -> F64 | None:
        """See ``animate.listen.packet.Decoder``."""
        try:
            parts = packet.decode().split("|")
        except UnicodeDecodeError as error:
            raise PacketError("no text") from error
        if len(parts) > _MOST_PARTS:
            raise PacketError("more parts than there are shapes")
        weights: dict[str, float] = {}
        turn: Rotation | None = None
        for part in map(str.strip, parts):
            if shape := _SHAPE.fullmatch(part):
                weights[plain_name(shape[1])] = float(shape[2]) / 100
            elif head := _TURN.fullmatch(part):
                turn = _turn(head[1])
        if turn is None or not weights:
            raise PacketError("no head, or no shapes")
        return measures(turn.as_matrix(), *eyes_and_mouth(weights))


def _turn(numbers: str) -> Rotation:
    """Of three angles in degrees, which may be followed by a place."""
    try:
        angles = [float(number) for number in numbers.split(",")[:3]]
    except ValueError as error:
        raise PacketError("angles that are none") from error
    if len(angles) != 3 or not all(math.isfinite(a) and abs(a) <= 360 for a in angles):
        raise PacketError("angles that are none")
    return Rotation.from_euler("xyz", angles, degrees=True)
