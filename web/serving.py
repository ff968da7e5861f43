"""Runs a local page until Ctrl-C: where it listens, who may ask, what it may load."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from contract.errors import InputError

_MOST_WEBSOCKET_BYTES = 1 << 20
Command = TypeVar("Command", bound=Callable[..., Any])
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine that no other can use."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
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


def address_options(port: int) -> Callable[[Command], Command]:
    """``--host`` and ``--port``, the latter ``port`` unless given."""

    def decorated(command: Command) -> Command:
        at_port = click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=port,
            show_default=True,
            help="0: any that is free.",
        )
        at_host = click.option(
            "--host", default="127.0.0.1", show_default=True, help="Others may see other hosts."
        )
        return at_host(at_port(command))

    return decorated


@contextmanager
def web_packages() -> Iterator[None]:
    """Inside, a package that is missing is an ``InputError`` that says how to install it."""
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"the page needs the package {error.name}; install it with: pip install 'opentha[web]'"
        ) from error


def serve_page(app: Asgi, host: str, port: int, started: Callable[[str], None]) -> None:
    """Answer until Ctrl-C; ``started`` is told the address, as a browser takes it.

    Raises:
        InputError: it cannot listen there.
        KeyboardInterrupt: Ctrl-C; what was being answered has had a second to end.
    """
    import uvicorn  # noqa: PLC0415  # heavy, and only here

    config = uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=1, ws_max_size=_MOST_WEBSOCKET_BYTES
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
    with listening(host, port) as listener:
        started(address(listener, host))
        uvicorn.Server(config).run(sockets=[listener])


def _is_no_cut(record: logging.LogRecord) -> bool:
    """Whether a log line says something else than that answers were cut short, as Ctrl-C asks."""
    is_cancelled = bool(record.exc_info and record.exc_info[0] is asyncio.CancelledError)
    return not is_cancelled and not str(record.msg).startswith("Cancel ")


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any that is free. ``InputError`` when it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise InputError(
            f"{host}:{port}: cannot listen ({error.strerror}); give another --port, or 0 for any"
        ) from error
    return listener


def address(listener: socket.socket, host: str) -> str:
    """What to type into a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


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
            welcome = is_welcome(headers, self._host, needs_origin=changes)
            status, fault = 403, "only the page of this program may ask"
        except ValueError:
            welcome, status, fault = False, 400, "the Host or the Origin is no address"
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
    if urlsplit(f"//{asked}").hostname not in LOOPBACK and host in LOOPBACK:
        return False
    # What changes nothing has no origin, but browsers say whether another site made them ask.
    if headers.get("sec-fetch-site") == "cross-site":
        return False
    origin = headers.get("origin")
    return not needs_origin if origin is None else urlsplit(origin).netloc == asked
