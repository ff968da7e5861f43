"""A person before the camera of a page: small JPEGs come in, poses go to the drawing.

Only the newest JPEG is looked at. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol

import numpy as np
from PIL import Image

from animate.serve.driver import Driver
from animate.serve.live import until_one_ends
from animate.serve.wire import Wire, next_message, tell, tell_fault
from animate.track.capture import Rgb
from animate.track.face_measures import F64, MEASURES, Landmarks, measure
from animate.track.follow import Follower
from contract.errors import InputError, OpenthaError
from contract.pose import Pose

MAX_JPEG_BYTES = 256 << 10
MAX_SIDE = 640
CALIBRATION_SECONDS = 2.0
_UNSEEN = np.full(len(MEASURES), np.nan)
_COMES_TO_REST_SECONDS = 1.5
_MOST_PATIENCE_SECONDS = 3.0


class Finder(Protocol):
    """Finds one face's landmarks, picture after picture."""

    def find(self, picture: Rgb) -> Landmarks | None:
        """As ``animate.track.face_measures.FaceFinder``."""


def decode_jpeg(data: bytes) -> Rgb:
    """(H, W, 3) of a small JPEG; ``InputError`` where it is none, or is not small."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if max(image.size) > MAX_SIDE:
                raise InputError(f"camera: {image.width}x{image.height}; send {MAX_SIDE} at most")
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError("camera: a picture is no JPEG; reload the page") from error


class Watched:
    """A source of poses: the person whom the camera sees; when it is off, rest, then the end."""

    name = "camera"

    def __init__(self) -> None:
        self.follower = Follower(mirrored=True, calibration_seconds=CALIBRATION_SECONDS)
        self._taken: float | None = None
        self._patience = 0.0
        self._off: float | None = None

    def mirror(self, mirrored: bool) -> None:
        """As in a mirror, or as others see the person; what is known of the person stays."""
        kept = self.follower.calibration if self.follower.is_calibrated else None
        self.follower = Follower(kept, mirrored=mirrored, calibration_seconds=CALIBRATION_SECONDS)

    def take(self, now: float, measures: F64) -> None:
        """What a picture that was taken ``now`` says (6,); NaN without a face."""
        if self._taken is not None:
            self._patience = min(_MOST_PATIENCE_SECONDS, 2 * (now - self._taken))
        self._taken = now
        self.follower.take(now, measures)

    def turn_off(self, now: float) -> None:
        """No more pictures come."""
        self._off = now

    def pose(self, now: float) -> Pose | None:
        """See ``Source``."""
        if self._off is not None and now - self._off > _COMES_TO_REST_SECONDS + self._patience:
            return None
        # A camera of one picture a second is slow, not gone.
        return self.follower.pose(max(self._taken or 0.0, now - self._patience))


class Camera:
    """The camera's connection: it drives from its first picture until the page closes it."""

    def __init__(self, wire: Wire, driver: Driver, finder: Finder, watcher: Executor) -> None:
        """finder: used in ``watcher`` alone."""
        self._wire, self._driver = wire, driver
        self._finder, self._watcher = finder, watcher
        self._person = Watched()
        self._newest: bytes | None = None
        self._came = asyncio.Event()
        self._shows_landmarks = True

    async def run(self) -> None:
        """Until the page turns it off, or another page's camera takes its place."""
        await tell(self._wire, ready=True)
        self._driver.follow_face(self._person)
        try:
            await until_one_ends(self._listen(), self._watch())
        finally:
            self._person.turn_off(time.monotonic())
            self._driver.changed.set()

    async def _listen(self) -> None:
        while True:
            try:
                message = await next_message(self._wire, MAX_JPEG_BYTES)
                if isinstance(message, bytes):
                    self._newest = message
                    self._came.set()
                else:
                    self._take(message)
            except OpenthaError as error:
                await tell_fault(self._wire, error)

    def _take(self, message: Mapping[str, object]) -> None:
        """``calibrate``; ``mirrored`` and ``landmarks``: yes or no."""
        if "calibrate" in message:
            self._person.follower.recalibrate()
        if "mirrored" in message:
            self._person.mirror(bool(message["mirrored"]))
        if "landmarks" in message:
            self._shows_landmarks = bool(message["landmarks"])

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._driver.is_driven_by(self._person):
                raise InputError("something else drives the drawing now; start the camera again")
            jpeg, began = self._newest or b"", time.monotonic()
            try:
                landmarks, measures = await loop.run_in_executor(self._watcher, self._look, jpeg)
            except InputError as error:
                await tell_fault(self._wire, error)
                continue
            self._person.take(began, measures)
            self._driver.changed.set()
            await self._answer(landmarks, began)

    def _look(self, jpeg: bytes) -> tuple[Landmarks | None, F64]:
        picture = decode_jpeg(jpeg)
        height, width = picture.shape[:2]
        landmarks = self._finder.find(picture)
        if landmarks is None:
            return None, _UNSEEN
        return landmarks / (width, height), measure(landmarks, width, height)

    async def _answer(self, landmarks: Landmarks | None, began: float) -> None:
        seen = landmarks if self._shows_landmarks else None
        await tell(
            self._wire,
            face=landmarks is not None,
            calibrated=self._person.follower.is_calibrated,
            milliseconds=round(1e3 * (time.monotonic() - began), 1),
            landmarks=None if seen is None else np.round(seen, 3).ravel().tolist(),
        )
