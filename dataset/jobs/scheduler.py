"""The connection to a dask scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from contract.errors import InputError

CONNECT_SECONDS = 10


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """dask's client of the scheduler at ``address`` (as in tcp://host:8786), closed at the end.

    Raises ``InputError`` where dask.distributed is not installed or no scheduler answers.
    """
    try:
        from distributed import Client  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise InputError(
            "dask.distributed is not installed; install it with: pip install 'opentha[cluster]'"
        ) from error
    try:
        client = _open(Client, address)
    except (OSError, ValueError, TypeError, AssertionError) as error:  # dask's loop came late
        raise InputError(
            f"{address}: no scheduler answers there; start one with: dask scheduler"
        ) from error
    try:
        yield client
    finally:
        with suppress(OSError):  # it may be gone already
            client.close(timeout=CONNECT_SECONDS)


def _open(client_type: Any, address: str) -> Any:  # noqa: ANN401  # dask's, untyped
    """A client; one that cannot connect is closed before its error is raised.

    Left to the garbage collector it would close whenever that runs: while another client starts,
    say, which holds the lock that closing waits for, in the same thread, for ever.
    """
    client = client_type.__new__(client_type)
    try:
        client.__init__(address, timeout=CONNECT_SECONDS, set_as_default=False, name="opentha")
    except BaseException:  # an interruption, too, must leave nothing to the garbage collector
        with suppress(OSError, AttributeError):  # it may hardly have begun
            client.close(timeout=CONNECT_SECONDS)
        raise
    return client
