"""The shell and the guard of local pages, around an application made here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from contract.errors import InputError, PoseError
from web.guard import Asgi, Message, OwnPageOnly, Receive, Send
from web.serving import address, listening, web_packages
from web.shell import body_of, new_app

OURS = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def client(tmp_path: Path, closed: list[str]) -> Iterator[TestClient]:
    (tmp_path / "index.html").write_text("<p>here")
    (tmp_path / "page.js").write_text("1")
    app = new_app(tmp_path, lambda: closed.append("yes"))

    @app.get("/api/fault")
    async def fault() -> None:
        raise PoseError("a fault\nof two lines")

    @app.post("/api/length")
    async def length(request: Request) -> int:
        return len(await body_of(request, 4, "over 4 bytes; send less"))

    with TestClient(OwnPageOnly(app, "127.0.0.1"), base_url="http://127.0.0.1:8000") as opened:
        yield opened


def test_the_page_is_shown_and_nothing_beside_it(client: TestClient, tmp_path: Path) -> None:
    (tmp_path.parent / "secret.txt").write_text("secret")
    assert client.get("/").text == "<p>here"
    assert client.get("/page/page.js").text == "1"
    assert client.get("/page/%2e%2e/secret.txt").status_code == 404
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_every_answer_forbids_what_comes_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/page/page.js", "/api/fault"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_a_project_error_is_one_line(client: TestClient) -> None:
    answer = client.get("/api/fault")
    assert (answer.status_code, answer.json()) == (422, {"fault": "a fault of two lines"})


def test_a_body_is_read_up_to_its_bound(client: TestClient) -> None:
    assert client.post("/api/length", content=b"1234", headers=OURS).json() == 4
    answer = client.post("/api/length", content=b"12345", headers=OURS)
    assert answer.json() == {"fault": "over 4 bytes; send less"}


def _answers_to_half(app: Asgi, then: Callable[[], Awaitable[Message]]) -> list[Message]:
    """What is answered to who sends half a body and ``then`` something else."""
    said: list[Message] = []
    half: Message = {"type": "http.request", "body": b"12", "more_body": True}
    sent = iter([half])

    async def receive() -> Message:
        return next(sent, None) or await then()

    async def send(message: Message) -> None:
        said.append(message)

    headers = [(name.encode(), value.encode()) for name, value in OURS.items()]
    scope = {"type": "http", "method": "POST", "path": "/api/length", "headers": headers}

    async def ask() -> None:
        await app({**scope, "query_string": b"", "root_path": ""}, receive, send)

    asyncio.run(ask())
    return said


def test_who_sends_half_and_waits_is_told_and_lets_others_have_their_turn(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.shell.STALLED_SECONDS", 0.05)

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("waited for")

    start, body, *_ = _answers_to_half(client.app, never)
    assert start["status"] == 422
    assert b"came to a halt" in body["body"]


def test_who_sends_half_and_leaves_is_no_fault(client: TestClient) -> None:
    async def leaves() -> Message:
        return {"type": "http.disconnect"}

    assert _answers_to_half(client.app, leaves)[0]["status"] == 400


def test_strangers_are_turned_away(client: TestClient) -> None:
    rebound = client.get("/", headers={"host": "evil.example"})
    assert (rebound.status_code, "fault" in rebound.json()) == (403, True)
    foreign = {"host": "127.0.0.1:8000", "origin": "http://evil.example"}
    assert client.post("/api/length", content=b"", headers=foreign).status_code == 403
    nameless = client.post("/api/length", content=b"", headers={"host": "127.0.0.1:8000"})
    assert nameless.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "[::1"},
        {"host": "127.0.0.1:8000", "origin": "http://[::1"},
        {"host": "127.0.0.1:port"},
        {"host": "127.0.0.1:99999"},
        {"host": "evil.example\\@127.0.0.1"},
        {"host": "127.0.0.1/evil.example"},
    ],
)
def test_what_is_no_address_is_a_bad_request(headers: dict[str, str], client: TestClient) -> None:
    assert client.post("/api/length", content=b"", headers=headers).status_code == 400


def test_another_site_cannot_make_a_browser_ask(client: TestClient) -> None:
    for site, status in (("cross-site", 403), ("same-origin", 200), ("none", 200)):
        assert client.get("/", headers={"sec-fetch-site": site}).status_code == status


def test_what_is_open_is_closed_at_the_end(tmp_path: Path, closed: list[str]) -> None:
    with TestClient(new_app(tmp_path, lambda: closed.append("yes"))):
        assert closed == []
    assert closed == ["yes"]


def test_a_port_in_use_is_named() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address(first, "127.0.0.1") == f"http://127.0.0.1:{port}"
        with pytest.raises(InputError, match=f"{port}: cannot listen .* or 0 for any"):
            listening("127.0.0.1", port)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "web.shell")
    with (
        pytest.raises(InputError, match=r"the package fastapi; .* 'opentha\[web\]'"),
        web_packages(),
    ):
        import web.shell  # noqa: F401


def test_a_query_of_bytes_that_no_browser_sends_is_turned_away() -> None:
    said: list[object] = []

    async def send(message: Message) -> None:
        said.append(message.get("status"))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def app(_scope: Message, _receive: Receive, _send: Send) -> None:
        raise AssertionError("it came through")

    headers = [(name.encode(), value.encode()) for name, value in OURS.items()]
    scope = {"type": "http", "method": "GET", "headers": headers, "query_string": b"a=\x8d"}
    asyncio.run(OwnPageOnly(app, "127.0.0.1")(scope, receive, send))
    assert said[0] == 400
