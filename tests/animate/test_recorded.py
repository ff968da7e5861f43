"""Networks that are played back draw what they drew before, to the bit."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from animate.pose.poser import AtBothSizes, Networks, Poser
from animate.pose.recorded import RECORDED_FROM, Recorded
from animate.pose.torch_networks import TorchNetworks, open_torch_networks
from contract.pose import FACE, JOINTS, Pose
from models.base.config import NetworkConfig
from models.base.execution import Execution, Precision
from models.files.bundle import load_bundle
from models.files.bundle_record import PRETRAINED
from tests.support.shifting import drawing
from tests.support.untrained import soft_picture, untrained


class Doubling:
    """Twice its inputs; remembers what it was asked with."""

    def __init__(self) -> None:
        self.shapes: list[torch.Size] = []

    def double(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        self.shapes.append(inputs[0].shape)
        return tuple(2 * one for one in inputs)


def test_a_function_is_asked_until_it_is_recorded_and_no_more() -> None:
    asked = Doubling()
    recorded = Recorded(asked.double)
    for call in range(2 * RECORDED_FROM):
        first, last = recorded(torch.full((3,), float(call)), torch.ones(2, 2))
        assert first.tolist() == [2 * call] * 3
        assert last.tolist() == [[2, 2], [2, 2]]
    assert len(asked.shapes) == RECORDED_FROM  # the last of them to be recorded
    (other,) = recorded(torch.ones(4))  # other shapes are another recording
    assert other.tolist() == [2] * 4
    assert asked.shapes[-1] == (4,)


def test_many_shapes_in_turn_are_right() -> None:
    recorded = Recorded(Doubling().double)
    for _ in range(RECORDED_FROM + 1):
        for length in range(1, 20):
            (made,) = recorded(torch.full((length,), 3.0))
            assert made.tolist() == [6] * length


def test_one_of_several_threads_records() -> None:
    asked = Doubling()
    recorded = Recorded(asked.double)

    def call(number: int) -> list[float]:
        return [float(recorded(torch.full((1,), float(number)))[0]) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(call, range(4)))
    assert made == [[2.0 * number] * 50 for number in range(4)]
    assert len(asked.shapes) < 200


@pytest.mark.parametrize("fault", [RuntimeError("not here"), AttributeError("trace")])
def test_where_nothing_can_be_recorded_all_is_as_before(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise fault

    monkeypatch.setattr(torch.jit, "trace", fail)
    asked = Doubling()
    recorded = Recorded(asked.double)
    for _ in range(2 * RECORDED_FROM):
        assert recorded(torch.ones(1))[0].tolist() == [2]
    assert len(asked.shapes) == 2 * RECORDED_FROM


LOOKS = NetworkConfig(
    64, 4, 8, 1, 0.1, 16, "face", 24, True, True, 3, 3, True, 0.3, 1.5, True, True
)
WHOLE = NetworkConfig(16, 4, 8, 1)


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What has been recorded, for nothing would be wrong if nothing were."""
    trace, done = torch.jit.trace, list[object]()

    def traced_too(*inputs: Any, **options: Any) -> object:  # noqa: ANN401
        done.append(trace(*inputs, **options))  # type: ignore[no-untyped-call]
        return done[-1]

    monkeypatch.setattr(torch.jit, "trace", traced_too)
    return done


def _pictures(networks: Networks, side: int, poses: list[Pose]) -> list[bytes]:
    """What networks make of a picture of ``side`` pixels, one pose after the other."""
    wide = None if side == networks.size and networks.draws_small else soft_picture(side)
    rest, made = AtBothSizes(soft_picture(networks.small), wide), []
    for vector in (pose.to_vector() for pose in poses):
        expression = networks.express(rest, vector[FACE])
        made.append(networks.turn(expression, vector[JOINTS]).tobytes())
    return made


def _poses(count: int) -> list[Pose]:
    """Rest, one at the end of every axis, and others."""
    generator = np.random.default_rng(5)
    random = [Pose(*generator.uniform(-1, 1, 3), *generator.uniform(0, 1, 3)) for _ in range(count)]
    return [Pose(), Pose(-1, 1, -1, 1, 1, 0), *random]


@pytest.mark.parametrize(("config", "side"), [(WHOLE, 16), (WHOLE, 50), (LOOKS, 64), (LOOKS, 80)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["PU-L1", "ZH-L1", "FU-L1-L1"])
def test_pictures_are_the_same_to_the_bit(
    name: str, precision: Precision, config: NetworkConfig, side: int, traced: list[object]
) -> None:
    bundle = untrained(config, "L1", seed=2)
    networks = TorchNetworks(bundle, name, torch.device("cpu"), Execution(precision=precision))
    poses = _poses(RECORDED_FROM)
    before = _pictures(networks, side, poses[:RECORDED_FROM])
    again = _pictures(networks, side, poses)
    assert again[:RECORDED_FROM] == before
    assert len(traced) == 2
    fresh = TorchNetworks(bundle, name, torch.device("cpu"), Execution(precision=precision))
    assert again[-2:] == _pictures(fresh, side, poses[-2:])  # too few to be recorded


def test_what_came_with_the_program_rests_and_moves_as_before(traced: list[object]) -> None:
    bundle, picture = load_bundle(PRETRAINED), drawing()
    picture = np.kron(picture, np.ones((256 // len(picture), 256 // len(picture), 1), np.uint8))
    first, played = (Poser(open_torch_networks(bundle, None, "cpu"), picture) for _ in range(2))
    poses = _poses(RECORDED_FROM + 2)
    for pose in poses:
        moved = played.draw(pose)
    assert len(traced) == 2
    np.testing.assert_array_equal(first.draw(poses[-1]), moved)
    np.testing.assert_array_equal(played.draw(Pose()), picture)


def test_no_two_record_at_once() -> None:
    """Each turns warnings off, and back to how it found them: off, where another was at it."""
    inside: list[int] = [0]
    most: list[int] = []

    def slow(*inputs: Tensor) -> tuple[Tensor, ...]:
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            inside[0] += 1
            most.append(inside[0])
            time.sleep(0.05)
            inside[0] -= 1
        return inputs

    recorded = [Recorded(slow) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(RECORDED_FROM):
            list(pool.map(lambda one: one(torch.ones(5)), recorded))
    assert most == [1] * 4
