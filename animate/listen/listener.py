"""Hears one tracker on a thread of its own; who asks gets the newest that it said.

What it says is recorded for some time, as measures of a video are; or followed live, as poses.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np

from animate.listen.address import TRACKERS, Address
from animate.listen.packet import NO_FACE, PacketError
from animate.motion.motion import MAX_FRAMES
from animate.track.calibration import Calibration
from animate.track.face_measures import F64, MEASURES, Measures
from animate.track.follow import Follower
from contract.errors import InputError
from contract.pose import Pose

_LARGEST_PACKET = 65_536
_ASK_SECONDS = 1.0  # until a sender that does not answer is asked again
_FAITHFUL_SECONDS = 2.0  # of silence, until another sender is heard
_LOOK_SECONDS = 0.2  # between looks at whether it shall end
PATIENCE_SECONDS = 30.0
"""For the first packet."""
_SILENT_SECONDS = 0.25  # a tracker that says nothing for so long sees nobody
_ONE_FRAME_SECONDS = 0.004  # what comes closer together was said of one frame


@dataclass(frozen=True)
class Heard:
    """``measures`` (6,) as of ``animate.track.face_measures.Measures``, NaN when nobody is seen.

    number: from 1, so that one tells what is new. seconds: of ``time.monotonic``.
    """

    number: int
    seconds: float
    measures: F64


@dataclass(frozen=True)
class Counts:
    """Packets that came, and of them those that were ignored: malformed, or of a second sender."""

    packets: int = 0
    malformed: int = 0
    others: int = 0


class Listener:
    """Bound from its making on; hears from ``__enter__`` to ``__exit__``.

    Only one sender is heard at a time: the first, until it has been silent for two seconds.
    """

    def __init__(self, address: Address, asked: str | None = None) -> None:
        """asked: host of a sender that waits to be asked, as a telephone does.

        Raises:
            InputError: the port is taken, or the host is none of this machine's.
        """
        self._tracker = TRACKERS[address.tracker]
        self._decoder = self._tracker.make_decoder()
        self._asked = (asked, self._tracker.port) if asked else None
        self._socket = _bound(address)
        self._news = threading.Condition()
        self._newest: Heard | None = None
        self._counts = Counts()
        self._sender, self._sent = "", 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._hear, name=str(address), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    @property
    def counts(self) -> Counts:
        """Of the packets until now."""
        return self._counts

    def newest(self) -> Heard | None:
        """The last that was said; None before the first."""
        return self._newest

    def wait_for_newer(self, than: int, seconds: float) -> Heard | None:
        """The newest whose number is above ``than``; None when so long there is none."""
        with self._news:
            self._news.wait_for(
                lambda: self._newest is not None and self._newest.number > than, seconds
            )
            newest = self._newest
        return newest if newest and newest.number > than else None

    def _hear(self) -> None:
        asked = -_ASK_SECONDS
        while not self._ends.is_set():
            now = time.monotonic()
            if self._asked and not self._newest and now - asked >= _ASK_SECONDS:
                asked = now
                self._ask()
            try:
                packet, sender = self._socket.recvfrom(_LARGEST_PACKET)
            except TimeoutError:
                continue
            except OSError:  # on Windows: who was asked is not there
                self._ends.wait(_LOOK_SECONDS)
                continue
            self._take(packet, str(sender[0]), time.monotonic())

    def _ask(self) -> None:
        assert self._asked
        with suppress(OSError):  # no such host, or no network, yet
            self._socket.sendto(self._tracker.greeting, self._asked)

    def _take(self, packet: bytes, sender: str, now: float) -> None:
        counts = replace(self._counts, packets=self._counts.packets + 1)
        if self._sender not in ("", sender) and now - self._sent < _FAITHFUL_SECONDS:
            self._counts = replace(counts, others=counts.others + 1)
            return
        try:
            measures = self._decoder.take(packet)
        except PacketError:
            self._counts = replace(counts, malformed=counts.malformed + 1)
            return
        self._counts, self._sender, self._sent = counts, sender, now
        if measures is None:
            return
        with self._news:
            number = self._newest.number + 1 if self._newest else 1
            self._newest = Heard(number, now, measures)
            self._news.notify_all()


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.bind((address.host, address.port))
    except OSError as error:
        made.close()
        raise InputError(
            f"{address}: cannot be listened to ({error.strerror or error}); is another program "
            "there? Give another port, and an address of this machine"
        ) from error
    made.settimeout(_LOOK_SECONDS)
    return made


def record(
    listener: Listener, name: str, seconds: float, begin: Callable[[], None], ends: list[int]
) -> Measures:
    """Measures from the first packet on; fewer when ``ends`` is no longer empty.

    begin: is called when the first has come.

    Raises:
        InputError: none comes.
    """
    first = _first(listener, name, ends)
    begin()
    times: list[float] = [0.0]
    rows: list[F64] = [first.measures]
    number = first.number
    while not ends and times[-1] < seconds and len(rows) < MAX_FRAMES:
        heard = listener.wait_for_newer(number, _SILENT_SECONDS)
        now = (heard.seconds if heard else time.monotonic()) - first.seconds
        if now >= seconds:
            break
        number = heard.number if heard else number
        row = heard.measures if heard else NO_FACE
        if now - times[-1] < _ONE_FRAME_SECONDS:
            rows[-1] = row
        else:
            times.append(now)
            rows.append(row)
    return Measures(np.array(times), np.array(rows).reshape(-1, len(MEASURES)))


def _first(listener: Listener, name: str, ends: list[int]) -> Heard:
    began = time.monotonic()
    while not ends and time.monotonic() - began < PATIENCE_SECONDS:
        heard = listener.wait_for_newer(0, _SILENT_SECONDS)
        if heard:
            return heard
    counts = listener.counts
    waited = f"{time.monotonic() - began:.0f} s"
    if counts.packets:
        raise InputError(
            f"{name}: {counts.packets} packets in {waited}, {counts.malformed} of them malformed, "
            "and none of a face; is it that tracker that sends?"
        )
    raise InputError(f"{name}: no packet in {waited}; start the tracker, and let it send there")


def ignored(counts: Counts, name: str) -> tuple[str, ...]:
    """A line for each kind of packets that were ignored."""
    of_all = f"of {counts.packets} packets ignored"
    return (
        *([f"{name}: {counts.malformed} {of_all}: malformed"] if counts.malformed else []),
        *([f"{name}: {counts.others} {of_all}: of a second sender"] if counts.others else []),
    )


class LiveTracker:
    """Asked as often as one likes, by one thread; the listener's own thread hears meanwhile."""

    def __init__(
        self,
        listener: Listener,
        address: Address,
        calibration: Calibration | None = None,
        *,
        mirrored: bool | None = None,
    ) -> None:
        """mirrored: None mirrors a person and copies an avatar."""
        if mirrored is None:
            mirrored = TRACKERS[address.tracker].shows_a_person
        self.name = str(address)
        self.follower = Follower(calibration, mirrored=mirrored)
        self._listener = listener
        self._taken = 0

    def pose(self, now: float) -> Pose:
        """The pose at ``now`` (seconds of ``time.monotonic``); at rest where nothing is heard."""
        heard = self._listener.newest()
        if heard and heard.number > self._taken:
            self._taken = heard.number
            self.follower.take(heard.seconds, heard.measures)
        return self.follower.pose(now)
