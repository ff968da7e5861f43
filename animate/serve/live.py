"""One viewer's connection: poses come as fast as they like, pictures leave one at a time.

Only the newest pose is ever drawn. A picture is sent when the viewer has shown the one before, so
that nothing stale waits anywhere.
"""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import Executor
from typing import Protocol

from animate.motion.motion import MOTIONS, NEUTRAL, Motion, built_in
from animate.pose.poser import Poser
from contract.errors import OpenthaError
from contract.png import QUICK, png_bytes
from contract.pose import Pose, pose_from_mapping

LIVE_FPS = 60.0
_LARGEST_MESSAGE = 4096


class Wire(Protocol):
    """What of a WebSocket is used."""

    async def receive_text(self) -> str:
        """The next message of the viewer."""

    async def send_bytes(self, data: bytes) -> None:
        """Send a picture."""

    async def send_text(self, data: str) -> None:
        """Send words."""


class Live:
    """Draws for one viewer; ``poser`` is used by one thread at a time."""

    def __init__(self, wire: Wire, poser: Poser, drawer: Executor) -> None:
        self._wire, self._poser, self._drawer = wire, poser, drawer
        self._pose = NEUTRAL
        self._motion: Motion | None = None
        self._began = 0.0
        self._changed = asyncio.Event()
        self._shown = asyncio.Event()
        self._shown.set()
        self._changed.set()

    async def run(self) -> None:
        """Until the viewer leaves; whatever ends one half of it ends the other."""
        halves = [asyncio.create_task(half) for half in (self._listen(), self._draw())]
        try:
            done, _ = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            for half in done:
                half.result()
        finally:
            for half in halves:
                half.cancel()

    async def _listen(self) -> None:
        while True:
            text = await self._wire.receive_text()
            try:
                await self._take(text)
            except (OpenthaError, ValueError, TypeError, RecursionError) as error:
                await self._wire.send_text(json.dumps({"fault": f"{error!s:.200}"}))

    async def _take(self, text: str) -> None:
        """``{"pose": {...}}``, ``{"motion": name or null}`` or ``{"shown": true}``."""
        message = json.loads(text) if len(text) <= _LARGEST_MESSAGE else None
        if not isinstance(message, dict):
            raise ValueError("no message")
        if "pose" in message:
            self._pose = pose_from_mapping({**message["pose"]})
            self._motion = None
            self._changed.set()
        if "motion" in message:
            name = message["motion"]
            self._motion = built_in(str(name), 0, LIVE_FPS) if name else None
            self._began = time.monotonic()
            self._changed.set()
        if "shown" in message:
            self._shown.set()

    async def _draw(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._shown.wait()
            await self._changed.wait()
            if self._motion is None:
                self._changed.clear()
            pose = self._newest()
            began = time.perf_counter()
            data = await loop.run_in_executor(self._drawer, self._picture, pose)
            self._shown.clear()
            words = {axis: round(value, 4) for axis, value in vars(pose).items()}
            milliseconds = round(1e3 * (time.perf_counter() - began), 1)
            await self._wire.send_text(json.dumps({"pose": words, "milliseconds": milliseconds}))
            await self._wire.send_bytes(data)

    def _picture(self, pose: Pose) -> bytes:
        return png_bytes(self._poser.draw(pose), QUICK)

    def _newest(self) -> Pose:
        if self._motion is None:
            return self._pose
        frame = int((time.monotonic() - self._began) * LIVE_FPS)
        return self._motion.pose(frame % len(self._motion.poses))


MOTION_NAMES = tuple(MOTIONS)
