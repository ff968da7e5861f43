"""A face and a voice that drive one drawing: the mouth is the voice's, all else the face's."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from animate.motion.motion import NEUTRAL
from animate.serve.driver import Driver, Playing
from animate.serve.speaking import Softly
from contract.pose import Pose
from tests.support.in_browser import chromium, fake_devices, needs_browser, opened, wait_until
from tests.support.voices import A, silence, vowel, write_wav

SEEN = Pose(head_y=0.5, left_eye=1.0, mouth=0.25)
SAID = Pose(head_x=0.5, mouth=0.75)


class Face:
    """A camera's person, who looks the same way until it is over."""

    name = "camera"
    is_over = False

    def pose(self, now: float) -> Pose | None:
        return None if self.is_over else SEEN


def a_voice() -> Softly:
    return Softly("microphone", lambda _now: SAID, SAID, 0.0)


@pytest.mark.parametrize("first", ["face", "voice"])
def test_the_mouth_is_the_voices_and_all_else_the_faces(first: str) -> None:
    driver, face, voice = Driver(), Face(), a_voice()
    if first == "face":
        driver.follow_face(face)
    driver.follow_voice(voice)
    if first == "voice":
        assert driver.pose(1.0) == SAID
        driver.follow_face(face)
    both = driver.moment(2.0)
    assert both.pose == Pose(head_y=0.5, left_eye=1.0, mouth=0.75)
    assert both.source == "camera and microphone"
    assert driver.is_driven_by(face)
    assert driver.is_driven_by(voice)
    driver.hold(["mouth"])
    driver.slide(Pose(mouth=0.5))
    assert driver.pose(2.0) == Pose(head_y=0.5, left_eye=1.0, mouth=0.5)


def test_a_voice_goes_on_softly_when_the_face_has_gone() -> None:
    driver, face, voice = Driver(), Face(), a_voice()
    driver.follow_face(face)
    driver.follow_voice(voice)
    together = driver.pose(1.0)
    face.is_over = True
    assert driver.pose(1.01) == together
    poses = [driver.pose(1.01 + after / 60) for after in range(1, 60)]
    assert np.abs(np.diff([pose.head_y for pose in poses])).max() < 0.05
    assert poses[-1] == SAID
    assert driver.moment(2.0).source == "microphone"
    assert not driver.is_driven_by(face)
    voice.turn_off(2.0)
    assert driver.pose(3.0) == NEUTRAL
    assert driver.pose(3.1) == NEUTRAL
    assert driver.source is None


def test_a_face_has_its_mouth_again_when_the_voice_has_gone() -> None:
    driver, face, voice = Driver(), Face(), a_voice()
    driver.follow_face(face)
    driver.follow_voice(voice)
    voice.turn_off(1.0)
    driver.pose(2.0)  # the voice's last: rest
    assert driver.moment(2.1).pose == SEEN
    assert driver.moment(2.1).source == "camera"
    assert not driver.is_driven_by(voice)


def test_a_motion_takes_over_from_both() -> None:
    driver, face, voice = Driver(), Face(), a_voice()
    driver.follow_voice(voice)
    driver.follow_face(face)
    driver.follow(Playing("nod", time.monotonic()))
    assert driver.moment(time.monotonic()).source == "nod"
    assert not driver.is_driven_by(face)
    assert not driver.is_driven_by(voice)
    driver.follow_face(face)
    assert driver.moment(1.0).source == "camera"


@needs_browser
def test_a_page_uses_camera_and_microphone_together(url: str, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    words = [part for _ in range(8) for part in (silence(0.8), vowel(A, 0.6))]
    sound = write_wav(tmp_path / "speech.wav", np.concatenate(words))
    with (
        chromium(*fake_devices(sound=sound)) as browser,
        opened(browser, url, "camera", "microphone") as page,
    ):
        page.click("#camera")
        wait_until(
            page, "() => document.getElementById('watching').textContent.includes('no face')"
        )
        page.click("#microphone")
        together = (
            "() => document.getElementById('driven').textContent.includes('camera and microphone')"
        )
        speaks = "() => Number(document.getElementById('axis-mouth').value) > 0.5"
        wait_until(page, together)
        wait_until(page, speaks)
        page.click("#choice summary")
        page.click("#gallery button")  # both go on with another drawing
        wait_until(page, "() => document.getElementById('canvas').width === 512")
        wait_until(page, together)
        wait_until(page, speaks)
        page.click("#camera")
        wait_until(
            page, "() => document.getElementById('driven').textContent.includes('All follow: mic')"
        )
        wait_until(page, speaks)
        page.click("[data-motion=nod]")
        wait_until(page, "() => document.getElementById('driven').textContent.includes('nod')")
        assert page.get_attribute("#microphone", "aria-pressed") == "false"
