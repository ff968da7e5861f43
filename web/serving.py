"""Runs a local page: where it listens, until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from contract.errors import InputError
from web.guard import Asgi

_MOST_WEBSOCKET_BYTES = 1 << 20
Command = TypeVar("Command", bound=Callable[..., Any])


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
