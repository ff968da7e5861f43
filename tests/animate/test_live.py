"""A live picture: only the newest pose is drawn, and all viewers of a drawing see the same."""

from __future__ import annotations

import asyncio
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from animate.pose.poser import AtBothSizes, Poser, Vector
from animate.serve.driver import Driver, Playing
from animate.serve.live import Live
from animate.serve.show import Show
from contract.image import NetworkPicture
from contract.pose import Pose
from tests.support.page_client import OURS, next_words
from tests.support.shifting import Shifting, drawing


class SlowNetworks(Shifting):
    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        time.sleep(0.05)
        return super().turn(expression, joints)


class Script:
    """A viewer that sends many poses at once and shows each picture when it comes."""

    def __init__(self, messages: list[str]) -> None:
        self._messages = messages
        self._acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self.pictures: list[bytes] = []
        self.words: list[dict[str, object]] = []

    async def receive(self) -> dict[str, str]:
        await asyncio.sleep(0)
        text = self._messages.pop(0) if self._messages else await self._acknowledged.get()
        return {"type": "websocket.receive", "text": text}

    async def send_bytes(self, data: bytes) -> None:
        self.pictures.append(data)
        await self._acknowledged.put('{"shown": true}')

    async def send_text(self, data: str) -> None:
        self.words.append(json.loads(data))


def test_of_a_hundred_quick_poses_few_are_drawn_and_the_last_is_shown() -> None:
    networks = SlowNetworks()
    poses = [json.dumps({"pose": {"head_y": n / 99, "mouth": 0}}) for n in range(100)]
    viewer = Script(poses)

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(Poser(networks, drawing()), drawer)
            live = asyncio.create_task(Live(viewer, show).run())
            await asyncio.sleep(0.6)
            live.cancel()

    asyncio.run(watch())
    assert 1 <= len(viewer.pictures) <= 4
    assert networks.calls.count("turn") == len(viewer.pictures)
    with Image.open(io.BytesIO(viewer.pictures[-1])) as image:
        seen = np.flatnonzero(np.array(image)[..., 3].any(axis=0))
    assert seen[0] == 0  # wholly to the viewer's left: the last pose
    assert viewer.words[-1]["pose"]["head_y"] == 1.0  # type: ignore[index]


def test_nothing_is_sent_before_the_last_picture_was_shown() -> None:
    viewer = Script([])

    async def never_shown(_data: bytes) -> None:
        viewer.pictures.append(_data)

    viewer.send_bytes = never_shown  # type: ignore[method-assign,assignment]

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(Poser(Shifting(), drawing()), drawer)
            task = asyncio.create_task(Live(viewer, show).run())
            show.driver.follow(Playing("shake", time.monotonic()))
            await asyncio.sleep(0.3)
            task.cancel()

    asyncio.run(watch())
    assert len(viewer.pictures) == 1


def test_messages_that_are_none_are_answered_in_words(client: TestClient, token: str) -> None:
    with client.websocket_connect(f"/api/live/{token}", headers=OURS) as socket:
        for text, fault in (
            ("{", "Expecting"),
            ("[]", "no message"),
            ("x" * 5000, "no message"),
            ('{"pose": {"tail": 1}}', "no axis is called tail"),
            ('{"pose": {"head_x": 9}}', "head_x is 9"),
            ('{"pose": {"head_x": "up"}}', "a value is no number"),
            ('{"pose": [1]}', "no object of axes"),
            ('{"held": ["tail"]}', "no such axis"),
            ('{"motion": "fly"}', "motion fly: unknown"),
            ('{"motion": [1]}', "unknown"),
            ('{"pose": {"head_x": NaN}}', "head_x is nan"),
        ):
            socket.send_text(text)
            assert fault in next_words(socket, "fault")["fault"]
        socket.send_bytes(b"\0\1")
        assert "no message" in next_words(socket, "fault")["fault"]
        socket.send_text('{"shown": true, "pose": {"head_y": 1}}')
        while next_words(socket)["pose"]["head_y"] != 1:
            socket.send_text('{"shown": true}')


# What drives.


def test_held_axes_stay_while_a_source_drives_and_nothing_jumps_at_its_end() -> None:
    class Turning:
        name = "turning"

        def pose(self, now: float) -> Pose | None:
            return Pose(head_y=0.5, mouth=1.0) if now < 10 else None

    driver = Driver()
    driver.follow(Turning())
    assert driver.pose(1.0) == Pose(head_y=0.5, mouth=1.0)
    driver.slide(Pose(head_y=-0.2, mouth=0.25))
    driver.hold(["mouth"])
    assert driver.pose(2.0) == Pose(head_y=0.5, mouth=0.25)
    assert driver.pose(11.0) == Pose(head_y=0.5, mouth=0.25)
    assert driver.source is None


def test_what_is_usual_drives_where_nothing_else_does() -> None:
    class Tracker:
        name = "tracker"

        def pose(self, now: float) -> Pose:
            return Pose(head_x=0.5, mouth=0)

    driver = Driver(Tracker())
    assert driver.moment(1.0).source == "tracker"
    driver.follow(Playing("nod", time.monotonic()))
    assert driver.moment(time.monotonic()).source == "nod"
    driver.follow(None)
    assert driver.pose(time.monotonic()) == Pose(head_x=0.5, mouth=0)


def test_viewers_of_one_drawing_see_the_same_pictures() -> None:
    networks = SlowNetworks()
    viewers = [Script([]), Script([])]

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(Poser(networks, drawing()), drawer)
            show.driver.follow(Playing("shake", time.monotonic()))
            tasks = [asyncio.create_task(Live(viewer, show).run()) for viewer in viewers]
            await asyncio.sleep(0.7)
            for task in tasks:
                task.cancel()

    asyncio.run(watch())
    drawn = networks.calls.count("turn")
    first, second = ({*viewer.pictures} for viewer in viewers)
    assert len(first & second) >= 2
    assert drawn < 1.5 * max(len(viewer.pictures) for viewer in viewers) + 2


def test_who_comes_when_the_last_viewer_left_sees_the_drawing() -> None:
    viewer = Script([])

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(Poser(Shifting(), drawing()), drawer)
            for come in range(1, 4):
                task = asyncio.create_task(Live(viewer, show).run())
                async with asyncio.timeout(60):
                    while len(viewer.pictures) < come:
                        await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.sleep(0)

    asyncio.run(watch())
    assert len(viewer.pictures) == 3
