"""One viewer's connection: pictures leave one at a time, poses come as fast as they like.

A picture is sent when the viewer has shown the one before, so that nothing stale waits anywhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from animate.serve.driver import Playing
from animate.serve.show import Show
from animate.serve.wire import Wire, next_message, tell, tell_fault
from contract.errors import InputError, OpenthaError
from contract.pose import Pose, pose_from_mapping


async def until_one_ends(*halves: Coroutine[Any, Any, object]) -> None:
    """Run them side by side; whatever ends one ends the others."""
    tasks = [asyncio.create_task(half) for half in halves]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


class Live:
    """Shows one drawing to one viewer; ``may_drive``: and lets the viewer pose it."""

    def __init__(self, wire: Wire, show: Show, *, may_drive: bool = True) -> None:
        self._wire, self._show, self._may_drive = wire, show, may_drive
        self._shown = asyncio.Event()
        self._shown.set()

    async def run(self) -> None:
        """Until the viewer leaves, which is a ``LeftError``."""
        with self._show.watched():
            await until_one_ends(self._listen(), self._send())

    async def _listen(self) -> None:
        while True:
            try:
                message = await next_message(self._wire)
                if isinstance(message, Mapping):
                    self._take(message)
            except OpenthaError as error:
                await tell_fault(self._wire, error)

    def _take(self, message: Mapping[str, object]) -> None:
        """``pose``: of the sliders; ``held``: names of axes; ``motion``: a name or null; ``shown``.

        Raises:
            OpenthaError: it says something that cannot be done.
        """
        if "shown" in message:
            self._shown.set()
        if not self._may_drive:
            return
        driver = self._show.driver
        if "motion" in message:
            name = message["motion"]
            driver.follow(Playing(str(name)[:20], time.monotonic()) if name else None)
        if "pose" in message:
            driver.slide(_pose(message["pose"]))
        if "held" in message:
            held = message["held"]
            driver.hold(map(str, held) if isinstance(held, list) else ())

    async def _send(self) -> None:
        number = 0
        while True:
            await self._shown.wait()
            picture = await self._show.after(number)
            self._shown.clear()
            number = picture.number
            moment = picture.moment
            await tell(
                self._wire,
                pose={axis: round(value, 4) for axis, value in vars(moment.pose).items()},
                source=moment.source,
                held=sorted(moment.held),
                milliseconds=picture.milliseconds,
            )
            await self._wire.send_bytes(picture.png)


def _pose(given: object) -> Pose:
    if not isinstance(given, dict):
        raise InputError("pose: no object of axes; reload the page")
    if not all(isinstance(value, int | float) for value in given.values()):
        raise InputError("pose: a value is no number; reload the page")
    return pose_from_mapping(given)
