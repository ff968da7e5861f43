"""A person before the page's camera: what is taken, what drives, and the whole in a browser."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import animate.serve.camera
import animate.serve.connections
from animate.motion.motion import NEUTRAL
from animate.serve.camera import MAX_JPEG_BYTES, Camera, decode_jpeg
from animate.serve.driver import Driver, Playing
from animate.serve.wire import LeftError
from animate.track.capture import Rgb, file_frames
from animate.track.face_measures import F64, FaceFinder, Landmarks, chosen
from animate.track.follow import Follower
from contract.errors import InputError
from contract.pose import Pose
from tests.support.fake_camera import number_of, write_film
from tests.support.in_browser import chromium, fake_devices, needs_browser, opened
from tests.support.page_client import OURS, Script
from tests.support.shifting import bytes_of
from tests.support.talking_face import talking_face

BLACK = bytes_of(Image.new("RGB", (320, 240)), "JPEG")


def test_only_small_jpegs_are_taken() -> None:
    assert decode_jpeg(BLACK).shape == (240, 320, 3)
    grey = decode_jpeg(bytes_of(Image.new("L", (64, 48), 200), "JPEG"))
    assert grey[0, 0].tolist() == [200, 200, 200]
    for data, fault in (
        (b"", "no JPEG"),
        (BLACK[:40], "no JPEG"),
        (BLACK[: len(BLACK) // 2], "no JPEG"),
        (bytes_of(Image.new("RGB", (64, 64))), "no JPEG"),
        (bytes_of(Image.new("RGB", (3840, 2160)), "JPEG"), "3840x2160; send 640 at most"),
    ):
        with pytest.raises(InputError, match=fault):
            decode_jpeg(data)


def a_face(x: float, size: float) -> Landmarks:
    square = np.array([(0, 0), (0, 1), (1, 0), (1, 1)], np.float64)
    return square * size + (x - size / 2, 100 - size / 2)


def test_of_two_faces_the_larger_is_followed_and_stays() -> None:
    near, far = a_face(100, 80), a_face(250, 40)
    assert chosen([far, near], None) is near
    assert chosen([], near) is None
    grown = a_face(250, 120)
    still = a_face(104, 80)
    assert chosen([grown, still], near) is still
    assert chosen([grown], near) is grown


class Still:
    """Finds nothing; takes a while; counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seen = 0
        self._seconds = seconds

    def find(self, picture: Rgb) -> Landmarks | None:
        self.seen += 1
        time.sleep(self._seconds)
        return None


def watch(page: Script, finder: Still, driver: Driver) -> None:
    async def run() -> None:
        with ThreadPoolExecutor(1) as watcher:
            await Camera(page, driver, finder, watcher).run()

    with pytest.raises(LeftError):
        asyncio.run(run())


def test_only_the_newest_picture_is_looked_at() -> None:
    finder = Still(0.05)
    page = Script([BLACK] * 100, 0.3)
    watch(page, finder, Driver())
    assert 1 <= finder.seen <= 4
    assert [words["face"] for words in page.words if "face" in words] == [False] * finder.seen


def test_what_is_no_picture_is_answered_in_words() -> None:
    page = Script([b"no jpeg", "{", bytes(MAX_JPEG_BYTES + 1)], 0.2)
    watch(page, Still(), Driver())
    faults = [str(words["fault"]) for words in page.words if "fault" in words]
    assert sorted(fault.split(";")[0][:12] for fault in faults) == [
        "camera: a pi",
        "no message",
        "no message (",
    ]


def test_when_the_camera_goes_the_drawing_comes_to_rest_and_stays_there() -> None:
    driver = Driver()
    watch(Script([BLACK], 0.1), Still(), driver)
    assert driver.source is not None
    now = time.monotonic()
    assert driver.pose(now + 60) == NEUTRAL
    assert driver.source is None


def test_a_face_that_is_lost_returns_gently(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    person = animate.serve.camera.Watched()
    driver.follow(person)
    looking = np.array([0.0, 0, 0, 0.3, 0.3, 0.01])
    for frame in range(90):
        person.take(frame / 30, looking)
    turned = looking + np.array([0, 0.8, 0, 0, 0, 0])
    for frame in range(90, 120):
        person.take(frame / 30, turned)
    poses = []
    for frame in range(120, 180):
        person.take(frame / 30, np.full(6, np.nan))
        poses.append(driver.pose(frame / 30).head_y)
    assert poses[0] < -0.5  # as in a mirror
    assert np.abs(np.diff(poses)).max() < 0.1
    assert abs(poses[-1]) < 0.05


def test_a_slow_camera_is_not_taken_for_one_that_is_gone() -> None:
    person = animate.serve.camera.Watched()
    for second in range(5):
        person.take(second, np.array([0.0, 0, 0, 0.3, 0.3, 0.01]))
    for second in range(5, 8):
        person.take(second, np.array([0.0, 0.8, 0, 0.3, 0.3, 0.01]))
    poses = [person.pose(7 + after / 60) for after in range(600)]
    turns = [pose.head_y for pose in poses if pose]
    assert max(turns[:119]) < -0.6
    assert abs(turns[-1]) < 0.05
    assert np.abs(np.diff(turns)).max() < 0.1


def test_something_else_may_take_over() -> None:
    driver = Driver()
    page = Script([BLACK], 0.3)

    async def run() -> None:
        with ThreadPoolExecutor(1) as watcher:
            task = asyncio.create_task(Camera(page, driver, Still(), watcher).run())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            driver.follow(Playing("nod", time.monotonic()))
            await task

    with pytest.raises(InputError, match="something else drives"):
        asyncio.run(run())


def test_without_mediapipe_the_extra_is_named(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.face_mesh", None)
    with client.websocket_connect(f"/api/camera/{token}", headers=OURS) as socket:
        assert "pip install 'opentha[track]'" in socket.receive_json()["fault"]


# The whole, before a film in place of a camera. Labelled by eye, as in test_track.py.
BLINKS = (42, 92)
OPEN_EYES = (12, 20, 34, 60, 68, 108)
SHUT_MOUTH = (83, 96, 97, 119)
WIDE_MOUTH = (60, 61, 111, 116)
WITHIN = 4  # frames: 133 ms
WATCH_BRIGHTNESS = """() => {
  window.brightness = [];
  const c = document.getElementById('canvas');
  setInterval(() => window.brightness.push(
    c.getContext('2d').getImageData(8, 8, 1, 1).data[0]), 20);
}"""


@needs_browser
def test_a_film_before_the_camera_moves_the_drawing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mediapipe")
    film = tmp_path / "film.y4m"
    write_film((frame.picture for frame in file_frames(talking_face(tmp_path))), film)
    seen: list[int] = []
    answered: list[tuple[int, Pose]] = []

    class Numbered(FaceFinder):
        def find(self, picture: Rgb) -> Landmarks | None:
            seen.append(number_of(picture))
            return super().find(np.ascontiguousarray(picture[:, 60:]))

    class Told(Follower):
        def take(self, seconds: float, measures: F64) -> None:
            super().take(seconds, measures)
            if self.is_calibrated:
                answered.append((seen[-1], self.pose(seconds)))

    monkeypatch.setattr(animate.serve.connections, "FaceFinder", Numbered)
    monkeypatch.setattr(animate.serve.camera, "Follower", Told)
    with (
        chromium(*fake_devices(film=film)) as browser,
        opened(browser, url, "camera") as page,
    ):
        page.click("#camera")
        page.wait_for_selector("#cue:text('look straight')")
        page.wait_for_function(
            "() => document.getElementById('watching').textContent.includes('followed')",
            timeout=60_000,
        )
        assert not page.is_visible("#cue")
        page.evaluate(WATCH_BRIGHTNESS)
        while len(answered) < 300 or not has_seen(answered):
            page.wait_for_timeout(500)
        assert "from the camera" in page.inner_text("#rate")
        assert page.is_visible("#me")
        assert "camera" in page.inner_text("#driven")
        brightness = page.evaluate("() => window.brightness")
        page.click("#camera")
        page.wait_for_function("() => document.getElementById('driven').hidden", timeout=20_000)
        page.wait_for_function(
            "() => Number(document.getElementById('axis-left_eye').value) === 0", timeout=20_000
        )
    assert max(brightness) > 200
    assert min(brightness) < 100
    assert_labelled(answered)


def has_seen(answered: list[tuple[int, Pose]]) -> bool:
    """Whether what lasts a frame was looked at twice; a machine that is busy leaves frames out."""
    numbers = [number for number, _ in answered]
    return all(numbers.count(frame) >= 2 for frame in (*BLINKS, *WIDE_MOUTH))


def assert_labelled(answered: list[tuple[int, Pose]]) -> None:
    """The poses, each with the number of its frame, do what the labels say."""
    for blink in BLINKS:
        assert max(_about(answered, blink, lambda pose: max(pose.left_eye, pose.right_eye))) > 0.6
    for frame in WIDE_MOUTH:
        assert max(_about(answered, frame, lambda pose: pose.mouth)) > 0.6
    eyes = [max(p.left_eye, p.right_eye) for number, p in answered if number in OPEN_EYES]
    mouths = [pose.mouth for number, pose in answered if number in SHUT_MOUTH]
    assert np.median(eyes) < 0.2
    assert np.median(mouths) < 0.3


def _about(
    answered: list[tuple[int, Pose]], frame: int, value: Callable[[Pose], float]
) -> list[float]:
    return [value(pose) for number, pose in answered if frame <= number <= frame + WITHIN]
