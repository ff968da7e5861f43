"""Motions: within their ranges, without a seam, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animate.commands.main import MOTION_NAMES
from animate.motion.motion import MOTIONS, NEUTRAL, Motion, built_in, cut, read_csv, write_csv
from contract.errors import InputError
from contract.pose import AXES, AXIS_NAMES, Pose

LEFT, RIGHT, MOUTH = (AXIS_NAMES.index(name) for name in ("left_eye", "right_eye", "mouth"))


def track(motion: Motion, name: str) -> list[float]:
    return [float(value) for value in motion.poses[:, AXIS_NAMES.index(name)]]


def test_the_command_line_offers_all_motions() -> None:
    assert set(MOTION_NAMES) == set(MOTIONS)


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_stay_in_their_ranges_and_loop(name: str) -> None:
    for seed in range(5):
        motion = built_in(name, 0, 50, seed)
        np.testing.assert_array_equal(motion.poses, built_in(name, 0, 50, seed).poses)
        for column, axis in zip(motion.poses.T, AXES, strict=True):
            assert axis.low <= column.min() <= column.max() <= axis.high
        around = np.concatenate([motion.poses, motion.poses[:1]])
        steps = np.abs(np.diff(around, axis=0))
        # From the last frame to the first is no greater step than any other.
        assert (steps[-1] <= steps[:-1].max(axis=0) + 1e-9).all()
        assert motion.poses[:, :3].any() or motion.poses[:, 3:].any()


def test_a_blink_closes_both_eyes_wholly_and_opens_them_again() -> None:
    motion = built_in("blink", 1.5, 100)
    np.testing.assert_array_equal(motion.poses[:, LEFT], motion.poses[:, RIGHT])
    closed = motion.poses[:, LEFT]
    assert closed.max() == 1.0
    assert closed[:75].max() == 0.0  # it starts in the middle
    assert 0.2 < (closed > 0).mean() * 1.5 < 0.3  # and takes a quarter of a second


def test_the_idle_loop_blinks_irregularly_and_keeps_its_mouth_shut() -> None:
    motion = built_in("idle", 30, 50, seed=1)
    starts = np.flatnonzero((motion.poses[1:, LEFT] > 0) & (motion.poses[:-1, LEFT] == 0)) / 50
    assert 5 <= len(starts) <= 20
    assert np.diff(starts).std() > 0.4
    assert motion.poses[:, MOUTH].max() < 0.1


def test_a_nod_goes_down_only_and_a_shake_to_both_sides() -> None:
    assert max(track(built_in("nod", 0, 50), "head_x")) <= 0
    shake = track(built_in("shake", 0, 50), "head_y")
    assert max(shake) > 0.5 and min(shake) < -0.5


def test_seconds_and_frames_are_as_asked() -> None:
    motion = built_in("talk", 2.0, 12)
    assert (len(motion.poses), motion.seconds) == (24, 2.0)
    assert motion.pose(0).mouth == pytest.approx(motion.poses[0, MOUTH])
    with pytest.raises(InputError, match="frames; it may have"):
        built_in("talk", 1e9, 120)
    with pytest.raises(InputError, match="motion wave: unknown; choose idle"):
        built_in("wave", 1, 25)


def test_a_motion_can_be_cut_short() -> None:
    motion = built_in("talk", 2.0, 10)
    np.testing.assert_array_equal(cut(motion, 0.5).poses, motion.poses[:5])
    assert len(cut(motion, 0).poses) == len(cut(motion, 99).poses) == 20


# Tables.


def _table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    return tmp_path / "a.csv"


def test_a_table_without_times_is_a_row_a_frame(tmp_path: Path) -> None:
    motion = read_csv(_table(tmp_path, "frame,head_y,left_eye\n0,-1,0.5\n1,1,0\n"), 10)
    assert motion.fps == 10
    assert motion.pose(0) == Pose(head_y=-1, left_eye=0.5, mouth=0)
    assert motion.pose(1) == Pose(head_y=1, mouth=0)


def test_a_table_with_times_is_interpolated(tmp_path: Path) -> None:
    motion = read_csv(_table(tmp_path, "\ufefftime,mouth\n1.0,0\n1.5,1\n2.0,0\n"), 4)
    assert track(motion, "mouth") == [0, 0.5, 1, 0.5, 0]


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    motion = built_in("idle", 2, 25)
    again = read_csv(_table(tmp_path, write_csv(motion)), 25)
    np.testing.assert_allclose(again.poses, motion.poses, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no rows, or no column of an axis"),
        ("a,b\n1,2\n", "no column of an axis"),
        ("head_x\nhalf\n", "line 2: could not convert"),
        ("head_x\n0\n1.5\n", r"line 3: head_x is 1\.5; it must lie in \[-1, 1\]"),
        ("head_x\nnan\n", "line 2: a number is not finite"),
        ("time,head_x\n0,0\n0,1\n", "line 3: time does not go on"),
        ("time,head_x\n0,0\n1e9,1\n", "frames; it may have"),
        ("head_x,mouth\n0\n", "line 2: could not convert"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=fault):
        read_csv(_table(tmp_path, text), 25)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00head_x")
    with pytest.raises(InputError, match="is no CSV table"):
        read_csv(tmp_path / "a.csv", 25)
    with pytest.raises(InputError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", 25)


def test_neutral_is_at_rest_but_for_the_mouth() -> None:
    assert Pose(mouth=0.0) == NEUTRAL
