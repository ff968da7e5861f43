"""Local pages: who may ask them, what they may load, and where they listen."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from contract.errors import InputError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine that no other can use."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""What every answer says: nothing is loaded from elsewhere."""


def is_welcome(headers: Mapping[str, str], host: str, *, needs_origin: bool) -> bool:
    """Whether a request is for us by name, and made by our own page.

    A page elsewhere may point its own name at this machine (DNS rebinding), or send what needs no
    permission (forms, WebSockets). headers: by lower-case name. host: what is listened on.
    needs_origin: whether it changes something, so that browsers say who asks.
    """
    asked = headers.get("host", "")
    if host in LOOPBACK and urlsplit(f"//{asked}").hostname not in LOOPBACK:
        return False
    origin = headers.get("origin")
    return not needs_origin if origin is None else urlsplit(origin).netloc == asked


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
