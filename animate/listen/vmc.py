"""The VMC protocol: an avatar's bones and blend shapes over OSC.

Source: protocol.vmc.info, the specification for Marionettes (receivers). Rotations are those of an
avatar in Unity: local to the parent bone; x to the avatar's right, y up, z forward, left-handed.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from animate.listen.blend_shapes import KNOWN, eyes_and_mouth, plain_name
from animate.listen.osc import Argument, messages
from animate.listen.packet import NO_FACE, PacketError, measures
from animate.track.face_measures import F64

_BONE, _VALUE, _APPLY = "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_STATE = "/VMC/Ext/OK"
_HEAD_BONES = ("neck", "head")  # parent first, for the turns are multiplied in this order
_FLIP_X: F64 = np.diag([-1.0, 1.0, 1.0])  # the avatar's right is the screen's left


class VmcDecoder:
    """Remembers bones and weights, for a sender may spread a frame over several packets."""

    def __init__(self) -> None:
        self._turns: dict[str, Rotation] = {}
        self._given: dict[str, float] = {}
        self._applied: dict[str, float] = {}
        self._is_seen = True

    def take(self, packet: bytes) -> F64 | None:
        """See ``animate.listen.packet.Decoder``."""
        turns, given, applied = dict(self._turns), dict(self._given), self._applied
        says, is_seen = False, self._is_seen
        for address, arguments in messages(packet):
            if address == _BONE and (bone := _bone(arguments)):
                turns[bone[0]], says = bone[1], True
            elif address == _VALUE and (value := _value(arguments)):
                given[value[0]] = value[1]
            elif address == _APPLY:
                applied, says = dict(given), True
            elif address == _STATE:
                is_seen = _is_seen(arguments)
        made = _measures(turns, applied) if is_seen else NO_FACE
        self._turns, self._given, self._applied = turns, given, applied
        self._is_seen = is_seen
        return made if says or not is_seen else None


def _measures(turns: dict[str, Rotation], applied: dict[str, float]) -> F64:
    turn = Rotation.identity()
    for bone in _HEAD_BONES:
        turn = turn * turns.get(bone, Rotation.identity())
    return measures(_FLIP_X @ turn.as_matrix() @ _FLIP_X, *eyes_and_mouth(applied))


def _bone(arguments: tuple[Argument, ...]) -> tuple[str, Rotation] | None:
    """Name and turn of a bone that moves the head; None for another."""
    name, *numbers = _checked(arguments, 8)
    if name not in _HEAD_BONES:
        return None
    quaternion = np.array(numbers[3:], np.float64)
    length = np.linalg.norm(quaternion)
    if not 1e-3 < length < 1e3:
        raise PacketError("a turn that is none")
    return str(name), Rotation.from_quat(quaternion)


def _value(arguments: tuple[Argument, ...]) -> tuple[str, float] | None:
    """Plain name and weight of a shape that is known here; None for another."""
    name, weight = _checked(arguments, 2)
    plain = plain_name(str(name))
    return (plain, float(weight)) if plain in KNOWN else None


def _checked(arguments: tuple[Argument, ...], count: int) -> list[str | float]:
    """A name in lower case, and finite numbers."""
    if len(arguments) != count or not isinstance(arguments[0], str):
        raise PacketError("a message with other arguments")
    numbers = [float(n) for n in arguments[1:] if isinstance(n, int | float)]
    if len(numbers) != count - 1 or not np.isfinite(numbers).all():
        raise PacketError("a message with other numbers")
    return [arguments[0].lower(), *numbers]


def _is_seen(arguments: tuple[Argument, ...]) -> bool:
    """Of loaded, calibration state and mode, tracking status, of which the last is newer."""
    is_loaded = not arguments or arguments[0] != 0
    return is_loaded and (len(arguments) < 4 or arguments[3] != 0)
