"""A tracker's place on this machine: a free port, and packets that are sent to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from animate.listen.address import LOOPBACK


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
        return port


class Sender:
    """Sends packets to a port of this machine, from an address of it."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self._to = (LOOPBACK, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no address {host}")

    def __call__(self, packet: bytes) -> None:
        # Refused while nobody listens yet.
        with suppress(ConnectionError):
            self._socket.sendto(packet, self._to)


@contextmanager
def sending(
    port: int, packet: Callable[[float], bytes], fps: float = 60, between: bytes | None = None
) -> Iterator[None]:
    """``packet`` of the seconds since the first, again and again, from a thread of its own.

    ``between`` is sent after each.
    """
    ends = threading.Event()
    send = Sender(port)

    def run() -> None:
        began = time.monotonic()
        while not ends.wait(1 / fps):
            send(packet(time.monotonic() - began))
            if between is not None:
                send(between)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
