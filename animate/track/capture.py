"""Frames of a video file or a camera, with the seconds at which they were taken."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import InputError

MAX_PIXELS = 4096 * 4096
# All that holds video but playlists, which name addresses and other files.
_CONTAINERS = "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg,gif,apng"

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """``picture`` (H, W, 3) uint8 sRGB, taken ``seconds`` after the first."""

    seconds: float
    picture: Rgb


def file_frames(path: Path) -> Iterator[Frame]:
    """All frames of a video file that can be decoded, as they are to be shown.

    Raises:
        InputError: it is no video, or none of its pictures can be read.
    """
    from av import VideoFrame  # noqa: PLC0415
    from av.error import FFmpegError  # noqa: PLC0415

    from animate.media_file import decoded  # noqa: PLC0415

    count = 0
    first = 0.0
    try:
        for frame in decoded(path, VideoFrame, _CONTAINERS, "give a video of a face"):
            if frame.width * frame.height > MAX_PIXELS:
                raise InputError(f"{path}: {frame.width}x{frame.height}; scale it down")
            seconds = frame.time if frame.time is not None else count / 30
            first = first if count else seconds
            count += 1
            picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            # Telephones store upright pictures lying down, and how to turn them.
            upright = np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))
            yield Frame(seconds - first, upright)
    except (FFmpegError, OSError) as error:
        # The end of a file that was cut short: what came before it is good.
        if not count:
            raise InputError(f"{path}: cannot be read as a video ({error.strerror})") from error
    if not count:
        raise InputError(f"{path}: holds no picture that can be read; give a video of a face")


def camera_frames(number: int, seconds: float) -> Iterator[Frame]:
    """Frames of a camera for some seconds, until Ctrl-C, or until it is unplugged.

    Raises:
        InputError: it is not there, or gives no picture.
    """
    try:
        import cv2  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            "a camera needs OpenCV; install it with: pip install 'opentha[track]'"
        ) from error
    with quiet():
        device: Any = cv2.VideoCapture(number)
    began = time.monotonic()
    count = 0
    with interrupts() as received:
        while device.isOpened() and not received:
            is_there, picture = device.read()
            taken = time.monotonic()
            began = began if count else taken
            if not is_there or taken - began >= seconds:
                break
            count += 1
            yield Frame(taken - began, np.ascontiguousarray(picture[..., ::-1]))
    device.release()
    if not count:
        raise InputError(f"camera {number}: not there, or in use; give --camera another number")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C, which meanwhile interrupts nothing."""
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: received.append(number))
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing reaches stderr: the C++ side of libraries talks there, and no option stops it."""
    kept = os.dup(2)
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
