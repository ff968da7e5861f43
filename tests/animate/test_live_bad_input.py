"""What comes before a live page that is not as it should be: odd cameras, odd viewers, long nights.

Others: a camera of 1 picture a second, which of two faces, and a camera that goes, in
test_camera.py; sounds that are too long, empty or none in test_speaking.py (the page) and
test_speech.py (the command).
"""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from websockets.sync.client import connect
from websockets.typing import Origin

import animate.serve.camera
from animate.drawing.drawing import decode_drawing
from animate.motion.motion import NEUTRAL
from animate.pose.poser import Poser
from animate.serve.camera import Watched, decode_jpeg
from animate.serve.driver import Playing
from animate.serve.live import Live
from animate.serve.server import make_app
from animate.serve.sessions import MAX_CONNECTIONS
from animate.serve.show import Show
from animate.serve.speaking import Talking
from animate.sound.live_mouth import LiveMouth
from animate.track.capture import Rgb, file_frames
from animate.track.face_measures import FaceFinder, measure
from tests.support.in_browser import chromium, fake_devices, needs_browser, opened, serving
from tests.support.page_client import GOOD, OURS
from tests.support.photographed_face import photographed, turned
from tests.support.shifting import Shifting, bytes_of, drawing
from tests.support.talking_face import talking_face
from tests.support.voices import RATE, A, silence, vowel

BLACK = bytes_of(Image.new("RGB", (320, 240)), "JPEG")


# Faces.


def test_in_a_black_picture_nobody_is_seen_and_the_drawing_rests(
    client: TestClient, token: str
) -> None:
    pytest.importorskip("mediapipe")
    with client.websocket_connect(f"/api/camera/{token}", headers=OURS) as camera:
        assert camera.receive_json() == {"ready": True}
        camera.send_bytes(BLACK)
        words = camera.receive_json()
        assert (words["face"], words["calibrated"], words["landmarks"]) == (False, False, None)
        with client.websocket_connect(f"/api/live/{token}", headers=OURS) as live:
            shown = json.loads(live.receive()["text"])
            assert shown["source"] == "camera"
            assert shown["pose"] == {name: round(v, 4) for name, v in vars(NEUTRAL).items()}


def test_of_two_faces_in_one_picture_the_larger_one_is_followed_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    pictures = [frame.picture for frame in file_frames(talking_face(tmp_path))][:12]

    def both(picture: Rgb, left: int, right: int) -> Rgb:
        """One person twice, so wide."""
        page = Image.new("RGB", (640, 360), "grey")
        for width, place in ((left, 0), (right, 330)):
            image = Image.fromarray(picture)
            page.paste(
                image.resize((width, round(width * image.height / image.width))), (place, 20)
            )
        return np.asarray(page)

    with FaceFinder(2) as finder:
        middles = []
        for number, picture in enumerate(pictures):
            # The left one is larger at first; then the right one comes as near, and nearer.
            left, right = (320, 220) if number < 6 else (280, 310)
            found = finder.find(both(picture, left, right))
            middles.append(float("nan") if found is None else float(found[:, 0].mean()))
    seen = np.array(middles)[~np.isnan(middles)]
    assert len(seen) >= 8
    assert seen.max() < 325


def test_a_profile_is_no_face_and_the_head_goes_no_further_than_it_can() -> None:
    person = Watched()
    turns = [*np.zeros(90), *np.linspace(0, 130, 60), *np.full(60, 130.0)]
    poses = []
    for frame, degrees in enumerate(turns):
        landmarks = photographed(turned(0, degrees / 15, 0))
        for upper, lower in ((386, 374), (159, 145)):  # lids are open
            landmarks[upper], landmarks[lower] = (300, 200), (300, 206)
        landmarks[[385, 387, 160, 158]] = 300, 200
        landmarks[[380, 373, 144, 153]] = 300, 206
        landmarks[152] = landmarks[10] + (0, 240)  # a chin
        person.take(frame / 30, measure(landmarks, 640, 480))
        poses.append(person.follower.pose(frame / 30).to_vector())
    shown = np.array(poses)
    assert shown[:, 1].min() < -0.95  # as in a mirror
    # What else moves the head is nothing; the face of a profile is not made up.
    assert np.abs(shown[:, [0, 2]]).max() < 0.02
    assert np.abs(np.diff(shown[:, 1])).max() < 0.2
    assert abs(shown[-1, 1]) < 0.05


@pytest.mark.parametrize("where", [0.0, 1e9, "line"])
def test_landmarks_of_no_face_are_no_face(where: float | str) -> None:
    pytest.importorskip("cv2")
    landmarks = np.zeros((478, 2))
    landmarks[:] = (300.0, 200.0) if where == "line" else where
    assert np.isnan(measure(landmarks, 640, 480)).all()


# Cameras.

SLOW_TO_PLAY = """() => {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = async function () {
    const source = this.srcObject;
    await new Promise((done) => setTimeout(done, 500));
    if (this.srcObject !== source) throw new DOMException("interrupted", "AbortError");
    return play.call(this);
  };
}"""
"""So the other camera is chosen before the first has begun, and the first's beginning fails."""


KEEP_STREAM = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
}"""


@needs_browser
def test_of_two_cameras_one_is_chosen(url: str) -> None:
    pytest.importorskip("mediapipe")
    used = "() => document.getElementById('cameras').selectedOptions[0]?.textContent"
    with (
        chromium(*fake_devices(cameras=2)) as browser,
        opened(browser, url, "camera") as page,
    ):
        assert not page.is_visible("#cameras")
        page.evaluate(SLOW_TO_PLAY)
        page.click("#camera")
        page.wait_for_selector("#cameras:not([hidden])")
        names = page.eval_on_selector_all("#cameras option", "all => all.map((o) => o.textContent)")
        assert len(names) == 2
        other = next(name for name in names if name != page.evaluate(used))
        page.select_option("#cameras", label=other)
        page.wait_for_function(
            "() => document.getElementById('watching').textContent.includes('no face')"
        )
        assert page.evaluate(used) == other
        assert page.get_attribute("#camera", "aria-pressed") == "true"
        assert not page.is_visible("#fault")


@needs_browser
def test_a_camera_that_is_unplugged_is_said_with_its_remedy(url: str) -> None:
    pytest.importorskip("mediapipe")
    with (
        chromium(*fake_devices()) as browser,
        opened(browser, url, "camera") as page,
    ):
        page.evaluate(KEEP_STREAM)
        page.click("#camera")
        page.wait_for_function(
            "() => document.getElementById('watching').textContent.includes('no face')"
        )
        page.evaluate("() => stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
        assert "plug it in, then press the button again" in page.inner_text("#fault")
        assert page.get_attribute("#camera", "aria-pressed") == "false"
        assert not page.is_visible("#me")
        page.wait_for_function("() => document.getElementById('driven').hidden")
        page.click("#camera")
        page.wait_for_function(
            "() => document.getElementById('driven').textContent.includes('cam')"
        )
        assert not page.is_visible("#fault")


@needs_browser
def test_a_camera_of_4k_sends_small_pictures(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mediapipe")
    film = tmp_path / "film.y4m"
    with film.open("wb") as file:
        file.write(b"YUV4MPEG2 W3840 H2160 F30:1 Ip A1:1 C420jpeg\n")
        for grey in (40, 200):
            file.write(
                b"FRAME\n" + bytes([grey]) * (3840 * 2160) + bytes([128]) * (1920 * 1080 * 2)
            )
    sizes: list[tuple[int, ...]] = []

    def noted(data: bytes) -> Rgb:
        picture = decode_jpeg(data)
        sizes.append((len(data), *picture.shape))
        return picture

    monkeypatch.setattr(animate.serve.camera, "decode_jpeg", noted)
    with (
        chromium(*fake_devices(film=film)) as browser,
        opened(browser, url, "camera") as page,
    ):
        page.click("#camera")
        page.wait_for_function(
            "() => document.getElementById('watching').textContent.includes('no face')"
        )
    assert sizes
    assert max(width for _, _, width, _ in sizes) <= 320
    assert max(length for length, *_ in sizes) < 50_000


# Viewers.


def test_a_viewer_that_never_reads_holds_up_nobody(tmp_path: Path) -> None:
    app = make_app(Shifting(256, 256), decode_drawing(GOOD, "a.png"), "127.0.0.1", tmp_path)
    with serving(app) as url:
        from urllib.request import urlopen

        with urlopen(f"{url}/api/first") as answer:
            token = json.loads(answer.read())["token"]
        address = f"{url.replace('http', 'ws')}/api/live/{token}"
        with (
            connect(address, origin=Origin(url), max_queue=1) as deaf,
            connect(address, origin=Origin(url)) as viewer,
        ):
            viewer.send('{"motion": "shake"}')
            numbers = 0
            tracemalloc.start()
            deadline = time.monotonic() + 60
            while numbers < 120 and time.monotonic() < deadline:
                deaf.send('{"shown": true}')  # and never looks
                if isinstance(viewer.recv(60), bytes):
                    numbers += 1
                    viewer.send('{"shown": true}')
                if numbers == 60:
                    tracemalloc.reset_peak()
                    before, _ = tracemalloc.get_traced_memory()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert numbers == 120
            assert after - before < 4 << 20


def test_of_200_connections_those_beyond_the_bound_are_told_so(
    client: TestClient, token: str
) -> None:
    path = f"/api/live/{token}"
    with ExitStack() as stack:
        refused = 0
        for number in range(200):
            opening = client.websocket_connect(path, headers=OURS)
            words = json.loads(stack.enter_context(opening).receive()["text"])
            refused += "close pages" in words.get("fault", "")
            assert bool(refused) == (number >= MAX_CONNECTIONS)
        assert refused == 200 - MAX_CONNECTIONS
    with client.websocket_connect(path, headers=OURS) as again:
        assert "pose" in json.loads(again.receive()["text"])


# A page that is left open overnight.


class Viewer:
    """Shows each picture at once, and keeps none."""

    def __init__(self) -> None:
        self._shown: asyncio.Queue[str] = asyncio.Queue()
        self.count = 0

    async def receive(self) -> dict[str, str]:
        return {"type": "websocket.receive", "text": await self._shown.get()}

    async def send_bytes(self, data: bytes) -> None:
        self.count += 1
        self._shown.put_nowait('{"shown": true}')

    async def send_text(self, data: str) -> None:
        pass


def test_memory_stays_where_it_is_while_pictures_are_shown() -> None:
    viewer = Viewer()
    memory: list[int] = []

    async def watch() -> None:
        with ThreadPoolExecutor(1) as drawer:
            show = Show(Poser(Shifting(), drawing()), drawer)
            show.driver.follow(Playing("sway", time.monotonic()))
            task = asyncio.create_task(Live(viewer, show).run())
            tracemalloc.start()
            for count in (100, 400):
                while viewer.count < count:
                    await asyncio.sleep(0.01)
                memory.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
            task.cancel()

    asyncio.run(watch())
    assert memory[1] - memory[0] < 200_000


def test_after_a_night_sources_go_on_and_have_kept_nothing() -> None:
    night = 12 * 3600.0
    nod = Playing("nod", 0.0)
    assert nod.pose(night + 0.5) == nod.pose(0.5)
    person, talking, mouth = Watched(), Talking(0.0), LiveMouth()
    looking = np.array([0.0, 0.3, 0, 0.3, 0.3, 0.01])
    syllable = np.concatenate([vowel(A, 0.3), silence(0.7)])

    def a_while(first: int, seconds: int) -> int:
        for second in range(first, first + seconds):
            person.take(second, looking)
            talking.take(second, mouth.hear(syllable[: RATE // 2]))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    before = a_while(0, 60)
    after = a_while(60, 200)
    tracemalloc.stop()
    assert after - before < 100_000
    # The machine slept: the night is one long gap.
    person.take(night, np.full(6, np.nan))
    assert person.pose(night) == NEUTRAL
    for frame in range(30):
        person.take(night + 1 + frame / 30, looking + np.array([0, 0.5, 0, 0, 0, 0]))
    assert person.follower.pose(night + 2).head_y == pytest.approx(-0.5, abs=0.1)
    talking.take(night, 0.8)
    assert talking.pose(night).mouth == 0.8
