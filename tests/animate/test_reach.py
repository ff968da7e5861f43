"""A person's range: who never opens the mouth far has an open mouth all the same, in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animate.track.calibration import Calibration, calibrate, load, poses, save
from animate.track.face_measures import F64, Measures
from animate.track.follow import Follower
from animate.track.reach import Reach
from animate.track.track import motion_of
from contract.errors import InputError
from contract.pose import AXIS_NAMES

LEFT, RIGHT, MOUTH = (AXIS_NAMES.index(name) for name in ("left_eye", "right_eye", "mouth"))
FPS = 30
OPEN, SHUT = 0.3, 0.01  # of lids and of lips


def person(seconds: float, mouth: float, lids: float, neutral: float = 2.0) -> Measures:
    """Neutral at first, then syllables up to ``mouth`` and blinks down to ``lids``."""
    at = np.arange(round(seconds * FPS)) / FPS
    talks = at >= neutral
    opening = SHUT + talks * (mouth - SHUT) * np.abs(np.sin(2 * np.pi * at))
    blinks = talks & (at % 3 < 0.15)
    values = np.zeros((len(at), 6))
    values[:, 3] = values[:, 4] = np.where(blinks, lids, OPEN)
    values[:, 5] = opening
    return Measures(at, values)


def followed(measures: Measures) -> F64:
    """What the page and trackers show, live: calibrated in the neutral seconds."""
    follower = Follower(mirrored=False, calibration_seconds=2)
    made = []
    for now, row in zip(measures.seconds, measures.values, strict=True):
        follower.take(float(now), row)
        made.append(follower.pose(float(now)).to_vector())
    return np.array(made)


def part(values: F64, first: float, last: float) -> F64:
    return values[round(first * FPS) : round(last * FPS)]


def test_a_mouth_that_never_opens_far_and_lids_that_never_shut_reach_their_ends() -> None:
    shown = followed(person(90, mouth=0.075, lids=0.5 * OPEN))
    early, late = part(shown, 2, 8), part(shown, 75, 90)
    assert 0.4 < early[:, MOUTH].max() < 0.75
    assert late[:, MOUTH].max() > 0.9
    assert late[:, MOUTH].min() < 0.05
    assert 0.5 < early[:, LEFT].max() < 0.8
    for eye in (LEFT, RIGHT):
        assert late[:, eye].max() > 0.9
        assert np.median(late[:, eye]) < 0.01
    steps = [part(shown, start, start + 10)[:, MOUTH].max() for start in range(5, 85, 10)]
    assert np.diff(steps).max() < 0.2  # slowly


def test_a_mouth_that_opens_further_than_was_guessed_is_not_always_wide() -> None:
    shown = followed(person(60, mouth=0.26, lids=0.1))[:, MOUTH]
    opening = person(60, 0.26, 0.1).values[:, 5]
    late = np.arange(len(shown)) > 30 * FPS
    # At first all from half the way on was wide; then the middle half is between.
    assert np.median(shown[~late & (opening > 0.15)]) > 0.85
    assert np.median(shown[late & (opening > 0.09) & (opening < 0.17)]) < 0.7
    assert shown[late].max() > 0.95


def test_a_recording_and_a_live_person_are_followed_alike() -> None:
    measures = person(40, mouth=0.075, lids=0.15)
    calibration = calibrate(measures, 2)
    recorded = motion_of(measures, calibration, FPS, mirrored=False).poses
    shown = followed(measures)
    at = round(3 * FPS)  # the beginning is not calibrated yet
    np.testing.assert_allclose(recorded[at:, MOUTH], shown[at : len(recorded), MOUTH], atol=0.02)


def test_silence_glances_and_slips_teach_nothing_much() -> None:
    usual = calibrate(person(2, SHUT, OPEN), 2)
    reach = Reach(usual)
    rng = np.random.default_rng(0)
    for frame in range(FPS * 600):
        now = frame / FPS
        lids = 0.5 * OPEN if now % 10 < 2 else OPEN  # a look down, for 2 s
        lips = SHUT + 0.02 * rng.random()
        reach.take(now, np.array([0, 0, 0, lids, lids, lips]))
        reach.take(now + 0.01, np.full(6, np.nan))
    assert reach.calibration == usual
    reach.take(601, np.array([0, 0, 0, OPEN, OPEN, 50.0]))
    slipped = reach.take(601.1, np.array([0, 0, 0, OPEN, OPEN, SHUT]))
    assert slipped.mouth_open == pytest.approx(usual.mouth_open + 0.02)


@pytest.mark.parametrize("lips", [0.035, 5.0])
@pytest.mark.parametrize("lids", [0.0, 0.74])
def test_the_range_stays_within_bounds(lips: float, lids: float) -> None:
    reach = Reach(Calibration(0, 0, 0, 0.09, OPEN, 0.09, OPEN, 0.0, 0.12))
    for frame in range(4000):
        is_on = frame % 4 < 2
        row = [0, 0, 0, *([lids * OPEN if is_on else OPEN] * 2), lips if is_on else 0]
        reach.take(frame / FPS, np.array(row))
    known = reach.calibration
    assert known.mouth_open == pytest.approx(0.05 if lips < 1 else 0.35)
    assert known.left_shut == known.right_shut == pytest.approx((0.05 if lids == 0 else 0.6) * OPEN)


def test_whoever_begins_with_shut_eyes_has_open_ones_too() -> None:
    follower = Follower(mirrored=False, calibration_seconds=2)
    for frame in range(150):
        eyes = 0.0 if frame < 30 else 1.0  # as trackers say it
        follower.take(frame / FPS, np.array([0, 0, 0, eyes, eyes, 0.0]))
        pose = follower.pose(frame / FPS)
        assert pose.left_eye >= 0  # a number
    assert pose.left_eye == pytest.approx(0, abs=0.01)


def test_a_calibration_without_open_lids_is_none(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    save(Calibration(0, 0, 0, -1.0, 0.0, 0.1, 0.3, 0.0, 0.2), path)
    with pytest.raises(InputError, match="no calibration"):
        load(path)


def test_poses_by_one_calibration_are_as_they_were() -> None:
    usual = Calibration(0, 0, 0, 0.1, 0.3, 0.1, 0.3, 0.0, 0.2)
    measures = Measures(np.zeros(1), np.array([[0.5, 0, 0, 0.1, 0.3, 0.1]]))
    row = poses(measures, usual, mirrored=False)[0]
    np.testing.assert_allclose(row, [0.5, 0, 0, 1, 0, 0.5])
