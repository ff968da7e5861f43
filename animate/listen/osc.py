"""Open Sound Control: a packet -> its messages.

Source: "The Open Sound Control 1.0 Specification", Wright, 2002. Everything is big-endian and
padded to four bytes; strings end with a zero byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from animate.listen.packet import PacketError

Argument = float | int | str | bytes | bool | None

_DEEPEST = 8  # bundles in bundles
_BUNDLE = b"#bundle\0"
_NUMBERS = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q"}
_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": None}


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
