"""Recordings: what they hold, that previews go on beside them, and that they can be stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from websockets import Origin
from websockets.sync.client import connect

from animate.pose.poser import AtBothSizes, Vector
from animate.serve.recording import Order, order_of
from animate.serve.server import make_app
from contract.errors import InputError
from contract.image import NetworkPicture
from models.base.config import NetworkConfig
from models.files.bundle import save_bundle
from tests.conftest import REPOSITORY
from tests.support.page_client import HERE, OURS, token_of
from tests.support.shifting import Shifting, bytes_of, drawing
from tests.support.untrained import untrained

BLACK = bytes_of(Image.fromarray(drawing() * np.array([0, 0, 0, 1], np.uint8), "RGBA"))


class SlowNetworks(Shifting):
    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        time.sleep(0.02)
        return super().turn(expression, joints)


@pytest.fixture
def networks() -> SlowNetworks:
    return SlowNetworks()


@pytest.fixture
def client(networks: SlowNetworks, tmp_path: Path) -> Iterator[TestClient]:
    app = make_app(networks, None, "127.0.0.1", tmp_path)
    with TestClient(app, base_url=HERE) as opened:
        yield opened


@pytest.fixture
def token(client: TestClient) -> str:
    return token_of(client, BLACK)


class Page:
    """One connection of a page, in turns of messages."""

    def __init__(self, socket: object) -> None:
        self.socket = socket

    def tell(self, **words: object) -> None:
        self.socket.send_text(json.dumps(words))  # type: ignore[attr-defined]

    def next(self) -> dict[str, object] | bytes:
        message = self.socket.receive()  # type: ignore[attr-defined]
        if message.get("bytes") is not None:
            data: bytes = message["bytes"]
            return data
        words: dict[str, object] = json.loads(message["text"])
        return words

    def until(self, name: str) -> dict[str, object]:
        while True:
            words = self.next()
            if isinstance(words, dict) and name in words:
                return words


def frames_of(data: bytes, path: Path) -> list[npt.NDArray[np.uint8]]:
    path.write_bytes(data)
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]


def test_an_order_is_read_within_its_bounds() -> None:
    assert order_of({"motion": "nod", "kind": "gif", "seconds": 2, "fps": 10}) == Order(
        "nod", "gif", 2.0, 10.0
    )
    for wrong, fault in (
        ({"kind": "exe"}, "kind exe: unknown"),
        ({"motion": "fly"}, "motion fly: unknown"),
        ({"seconds": 1e9}, "takes up to 60 s"),
        ({"seconds": float("nan")}, "takes up to 60 s"),
        ({"seconds": "long"}, "are numbers"),
        ({"fps": 0}, "1 to 60 frames"),
        ({"kind": ["webm"]}, "unknown"),
        ({"motion": {}}, "unknown"),
    ):
        with pytest.raises(InputError, match=fault):
            order_of(wrong)


def test_a_motion_is_recorded_with_progress_and_leaves_nothing(
    client: TestClient, token: str, tmp_path: Path
) -> None:
    with client.websocket_connect(f"/api/recording/{token}", headers=OURS) as socket:
        page = Page(socket)
        page.tell(motion="shake", kind="mp4", seconds=2, fps=25)
        assert page.until("drawn")["frames"] == 50
        done = page.until("file")
        assert str(done["file"]).startswith("shake-")
        assert done["type"] == "video/mp4"
        data = page.next()
    assert isinstance(data, bytes)
    assert list(tmp_path.iterdir()) == []
    assert len(frames_of(data, tmp_path / "a.mp4")) == 50


def test_a_recording_that_is_over_at_once_has_a_frame(
    client: TestClient, token: str, tmp_path: Path
) -> None:
    with client.websocket_connect(f"/api/recording/{token}", headers=OURS) as socket:
        page = Page(socket)
        page.tell(motion=None, kind="gif", seconds=1e-9)
        page.until("file")
        data = page.next()
    assert isinstance(data, bytes)
    assert len(frames_of(data, tmp_path / "a.gif")) == 1


def test_previews_go_on_beside_a_recording(
    client: TestClient, token: str, networks: SlowNetworks
) -> None:
    with (
        client.websocket_connect(f"/api/recording/{token}", headers=OURS) as recording,
        client.websocket_connect(f"/api/live/{token}", headers=OURS) as live,
    ):
        Page(recording).tell(motion="shake", kind="webp", seconds=60, fps=60)
        page = Page(live)
        Page(recording).until("drawn")
        before = len(networks.calls)
        for count in range(1, 6):
            page.tell(shown=True, pose={"head_y": count / 5, "mouth": 0})
            while page.until("pose")["pose"]["head_y"] != count / 5:  # type: ignore[index]
                page.tell(shown=True)
        drawn = networks.calls[before:].count("turn")
        # 3,600 frames are not nearly drawn: the previews did not wait for their end.
        assert drawn < 500


def test_a_page_that_leaves_stops_its_recording(
    client: TestClient, token: str, networks: SlowNetworks, tmp_path: Path
) -> None:
    with client.websocket_connect(f"/api/recording/{token}", headers=OURS) as socket:
        page = Page(socket)
        page.tell(motion="shake", kind="webm", seconds=60, fps=60)
        page.until("drawn")
    deadline = time.monotonic() + 20
    while any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []
    drawn = networks.calls.count("turn")
    time.sleep(0.3)
    assert networks.calls.count("turn") == drawn < 3600


def test_what_drives_meanwhile_is_recorded(client: TestClient, token: str, tmp_path: Path) -> None:
    with (
        client.websocket_connect(f"/api/live/{token}", headers=OURS) as live,
        client.websocket_connect(f"/api/recording/{token}", headers=OURS) as recording,
    ):
        page = Page(recording)
        page.tell(kind="mp4", seconds=60, fps=20)
        page.until("watched")
        Page(live).tell(pose={"head_y": 1, "mouth": 0})
        page.until("watched")
        page.until("watched")
        page.tell(enough=True)
        name = page.until("file")["file"]
        data = page.next()
    assert isinstance(data, bytes)
    assert str(name).startswith("live-")
    frames = frames_of(data, tmp_path / "live.mp4")
    assert 4 <= len(frames) < 100
    # The block has moved by 4 of 16 pixels, to the left edge.
    is_at_edge = [frame[6:10, 1:3].mean() < 100 for frame in frames]
    assert (is_at_edge[0], is_at_edge[-1]) == (False, True)


def test_a_wrong_order_is_answered_in_words(client: TestClient, token: str) -> None:
    for message, fault in (('{"kind": "exe"}', "unknown"), ("{", "no message"), ("[]", "no mess")):
        with client.websocket_connect(f"/api/recording/{token}", headers=OURS) as socket:
            socket.send_text(message)
            assert fault in str(Page(socket).until("fault")["fault"])
    with client.websocket_connect("/api/recording/none", headers=OURS) as socket:
        assert "not open any more" in str(Page(socket).until("fault")["fault"])


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent to others otherwise there")
def test_one_ctrl_c_ends_all_that_is_under_way(tmp_path: Path) -> None:
    bundle, scratch, out = tmp_path / "bundle", tmp_path / "scratch", tmp_path / "out.txt"
    scratch.mkdir()
    config = NetworkConfig(size=64, channels=8, max_channels=32, residual_blocks=2)
    save_bundle(bundle, untrained(config, "L1"))
    picture = tmp_path / "drawing.png"
    Image.fromarray(drawing(), "RGBA").resize((512, 512)).save(picture)
    command = [sys.executable, "-m", "animate.commands.main", "serve", str(picture)]
    with out.open("w") as said:
        process = subprocess.Popen(
            [*command, "--bundle", str(bundle), "--port", "0"],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Ctrl-C" not in out.read_text():
            assert process.poll() is None, out.read_text()
            time.sleep(0.1)
        url = out.read_text().split()[1]
        token = json.loads(_get(f"{url}/api/first"))["token"]
        address = f"{url.replace('http', 'ws')}/api/recording/{token}"
        with connect(address, origin=Origin(url)) as socket:
            socket.send('{"motion": "shake", "kind": "webp", "seconds": 60, "fps": 60}')
            while '"drawn"' not in str(socket.recv()):
                pass
            assert any(scratch.glob("opentha-serve-*"))
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
    finally:
        process.kill()
    assert list(scratch.glob("opentha-serve-*")) == []
    assert out.read_text().splitlines()[1:] == ["interrupted"]


def _get(url: str) -> str:
    from urllib.request import urlopen

    with urlopen(url) as answer:
        text: str = answer.read().decode()
        return text
