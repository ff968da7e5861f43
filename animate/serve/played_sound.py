"""A sound that the page plays: the file comes in, is heard as a whole, and the drawing speaks it.

The file lies in a folder of its own while it is read, and nowhere afterwards.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animate.motion.motion import Motion
from animate.motion.speech import speech_motion
from animate.serve.driver import Driver
from animate.serve.speaking import Playback, Softly
from animate.serve.wire import Wire, next_message, tell
from contract.errors import InputError

MAX_SOUND_BYTES = 256 << 20
_MAX_PART_BYTES = 256 << 10
_FPS = 25.0  # as of `animate video`, so that sounds may be as long
_REMEDY = "give a shorter one"


@dataclass(frozen=True)
class _Offer:
    name: str
    size: int  # bytes


class PlayedSound:
    """The sound's connection: it drives while the page plays, until the page closes it."""

    def __init__(self, wire: Wire, driver: Driver, opener: Executor, scratch: Path) -> None:
        """opener: where files are read. scratch: a folder for files that are being read."""
        self._wire, self._driver = wire, driver
        self._opener, self._scratch = opener, scratch

    async def run(self) -> None:
        """Until the page leaves.

        Raises:
            InputError: what comes is no sound, or too long a one, or something else drives now.
        """
        offer = _offer(await next_message(self._wire))
        motion = await self._heard(offer)
        await tell(self._wire, seconds=round(motion.seconds, 2), notes=motion.notes)
        playback, now = Playback(motion), time.monotonic()
        source = Softly("sound", playback.pose, self._driver.pose(now), now)
        self._driver.follow(source)
        try:
            await self._follow(playback, source)
        finally:
            source.turn_off(time.monotonic())
            self._driver.changed.set()

    async def _heard(self, offer: _Offer) -> Motion:
        try:
            with tempfile.TemporaryDirectory(
                dir=self._scratch, ignore_cleanup_errors=True
            ) as folder:
                path = Path(folder) / "sound"
                await self._receive(offer, path)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._opener, _motion_of, path, offer.name)
        except OSError as error:
            raise InputError(
                f"{offer.name}: cannot be kept while it is read ({error.strerror}); make room"
            ) from error

    async def _receive(self, offer: _Offer, path: Path) -> None:
        await tell(self._wire, send=True)
        left = offer.size
        with path.open("wb") as file:
            while left > 0:
                part = await next_message(self._wire, min(left, _MAX_PART_BYTES))
                if isinstance(part, Mapping) or not part:
                    raise InputError(f"{offer.name}: came in part; drop it again")
                left -= file.write(part)

    async def _follow(self, playback: Playback, source: Softly) -> None:
        while True:
            seconds, is_playing = _place(await next_message(self._wire))
            if self._driver.source is not source:
                raise InputError("something else drives the drawing now; play the sound again")
            now = time.monotonic()
            if playback.is_jump(now, seconds, is_playing):
                source.jump(now)
            playback.take(now, seconds, is_playing)
            self._driver.changed.set()


def _motion_of(path: Path, name: str) -> Motion:
    try:
        return speech_motion(path, _FPS, np.random.default_rng(0), 0, remedy=_REMEDY)
    except InputError as error:
        # People know it by the name that it had.
        raise InputError(str(error).replace(str(path), name)) from error


def _offer(message: Mapping[str, object] | bytes) -> _Offer:
    """``name`` and ``bytes`` of the file that follows."""
    given = message if isinstance(message, Mapping) else {}
    name, size = given.get("name"), given.get("bytes")
    if not isinstance(name, str) or not isinstance(size, int) or size < 0:
        raise InputError("no sound is named; reload the page")
    shown = Path(name).name[:80] or "sound"
    if size > MAX_SOUND_BYTES:
        raise InputError(
            f"{shown}: {size >> 20} MiB; a sound may have {MAX_SOUND_BYTES >> 20}: give it as MP3 "
            "or Opus"
        )
    return _Offer(shown, size)


def _place(message: Mapping[str, object] | bytes) -> tuple[float, bool]:
    """``at``, in seconds, and ``playing``."""
    at = message.get("at") if isinstance(message, Mapping) else None
    if not isinstance(message, Mapping) or not isinstance(at, int | float) or not 0 <= at <= 1e6:
        raise InputError("no place in a sound; reload the page")
    return float(at), bool(message.get("playing"))
