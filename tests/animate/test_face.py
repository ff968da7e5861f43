"""What tracking is made of, on faces and numbers put together by hand."""

from __future__ import annotations

import itertools
import math
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from animate.motion.motion import NEUTRAL
from animate.track.calibration import Calibration, calibrate, load, poses, save
from animate.track.capture import Frame, Rgb, camera_frames
from animate.track.face_measures import (
    MEASURES,
    Measures,
    head_rotation,
    joints_of_matrix,
    measure,
)
from animate.track.follow import HOLD_SECONDS, RETURN_SECONDS, filled, smoothed
from animate.track.track import faceless, measured, motion_of, require_face
from contract.errors import InputError
from contract.pose import AXIS_NAMES
from tests.support.photographed_face import photographed, turned

F64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
HEAD_X, HEAD_Y, NECK_Z, LEFT_EYE, RIGHT_EYE, MOUTH = range(6)
PERSON = Calibration(0, 0, 0, 0.1, 0.3, 0.1, 0.3, 0.0, 0.2)


def test_a_nose_that_points_somewhere_gives_that_sign() -> None:
    up, left, leaning = (turned(*one) for one in np.eye(3))
    nose, crown = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    assert (up @ nose)[1] > 0.2
    assert (left @ nose)[0] < -0.2
    assert (leaning @ crown)[0] < -0.2


@pytest.mark.parametrize("values", list(itertools.product((-1.5, 0, 0.7), repeat=3)))
def test_the_turn_of_a_face_comes_back_from_its_picture(values: tuple[float, ...]) -> None:
    rotation = turned(*values)
    found = head_rotation(photographed(rotation), 640, 480)
    np.testing.assert_allclose(found, rotation, atol=1e-3)
    np.testing.assert_allclose(joints_of_matrix(found), values, atol=5e-3)


def test_a_face_at_the_side_that_looks_into_the_camera_is_straight() -> None:
    toward = np.array([-20.0, 0, 60.0]) / math.hypot(20, 60)
    rotation = np.stack([np.cross((0, 1, 0), toward), (0, 1, 0), toward], axis=1)
    found = head_rotation(photographed(rotation, (20.0, 0.0)), 640, 480)
    np.testing.assert_allclose(joints_of_matrix(found), 0, atol=5e-3)


def measures_of(values: list[list[float]], fps: float = 30) -> Measures:
    return Measures(np.arange(len(values)) / fps, np.array(values, np.float64))


def test_openings_become_eyes_and_mouth() -> None:
    made = poses(
        measures_of(
            [[0, 0, 0, 0.3, 0.3, 0], [0, 0, 0, 0.1, 0.3, 0.2], [0.5, -0.5, 3, 0.19, 0.0, 0.1]]
        ),
        PERSON,
        mirrored=False,
    )
    np.testing.assert_allclose(made[0], [0, 0, 0, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(made[1], [0, 0, 0, 1, 0, 1], atol=1e-9)
    np.testing.assert_allclose(made[2], [0.5, -0.5, 1, 0.5, 1, 0.5], atol=1e-9)


def test_a_mirror_swaps_eyes_and_turns_the_other_way() -> None:
    seen = measures_of([[0.1, 0.2, 0.3, 0.1, 0.3, 0.1]])
    (plain,), (mirror,) = (poses(seen, PERSON, mirrored=m) for m in (False, True))
    np.testing.assert_allclose(plain, [0.1, 0.2, 0.3, 1, 0, 0.5], atol=1e-9)
    np.testing.assert_allclose(mirror, [0.1, -0.2, -0.3, 0, 1, 0.5], atol=1e-9)


def test_calibration_takes_the_usual_as_rest_and_blinks_as_shut() -> None:
    usual, blink = [0.2, -0.1, 0.3, 0.32, 0.30, 0.01], [0.2, -0.1, 0.3, 0.08, 0.07, 0.01]
    odd = [9.0, 9, 9, 0.9, 0.9, 0.9]
    later = [[1.0, 1, 1, 1, 1, 1]] * 500
    rows = [usual] * 90 + [blink] * 3 + [odd] + later
    found = calibrate(measures_of(rows), 93 / 30)
    assert (found.head_x, found.head_y, found.neck_z) == (0.2, -0.1, 0.3)
    assert (found.left_shut, found.left_open) == pytest.approx((0.08, 0.32))
    assert (found.right_shut, found.right_open) == pytest.approx((0.07, 0.30))
    assert found.mouth_shut == pytest.approx(0.01)
    never = calibrate(measures_of([usual] * 90), 9)
    assert never.left_shut == pytest.approx(0.3 * 0.32)
    assert never.mouth_open >= 0.1


def test_calibration_needs_a_face_in_its_seconds() -> None:
    rows = [[math.nan] * 6] * 30 + [[0.0, 0, 0, 0.3, 0.3, 0]] * 30
    with pytest.raises(InputError, match=r"no face in the first 0\.5 seconds"):
        calibrate(measures_of(rows), 0.5)


def test_calibrations_are_kept_exactly(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    save(PERSON, path)
    assert load(path) == PERSON
    for text in ("", "[]", "{}", path.read_text().replace("0.3", "NaN"), '{"head_x": "x"}'):
        path.write_text(text)
        with pytest.raises(InputError, match="no calibration"):
            load(path)
    save(Calibration(0, 0, 0, 0.3, 0.1, 0.1, 0.3, 0, 0.2), path)
    with pytest.raises(InputError, match="its numbers"):
        load(path)


def test_a_lost_face_is_held_and_then_comes_to_rest() -> None:
    seconds = np.arange(61) / 30
    looking = np.array([0.5, 0, 0, 0, 0, 0.8])
    made = np.full((61, 6), np.nan)
    made[10] = looking
    result = filled(seconds, made)
    neutral = NEUTRAL.to_vector()
    np.testing.assert_allclose(result[:10], np.tile(neutral, (10, 1)))
    held = 10 + int(HOLD_SECONDS * 30)
    np.testing.assert_allclose(result[10:held], np.tile(looking, (held - 10, 1)))
    np.testing.assert_allclose(result[11 + int((HOLD_SECONDS + RETURN_SECONDS) * 30) :], 0)
    assert np.abs(np.diff(result[10:, MOUTH])).max() < 0.06
    assert not np.isnan(result).any()


def test_smoothing_calms_a_still_head_and_follows_a_quick_one() -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(120) / 30
    still = rng.normal(0, 0.03, (120, 6))
    assert smoothed(seconds, still)[30:, HEAD_Y].std() < 0.6 * still[30:, HEAD_Y].std()
    step = np.zeros((120, 6))
    step[60:] = 1
    made = smoothed(seconds, step)
    assert not made[:60].any()
    assert made[61, LEFT_EYE] > 0.95
    assert made[63, HEAD_Y] > 0.9


def test_smoothing_goes_by_time_not_by_frames() -> None:
    at_30, at_60 = np.arange(60) / 30, np.arange(120) / 60
    slow, quick = (np.repeat(0.5 * np.sin(at)[:, None], 6, axis=1) for at in (at_30, at_60))
    np.testing.assert_allclose(smoothed(at_30, slow), smoothed(at_60, quick)[::2], atol=0.02)


def frames(count: int) -> Iterator[Frame]:
    for number in range(count):
        yield Frame(number / 10, np.full((4, 4, 3), number, np.uint8))


def test_times_without_a_face_are_said() -> None:
    def find(picture: Rgb) -> F64 | None:
        return None if picture[0, 0, 0] in {0, 3, 4, 5} else photographed(np.eye(3))

    seen = measured(frames(8), find)
    require_face(seen, "a.mp4")
    assert faceless(seen, "a.mp4") == (
        "a.mp4: no face at 0.00-0.00, 0.30-0.50 s; held, then at rest",
    )
    nobody = measured(frames(8), lambda _: None)
    with pytest.raises(InputError, match=r"a\.mp4: no face in any of 8 frames \(0\.00-0\.70 s\)"):
        require_face(nobody, "a.mp4")


def test_motions_are_even_in_time() -> None:
    uneven = np.array([0, 0.05, 0.2, 0.25, 0.5])
    values = np.tile([0, 0, 0, 0.3, 0.3, 0.1], (5, 1))
    motion = motion_of(Measures(uneven, values), PERSON, 20, mirrored=False)
    assert (motion.fps, len(motion.poses)) == (20, 11)
    np.testing.assert_allclose(motion.poses[:, MOUTH], 0.5)


def test_a_camera_that_is_not_there() -> None:
    pytest.importorskip("cv2")
    with pytest.raises(InputError, match="camera 77: not there"):
        next(camera_frames(77, 1))


class UnpluggedCamera:
    """Gives three frames, then none."""

    def __init__(self, _number: int) -> None:
        self.left = 3
        self.is_released = False

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        return not self.is_released

    def read(self) -> tuple[bool, F64 | None]:
        self.left -= 1
        return (True, np.full((2, 2, 3), (1, 2, 3))) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.is_released = True


def test_what_an_unplugged_camera_saw_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cv2 = pytest.importorskip("cv2")
    monkeypatch.setattr(cv2, "VideoCapture", UnpluggedCamera)
    seen = list(camera_frames(0, 60))
    assert len(seen) == 3
    assert seen[0].seconds == 0
    assert seen[0].picture[0, 0].tolist() == [3, 2, 1]  # RGB of BGR


def test_ctrl_c_ends_a_recording_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cv2 = pytest.importorskip("cv2")
    monkeypatch.setattr(cv2, "VideoCapture", UnpluggedCamera)
    seen = []
    for frame in camera_frames(0, 60):
        seen.append(frame)
        signal.raise_signal(signal.SIGINT)
    assert len(seen) == 1
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_measures_have_a_name_each() -> None:
    assert len(MEASURES) == len(AXIS_NAMES)
    assert measure(photographed(np.eye(3)), 640, 480).shape == (len(MEASURES),)
