"""``animate serve --listen``: packets to a running server, up to the pose that its page shows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from animate.commands.serve import _tracker
from animate.drawing.drawing import Drawing
from animate.listen.address import LOOPBACK
from animate.serve.server import make_app
from tests.support.in_browser import serving
from tests.support.shifting import Shifting, drawing
from tests.support.tracker_packets import mocap, see_face, see_face_quaternion, turn, vmc_frame
from tests.support.tracker_sender import free_port, sending

TURN = 9.0  # degrees to the viewer's left: 0.6 of the axis
CALIBRATION_SECONDS = 3.0


@contextmanager
def served(folder: Path, tracker: str) -> Iterator[tuple[ClientConnection, int]]:
    """The connection of a page of a server as ``animate serve --listen`` runs it; the UDP port."""
    port = free_port()
    with ExitStack() as stack:
        usual = _tracker(f"{tracker}:{port}", stack)
        first = Drawing("block.png", drawing(), True, ())
        app = make_app(Shifting(), first, LOOPBACK, folder, usual=usual)
        url = stack.enter_context(serving(app))
        with urlopen(f"{url}/api/first") as answer:
            token = json.loads(answer.read())["token"]
        address = f"{url.replace('http', 'ws')}/api/live/{token}"
        with connect(address, origin=Origin(url)) as page:
            yield page, port


class Viewer:
    """Looks at the pictures that one tracker drives."""

    def __init__(self, page: ClientConnection, source: str) -> None:
        self._page, self._source = page, source
        self._pose: dict[str, float] = {}

    def sees(self, until: Callable[[dict[str, float]], bool]) -> None:
        """Look until there is such a pose."""
        deadline = time.monotonic() + 60
        while not self._pose or not until(self._pose):
            assert time.monotonic() < deadline, self._pose
            with suppress(TimeoutError):  # where nothing moves there is no other picture
                message = self._page.recv(0.2)
                if isinstance(message, bytes):
                    self._page.send('{"shown": true}')
                    continue
                words = json.loads(message)
                assert words["source"] == self._source
                self._pose = words["pose"]


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
def test_a_trackers_packets_pose_what_a_page_shows(tracker: str, sign: int, tmp_path: Path) -> None:
    shut, open_ = ("left_eye", "right_eye") if sign > 0 else ("right_eye", "left_eye")
    straight, turned = (packet_of(tracker, is_turned) for is_turned in (False, True))
    now = [straight]
    with served(tmp_path, tracker) as (page, port):
        viewer = Viewer(page, f"{tracker}:{LOOPBACK}:{port}")
        # Few, for machines that are busy with other things.
        with sending(port, lambda _: now[0], fps=15, between=b"nonsense"):
            viewer.sees(lambda _pose: True)
            ends = time.monotonic() + CALIBRATION_SECONDS + 1
            viewer.sees(lambda _pose: time.monotonic() > ends)
            now[0] = turned
            viewer.sees(
                lambda pose: (
                    abs(pose["head_y"] - sign * TURN / 15) < 0.05
                    and pose[shut] > 0.9
                    and pose[open_] < 0.1
                    and pose["mouth"] > 0.9
                )
            )
            now[0] = straight
            viewer.sees(lambda pose: max(map(abs, pose.values())) < 0.05)
            now[0] = turned
            viewer.sees(lambda pose: pose["mouth"] > 0.9)
        # The tracker has fallen silent.
        viewer.sees(lambda pose: max(map(abs, pose.values())) < 0.01)
