"""The server: only the newest pose is drawn, and strangers are turned away."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect

import animate.serve.server
from animate.commands.main import main
from animate.pose.poser import Poser, Vector
from animate.serve.live import Live
from animate.serve.server import MAX_SESSIONS, make_app
from contract.errors import InputError
from contract.image import NetworkPicture
from tests.support.shifting import Shifting, bytes_of, drawing
from web.serving import listening

GOOD = bytes_of(Image.fromarray(drawing(), "RGBA"))
OURS = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = make_app(Shifting(), None, "127.0.0.1")
    with TestClient(app, base_url="http://127.0.0.1:8000") as opened:
        yield opened


def upload(client: TestClient, data: bytes = GOOD, **query: object) -> dict[str, object]:
    answer = client.post("/api/drawing", content=data, params=query, headers=OURS)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


# Only the newest.


class SlowNetworks(Shifting):
    def turn(self, expression: NetworkPicture, joints: Vector) -> NetworkPicture:
        time.sleep(0.05)
        return super().turn(expression, joints)


class Script:
    """A viewer that sends many poses at once and shows each picture when it comes."""

    def __init__(self, messages: list[str]) -> None:
        self._messages = messages
        self._acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self.pictures: list[bytes] = []
        self.words: list[dict[str, object]] = []

    async def receive_text(self) -> str:
        await asyncio.sleep(0)
        return self._messages.pop(0) if self._messages else await self._acknowledged.get()

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
            live = asyncio.create_task(Live(viewer, Poser(networks, drawing()), drawer).run())
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

    viewer.send_bytes = never_shown  # type: ignore[method-assign]

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            live = Live(viewer, Poser(Shifting(), drawing()), drawer)
            task = asyncio.create_task(live.run())
            await live._take('{"motion": "shake"}')
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
            ('{"pose": {"head_x": "up"}}', "not supported"),
            ('{"motion": "fly"}', "motion fly: unknown"),
        ):
            socket.send_text(text)
            while "fault" not in (answer := _next_words(socket)):
                pass
            assert fault in answer["fault"]


def _next_words(socket: object) -> dict[str, str]:
    while True:
        message = socket.receive()  # type: ignore[attr-defined]
        if message.get("text"):
            found: dict[str, str] = json.loads(message["text"])
            return found


# Strangers.


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},  # a name that was pointed at us
        {"host": "evil.example", "origin": "http://evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
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
    for path in Path(animate.serve.server.PAGE).iterdir():
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
    monkeypatch.setattr(animate.serve.server, "MAX_BYTES", 1000)
    answer = client.post("/api/drawing", content=bytes(2000), headers=OURS)
    assert "scale the drawing down" in answer.json()["fault"]


def test_old_drawings_make_room(client: TestClient) -> None:
    tokens = [upload(client)["token"] for _ in range(MAX_SESSIONS + 1)]
    assert "not open any more" in client.get(f"/api/still/{tokens[0]}").json()["fault"]
    assert client.get(f"/api/still/{tokens[1]}").status_code == 200


def test_requests_out_of_range_are_refused(client: TestClient) -> None:
    token = upload(client)["token"]
    for path, fault in (
        (f"/api/still/{token}?head_x=5", "head_x is 5"),
        (f"/api/still/{token}?head_x=up", "could not convert"),
        (f"/api/recording/{token}?kind=exe", "kind exe: unknown"),
        (f"/api/recording/{token}?seconds=1e9", "takes up to 60 s"),
        (f"/api/recording/{token}?motion=fly", "motion fly: unknown"),
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
