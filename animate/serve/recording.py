"""A recording: poses over time, then their pictures, then a file; it can be stopped at any frame.

It lives as long as the connection of the page that asked for it. Its pictures are drawn one by one
between those of others, so that previews go on.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animate.drawing.output import write_animation
from animate.motion.motion import MOTIONS, Motion, built_in
from animate.pose.poser import Poser
from animate.serve.live import until_one_ends
from animate.serve.sessions import Session, Sessions
from animate.serve.wire import Wire, next_message, tell, tell_fault
from contract.errors import InputError, OpenthaError
from contract.image import Stored

MAX_SECONDS = 60.0
KINDS: Mapping[str, str] = {
    "webm": "video/webm",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
}
"""What can be recorded, and its media type."""
_TOLD_EVERY = 0.2


@dataclass(frozen=True)
class Order:
    """What to record: ``motion``, or what drives the drawing meanwhile where that is None."""

    motion: str | None
    kind: str
    seconds: float
    fps: float


class StoppedError(Exception):
    """Nobody wants the recording any more."""


def order_of(message: Mapping[str, object]) -> Order:
    """The order in a page's message; ``InputError`` where it cannot be carried out."""
    motion, kind = message.get("motion"), message.get("kind", "webm")
    seconds, fps = message.get("seconds", 4.0), message.get("fps", 25.0)
    if kind not in list(KINDS):
        raise InputError(f"kind {kind!s:.20}: unknown; choose {', '.join(KINDS)}")
    if motion is not None and motion not in list(MOTIONS):
        raise InputError(f"motion {motion!s:.20}: unknown; choose {', '.join(MOTIONS)}")
    if not isinstance(seconds, int | float) or not isinstance(fps, int | float):
        raise InputError("a recording's seconds and frames a second are numbers")
    if not 0 < seconds <= MAX_SECONDS or not 1 <= fps <= 60:
        raise InputError(f"a recording takes up to {MAX_SECONDS:g} s at 1 to 60 frames a second")
    return Order(None if motion is None else str(motion), str(kind), float(seconds), float(fps))


class Recording:
    """Carries out the order that a page sends first; what it sends then ends the watching."""

    def __init__(self, wire: Wire, sessions: Sessions, session: Session, scratch: Path) -> None:
        """scratch: a folder for files that are being written."""
        self._wire, self._sessions, self._session = wire, sessions, session
        self._scratch = scratch
        self._enough = asyncio.Event()
        self._stopped = threading.Event()
        self._drawn = 0

    async def run(self) -> None:
        """Until the file is sent, or the page leaves; then not a frame more is drawn."""
        try:
            first = await next_message(self._wire)
            order = order_of(first if isinstance(first, Mapping) else {})
            await until_one_ends(self._listen(), self._record(order))
        except OpenthaError as error:
            await tell_fault(self._wire, error)
        finally:
            self._stopped.set()

    async def _listen(self) -> None:
        while True:
            await next_message(self._wire)
            self._enough.set()

    async def _record(self, order: Order) -> None:
        if order.motion:
            motion = built_in(order.motion, order.seconds, order.fps)
        else:
            motion = await self._watched(order)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._sessions.threads.recorder, self._file, motion, order)
        work.add_done_callback(_looked_at)
        while not (await asyncio.wait([work], timeout=_TOLD_EVERY))[0]:
            await tell(self._wire, drawn=self._drawn, frames=len(motion.poses))
        data = work.result()
        name = f"{order.motion or 'live'}-{time.strftime('%H%M%S')}.{order.kind}"
        await tell(self._wire, file=name, type=KINDS[order.kind])
        await self._wire.send_bytes(data)

    async def _watched(self, order: Order) -> Motion:
        """The poses that the drawing has from now on, evenly in time; one at least."""
        began = time.monotonic()
        now = told = 0.0
        seconds: list[float] = []
        poses: list[npt.NDArray[np.float32]] = []
        while not poses or (now < order.seconds and not self._enough.is_set()):
            seconds.append(now)
            poses.append(self._session.show.driver.pose(began + now).to_vector())
            if now - told >= _TOLD_EVERY:
                told = now
                await tell(self._wire, watched=round(now, 1), seconds=order.seconds)
            await asyncio.sleep(1 / (2 * order.fps))
            now = time.monotonic() - began
        times = np.arange(max(1, round(min(now, order.seconds) * order.fps))) / order.fps
        columns = [np.interp(times, seconds, column) for column in np.array(poses).T]
        return Motion(order.fps, np.column_stack(columns))

    def _file(self, motion: Motion, order: Order) -> bytes:
        poser = self._sessions.poser(self._session.picture)

        def frames(wanted: range) -> Iterator[Stored]:
            return (self._drawn_frame(poser, motion, frame) for frame in wanted)

        with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as folder:
            path = Path(folder) / f"recording.{order.kind}"
            write_animation(path, frames, len(motion.poses), order.fps)
            return path.read_bytes()

    def _drawn_frame(self, poser: Poser, motion: Motion, frame: int) -> Stored:
        if self._stopped.is_set():
            raise StoppedError
        picture = self._sessions.threads.drawer.submit(poser.draw, motion.pose(frame)).result()
        self._drawn = frame + 1
        return picture


def _looked_at(work: asyncio.Future[bytes]) -> None:
    """Nobody else looks at how a recording ended that is not wanted any more."""
    if not work.cancelled():
        work.exception()
