"""The stage: the picture alone, for several viewers, of whatever was opened last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Page
from starlette.websockets import WebSocketDisconnect

from animate.commands.main import main
from animate.drawing.backdrop import css_colour
from animate.drawing.drawing import decode_drawing
from animate.serve.server import make_app
from contract.errors import InputError
from tests.support.in_browser import chromium, needs_browser, serving
from tests.support.page_client import GOOD, HERE, OURS, next_words, token_of
from tests.support.shifting import Shifting

PATHS = [
    "/api/stage",
    *(f"/api/{one}/x" for one in ("recording", "camera", "microphone", "sound")),
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = make_app(Shifting(), None, "127.0.0.1", tmp_path, "#00ff00")
    with TestClient(app, base_url=HERE) as one:
        yield one


def test_a_stage_follows_the_drawing_that_was_opened_last(client: TestClient) -> None:
    with client.websocket_connect("/api/stage", headers=OURS) as stage:
        assert next_words(stage) == {"background": "#00ff00"}
        first = token_of(client)
        assert next_words(stage)["pose"]["head_y"] == 0
        stage.send_text('{"shown": true}')
        with client.websocket_connect(f"/api/live/{first}", headers=OURS) as live:
            live.send_text('{"pose": {"head_y": 0.5}}')
            assert next_words(stage)["pose"]["head_y"] == 0.5
            token_of(client)
            assert next_words(stage)["pose"]["head_y"] == 0


def test_a_stage_may_look_but_not_drive(client: TestClient) -> None:
    token = token_of(client)
    with client.websocket_connect("/api/stage", headers=OURS) as stage:
        next_words(stage)
        next_words(stage)
        stage.send_text('{"shown": true, "pose": {"head_y": 1}, "motion": "shake"}')
        with client.websocket_connect(f"/api/live/{token}", headers=OURS) as live:
            assert next_words(live)["pose"]["head_y"] == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8000", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8000", "origin": "http://[::1"},
        {"host": "127.0.0.1:8000"},
        OURS | {"sec-fetch-site": "cross-site"},
    ],
)
def test_other_pages_reach_no_connection(
    path: str, headers: dict[str, str], client: TestClient
) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(path, headers=headers) as socket,
    ):
        socket.receive_text()


def test_a_stage_of_another_name_is_not_shown(client: TestClient) -> None:
    assert client.get("/stage").status_code == 200
    assert client.get("/stage", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/stage", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_background_is_a_colour() -> None:
    assert css_colour("lime") == "#00ff00"
    assert css_colour("#0f08") == "#00ff00"
    with pytest.raises(InputError, match=r"hall\.png: is no colour"):
        css_colour("hall.png")
    done = CliRunner().invoke(main, ["serve", "--background", "hall.png"])
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)


PIXEL = """([x, y]) => {
  const c = document.getElementById('canvas');
  return [...c.getContext('2d').getImageData(x, y, 1, 1).data];
}"""


def shows(page: Page, size: int) -> None:
    page.wait_for_function(f"() => document.getElementById('canvas').width === {size}")


@needs_browser
@pytest.mark.parametrize("background", [None, "#00ff00"])
def test_a_stage_is_transparent_or_of_one_colour(tmp_path: Path, background: str | None) -> None:
    first = decode_drawing(GOOD, "block.png")
    app = make_app(Shifting(), first, "127.0.0.1", tmp_path, background)
    with chromium() as browser, serving(app) as url:
        # A tall window: the picture keeps its shape in the middle of it.
        context = browser.new_context(viewport={"width": 320, "height": 640})
        stages = [context.new_page(), context.new_page()]
        for stage in stages:
            stage.goto(f"{url}/stage")
        context.new_page().goto(url)
        for stage in stages:
            shows(stage, 16)
            assert stage.evaluate(PIXEL, [0, 0]) == [0, 0, 0, 0]
            assert stage.evaluate(PIXEL, [8, 8]) == [255, 255, 255, 255]
        shot = tmp_path / "stage.png"
        stages[0].screenshot(path=shot, omit_background=True)
        with Image.open(shot) as image:
            ground = image.convert("RGBA").getpixel((5, 5))
            assert image.convert("RGB").getpixel((160, 320)) == (255, 255, 255)
        assert ground == ((0, 255, 0, 255) if background else (0, 0, 0, 0))
