"""Local pages: who may ask them, and what they may load."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine that no other can use."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""What every answer says unless it says otherwise itself: nothing is loaded from elsewhere."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]
"""An application by the ASGI specification, which any Python web server runs."""


class OwnPageOnly:
    """An ASGI application around another that only its own page may ask."""

    def __init__(self, app: Asgi, host: str) -> None:
        """host: what is listened on."""
        self._app, self._host = app, host

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket, or turn it away."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        changes = scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD"}
        try:
            scope.get("query_string", b"").decode("ascii")  # as browsers send it
            welcome = is_welcome(headers, self._host, needs_origin=changes)
            status, fault = 403, "only the page of this program may ask"
        except ValueError:
            welcome, status, fault = False, 400, "the address, the Host or the Origin is none"
        if welcome:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = json.dumps({"fault": fault}).encode()
            kind = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": kind})
            await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            more = [pair for pair in ours if pair[0] not in given]
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return sending


def is_welcome(headers: Mapping[str, str], host: str, *, needs_origin: bool) -> bool:
    """Whether a request is for us by name, and made by our own page.

    A page elsewhere may point its own name at this machine (DNS rebinding), or send what needs no
    permission (forms, WebSockets). headers: by lower-case name. host: what is listened on.
    needs_origin: whether it changes something, so that browsers say who asks.

    Raises:
        ValueError: what should be an address is none.
    """
    asked = headers.get("host", "")
    address = urlsplit(f"//{asked}")
    _ = address.port  # ValueError where it is none
    if address.netloc != asked or "@" in asked:
        raise ValueError("no host and port")
    if address.hostname not in LOOPBACK and host in LOOPBACK:
        return False
    # What changes nothing has no origin, but browsers say whether another site made them ask.
    if headers.get("sec-fetch-site") == "cross-site":
        return False
    origin = headers.get("origin")
    return not needs_origin if origin is None else urlsplit(origin).netloc == asked
