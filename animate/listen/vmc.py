"""The VMC protocol: an avatar's bones and blend shapes over OSC.

Source: protocol.vmc.info, the specification for Marionettes (receivers). Rotations are those of an
avatar in Unity: local to the parent bone; x to the avatar's right, y up, z forward, left-handed.

Open Sound Control is a packet of messages. Source: "The Open Sound Control 1.0 Specification",
Wright, 2002. Everything is big-endian and padded to four bytes; strings end with a zero byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from animate.listen.packet import KNOWN, NO_FACE, PacketError, eyes_and_mouth, measures, plain_name
from animate.track.face_measures import F64

_BONE, _VALUE, _APPLY = "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_STATE = "/VMC/Ext/OK"
_HEAD_BONES = ("neck", "head")  # parent first, for the turns are multiplied in this order
_FLIP_X: F64 = np.diag([-1.0, 1.0, 1.0])  # the avatar's right is the screen's left
Argument = float | int | str | bytes | bool | None

_DEEPEST = 8  # bundles in bundles
_BUNDLE = b"#bundle\0"
_NUMBERS = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q"}
_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": None}


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


def messages(packet: bytes) -> list[tuple[str, tuple[Argument, ...]]]:
    """Address and arguments of all messages, of bundles within bundles too, in their order.

    Raises:
        PacketError: it is cut short, or no OSC.
    """
    return list(_messages(packet, 0))


def _messages(packet: bytes, depth: int) -> Iterator[tuple[str, tuple[Argument, ...]]]:
    if not packet.startswith(_BUNDLE):
        yield _message(packet)
        return
    if depth == _DEEPEST:
        raise PacketError("bundles in bundles in bundles")
    at = len(_BUNDLE) + 8  # the time tag: at once is soon enough
    if len(packet) < at:
        raise PacketError("a bundle without a time")
    while at < len(packet):
        size = int(_unpack(">i", packet, at))
        at += 4
        if size <= 0 or size % 4 or at + size > len(packet):
            raise PacketError("an element of a bundle that is not there")
        yield from _messages(packet[at : at + size], depth + 1)
        at += size


def _message(packet: bytes) -> tuple[str, tuple[Argument, ...]]:
    address, at = _string(packet, 0)
    if not address.startswith("/"):
        raise PacketError("no address")
    types, at = _string(packet, at)
    if not types.startswith(","):
        raise PacketError("no types")
    arguments: list[Argument] = []
    for kind in types[1:]:
        argument, at = _argument(kind, packet, at)
        arguments.append(argument)
    if at != len(packet):
        raise PacketError("more than its arguments")
    return address, tuple(arguments)


def _argument(kind: str, packet: bytes, at: int) -> tuple[Argument, int]:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _NUMBERS:
        return _unpack(_NUMBERS[kind], packet, at), at + struct.calcsize(_NUMBERS[kind])
    if kind in "sS":
        return _string(packet, at)
    if kind == "b":
        size = int(_unpack(">i", packet, at))
        end = at + 4 + size
        if size < 0 or _padded(end) > len(packet):
            raise PacketError("a blob that is not there")
        return packet[at + 4 : end], _padded(end)
    raise PacketError("an argument of a kind that is unknown")


def _string(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.find(b"\0", at)
    # One zero byte at least, and more up to a multiple of four.
    after = _padded(end + 1)
    if end < 0 or after > len(packet):
        raise PacketError("a text without an end")
    try:
        return packet[at:end].decode(), after
    except UnicodeDecodeError as error:
        raise PacketError("a text that is none") from error


def _padded(at: int) -> int:
    return at + -at % 4


def _unpack(form: str, packet: bytes, at: int) -> float | int:
    try:
        (number,) = struct.unpack_from(form, packet, at)
    except struct.error as error:
        raise PacketError("a number that is not there") from error
    assert isinstance(number, int | float)
    return number
