"""Pictures of many poses, several drawn at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

import animate.pose.ahead
from animate.pose.ahead import drawn_ahead
from animate.pose.poser import AtBothSizes, Poser, Vector
from contract.image import NetworkPicture, Stored
from contract.pose import Pose
from tests.support.shifting import Shifting, drawing

POSES = [Pose(head_y=k % 5 / 4, left_eye=k // 5 / 5) for k in range(23)]


@pytest.fixture(autouse=True)
def _three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animate.pose.ahead, "count_cores", lambda: 3)


def _as_it_is(picture: Stored, _number: int) -> Stored:
    return picture


@dataclass
class AtOnce(Shifting):
    """Waits for a second thread to come: with one alone no picture would be drawn."""

    is_threaded: bool = True

    def __post_init__(self) -> None:
        self.second_came, self.threads = threading.Event(), set[str]()

    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        self.threads.add(threading.current_thread().name)
        if len(self.threads) > 1:
            self.second_came.set()
        assert self.second_came.wait(30)
        return super().turn(expression, joints)


@pytest.mark.parametrize("is_threaded", [False, True])
def test_pictures_come_in_the_order_of_their_poses(is_threaded: bool) -> None:
    one = Poser(Shifting(), drawing())
    expected = [one.draw(pose) for pose in POSES]
    networks = Shifting(is_threaded=is_threaded)
    drawn = list(drawn_ahead(Poser(networks, drawing()), POSES, _as_it_is))
    np.testing.assert_array_equal(drawn, expected)
    assert 1 <= networks.calls.count("enter") <= (3 if is_threaded else 1)


def test_several_are_drawn_at_once() -> None:
    networks = AtOnce()
    assert len(list(drawn_ahead(Poser(networks, drawing()), POSES, _as_it_is))) == len(POSES)
    assert len(networks.threads) > 1


def test_no_more_are_drawn_ahead_than_are_soon_wanted() -> None:
    networks = Shifting(is_threaded=True)
    pictures = drawn_ahead(Poser(networks, drawing()), POSES, _as_it_is)
    assert networks.calls == []  # nothing before the first is wanted
    next(pictures)
    pictures.close()
    assert networks.calls.count("turn") <= 4 * 4  # each run is of four


def test_each_picture_is_finished_with_its_number() -> None:
    poser = Poser(Shifting(is_threaded=True), drawing())
    drawn = drawn_ahead(poser, POSES, np.full_like)
    assert [int(picture[0, 0, 0]) for picture in drawn] == list(range(len(POSES)))


def test_a_fault_is_raised_after_the_pictures_before_it() -> None:
    def finish(picture: Stored, number: int) -> Stored:
        if number == 9:
            raise ValueError("the ninth")
        return picture

    pictures = drawn_ahead(Poser(Shifting(is_threaded=True), drawing()), POSES, finish)
    for _ in range(8):  # those of the two runs before
        next(pictures)
    with pytest.raises(ValueError, match="the ninth"):
        next(pictures)


def test_no_poses_make_no_pictures() -> None:
    assert list(drawn_ahead(Poser(Shifting(), drawing()), [], _as_it_is)) == []
