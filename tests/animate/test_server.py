"""The server: only the newest pose is drawn, and strangers are turned away."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

import animate.serve.drawings
import animate.serve.server
from animate.commands.main import main
from animate.drawing.drawing import Drawing, decode_drawing
from animate.pose.poser import AtBothSizes, Poser, Vector
from animate.serve.driver import Driver, Playing
from animate.serve.live import Live
from animate.serve.server import make_app
from animate.serve.sessions import MAX_CONNECTIONS, MAX_SESSIONS
from animate.serve.show import Show
from contract.errors import InputError
from contract.image import NetworkPicture
from contract.pose import Pose
from tests.support.shifting import Shifting, bytes_of, drawing
from web.serving import listening

GOOD = bytes_of(Image.fromarray(drawing(), "RGBA"))
OURS = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = make_app(Shifting(), None, "127.0.0.1", tmp_path)
    with TestClient(app, base_url="http://127.0.0.1:8000") as opened:
        yield opened


def upload(client: TestClient, data: bytes = GOOD, **query: object) -> dict[str, object]:
    answer = client.post("/api/drawing", content=data, params=query, headers=OURS)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


# Only the newest.


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


def test_messages_that_are_none_are_answered_in_words(client: TestClient) -> None:
    token = upload(client)["token"]
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
            while "fault" not in (answer := _next_words(socket)):
                pass
            assert fault in answer["fault"]
        socket.send_bytes(b"\0\1")
        while "fault" not in (answer := _next_words(socket)):
            pass
        assert "no message" in answer["fault"]
        socket.send_text('{"shown": true, "pose": {"head_y": 1}}')
        while _next_words(socket)["pose"]["head_y"] != 1:
            socket.send_text('{"shown": true}')


def _next_words(socket: WebSocketTestSession) -> dict[str, Any]:
    while True:
        message = socket.receive()
        if message.get("text"):
            found: dict[str, Any] = json.loads(message["text"])
            return found


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
            for _ in range(3):
                task = asyncio.create_task(Live(viewer, show).run())
                await asyncio.sleep(0.1)
                task.cancel()
                await asyncio.sleep(0)

    asyncio.run(watch())
    assert len(viewer.pictures) == 3


# Strangers.


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},  # a name that was pointed at us
        {"host": "evil.example", "origin": "http://evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        OURS | {"sec-fetch-site": "cross-site"},
        {},  # a form or a script of no page at all
    ],
)
def test_other_pages_are_turned_away(headers: dict[str, str], client: TestClient) -> None:
    assert client.post("/api/drawing", content=GOOD, headers=headers).status_code == 403
    token = upload(client)["token"]
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/api/live/{token}", headers=headers) as socket,
    ):
        socket.receive_text()
    if "host" in headers or "origin" in headers:
        assert client.get("/", headers=headers).status_code == 403


def test_the_page_may_ask_nobody_else(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for path in (
        *animate.serve.server.PAGE.glob("*.*s"),
        *animate.serve.server.PAGE.glob("*.html"),
    ):
        elsewhere = r"""(?:src=|href=|fetch\(|url\(|import |from )["'`]?(?:https?:)?//"""
        assert not re.search(elsewhere, path.read_text("utf-8")), path
    assert client.get("/page/../server.py").status_code == 404
    assert client.get("/page/%2e%2e/server.py").status_code == 404


# Uploads.


def test_an_upload_is_checked_and_a_bad_one_refused(client: TestClient) -> None:
    for data, fault in ((b"text", "is no picture"), (b"", "is no picture")):
        answer = client.post("/api/drawing?name=a.png", content=data, headers=OURS)
        assert answer.status_code == 422
        assert fault in answer.json()["fault"]
    vast = bytes_of(Image.new("1", (20_000, 1)))
    answer = client.post("/api/drawing", content=vast, headers=OURS)
    assert "20000x1 pixels" in answer.json()["fault"]
    opaque = upload(client, bytes_of(Image.new("RGB", (32, 32), "red")))
    assert opaque["token"] is None
    assert opaque["faults"]


def test_an_upload_is_bounded_while_it_is_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(animate.serve.drawings, "MAX_BYTES", 1000)
    answer = client.post("/api/drawing", content=bytes(2000), headers=OURS)
    assert "scale the drawing down" in answer.json()["fault"]


def test_previews_go_on_while_a_drawing_is_opened(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = upload(client)["token"]
    begun, may_end = threading.Event(), threading.Event()

    def slow(_data: bytes, name: str) -> Drawing:
        begun.set()
        assert may_end.wait(60)
        return decode_drawing(GOOD, name)

    monkeypatch.setattr(animate.serve.drawings, "decode_drawing", slow)
    with (
        ThreadPoolExecutor(1) as another,
        client.websocket_connect(f"/api/live/{token}", headers=OURS) as socket,
    ):
        opening = another.submit(upload, client)
        assert begun.wait(60)
        socket.send_text('{"shown": true, "pose": {"head_y": 1}}')
        while _next_words(socket)["pose"]["head_y"] != 1:
            socket.send_text('{"shown": true}')
        assert not opening.done()
        may_end.set()
        assert opening.result(60)["token"]


def test_the_drawing_that_is_idle_makes_room(client: TestClient) -> None:
    watched = upload(client)["token"]
    with client.websocket_connect(f"/api/live/{watched}", headers=OURS) as socket:
        _next_words(socket)
        tokens = [upload(client)["token"] for _ in range(MAX_SESSIONS)]
        assert "not open any more" in client.get(f"/api/still/{tokens[0]}").json()["fault"]
        assert client.get(f"/api/still/{tokens[1]}").status_code == 200
        upload(client)  # tokens[1] was asked for, so tokens[2] is idle longest
        assert client.get(f"/api/still/{tokens[1]}").status_code == 200
        assert client.get(f"/api/still/{tokens[2]}").status_code == 422
        assert client.get(f"/api/still/{watched}").status_code == 200


def test_drawings_that_are_all_looked_at_stay(client: TestClient) -> None:
    with ExitStack() as stack:
        for _ in range(MAX_SESSIONS):
            path = f"/api/live/{upload(client)['token']}"
            _next_words(stack.enter_context(client.websocket_connect(path, headers=OURS)))
        answer = client.post("/api/drawing", content=GOOD, headers=OURS)
        assert "close one of those" in answer.json()["fault"]


def test_the_first_drawing_has_one_session(tmp_path: Path) -> None:
    first = decode_drawing(GOOD, "first.png")
    with TestClient(
        make_app(Shifting(), first, "127.0.0.1", tmp_path), base_url="http://127.0.0.1:8000"
    ) as client:
        tokens = {client.get("/api/first").json()["token"] for _ in range(20)}
        assert len(tokens) == 1
        for _ in range(MAX_SESSIONS):
            upload(client)
        assert client.get("/api/first").json()["token"] not in tokens


def test_connections_are_bounded(client: TestClient) -> None:
    token = upload(client)["token"]
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            path = f"/api/live/{token}"
            _next_words(stack.enter_context(client.websocket_connect(path, headers=OURS)))
        with client.websocket_connect("/api/stage", headers=OURS) as socket:
            assert "close pages" in _next_words(socket)["fault"]


def test_requests_out_of_range_are_refused(client: TestClient) -> None:
    token = upload(client)["token"]
    for path, fault in (
        (f"/api/still/{token}?head_x=5", "head_x is 5"),
        (f"/api/still/{token}?head_x=up", "could not convert"),
        ("/api/still/none", "not open any more"),
    ):
        answer = client.get(path)
        assert answer.status_code == 422
        assert fault in answer.json()["fault"]


# The command.


def test_a_port_in_use_and_a_missing_bundle_are_one_line(tmp_path: Path) -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=r"cannot listen .* give another --port"):
            listening("127.0.0.1", port)
    done = CliRunner().invoke(main, ["serve", "--bundle", str(tmp_path)])
    assert done.exit_code == 1
    assert "no bundle" in done.stderr
