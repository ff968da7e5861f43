"""The drawings that are open, and the threads in which they are opened, drawn and recorded."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from animate.drawing.drawing import Drawing, clean, resized
from animate.pose.open_poser import drawn_size
from animate.pose.poser import Networks, Poser
from animate.serve.driver import Source
from animate.serve.show import Show
from contract.errors import InputError
from contract.image import Stored

Made = TypeVar("Made")

MAX_SESSIONS = 8
MAX_CONNECTIONS = 64


class Threads:
    """What takes longer than a moment is done here, so that nothing waits for another's work."""

    def __init__(self) -> None:
        # Networks are not to be run by two threads at once.
        self.drawer = ThreadPoolExecutor(1, "drawer")
        # A large drawing takes memory: one at a time.
        self.opener = ThreadPoolExecutor(1, "opener")
        self.recorder = ThreadPoolExecutor(2, "recorder")
        self.watcher = ThreadPoolExecutor(1, "watcher")

    def close(self) -> None:
        """Take on nothing more, and do not wait for what is at work."""
        for threads in (self.drawer, self.opener, self.recorder, self.watcher):
            threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Prepared:
    """A drawing as it is posed, (D, D, 4), and what poses it."""

    picture: Stored
    poser: Poser


@dataclass
class Session:
    """One open drawing; ``used``: when it was last asked for (seconds of ``time.monotonic``)."""

    token: str
    picture: Stored
    show: Show
    used: float = field(default_factory=time.monotonic)


class Sessions:
    """The drawings that are open, by token; ``opened_last`` is the one that stages show."""

    def __init__(self, networks: Networks, usual: Source | None) -> None:
        """usual: what drives a drawing where nothing else does."""
        self._networks, self._usual = networks, usual
        self.threads = Threads()
        self._sessions: dict[str, Session] = {}
        self._connections = 0
        self.opened_last: Session | None = None
        self.another = asyncio.Event()

    def prepared(self, drawing: Drawing) -> Prepared:
        """A drawing ready to be opened; takes a while."""
        size = drawn_size(max(drawing.picture.shape[:2]), self._networks)
        picture = clean(resized(drawing.picture, size, size))
        return Prepared(picture, self.poser(picture))

    def poser(self, picture: Stored) -> Poser:
        """What poses a prepared picture, with a memory of its own."""
        return Poser(self._networks, picture)

    def open(self, prepared: Prepared) -> Session:
        """A new session; the one that was idle longest makes room.

        Raises:
            InputError: all of them are looked at.
        """
        if len(self._sessions) >= MAX_SESSIONS:
            idle = [one for one in self._sessions.values() if not one.show.is_watched]
            if not idle:
                raise InputError(f"{MAX_SESSIONS} drawings are open on pages; close one of those")
            del self._sessions[min(idle, key=lambda one: one.used).token]
        token = secrets.token_urlsafe(16)
        show = Show(prepared.poser, self.threads.drawer, self._usual)
        session = Session(token, prepared.picture, show)
        self._sessions[token] = session
        self.to_stage(session)
        return session

    def to_stage(self, session: Session) -> None:
        """From now on stages show this one."""
        self.opened_last = session
        self.another.set()
        self.another = asyncio.Event()

    def session(self, token: str) -> Session:
        """The session of a token; ``InputError`` when there is none (any more)."""
        session = self._sessions.get(token)
        if session is None:
            raise InputError("this drawing is not open any more; drop it on the page again")
        session.used = time.monotonic()
        return session

    def close(self, token: str) -> None:
        """Its page has no more use for it; who looks at it, goes on looking."""
        self._sessions.pop(token, None)

    def has(self, token: object) -> bool:
        """Whether the session of a token is open."""
        return token in self._sessions

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Inside, one more connection is open; ``InputError`` when there are too many."""
        if self._connections >= MAX_CONNECTIONS:
            raise InputError(f"{MAX_CONNECTIONS} connections are open; close pages of this program")
        self._connections += 1
        try:
            yield
        finally:
            self._connections -= 1


async def made_in(thread: Executor, work: Callable[[], Made]) -> Made:
    """What ``work`` makes in one of the ``Threads``."""
    return await asyncio.get_running_loop().run_in_executor(thread, work)
