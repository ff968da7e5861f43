"""From a camera's frame to the picture it makes, and what a second viewer costs, in one run.

    python bench/bench_live.py [--size 256] [--rounds 60] [--pictures 0]

Untrained networks of the preset live, for weights change no time. Parts of the way are printed as
shares of the whole; two viewers against one. With --pictures N that many more are shown, and how
much memory the process has before and after. Exit code 1 when a second viewer costs more than a
tenth, or memory grows by more than 50 MB.
"""

from __future__ import annotations

import asyncio
import io
import resource
import sys
import tempfile
import time
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from PIL import Image

from animate.motion.motion import NEUTRAL
from animate.pose.poser import Poser
from animate.pose.torch_networks import open_torch_networks
from animate.serve.camera import decode_jpeg
from animate.serve.driver import Playing
from animate.serve.live import Live
from animate.serve.show import Show
from animate.track.capture import file_frames
from animate.track.face_measures import F64, FaceFinder, measure
from animate.track.follow import Follower
from contract.image import Stored
from contract.picture import QUICK, png_bytes
from tests.support.talking_face import talking_face
from tests.support.timing import seconds_of
from tests.support.untrained import untrained
from train.plan.presets import PRESETS

LIVE = PRESETS["live"][0].network
MOST_FOR_ANOTHER = 1.1
MOST_MEGABYTES = 50


class Viewer:
    """Shows each picture at once."""

    def __init__(self) -> None:
        self._shown: asyncio.Queue[None] = asyncio.Queue()
        self.count = 0

    async def receive(self) -> MutableMapping[str, Any]:
        await self._shown.get()
        return {"type": "websocket.receive", "text": '{"shown": true}'}

    async def send_text(self, data: str) -> None:
        pass

    async def send_bytes(self, data: bytes) -> None:
        self.count += 1
        self._shown.put_nowait(None)


@click.command()
@click.option("--size", default=256, show_default=True)
@click.option("--rounds", default=60, show_default=True)
@click.option("--pictures", default=0, show_default=True)
def main(size: int, rounds: int, pictures: int) -> None:
    """Print the tables; see the module's own words."""
    networks = open_torch_networks(untrained(LIVE, "L1"), None, "cpu")
    poser = Poser(networks, _block(size))
    from_camera(poser, rounds)
    costs: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for viewers, spent in costs.items():
            spent.append(seconds_a_picture(poser, viewers, rounds))
    ratio = median(costs[2]) / median(costs[1])
    print(f"two viewers: {1e3 * median(costs[2]):.1f} ms a picture, {ratio:.2f}x of one")
    grown = memory_grown(poser, pictures) if pictures else 0.0
    sys.exit(ratio > MOST_FOR_ANOTHER or grown > MOST_MEGABYTES)


def _block(side: int) -> Stored:
    picture = np.zeros((side, side, 4), np.uint8)
    picture[side // 4 :, side // 4 : -side // 4] = (200, 150, 120, 255)
    return picture


def from_camera(poser: Poser, rounds: int) -> None:
    """Print where the time goes between a frame and its picture."""
    with tempfile.TemporaryDirectory() as folder:
        frames = [frame.picture for frame in file_frames(talking_face(Path(folder)))]
    jpegs = [_jpeg(frames[k % len(frames)]) for k in range(rounds + 5)]
    follower = Follower(mirrored=True)
    parts: dict[str, list[float]] = {"landmarks": [], "pose": [], "picture": [], "PNG": []}
    with FaceFinder(2) as finder:
        for number, jpeg in enumerate(jpegs):
            seen: list[F64] = []
            drawn: list[Stored] = []

            def look(jpeg: bytes = jpeg, seen: list[F64] = seen) -> None:
                picture = decode_jpeg(jpeg)
                landmarks = finder.find(picture)
                assert landmarks is not None
                seen.append(measure(landmarks, picture.shape[1], picture.shape[0]))

            parts["landmarks"].append(seconds_of(look))
            take = partial(follower.take, number / 30, seen[0])
            parts["pose"].append(seconds_of(take))
            pose = follower.pose(number / 30)
            parts["picture"].append(seconds_of(lambda d=drawn, p=pose: d.append(poser.draw(p))))  # type: ignore[misc]
            parts["PNG"].append(seconds_of(lambda d=drawn: png_bytes(d[0], QUICK)))  # type: ignore[misc]
    whole = [sum(times) for times in zip(*parts.values(), strict=True)][5:]
    print(
        f"camera's frame in, picture of {poser.size} out: median {1e3 * median(whole):.1f} ms, "
        f"{1 / median(whole):.1f} a second one after another"
    )
    for name, times in parts.items():
        part = median(times[5:])
        print(f"  {name:<10}{1e3 * part:8.1f} ms{part / median(whole):7.2f}x")


def _jpeg(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).resize((320, 262)).save(out, "JPEG", quality=80)
    return out.getvalue()


def seconds_a_picture(poser: Poser, viewers: int, pictures: int) -> float:
    """Seconds of all processors for each picture that every one of some viewers sees."""

    async def watch() -> float:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(poser, drawer)
            show.driver.follow(Playing("sway", time.monotonic()))
            some = [Viewer() for _ in range(viewers)]
            tasks = [asyncio.create_task(Live(one, show).run()) for one in some]
            began = time.process_time()
            while min(one.count for one in some) < pictures:
                await asyncio.sleep(0.01)
            spent = time.process_time() - began
            for task in tasks:
                task.cancel()
            return spent / min(one.count for one in some)

    poser.draw(NEUTRAL)
    return asyncio.run(watch())


def memory_grown(poser: Poser, pictures: int) -> float:
    """MB that the process's peak grew by while that many pictures were shown."""
    seconds_a_picture(poser, 2, 200)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds_a_picture(poser, 2, pictures)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{pictures} pictures: {before:.0f} MB before, {after:.0f} MB after")
    return after - before


if __name__ == "__main__":
    main()
