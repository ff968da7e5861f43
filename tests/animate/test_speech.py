"""A voice moves the mouth: vowels whose times are known, silence, hiss, noise, and real speech."""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from animate.motion.motion import Motion
from animate.motion.speech import motion_of_voice, phrases_of, speech_motion
from animate.sound.live_mouth import LiveMouth
from animate.sound.voice import F64, RATE, STEP, heard, mouth_track, presence
from contract.errors import InputError
from contract.pose import AXES, AXIS_NAMES
from tests.support.voices import F32, A, I, U, hiss, silence, vowel, write_wav

MOUTH, LEFT, RIGHT = (AXIS_NAMES.index(name) for name in ("mouth", "left_eye", "right_eye"))
HEAD = slice(0, 3)
EDGE = 0.12  # seconds: the bell and the window reach so far


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def syllables(sound: F32, count: int, on: float = 0.3, off: float = 0.4) -> F32:
    """Silence, then that sound and silence in turn."""
    return np.concatenate([silence(off), *([sound[: round(on * RATE)], silence(off)] * count)])


def spoken(count: int, moments: int, on: float = 0.3, off: float = 0.4) -> F64:
    """Of ``syllables``: 1 while the sound is on."""
    time = (np.arange(moments) * STEP - off) % (on + off)
    is_on = (time < on) & (np.arange(moments) * STEP >= off)
    assert np.diff(is_on.astype(int)).clip(0).sum() == count
    return is_on.astype(float)


def mouth_of(sound: F32) -> F64:
    return mouth_track(heard([sound]))


def test_the_mouth_is_wide_in_vowels_and_shut_in_silence() -> None:
    mouth = mouth_of(syllables(vowel(A, 1), 5))
    on = spoken(5, len(mouth))
    assert np.corrcoef(mouth, on)[0, 1] > 0.95
    reach = np.ones(2 * round(EDGE / STEP) + 1)
    assert mouth[np.convolve(on, reach, "same") == 0].max() == 0
    assert mouth[np.convolve(1 - on, reach, "same") == 0].min() > 0.95


def test_vowels_with_a_raised_jaw_open_it_less_and_hiss_hardly() -> None:
    wide, narrow, round_ = (mouth_of(syllables(vowel(one, 1), 3)).max() for one in (A, I, U))
    assert wide > 0.95
    assert 0.2 < narrow < 0.6 * wide
    assert 0.2 < round_ < 0.6 * wide
    word = np.concatenate([hiss(0.3), vowel(A, 0.3), silence(0.3)])
    mouth = mouth_of(word)
    assert mouth[5:25].max() < 0.15
    assert mouth[40:50].min() > 0.9


def test_the_level_of_a_recording_is_free() -> None:
    sound = syllables(vowel(A, 1), 3)
    np.testing.assert_allclose(mouth_of(0.02 * sound), mouth_of(sound), atol=0.02)


def test_noise_behind_a_voice_does_not_open_the_mouth() -> None:
    sound = syllables(vowel(A, 1), 6)
    noise = rng().standard_normal(len(sound)).astype(np.float32)
    mouth = mouth_of(sound + 0.01 * noise)  # some 25 dB below the vowels
    on = spoken(6, len(mouth))
    assert np.corrcoef(mouth, on)[0, 1] > 0.9
    reach = np.ones(2 * round(EDGE / STEP) + 1)
    assert mouth[np.convolve(on, reach, "same") == 0].mean() < 0.02


def test_it_does_not_matter_in_which_parts_a_sound_comes() -> None:
    sound = syllables(vowel(A, 1), 3)
    whole = heard([sound])
    for size in (1, 77, 512, 5000):
        parts = heard(sound[start : start + size] for start in range(0, len(sound), size))
        np.testing.assert_array_equal(parts.loudness, whole.loudness)
        np.testing.assert_array_equal(parts.jaw, whole.jaw)
    assert whole.seconds == pytest.approx(len(sound) / RATE, abs=STEP)


def test_a_sine_of_full_scale_is_3_db_below_it() -> None:
    time = np.arange(RATE) / RATE
    voice = heard([np.sin(2 * np.pi * 1000 * time).astype(np.float32)])
    np.testing.assert_allclose(voice.loudness[5:-5], -3.01, atol=0.05)
    assert voice.jaw[50] > 30
    assert voice.hiss[50] < 0.01


@pytest.mark.parametrize("sound", [silence(2), 1e-5 * vowel(A, 2), silence(0.001), silence(0)])
def test_what_cannot_be_heard_leaves_the_mouth_shut(sound: F32) -> None:
    voice = heard([sound])
    assert voice.is_silent
    motion = motion_of_voice(voice, 25, rng())
    assert len(motion.poses) == max(1, round(voice.seconds * 25))
    assert motion.poses[:, MOUTH].max() == 0


def test_a_steady_noise_or_hum_is_no_voice() -> None:
    noise = 0.1 * rng().standard_normal(3 * RATE).astype(np.float32)
    assert mouth_of(noise)[10:-10].max() < 0.05
    assert mouth_of(vowel(A, 3))[20:-20].max() < 0.05


def test_a_live_mouth_follows_the_voice_within_a_twentieth_of_a_second() -> None:
    sound = syllables(vowel(A, 1), 12)
    sound += 0.003 * rng().standard_normal(len(sound)).astype(np.float32)
    live, part = LiveMouth(), round(0.02 * RATE)
    assert live.hear(sound[:0]) == 0
    parts = [sound[start : start + part] for start in range(0, len(sound), part)]
    mouth = np.array([live.hear(part) for part in parts])
    assert mouth.min() >= 0 and mouth.max() <= 1
    on = spoken(12, 2 * len(mouth))[1::2]
    known = slice(100, None)  # after 2 s it knows the voice
    at_lag = [np.corrcoef(np.roll(on, lag)[known], mouth[known])[0, 1] for lag in range(6)]
    assert max(at_lag) > 0.9
    assert 0.02 * np.argmax(at_lag) <= 0.05
    pause = np.convolve(np.roll(on, 2), np.ones(9), "same") == 0
    assert mouth[known][pause[known]].max() < 0.05


def test_samples_that_are_no_numbers_do_no_harm() -> None:
    sound = syllables(vowel(A, 1), 2)
    sound[::1000] = np.nan
    sound[5] = np.inf
    assert np.isfinite(mouth_of(sound)).all()


# The motion.


def talk(seed: int = 0, fps: float = 25) -> tuple[Motion, F64]:
    """Twelve phrases of three syllables; and which moments are in a phrase."""
    word = np.concatenate([np.tile(np.concatenate([vowel(A, 0.2), silence(0.08)]), 3)])
    sound = np.concatenate([silence(0.8), *([word, silence(1.2)] * 12)])
    voice = heard([sound])
    return motion_of_voice(voice, fps, rng(seed)), presence(voice)


def test_phrases_are_what_lies_between_pauses() -> None:
    _, loud = talk()
    phrases = phrases_of(loud) * STEP
    assert len(phrases) == 12
    np.testing.assert_allclose(phrases[:, 0], 0.8 + 2.04 * np.arange(12), atol=0.05)
    np.testing.assert_allclose(phrases[:, 1] - phrases[:, 0], 0.76, atol=0.06)
    assert phrases_of(np.zeros(100)).shape == (0, 2)


def test_a_spoken_motion_stays_in_range_and_is_the_same_for_the_same_seed() -> None:
    motion, _ = talk()
    np.testing.assert_array_equal(talk()[0].poses, motion.poses)
    assert (talk(1)[0].poses[:, :5] != motion.poses[:, :5]).any()
    np.testing.assert_array_equal(talk(1)[0].poses[:, MOUTH], motion.poses[:, MOUTH])
    for column, axis in zip(motion.poses.T, AXES, strict=True):
        assert axis.low <= column.min() <= column.max() <= axis.high
    assert np.abs(np.diff(motion.poses[:, HEAD], axis=0)).max() < 0.12  # a head, not a fly


def test_the_head_moves_in_time_with_the_speech() -> None:
    """Over seeds, what chance adds goes away; what the voice does stays."""
    mean = np.mean([talk(seed)[0].poses[:, 0] for seed in range(40)], axis=0)
    time = (np.arange(len(mean)) + 0.5) / 25
    phase = (time - 0.8) % 2.04
    speaking = (time > 0.8) & (phase > 0.1) & (phase < 0.7)
    assert mean[speaking].mean() < mean[~speaking].mean() - 0.03


def test_eyes_blink_where_phrases_end() -> None:
    ends = 0.8 + 2.04 * np.arange(12) + 0.76
    distances = []
    for seed in range(20):
        motion = talk(seed)[0]
        np.testing.assert_array_equal(motion.poses[:, LEFT], motion.poses[:, RIGHT])
        shut = motion.poses[:, LEFT] > 0
        starts = np.flatnonzero(shut[1:] & ~shut[:-1]) / 25
        assert len(starts) > 3
        distances += [np.abs(ends - start).min() for start in starts]
    # By chance it were some 0.35 of them.
    assert np.mean(np.array(distances) < 0.2) > 0.6


@pytest.mark.parametrize("fps", [1, 12, 29.97, 120])
def test_a_motion_lasts_as_long_as_its_sound(fps: float) -> None:
    motion = talk(fps=fps)[0]
    assert motion.seconds == pytest.approx(0.8 + 12 * 2.04, abs=1 / fps)


# Files.


def test_a_file_is_heard_to_its_end_or_as_far_as_one_likes(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", syllables(vowel(A, 1), 4))
    motion = speech_motion(path, 20, rng(), 0)
    assert (len(motion.poses), motion.notes) == (64, ())
    on = spoken(4, 64 * 5)[2::5]
    assert np.corrcoef(motion.poses[:, MOUTH], on)[0, 1] > 0.9
    cut = speech_motion(path, 20, rng(), 1.5)
    assert len(cut.poses) == 30
    quiet = speech_motion(write_wav(tmp_path / "q.wav", silence(1)), 20, rng(), 0)
    assert "nothing is heard in it; the mouth stays closed" in quiet.notes[0]


def test_a_sound_of_hours_is_refused_or_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 4000, 0, "NONE", ""))
        file.writeframes(bytes([128]) * (4000 * 840))
    with pytest.raises(InputError, match=r"longer than 833 s, which are 100000 frames at 120"):
        speech_motion(path, 120, rng(), 0)
    with pytest.raises(InputError, match=r"longer than 833 s"):
        speech_motion(path, 120, rng(), 5000)
    assert len(speech_motion(path, 120, rng(), 2).poses) == 240


def _wav_of_rate(path: Path, rate: int) -> Path:
    return write_wav(path, silence(0.1), rate)


def test_what_is_no_sound_is_refused_in_one_line(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "moving.gif", save_all=True)
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "nothing.wav").write_bytes(b"")
    write_wav(tmp_path / "empty.wav", silence(0))
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nempty.wav\n")
    for name, fault in (
        ("none.wav", "cannot be read as a sound"),
        ("picture.png", "cannot be read as a sound"),
        ("moving.gif", "cannot be read as a sound"),
        ("text.wav", "cannot be read as a sound"),
        ("nothing.wav", "cannot be read as a sound"),
        ("list.m3u8", "cannot be read as a sound"),
        ("empty.wav", "its sound is empty"),
    ):
        with pytest.raises(InputError, match=fault) as caught:
            speech_motion(tmp_path / name, 25, rng(), 0)
        assert str(tmp_path / name) in str(caught.value)
    for rate in (1, 2_000_000):
        with pytest.raises(InputError, match=f"{rate} samples a second"):
            speech_motion(_wav_of_rate(tmp_path / "odd.wav", rate), 25, rng(), 0)


def test_a_damaged_file_gives_what_is_whole(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", syllables(vowel(A, 1), 4))
    path.write_bytes(path.read_bytes()[:60_001])
    assert speech_motion(path, 20, rng(), 0).seconds == pytest.approx(1.87, abs=0.05)


# Real speech.


def _said_by_espeak(path: Path, phonemes: str) -> F32:
    """What eSpeak NG says, at its own rate, without the silence around it."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")
    subprocess.run([program, "-s", "120", "-w", str(path), f"[[{phonemes}]]"], check=True)
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    sound = sound[loud[0] : loud[-1]]
    at = np.arange(0, len(sound) - 1, rate / RATE)
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def test_the_mouth_follows_the_vowels_of_speech(tmp_path: Path) -> None:
    """Open vowels, each in a pause of its own, so that what is spoken when is known."""
    words = [_said_by_espeak(tmp_path / f"{n}.wav", p) for n, p in enumerate(["A:", "E", "aI"])]
    pieces, on = [silence(0.5)], [np.zeros(round(0.5 * RATE))]
    for word in words * 2:
        pieces += [word, silence(0.5)]
        on += [np.ones(len(word)), np.zeros(round(0.5 * RATE))]
    mouth = mouth_of(np.concatenate(pieces))
    spoken_now = np.concatenate(on)[:: round(RATE * STEP)][: len(mouth)]
    assert np.corrcoef(mouth[: len(spoken_now)], spoken_now)[0, 1] > 0.85
    reach = np.ones(2 * round(EDGE / STEP) + 1)
    pause = np.convolve(spoken_now, reach, "same") == 0
    assert mouth[: len(spoken_now)][pause].max() == 0


def test_consonants_of_speech_shut_the_mouth_between_its_vowels(tmp_path: Path) -> None:
    mouth = mouth_of(_said_by_espeak(tmp_path / "a.wav", "mA:mA:sA:"))
    inner = mouth[8:-8]
    peaks = (inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:]) & (inner[1:-1] > 0.7)
    valleys = (inner[1:-1] <= inner[:-2]) & (inner[1:-1] < inner[2:]) & (inner[1:-1] < 0.4)
    assert peaks.sum() >= 3
    assert valleys.sum() >= 2
