"""A page of ours without a browser: what it sends along, a drawing that it opens, its messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image
from starlette.testclient import WebSocketTestSession

from tests.support.shifting import bytes_of, drawing

HERE = "http://127.0.0.1:8000"
OURS = {"host": "127.0.0.1:8000", "origin": HERE}
"""Headers that say that a request comes from our own page."""
GOOD = bytes_of(Image.fromarray(drawing(), "RGBA"))
"""A drawing without a fault, as a PNG."""


def token_of(client: TestClient, data: bytes = GOOD) -> str:
    """Open a drawing; its token."""
    token: str = client.post("/api/drawing", content=data, headers=OURS).json()["token"]
    return token


def next_words(socket: WebSocketTestSession, name: str = "") -> dict[str, Any]:
    """The next message that is in words; with a name, the next that says something of it."""
    while True:
        text = socket.receive().get("text")
        words: dict[str, Any] = json.loads(text) if text else {}
        if text and (not name or name in words):
            return words


class Script:
    """A page that sends these messages, then stays for a while and leaves."""

    def __init__(self, messages: Sequence[bytes | str], stays: float) -> None:
        """stays: seconds."""
        self._messages, self._stays = list(messages), stays
        self.words: list[dict[str, object]] = []

    async def receive(self) -> dict[str, object]:
        """See ``animate.serve.wire.Wire``."""
        if not self._messages:
            await asyncio.sleep(self._stays)
            return {"type": "websocket.disconnect"}
        await asyncio.sleep(0)
        message = self._messages.pop(0)
        kind = "bytes" if isinstance(message, bytes) else "text"
        return {"type": "websocket.receive", kind: message}

    async def send_text(self, data: str) -> None:
        """See ``animate.serve.wire.Wire``."""
        self.words.append(json.loads(data))

    async def send_bytes(self, data: bytes) -> None:
        """See ``animate.serve.wire.Wire``; what such a page opens sends it none."""
        raise AssertionError("no bytes go to this page")
