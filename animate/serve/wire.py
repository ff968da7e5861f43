"""What a page says over a WebSocket: one JSON object a message, or bytes where those are wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, Protocol

from contract.errors import InputError

_LARGEST_TEXT = 4096


class Wire(Protocol):
    """What of a WebSocket is used."""

    async def receive(self) -> MutableMapping[str, Any]:
        """The next event, as ASGI has it."""

    async def send_bytes(self, data: bytes) -> None:
        """Send a picture or a file."""

    async def send_text(self, data: str) -> None:
        """Send words."""


class LeftError(Exception):
    """The page has closed the connection."""


async def next_message(wire: Wire, most_bytes: int = 0) -> Mapping[str, object] | bytes:
    """The next message: an object, or bytes where at most ``most_bytes`` of them are awaited.

    Raises:
        LeftError: there is none any more.
        InputError: it is neither.
    """
    event = await wire.receive()
    if event["type"] == "websocket.disconnect":
        raise LeftError
    text, data = event.get("text"), event.get("bytes")
    if text is None and data is not None and len(data) <= most_bytes:
        return bytes(data)
    message = _decoded(text) if text is not None and len(text) <= _LARGEST_TEXT else None
    if not isinstance(message, dict):
        raise InputError("no message; reload the page")
    return message


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"no message ({error!s:.100}); reload the page") from error


async def tell(wire: Wire, **words: object) -> None:
    """Send an object."""
    await wire.send_text(json.dumps(words))


async def tell_fault(wire: Wire, error: Exception) -> None:
    """Send what is wrong, on one line."""
    await tell(wire, fault=" ".join(f"{error!s:.300}".split()))
