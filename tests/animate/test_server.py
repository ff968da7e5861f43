"""The server: what is uploaded, how much is open at once, and that strangers are turned away."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect

import animate.serve.drawings
import animate.serve.server
from animate.commands.main import main
from animate.drawing.drawing import Drawing, decode_drawing
from animate.serve.server import make_app
from animate.serve.sessions import MAX_CONNECTIONS, MAX_SESSIONS
from contract.errors import InputError
from tests.support.page_client import GOOD, HERE, OURS, next_words
from tests.support.shifting import Shifting, bytes_of
from web.serving import listening


def upload(client: TestClient, data: bytes = GOOD, **query: object) -> dict[str, object]:
    answer = client.post("/api/drawing", content=data, params=query, headers=OURS)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


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
        while next_words(socket)["pose"]["head_y"] != 1:
            socket.send_text('{"shown": true}')
        assert not opening.done()
        may_end.set()
        assert opening.result(60)["token"]


def test_the_drawing_that_is_idle_makes_room(client: TestClient) -> None:
    watched = upload(client)["token"]
    with client.websocket_connect(f"/api/live/{watched}", headers=OURS) as socket:
        next_words(socket)
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
            next_words(stack.enter_context(client.websocket_connect(path, headers=OURS)))
        answer = client.post("/api/drawing", content=GOOD, headers=OURS)
        assert "close one of those" in answer.json()["fault"]


def test_the_first_drawing_has_one_session(tmp_path: Path) -> None:
    first = decode_drawing(GOOD, "first.png")
    with TestClient(make_app(Shifting(), first, "127.0.0.1", tmp_path), base_url=HERE) as client:
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
            next_words(stack.enter_context(client.websocket_connect(path, headers=OURS)))
        with client.websocket_connect("/api/stage", headers=OURS) as socket:
            assert "close pages" in next_words(socket)["fault"]


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
