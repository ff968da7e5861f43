"""A person's voice out of a page's microphone: samples come in, the drawing speaks.

Only what was said last is heard. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Executor

import numpy as np

from animate.serve.driver import Driver
from animate.serve.live import until_one_ends
from animate.serve.speaking import Softly, Talking
from animate.serve.wire import Wire, next_message, tell, tell_fault
from animate.sound.live_mouth import LiveMouth
from contract.errors import InputError, OpenthaError

MAX_PACKET_BYTES = 32 << 10
_NEWEST_SECONDS = 0.25  # more than that of samples that wait is stale


class Microphone:
    """The microphone's connection: it drives until the page closes it."""

    def __init__(self, wire: Wire, driver: Driver, listener: Executor) -> None:
        """listener: where samples are looked at."""
        self._wire, self._driver, self._listener = wire, driver, listener
        self._newest = bytearray()
        self._came = asyncio.Event()
        now = time.monotonic()
        self._talking = Talking(now)
        self._source = Softly("microphone", self._talking.pose, driver.pose(now), now)

    async def run(self) -> None:
        """Until the page turns it off, or something else drives the drawing.

        Raises:
            InputError: the first message says no rate of samples, or another source took over.
        """
        await tell(self._wire, ready=True)
        rate = _rate(await next_message(self._wire))
        mouth = LiveMouth(rate)
        self._driver.follow_voice(self._source)
        try:
            await until_one_ends(self._listen(rate), self._hear(mouth))
        finally:
            self._source.turn_off(time.monotonic())
            self._driver.changed.set()

    async def _listen(self, rate: int) -> None:
        most = 2 * round(_NEWEST_SECONDS * rate)
        while True:
            try:
                message = await next_message(self._wire, MAX_PACKET_BYTES)
                if isinstance(message, Mapping) or len(message) % 2:
                    raise InputError("microphone: a packet is no 16-bit sound; reload the page")
            except OpenthaError as error:
                await tell_fault(self._wire, error)
                continue
            self._newest += message
            del self._newest[:-most]
            self._came.set()

    async def _hear(self, mouth: LiveMouth) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._driver.is_driven_by(self._source):
                raise InputError(
                    "something else drives the drawing now; start the microphone again"
                )
            samples = np.frombuffer(bytes(self._newest), "<i2").astype(np.float32)
            samples /= 32768
            self._newest.clear()
            opened = await loop.run_in_executor(self._listener, mouth.hear, samples)
            self._talking.take(time.monotonic(), opened)
            self._driver.changed.set()


def _rate(message: Mapping[str, object] | bytes) -> int:
    rate = message.get("rate") if isinstance(message, Mapping) else None
    if not isinstance(rate, int | float) or not 1 <= rate <= 1e6:
        raise InputError("microphone: no rate of samples; reload the page")
    return round(rate)
