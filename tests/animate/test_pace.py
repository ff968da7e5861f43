"""Networks that decide on the mirror image as well, and how often they do so live."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import animate.pose.torch_networks
from animate.pose.pace import Pace
from animate.pose.poser import AtBothSizes
from animate.pose.torch_networks import open_torch_networks
from contract.image import NetworkPicture
from models.base.config import NetworkConfig
from models.base.execution import Execution, Precision
from models.files.bundle import Bundle
from tests.support.untrained import soft_picture, untrained

ONCE = NetworkConfig(size=32, channels=4, max_channels=16, residual_blocks=1, sees=16)
TWICE = replace(ONCE, both_sides=True)


def drawn(bundle: Bundle, pace: Pace) -> NetworkPicture:
    networks = open_torch_networks(bundle, None, "cpu", pace=pace)
    picture = AtBothSizes(soft_picture(networks.small), soft_picture(64))
    expression = networks.express(picture, np.array([1, 0.5, 0], np.float32))
    return networks.turn(expression, np.array([0.5, -1, 0.3], np.float32))


def test_quick_is_as_networks_that_decide_once_and_full_as_they_were_made() -> None:
    once, twice = untrained(ONCE, "L1"), untrained(TWICE, "L1")
    assert np.array_equal(drawn(twice, "quick"), drawn(once, "full"))
    assert not np.array_equal(drawn(twice, "full"), drawn(once, "full"))
    assert np.array_equal(drawn(once, "quick"), drawn(once, "full"))
    assert twice.networks()["morpher"].config == TWICE  # the bundle's own are as they were


@pytest.mark.parametrize(("precision", "same"), [("float32", "quick"), ("bfloat16", "full")])
def test_left_to_itself_it_is_quick_without_bfloat16(
    precision: Precision, same: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Execution(precision=precision)
    monkeypatch.setattr(animate.pose.torch_networks, "fastest", lambda _place: options)
    twice = untrained(TWICE, "L1")
    assert np.array_equal(drawn(twice, "auto"), drawn(twice, same))
