"""A voice that drives the drawing: microphones and sounds that a page plays, up to the pose."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from animate.motion.motion import NEUTRAL, Motion
from animate.serve import played_sound
from animate.serve.driver import Driver, Playing
from animate.serve.microphone import MAX_PACKET_BYTES, Microphone
from animate.serve.speaking import Playback, Softly, Talking
from animate.serve.wire import LeftError
from animate.sound.live_mouth import LiveMouth
from contract.errors import InputError
from contract.pose import Pose
from tests.support.page_client import GOOD, OURS, Script, next_words
from tests.support.voices import F32, RATE, A, silence, vowel, write_wav

TURNED = Pose(head_y=0.8, mouth=0.5)


# Poses.


def test_a_source_begins_jumps_and_ends_softly() -> None:
    wanted = [TURNED]
    source = Softly("voice", lambda _now: wanted[0], NEUTRAL, 0.0)
    at = [n / 60 for n in range(181)]
    poses = []
    for now in at:
        if now == 1.0:
            source.jump(now)
            wanted[0] = Pose(head_y=-0.8, mouth=1.0)
        if now == 2.0:
            source.turn_off(now)
        poses.append(source.pose(now))
    turns = [pose.head_y for pose in poses if pose]
    assert turns[0] == 0
    assert turns[59] == pytest.approx(0.8)
    assert turns[119] == pytest.approx(-0.8)
    assert turns[-1] == pytest.approx(0, abs=0.01)
    assert np.abs(np.diff(turns)).max() < 0.12
    assert poses[-1] is None


def test_a_source_that_is_rarely_asked_ends_at_rest_all_the_same() -> None:
    """Where a source ended the sliders stay: a slow machine would leave the mouth ajar."""
    source = Softly("voice", lambda _now: TURNED, TURNED, 0.0)
    source.turn_off(1.0)
    poses = [source.pose(now) for now in (1.3, 9.0, 9.1)]
    assert poses[0] not in (None, NEUTRAL)
    assert poses[1:] == [NEUTRAL, None]


def test_who_talks_blinks_and_sways_and_shuts_the_mouth_when_nothing_is_heard() -> None:
    talking = Talking(0.0)
    poses = []
    for frame in range(60 * 12):
        now = frame / 60
        if now < 8:
            talking.take(now, 0.9 * (now % 0.4 < 0.2))
        poses.append(talking.pose(now).to_vector())
    head_x, head_y, _, left, right, mouth = np.array(poses).T
    assert left.max() == right.max() == pytest.approx(1, abs=0.02)
    assert 0.1 < np.ptp(head_y) < 1
    assert mouth[:480].max() == pytest.approx(0.9)
    assert mouth[500:].max() == 0
    # The head is lower in syllables than between them.
    spoken = np.arange(480) / 60 % 0.4 < 0.2
    assert head_x[:480][spoken].mean() < head_x[:480][~spoken].mean() - 0.03


def test_a_playback_is_where_the_sound_is_said_to_be() -> None:
    poses = np.zeros((100, 6))
    poses[:, 5] = np.arange(100) / 100
    playback = Playback(Motion(25, poses))
    assert playback.pose(0.0) == NEUTRAL
    assert playback.is_jump(10.0, 0.0, True)
    playback.take(10.0, 1.0, True)
    # A picture shows what is heard when it is seen, 0.05 s later; 25 poses a second.
    assert playback.pose(10.5).mouth == pytest.approx((1.55 * 25 - 0.5) / 100)
    assert not playback.is_jump(10.5, 1.6, True)
    assert playback.is_jump(10.5, 3.0, True)
    playback.take(11.0, 2.0, False)
    assert playback.pose(11.0) == NEUTRAL
    playback.take(12.0, 3.9, True)
    assert playback.pose(12.0).mouth > 0.9
    assert playback.pose(13.0) == NEUTRAL


# The connections.


def packets(sound: F32, rate: int = RATE) -> list[bytes]:
    """20 ms each, as the page sends them."""
    data = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    size = 2 * (rate // 50)
    return [data[at : at + size] for at in range(0, len(data), size)]


def syllables(count: int) -> F32:
    return np.concatenate([silence(0.4), *([vowel(A, 0.3), silence(0.4)] * count)])


def test_a_microphone_moves_the_mouth_that_a_page_sees(client: TestClient, token: str) -> None:
    with (
        client.websocket_connect(f"/api/live/{token}", headers=OURS) as live,
        client.websocket_connect(f"/api/microphone/{token}", headers=OURS) as microphone,
    ):
        assert next_words(microphone, "ready")
        microphone.send_json({"rate": RATE})
        mouths: list[float] = []
        started = time.monotonic()
        for number, packet in enumerate(packets(syllables(4))):
            # As fast as a voice is: the mouth moves in the time of a clock.
            time.sleep(max(started + number / 50 - time.monotonic(), 0))
            microphone.send_bytes(packet)
            live.send_text('{"shown": true}')
            words = next_words(live, "pose")
            mouths.append(words["pose"]["mouth"])
        assert words["source"] == "microphone"
        assert max(mouths) > 0.9
    with client.websocket_connect(f"/api/live/{token}", headers=OURS) as live:
        while (words := next_words(live, "pose"))["source"]:
            live.send_text('{"shown": true}')
        assert words["pose"]["mouth"] == 0


def speak(page: Script, driver: Driver) -> None:
    async def run() -> None:
        with ThreadPoolExecutor(1) as listener:
            await Microphone(page, driver, listener).run()

    with pytest.raises(LeftError):
        asyncio.run(run())


def test_of_samples_that_wait_only_the_newest_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []

    def hear(_mouth: LiveMouth, samples: F32) -> float:
        heard.append(len(samples))
        time.sleep(0.05)
        return 0.0

    monkeypatch.setattr(LiveMouth, "hear", hear)
    speak(Script(['{"rate": 16000}', *packets(silence(20))], 0.3), Driver())
    assert 1 <= len(heard) <= 4
    assert max(heard) <= RATE / 4


def test_what_is_no_packet_is_answered_in_words() -> None:
    page = Script(['{"rate": 16000}', b"odd", "{}", "{", bytes(MAX_PACKET_BYTES + 2)], 0.1)
    speak(page, Driver())
    faults = [str(words["fault"]) for words in page.words if "fault" in words]
    assert len(faults) == 4
    assert sum("no 16-bit sound" in fault for fault in faults) == 2
    for first in ("{}", '{"rate": "x"}', '{"rate": 1e9}', '{"rate": 10}', '{"rate": NaN}'):

        async def run(first: str) -> None:
            with ThreadPoolExecutor(1) as listener:
                await Microphone(Script([first], 0.1), Driver(), listener).run()

        with pytest.raises(InputError):
            asyncio.run(run(first))


def test_a_motion_may_take_over_from_a_microphone() -> None:
    driver = Driver()
    page = Script(['{"rate": 16000}', *packets(silence(0.1))], 0.3)

    async def run() -> None:
        with ThreadPoolExecutor(1) as listener:
            task = asyncio.create_task(Microphone(page, driver, listener).run())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            driver.follow(Playing("nod", time.monotonic()))
            await task

    with pytest.raises(InputError, match="something else drives"):
        asyncio.run(run())


def send_sound(socket: WebSocketTestSession, data: bytes, name: str = "a.wav") -> None:
    socket.send_json({"name": name, "bytes": len(data)})
    next_words(socket, "send")
    for at in range(0, len(data), 1 << 16):
        socket.send_bytes(data[at : at + (1 << 16)])


def test_a_sound_drives_where_the_page_is_in_it(
    client: TestClient, token: str, tmp_path: Path
) -> None:
    path = write_wav(tmp_path / "a.wav", np.concatenate([silence(2), vowel(A, 2), silence(2)]))
    data = path.read_bytes()
    path.unlink()
    with client.websocket_connect(f"/api/sound/{token}", headers=OURS) as sound:
        send_sound(sound, data)
        words = next_words(sound, "seconds")
        assert words == {"seconds": 6.0, "notes": []}
        assert list(tmp_path.iterdir()) == []
        with client.websocket_connect(f"/api/live/{token}", headers=OURS) as live:
            for at, playing, is_open in ((3, True, True), (0.5, True, False), (3, False, False)):
                mouth = -1.0
                deadline = time.monotonic() + 60
                while (mouth > 0.8) != is_open or (not is_open and mouth > 0.01):
                    sound.send_json({"at": at, "playing": playing})
                    live.send_text('{"shown": true}')
                    words = next_words(live, "pose")
                    mouth = float(words["pose"]["mouth"])
                    assert words["source"] == "sound"
                    assert time.monotonic() < deadline


def test_a_sound_that_is_none_is_one_line(
    client: TestClient, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import av

    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        for _ in range(3):
            picture = np.zeros((16, 16, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    empty = write_wav(tmp_path / "empty.wav", silence(0)).read_bytes()
    two_hours = write_wav(tmp_path / "long.wav", silence(7200 / 4), RATE // 4).read_bytes()
    movie = film.read_bytes()
    for path in tmp_path.iterdir():
        path.unlink()
    for name, data, fault in (
        ("none.wav", b"", "none.wav: cannot be read as a sound"),
        ("empty.wav", empty, "empty.wav: its sound is empty"),
        ("C:\\a\\film.mp4", movie, "film.mp4: holds no sound; give a sound, or a video that"),
        ("../a.png", GOOD, "a.png: cannot be read as a sound"),
        ("long.wav", two_hours, "long.wav: longer than 4000 s"),
    ):
        with client.websocket_connect(f"/api/sound/{token}", headers=OURS) as sound:
            send_sound(sound, data, name)
            said = str(next_words(sound, "fault")["fault"])
        assert fault in said
        assert str(tmp_path) not in said and "--" not in said
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(played_sound, "MAX_SOUND_BYTES", 1000 << 20)
    for offer, fault in (
        ({"name": "a.wav", "bytes": 1 << 40}, "a.wav: 1048576 MiB; a sound may have 1000"),
        ({"name": "a.wav", "bytes": -1}, "no sound is named"),
        ({"name": 1, "bytes": 1}, "no sound is named"),
        ([], "no message"),
    ):
        with client.websocket_connect(f"/api/sound/{token}", headers=OURS) as sound:
            sound.send_json(offer)
            assert fault in str(next_words(sound, "fault")["fault"])


def test_a_sound_that_comes_in_part_leaves_nothing(
    client: TestClient, token: str, tmp_path: Path
) -> None:
    for rest in ("{}", None):
        with client.websocket_connect(f"/api/sound/{token}", headers=OURS) as sound:
            sound.send_json({"name": "a.wav", "bytes": 1000})
            next_words(sound, "send")
            sound.send_bytes(bytes(10))
            if rest:
                sound.send_text(rest)
                assert "came in part" in str(next_words(sound, "fault")["fault"])
        deadline = time.monotonic() + 20
        while any(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(tmp_path.iterdir()) == []
    with client.websocket_connect(f"/api/sound/{token}", headers=OURS) as sound:
        sound.send_json({"name": "a.wav", "bytes": 10})
        next_words(sound, "send")
        sound.send_bytes(bytes(11))  # more than was said
        assert "no message" in str(next_words(sound, "fault")["fault"])
