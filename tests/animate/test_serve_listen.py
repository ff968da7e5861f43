"""``animate serve --listen``: packets to a running server, up to the pose that its page shows."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from animate.listen.address import LOOPBACK
from models.base.config import NetworkConfig
from models.files.bundle import save_bundle
from tests.conftest import REPOSITORY
from tests.support.shifting import drawing
from tests.support.tracker_packets import mocap, see_face, see_face_quaternion, turn, vmc_frame
from tests.support.untrained import untrained

TURN = 9.0  # degrees to the viewer's left: 0.6 of the axis
CALIBRATION_SECONDS = 3.0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks") / "bundle"
    config = NetworkConfig(size=64, channels=8, max_channels=32, residual_blocks=2)
    save_bundle(folder, untrained(config, "L1"))
    return folder


@contextmanager
def served(bundle: Path, folder: Path, tracker: str) -> Iterator[tuple[ClientConnection, int]]:
    """The connection of a page of the command in a process of its own, and the UDP port."""
    picture, out = folder / "drawing.png", folder / "out.txt"
    Image.fromarray(drawing(), "RGBA").resize((64, 64)).save(picture)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
    command = [sys.executable, "-m", "animate.commands.main", "serve", str(picture)]
    options = ["--bundle", str(bundle), "--port", "0", "--listen", f"{tracker}:{port}"]
    with out.open("w") as said:
        process = subprocess.Popen(
            [*command, *options],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Ctrl-C" not in out.read_text():
            assert process.poll() is None, out.read_text()
            time.sleep(0.1)
        url = out.read_text().split()[1]
        with urlopen(f"{url}/api/first") as answer:
            token = json.loads(answer.read())["token"]
        address = f"{url.replace('http', 'ws')}/api/live/{token}"
        with connect(address, origin=url) as page:  # type: ignore[arg-type]
            yield page, port
    finally:
        process.kill()
        process.wait()


@contextmanager
def sending(port: int, packet: Callable[[], bytes]) -> Iterator[None]:
    """Packets, 15 a second for machines that are busy with other things, and rubbish between."""
    ends = threading.Event()

    def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not ends.wait(1 / 15):
                for data in (packet(), b"nonsense"):
                    with suppress(ConnectionError):  # refused while nobody listens
                        sender.sendto(data, (LOOPBACK, port))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def shown(page: ClientConnection, until: Callable[[dict[str, float]], bool], name: str) -> None:
    """Look at the pictures until there is such a pose, driven by that tracker."""
    deadline = time.monotonic() + 90
    pose: dict[str, float] = {}
    while not pose or not until(pose):
        assert time.monotonic() < deadline, pose
        with suppress(TimeoutError):  # where nothing moves there is no other picture
            message = page.recv(0.2)
            if isinstance(message, bytes):
                page.send('{"shown": true}')
                continue
            words = json.loads(message)
            assert words["source"] == name
            pose = words["pose"]


def packet_of(tracker: str, is_turned: bool) -> bytes:
    """Straight and neutral, or turned, the left eye shut, the mouth wide."""
    pose = (0.0, TURN * is_turned, 0.0)
    if tracker == "vmc":
        return vmc_frame(turn(*pose), Blink_L=float(is_turned), A=float(is_turned))
    if tracker == "openseeface":
        lips = 35.0 * is_turned
        return see_face(see_face_quaternion(pose), left_open=1.0 - is_turned, lips=lips)
    return mocap(*pose, {"eyeBlink_L": 100.0 * is_turned, "jawOpen": 100.0 * is_turned}, "&")


@pytest.mark.parametrize(
    ("tracker", "sign"), [("vmc", 1), ("openseeface", -1), ("ifacialmocap", -1)]
)
def test_a_trackers_packets_pose_what_a_page_shows(
    tracker: str, sign: int, bundle: Path, tmp_path: Path
) -> None:
    shut, open_ = ("left_eye", "right_eye") if sign > 0 else ("right_eye", "left_eye")
    straight, turned = (packet_of(tracker, is_turned) for is_turned in (False, True))
    now = [straight]
    with served(bundle, tmp_path, tracker) as (page, port):
        name = f"{tracker}:{LOOPBACK}:{port}"
        with sending(port, lambda: now[0]):
            shown(page, lambda _pose: True, name)
            ends = time.monotonic() + CALIBRATION_SECONDS + 1
            shown(page, lambda _pose: time.monotonic() > ends, name)
            now[0] = turned
            shown(
                page,
                lambda pose: (
                    abs(pose["head_y"] - sign * TURN / 15) < 0.05
                    and pose[shut] > 0.9
                    and pose[open_] < 0.1
                    and pose["mouth"] > 0.9
                ),
                name,
            )
            now[0] = straight
            shown(page, lambda pose: max(map(abs, pose.values())) < 0.05, name)
            now[0] = turned
            shown(page, lambda pose: pose["mouth"] > 0.9, name)
        # The tracker has fallen silent.
        shown(page, lambda pose: max(map(abs, pose.values())) < 0.01, name)
