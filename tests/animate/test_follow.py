"""Measures that come one by one: the same poses as of a recording, and rest when they stop."""

from __future__ import annotations

import math
import time
from dataclasses import astuple

import numpy as np
import pytest

from animate.listen.address import Address
from animate.listen.listener import Counts, Heard, LiveTracker
from animate.motion.motion import NEUTRAL
from animate.track.calibration import Calibration, calibrate
from animate.track.face_measures import F64, Measures
from animate.track.follow import Follower, filled, smoothed
from animate.track.track import reached_poses

USUAL = Calibration(0.1, 0.2, 0.0, 0.1, 0.3, 0.1, 0.3, 0.0, 0.2)
FACE = np.array([0.5, -0.4, 0.3, 0.28, 0.29, 0.1])


def somebody(frames: int = 300, fps: float = 30) -> Measures:
    """A head that sways, eyes that blink, a mouth that talks; nobody there for a second."""
    at = np.arange(frames) / fps
    blink = np.where((at % 2) < 0.15, 0.1, 0.3)
    head = [0.1 + 0.6 * np.sin(at), 0.2 + 0.7 * np.cos(1.3 * at), 0.4 * np.sin(0.7 * at)]
    values = np.column_stack([*head, blink, blink, 0.1 + 0.1 * np.sin(9 * at)])
    values[100:130] = np.nan
    return Measures(at, values)


def followed(follower: Follower, measures: Measures) -> F64:
    made = []
    for now, row in zip(measures.seconds, measures.values, strict=True):
        follower.take(float(now), row)
        made.append(follower.pose(float(now)).to_vector())
    return np.array(made)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_poses_are_those_of_a_recording(mirrored: bool) -> None:
    measures = somebody()
    raw = filled(measures.seconds, reached_poses(measures, USUAL, mirrored=mirrored))
    expected = smoothed(measures.seconds, raw)
    made = followed(Follower(USUAL, mirrored=mirrored), measures)
    np.testing.assert_allclose(made, expected, atol=1e-6)
    assert np.ptp(made, axis=0).min() > 0.4


def test_a_calibration_is_made_of_the_first_seconds_with_a_face() -> None:
    measures = somebody()
    follower = Follower(mirrored=False, calibration_seconds=2)
    assert not follower.is_calibrated
    # Nobody yet: that counts for nothing.
    follower.take(-1.0, np.full(6, np.nan))
    assert follower.calibration is None
    assert follower.pose(-1.0) == NEUTRAL
    followed(follower, Measures(measures.seconds[:61], measures.values[:61]))
    assert follower.is_calibrated and follower.calibration
    expected = astuple(calibrate(measures, 2))
    np.testing.assert_allclose(astuple(follower.calibration), expected)
    followed(follower, Measures(measures.seconds[61:], measures.values[61:]))
    # What is usual stays; how far mouth and lids go is learnt on the way.
    known = astuple(follower.calibration)
    usual = [0, 1, 2, 4, 6, 7]
    np.testing.assert_allclose(np.take(known, usual), np.take(expected, usual))
    np.testing.assert_allclose(known, expected, atol=0.02)


def test_a_head_begins_straight_and_can_be_calibrated_anew() -> None:
    follower = Follower(mirrored=False, calibration_seconds=1)
    for frame in range(60):
        follower.take(frame / 30, FACE)
        assert np.abs(follower.pose(frame / 30).to_vector()).max() < 1e-6
    turned = FACE + np.array([0.5, 0, 0, 0, 0, 0])
    for frame in range(60, 90):
        follower.take(frame / 30, turned)
    assert follower.pose(3).head_x == pytest.approx(0.5, abs=0.02)
    follower.recalibrate()
    for frame in range(90, 150):
        follower.take(frame / 30, turned)
    assert follower.pose(5).head_x == pytest.approx(0, abs=0.02)
    assert follower.is_calibrated


def test_where_measures_stop_the_face_is_held_and_returns_softly() -> None:
    follower = Follower(USUAL, mirrored=False)
    assert follower.pose(0) == NEUTRAL
    for frame in range(60):
        follower.take(frame / 30, FACE)
    last = 59 / 30
    shown = np.array([follower.pose(last + n / 60).to_vector() for n in range(180)])
    np.testing.assert_allclose(shown[:24], shown[0][None].repeat(24, 0), atol=0.02)
    assert np.abs(np.diff(shown, axis=0)).max() < 0.05
    np.testing.assert_allclose(shown[-1], 0, atol=0.01)


class Said:
    """A listener whose newest is set by hand."""

    def __init__(self) -> None:
        self.heard: Heard | None = None
        self.counts = Counts()

    def newest(self) -> Heard | None:
        return self.heard


@pytest.mark.parametrize(("tracker", "sign"), [("vmc", 1), ("openseeface", -1)])
def test_a_live_tracker_gives_the_newest_pose(tracker: str, sign: int) -> None:
    said = Said()
    address = Address(tracker, "127.0.0.1", 5000)
    live = LiveTracker(said, address, USUAL)  # type: ignore[arg-type]
    assert live.name == f"{tracker}:127.0.0.1:5000"
    now = time.monotonic()
    assert live.pose(now) == NEUTRAL
    for number in range(1, 40):
        said.heard = Heard(2 * number, now + number / 60, FACE)  # every other was never asked for
        assert math.isfinite(live.pose(now + number / 60).mouth)
        # Asked again, it takes nothing twice.
        assert live.pose(now + number / 60) == live.pose(now + number / 60)
    assert live.pose(now + 0.65).head_x == pytest.approx(0.4, abs=0.02)
    assert live.pose(now + 0.65).head_y == pytest.approx(sign * -0.6, abs=0.02)
    for second in range(1, 40):
        live.pose(now + 0.65 + second / 10)
    assert np.abs(live.pose(now + 5).to_vector()).max() < 0.01
