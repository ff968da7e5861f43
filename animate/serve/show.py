"""One drawing as it moves: each picture is drawn once, for all who look.

Only the newest pose is ever drawn, and nothing while nobody waits for a picture.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from animate.pose.poser import Poser
from animate.serve.driver import LIVE_FPS, Driver, Moment, Source
from contract.picture import QUICK, png_bytes
from contract.pose import Pose


@dataclass(frozen=True)
class Picture:
    """A picture as a PNG; ``number`` counts from 1, ``milliseconds`` is what it took."""

    number: int
    moment: Moment
    milliseconds: float
    png: bytes


class Show:
    """What a drawing looks like now; ``poser`` is used in ``drawer`` alone."""

    def __init__(self, poser: Poser, drawer: Executor, usual: Source | None = None) -> None:
        """usual: what drives it where nothing else does."""
        self.driver = Driver(usual)
        self._poser, self._drawer = poser, drawer
        self._newest: Picture | None = None
        self._drawing: asyncio.Task[Picture] | None = None
        self._viewers = 0

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks."""
        return self._viewers > 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, somebody looks; when nobody does any more, nothing more is drawn."""
        self._viewers += 1
        try:
            yield
        finally:
            self._viewers -= 1
            if not self._viewers and self._drawing:
                self._drawing.cancel()
                self._drawing = None

    async def after(self, number: int) -> Picture:
        """A picture of a later number, of the newest pose; waits until there is one."""
        newest = self._newest
        if newest and newest.number > number and newest.moment == self._moment():
            return newest
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._draw())
        return await asyncio.shield(self._drawing)

    async def _draw(self) -> Picture:
        moment = await self._another_moment()
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        png = await loop.run_in_executor(self._drawer, self._png, moment.pose)
        milliseconds = round(1e3 * (time.perf_counter() - began), 1)
        number = self._newest.number + 1 if self._newest else 1
        self._newest = Picture(number, moment, milliseconds, png)
        return self._newest

    def _png(self, pose: Pose) -> bytes:
        return png_bytes(self._poser.draw(pose), QUICK)

    async def _another_moment(self) -> Moment:
        """The present one, once it is another than that of the newest picture."""
        while True:
            self.driver.changed.clear()
            moment = self._moment()
            if self._newest is None or moment != self._newest.moment:
                return moment
            # A source moves by itself, and may pause; sliders say when they move.
            pause = 1 / LIVE_FPS if self.driver.source else None
            with suppress(TimeoutError):
                await asyncio.wait_for(self.driver.changed.wait(), pause)

    def _moment(self) -> Moment:
        return self.driver.moment(time.monotonic())
