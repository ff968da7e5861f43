"""A microphone and a dropped sound in a real browser, up to what the page shows."""

from __future__ import annotations

import shutil
import subprocess
import time
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page

from animate.serve import microphone
from animate.sound.live_mouth import LiveMouth
from tests.support.in_browser import (
    assert_refusals_have_remedies,
    chromium,
    fake_devices,
    needs_browser,
    opened,
    wait_until,
)
from tests.support.voices import F32, RATE, A, silence, vowel, write_wav

F64 = npt.NDArray[np.float64]
pytestmark = needs_browser

ON, OFF = 0.6, 0.8  # seconds: longer than a busy machine's stumbling
LOUD = 0.02
WATCH = """() => {
  window.seen = [];
  const sound = document.getElementById('sound');
  const axes = ['mouth', 'left_eye', 'head_y'].map((one) => document.getElementById(`axis-${one}`));
  setInterval(() => window.seen.push([
    Date.now() / 1000, sound.currentTime, ...axes.map((axis) => Number(axis.value))]), 15);
}"""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> F32:
    """Open vowels by eSpeak NG, silence between them; of our own making where it is missing."""
    program = shutil.which("espeak-ng")
    word = vowel(A, ON)
    if program:
        path = tmp_path_factory.mktemp("speech") / "word.wav"
        subprocess.run([program, "-s", "80", "-w", str(path), "[[A:A:]]"], check=True)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            said = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        said = np.interp(np.arange(0, len(said) - 1, rate / RATE), np.arange(len(said)), said)
        loud = np.flatnonzero(np.abs(said) > LOUD)
        word = said[loud[0] : loud[-1]].astype(np.float32)
    return np.concatenate([silence(OFF), *[word, silence(OFF)] * 4])


def is_loud(sound: F32) -> F64:
    """Of each hundredth of a second: 1 where a word is, 0 in a pause."""
    parts = np.abs(sound[: len(sound) // 160 * 160].reshape(-1, 160)).max(axis=1) > LOUD
    near = np.convolve(parts, np.ones(9), "same") > 0  # vowels pulse
    return near.astype(float)


def closeness(at: F64, mouth: F64, loud_at: F64, loud: F64) -> tuple[float, float]:
    """The best correlation of mouth and loudness, and how long after the sound that is, in s."""
    lags = np.arange(0, 0.5, 0.02)
    each = [np.corrcoef(np.interp(at - lag, loud_at, loud), mouth)[0, 1] for lag in lags]
    return float(max(each)), float(lags[int(np.argmax(each))])


def drop(page: Page, path: Path, kind: str) -> None:
    page.evaluate(
        """([name, bytes, type]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name, {type}));
          document.body.dispatchEvent(
            new DragEvent('drop', {dataTransfer: transfer, bubbles: true}));
        }""",
        [path.name, list(path.read_bytes()), kind],
    )


def test_the_mouth_follows_the_microphone(
    url: str, speech: F32, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[float, float]] = []

    class Noted(LiveMouth):
        def hear(self, samples: F32) -> float:
            heard.append((time.time(), float(np.abs(samples).max())))
            return super().hear(samples)

    monkeypatch.setattr(microphone, "LiveMouth", Noted)
    sound = write_wav(tmp_path / "speech.wav", np.concatenate([speech] * 2))
    with (
        chromium(*fake_devices(sound=sound)) as browser,
        opened(browser, url, "microphone") as page,
    ):
        page.click("#microphone")
        wait_until(page, "() => document.getElementById('listening').textContent[0] === 'y'")
        page.evaluate(WATCH)
        while not heard or heard[-1][0] - heard[0][0] < 20:
            page.wait_for_timeout(500)
        assert "microphone" in page.inner_text("#driven")
        seen = np.array(page.evaluate("() => window.seen"))
        page.click("#microphone")
        wait_until(page, "() => document.getElementById('driven').hidden")
        assert page.get_attribute("#microphone", "aria-pressed") == "false"
        wait_until(page, "() => Number(document.getElementById('axis-mouth').value) === 0")
    at, level = np.array(heard).T
    loud = np.convolve(level > LOUD, np.ones(5), "same") > 0
    known = seen[seen[:, 0] > at[0] + 4]  # by then it knows the voice
    best, lag = closeness(known[:, 0], known[:, 2], at, loud.astype(float))
    assert best > 0.7, (best, lag)
    assert known[:, 2].max() > 0.7
    since = np.interp(known[:, 0] - lag, at, np.convolve(loud, np.ones(15), "same"))
    assert np.median(known[since == 0][:, 2]) == 0
    assert known[:, 3].max() > 0.5  # it blinks,
    assert np.ptp(known[:, 4]) > 0.1  # and the head moves


def test_the_mouth_follows_a_sound_that_is_dropped(url: str, speech: F32, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "speech.wav", speech)
    seconds = len(speech) / RATE
    with chromium() as browser, opened(browser, url) as page:
        page.click("h1")  # somebody is there: browsers play nothing before
        page.evaluate(WATCH)
        drop(page, path, "audio/wav")
        wait_until(page, f"() => document.getElementById('sound').currentTime > {seconds - 0.3}")
        assert page.is_visible("#sound")
        assert "speech.wav" in page.inner_text("#playing")
        seen = np.array(page.evaluate("() => window.seen"))
        page.evaluate("() => { document.getElementById('sound').currentTime = 1.1; }")
        page.evaluate("() => document.getElementById('sound').play()")
        wait_until(page, "() => Number(document.getElementById('axis-mouth').value) > 0.5")
        page.evaluate("() => document.getElementById('sound').pause()")
        wait_until(page, "() => Number(document.getElementById('axis-mouth').value) === 0")
        page.click("#end-sound")
        wait_until(page, "() => document.getElementById('driven').hidden")
        assert not page.is_visible("#sound")
    playing = seen[(seen[:, 1] > 0.2) & (np.gradient(seen[:, 1]) > 0)]
    loud = is_loud(speech)
    best, lag = closeness(playing[:, 1], playing[:, 2], np.arange(len(loud)) / 100, loud)
    assert best > 0.75, (best, lag)
    assert playing[:, 2].max() > 0.7
    far = np.convolve(loud, np.ones(41), "same") == 0
    pauses = np.interp(playing[:, 1] - lag, np.arange(len(loud)) / 100, far.astype(float)) == 1
    assert np.median(playing[pauses][:, 2]) == 0


def test_what_is_no_sound_is_said_in_the_page(url: str, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with chromium() as browser, opened(browser, url) as page:
        for name in ("empty.wav", "film.mp4"):
            drop(page, tmp_path / name, "")
            said = f"'{name}: cannot be read as a sound'"
            wait_until(page, f"() => document.getElementById('fault').textContent.includes({said})")
            assert not page.is_visible("#sound")


def test_no_microphone_is_said_with_its_remedy(url: str) -> None:
    with chromium() as browser, opened(browser, url) as page:
        assert_refusals_have_remedies(page, "#microphone")
