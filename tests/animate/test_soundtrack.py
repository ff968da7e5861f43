"""Sounds of many kinds, heard; and put into videos, as long as they last."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from animate.commands.main import main
from animate.drawing.output import write_animation, write_still
from animate.motion.speech import speech_motion
from animate.sound.voice import STEP, mouth_track, read_voice
from contract.errors import InputError
from contract.image import Stored
from models.base.config import NetworkConfig
from models.files.bundle import save_bundle
from tests.support.shifting import SIZE, drawing
from tests.support.untrained import untrained
from tests.support.voices import F32, RATE, A, silence, vowel, write_wav

CONFIG = NetworkConfig(size=SIZE, channels=4, max_channels=8, residual_blocks=1)


def word() -> F32:
    return np.concatenate([silence(0.5), vowel(A, 0.4), silence(0.6), vowel(A, 0.4), silence(0.5)])


def frames(wanted: range) -> Iterator[Stored]:
    for number in wanted:
        yield np.full((32, 32, 4), (*[4 * number % 256] * 3, 255), np.uint8)


def encode(path: Path, codec: str, sound: F32, rate: int = 48_000, channels: int = 2) -> Path:
    at = np.arange(0, len(sound) - 1, RATE / rate)
    samples = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout  # type: ignore[union-attr]
        for start in range(0, len(samples), 1000):
            part = np.tile(samples[start : start + 1000], (channels, 1))
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))  # type: ignore[union-attr,arg-type]
        container.mux(stream.encode())  # type: ignore[union-attr]
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels"),
    [
        ("a.flac", "flac", 44_100, 2),
        ("a.mp3", "libmp3lame", 44_100, 2),
        ("a.ogg", "libopus", 48_000, 1),
        ("a.m4a", "aac", 22_050, 1),
        ("a.wav", "pcm_s24le", 96_000, 2),
        ("a.mkv", "flac", 8_000, 1),
    ],
)
def test_a_sound_of_any_kind_opens_the_mouth_at_its_times(
    name: str, codec: str, rate: int, channels: int, tmp_path: Path
) -> None:
    expected = mouth_track(read_voice(write_wav(tmp_path / "plain.wav", word()), 99))
    mouth = mouth_track(read_voice(encode(tmp_path / name, codec, word(), rate, channels), 99))
    assert len(mouth) * STEP == pytest.approx(2.4, abs=0.08)
    both = min(len(mouth), len(expected))
    assert np.corrcoef(mouth[:both], expected[:both])[0, 1] > 0.97


def _mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, taken out or put in, half of them in the header."""
    made = bytearray(data)
    for _ in range(rng.integers(1, 8)):
        at = int(rng.integers(len(made) if rng.random() < 0.5 else min(len(made), 400)))
        match rng.integers(4):
            case 0:
                made[at] = int(rng.integers(256))
            case 1:
                made[at : at + 4] = b"\xff\xff\xff\xff"
            case 2:
                del made[at : at + int(rng.integers(1, 2000))]
            case 3:
                made[at:at] = rng.bytes(int(rng.integers(1, 50)))
    return bytes(made)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.m4a", "aac")],
)
def test_a_damaged_sound_is_heard_or_refused(name: str, codec: str, tmp_path: Path) -> None:
    data = encode(tmp_path / name, codec, word(), 22_050, 1).read_bytes()
    rng, heard = np.random.default_rng(3), 0
    for _ in range(60):
        (tmp_path / name).write_bytes(_mutated(data, rng))
        with suppress(InputError):
            mouth = mouth_track(read_voice(tmp_path / name, 60))
            heard += 1
            assert len(mouth) <= 60 / STEP
            assert (mouth >= 0).all() and (mouth <= 1).all()
    assert heard > 0


def test_a_title_that_is_not_in_utf_8_is_no_fault(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", word())
    title = "歌の題名".encode("shift-jis")
    info = b"INFOINAM" + struct.pack("<I", len(title)) + title
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info)
    assert len(mouth_track(read_voice(path, 99))) == 240


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_video_has_the_sound_at_the_pictures_times(suffix: str, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", word())
    path = tmp_path / f"a{suffix}"
    write_animation(path, frames, 60, 25, sound=source)
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        seconds = [frame.time for frame in container.decode(video=0)]
    assert len(seconds) == 60
    # The video is what the next one speaks: its sound is heard as the first one's was.
    expected, again = speech_motions(source, path)
    assert abs(len(again) - len(expected)) <= 1
    both = min(len(again), len(expected))
    assert np.corrcoef(again[:both], expected[:both])[0, 1] > 0.97


def speech_motions(*paths: Path) -> list[np.ndarray]:
    rng = np.random.default_rng
    return [speech_motion(path, 25, rng(0), 0).poses[:, 5] for path in paths]


@pytest.mark.parametrize(("count", "heard"), [(20, 0.8), (100, 2.4)])
def test_a_sound_ends_with_the_video_or_before(count: int, heard: float, tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    write_animation(path, frames, count, 25, sound=write_wav(tmp_path / "a.wav", word()))
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(heard, abs=0.03)


def test_a_sound_that_cannot_be_read_leaves_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(InputError, match="cannot be read as a sound"):
        write_animation(tmp_path / "a.mp4", frames, 20, 25, sound=tmp_path / "a.wav")
    with pytest.raises(InputError, match="cannot be read as a sound"):
        write_animation(tmp_path / "a.webm", frames, 20, 25, sound=tmp_path / "none.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


# The command.


def run(tmp_path: Path, *arguments: object) -> Result:
    if not (tmp_path / "bundle").exists():
        save_bundle(tmp_path / "bundle", untrained(CONFIG, "L1"))
        write_still(tmp_path / "a.png", drawing())
    given = [str(tmp_path / "a.png"), "--bundle", str(tmp_path / "bundle"), "--device", "cpu"]
    return CliRunner().invoke(main, ["video", *given, *map(str, arguments)])


def test_the_command_makes_a_drawing_speak(tmp_path: Path) -> None:
    sound, out = write_wav(tmp_path / "a.wav", word()), tmp_path / "talk.mp4"
    done = run(tmp_path, "--audio", sound, "--fps", 10, "-o", out)
    assert done.exit_code == 0, done.output
    assert f"{out}: 24 frames of 16x16, 2.40 s at 10 a second" in done.stderr
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    gif = tmp_path / "talk.gif"
    done = run(tmp_path, "--audio", sound, "--fps", 10, "--seconds", 1, "-o", gif)
    assert done.exit_code == 0, done.output
    assert f"{gif}: holds no sound; .mp4 and .webm do" in done.stderr
    assert re.search(r"10 frames of 16x16, 1\.00 s", done.stderr)


def test_a_picture_in_place_of_a_sound_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "--audio", tmp_path / "a.png", "-o", tmp_path / "talk.mp4")
    assert done.exit_code == 1
    assert "a.png: cannot be read as a sound" in done.stderr
    assert "give a sound, or a video that has one" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_video_without_sound_is_one_line(tmp_path: Path) -> None:
    write_animation(tmp_path / "mute.mp4", frames, 5, 25)
    done = run(tmp_path, "--audio", tmp_path / "mute.mp4", "-o", tmp_path / "talk.mp4")
    assert done.exit_code == 1
    assert "mute.mp4: holds no sound; give a sound, or a video that has one" in done.stderr
