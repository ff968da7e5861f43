"""Tracking real faces, labelled by eye, and the command."""

from __future__ import annotations

import itertools
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from animate.commands import track as track_command
from animate.commands.main import main
from animate.drawing.output import write_animation
from animate.motion.motion import NEUTRAL, Motion, read_csv
from animate.pose.ahead import Finish
from animate.track.calibration import calibrate
from animate.track.capture import Frame, Rgb, file_frames
from animate.track.face_measures import FaceFinder, Measures
from animate.track.track import faceless, motion_of, read_measures
from contract.errors import InputError
from contract.image import Stored
from contract.pose import Pose
from tests.support.talking_face import talking_face

HEAD_X, HEAD_Y, NECK_Z, LEFT_EYE, RIGHT_EYE, MOUTH = range(6)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mediapipe")
    return talking_face(tmp_path_factory.mktemp("talk"))


@pytest.fixture(scope="module")
def talk_measures(talk: Path) -> Measures:
    return read_measures(file_frames(talk), None, talk.name)


@pytest.fixture(scope="module")
def talk_motion(talk_measures: Measures) -> Motion:
    return motion_of(talk_measures, calibrate(talk_measures, 99), None, mirrored=False)


# Labelled by eye on the frames of the video.
BLINKS = (42, 92)
OPEN_EYES = (5, 12, 20, 34, 38, 48, 54, 60, 68, 84, 88, 98, 104, 108, 117)
SHUT_MOUTH = (82, 83, 95, 96, 97, 118, 119)
WIDE_MOUTH = (58, 59, 60, 61, 107, 109, 111, 114, 116)


def test_blinks_are_where_the_eye_sees_them(talk_motion: Motion) -> None:
    eyes = talk_motion.poses[:, [LEFT_EYE, RIGHT_EYE]]
    assert (eyes[42] > 0.85).all()
    assert eyes[92].max() > 0.85
    assert eyes[92].min() > 0.4  # the eye that is turned away is seen less well
    assert eyes[list(OPEN_EYES)].max() < 0.15
    shut = np.flatnonzero(eyes.mean(axis=1) > 0.6)
    assert set(shut) == set(BLINKS)


def test_speech_is_where_the_eye_sees_it(talk_motion: Motion) -> None:
    mouth = talk_motion.poses[:, MOUTH]
    assert mouth[list(SHUT_MOUTH)].max() < 0.1
    assert mouth[list(WIDE_MOUTH)].min() > 0.8


def test_the_head_leans_as_the_person_does(talk_motion: Motion) -> None:
    """He leans to the viewer's left more and more, most about frame 88, and tips back at 60."""
    lean = talk_motion.poses[:, NECK_Z]
    assert lean[88] > 0.9
    assert lean[88] - lean[22] > 1.0
    assert talk_motion.poses[60, HEAD_X] - talk_motion.poses[66, HEAD_X] > 0.5


def test_a_flipped_video_turns_the_other_way(talk: Path) -> None:
    pytest.importorskip("mediapipe")
    chosen = list(itertools.islice(file_frames(talk), 30, 96))
    flipped = [Frame(f.seconds, np.ascontiguousarray(f.picture[:, ::-1])) for f in chosen]
    plain, mirror = (read_measures(iter(one), None, "") for one in (chosen, flipped))
    difference = mirror.values - plain.values[:, [0, 1, 2, 4, 3, 5]] * [1, -1, -1, 1, 1, 1]
    assert np.median(np.abs(difference), axis=0).max() < 0.12
    assert plain.values[:10, HEAD_Y].min() > 0.4 > -0.4 > mirror.values[:10, HEAD_Y].max()


def test_a_turned_photograph_leans_by_its_angle() -> None:
    pytest.importorskip("mediapipe")
    from PIL import Image
    from skimage import data

    person = data.astronaut()  # type: ignore[no-untyped-call]
    found = {}
    for degrees in (-15, 0, 15):
        # Counter-clockwise, about the face.
        picture = np.array(Image.fromarray(person).rotate(degrees, center=(224, 110)))
        (values,) = read_measures(iter([Frame(0, picture)]), None, "").values
        found[degrees] = values
    for degrees in (-15, 15):
        assert found[degrees][NECK_Z] - found[0][NECK_Z] == pytest.approx(degrees / 15, abs=0.1)
        np.testing.assert_allclose(found[degrees][:2], found[0][:2], atol=0.15)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["track", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_writes_a_table_that_video_reads(talk: Path, tmp_path: Path) -> None:
    table, kept = tmp_path / "poses.csv", tmp_path / "me.json"
    options = ("--video", talk, "--csv", table, "--calibration", kept)
    code, said = run(*options)
    assert (code, said.splitlines()) == (
        0,
        [f"{kept}: written", f"{table}: 120 poses at 29.97 a second"],
    )
    first = read_csv(table, 30000 / 1001)
    assert first.poses[42, RIGHT_EYE] > 0.85
    code, said = run(*options, "--mirrored")
    assert f"{kept}: used" in said
    second = read_csv(table, 30000 / 1001)
    signs = [1, -1, -1, 1, 1, 1]
    np.testing.assert_allclose(second.poses, first.poses[:, [0, 1, 2, 4, 3, 5]] * signs, atol=1e-3)


class FilmCamera:
    """Shows the talking face, then is unplugged."""

    film: Path

    def __init__(self, _number: int) -> None:
        self._frames = file_frames(self.film)

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        return True

    def read(self) -> tuple[bool, Rgb | None]:
        frame = next(self._frames, None)
        return (True, frame.picture[..., ::-1]) if frame else (False, None)

    def release(self) -> None:
        self._frames = iter(())


def test_a_camera_is_mirrored_and_kept_when_unplugged(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2 = pytest.importorskip("cv2")
    monkeypatch.setattr(cv2, "VideoCapture", FilmCamera)
    monkeypatch.setattr(FilmCamera, "film", talk, raising=False)
    table = tmp_path / "poses.csv"
    code, said = run("--camera", 0, "--csv", table)
    assert code == 0
    assert said.startswith("camera 0: recording 30 s; Ctrl-C ends it earlier\n")
    motion = read_csv(table, 30)
    # He leans to the viewer's left: in a mirror, to the right.
    assert motion.poses[:, NECK_Z].min() < -0.8
    assert motion.poses[:, NECK_Z].min() + motion.poses[:, NECK_Z].max() < 0


def test_a_camera_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    code, said = run("--camera", 77, "--csv", tmp_path / "poses.csv")
    assert (code, len(said.splitlines())) == (1, 1)


def test_a_command_that_cannot_be_done_says_so_in_one_line(tmp_path: Path) -> None:
    table = tmp_path / "poses.csv"
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    code, said = run("--video", text, "--csv", table)
    assert (code, len(said.splitlines())) == (1, 1)
    assert "cannot be read as a video" in said
    for options, words in (
        (("--csv", table), "give one of --video FILE, --camera NUMBER and --listen TRACKER"),
        (("--video", text), "give --out for the drawing, --csv for the poses"),
        (("--video", text, "--out", table), "of which drawing?"),
    ):
        code, said = run(*options)
        assert code == 2
        assert words in said.splitlines()[-1]
        assert not table.exists()


class GreyPoser:
    """Answers like a poser; all of its picture is as bright as the mouth is open."""

    size = 64

    def draw(self, pose: Pose) -> Stored:
        return np.full((64, 64, 4), (*[round(200 * pose.mouth)] * 3, 255), np.uint8)

    def draw_all(self, poses: Sequence[Pose], finish: Finish) -> Iterator[Stored]:
        return (finish(self.draw(pose), number) for number, pose in enumerate(poses))


def test_the_person_beside_the_drawing(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_command, "open_drawing", lambda *_: GreyPoser())
    out = tmp_path / "both.mp4"
    code, said = run("drawing.png", "--video", talk, "--side-by-side", "-o", out)
    assert (code, said) == (0, f"{out}: 120 frames, 4.00 s at 29.97 a second\n")
    both = [frame.picture for frame in file_frames(out)]
    assert (len(both), both[0].shape) == (120, (64, 128, 3))
    source = list(file_frames(talk))[60].picture
    # 176x144 in a square of 64: 64x52, a black strip above and below.
    assert both[60][:4, :60].max() < 30
    left = both[60][8:56, :64].mean(axis=(0, 1))
    np.testing.assert_allclose(left, source.mean(axis=(0, 1)), atol=8)
    assert both[60][:, 70:].mean() > 180
    assert both[96][:, 70:].mean() < 20


def test_a_video_without_a_face(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    grey, table = tmp_path / "grey.mp4", tmp_path / "poses.csv"
    write_animation(grey, lambda n: (GreyPoser().draw(NEUTRAL) for _ in n), 20, 10)
    code, said = run("--video", grey, "--csv", table)
    assert code == 1
    assert said == (
        "error: grey.mp4: no face in any of 20 frames (0.00-1.90 s); show one face, lit from "
        "the front\n"
    )
    assert not table.exists()


def test_a_face_that_goes_and_comes_back(talk: Path) -> None:
    seen = list(file_frames(talk))
    hidden = [
        Frame(f.seconds, np.zeros_like(f.picture) if 30 <= n < 50 else f.picture)
        for n, f in enumerate(seen)
    ]
    measures = read_measures(iter(hidden), None, talk.name)
    (note,) = faceless(measures, talk.name)
    assert "no face at 1.00-1.6" in note
    motion = motion_of(measures, calibrate(measures, 99), None, mirrored=False)
    assert motion.poses[60, MOUTH] > 0.8
    assert np.abs(np.diff(motion.poses[28:50, HEAD_Y])).max() < 0.12


def test_a_damaged_video_gives_what_is_whole(talk: Path, tmp_path: Path) -> None:
    data = bytearray(talk.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    seen = list(file_frames(damaged))
    assert len(seen) > 60
    assert seen[-1].seconds > 3.5


def test_a_playlist_of_addresses_is_not_followed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        playlist = tmp_path / "a.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n")
        with pytest.raises(InputError, match="video"):
            next(file_frames(playlist))
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_telephones_video_stands_upright(talk: Path, tmp_path: Path) -> None:
    """The matrix in a track's header says: show this turned clockwise by 90 degrees."""
    data = bytearray(talk.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    lying = tmp_path / "lying.mp4"
    lying.write_bytes(data)
    turned, plain = (next(file_frames(path)).picture for path in (lying, talk))
    np.testing.assert_array_equal(turned, np.rot90(plain, -1))


def test_without_mediapipe_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.face_mesh", None)
    with pytest.raises(InputError, match=r"pip install 'opentha\[track\]'"):
        FaceFinder()
