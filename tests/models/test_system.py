"""The system decides on a small picture and applies that to one of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from animate.pose.poser import Poser
from animate.pose.torch_networks import TorchNetworks
from contract.errors import InputError
from contract.pose import FACE, JOINTS, Pose
from models.base.config import NetworkConfig
from models.base.enlarge import covered, enlarged
from models.base.execution import Execution
from models.base.layers import blend
from models.base.look import reduced
from models.files.bundle import Bundle
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import warp
from models.system import System
from tests.support.untrained import untrained

PLAIN = NetworkConfig(32, 4, 8, 1, 0.02)
LOOKS = NetworkConfig(64, 4, 8, 1, 0.02, sees=16, looks_at="middle", rests=True)
PALETTE = replace(LOOKS, skips=True, palette=3, last_filter=3, rigid=True)
POSE = torch.tensor([[0.3, -0.8, 0.5, 0.7, 0.2, 0.4]])
NAMES = ("PU-L1", "ZH-L1", "FU-L1-L1")


def _soft(side: int) -> Tensor:
    """(1, 4, side, side): smooth, and seen everywhere."""
    draw = torch.Generator().manual_seed(2)
    picture = enlarged(torch.rand(1, 4, 6, 6, generator=draw) * 2 - 1, side)
    picture[:, 3] = picture[:, 3].abs()
    return picture


def _applied(system: System, picture: Tensor, pose: Tensor, side: int) -> Tensor:
    """What is decided on a picture of ``side`` pixels, applied to the picture."""
    small = reduced(picture, side)
    expression, over = system.express.decide(small, pose[:, FACE])
    if side != system.small:  # as fine as asked for, to the end
        expression = system.express(small, pose[:, FACE])
    decision = system.turn.decide(expression, pose[:, JOINTS])
    return system.turn.apply_to(system.express.apply_to(picture, over), decision)


@torch.no_grad()
def test_at_their_own_size_networks_that_see_all_mix_as_the_paper_does_to_the_bit() -> None:
    system, picture = untrained(PLAIN, "L1").system("FU-L1-L1"), _soft(32)
    face, joints = POSE[:, FACE], POSE[:, JOINTS]
    expressed = system.express.morpher(picture, face)
    assert torch.equal(expressed.output, blend(expressed.alpha, picture, expressed.change))
    turned = system.turn.rotator(expressed.output, joints)
    assert torch.equal(turned.pathway1, blend(turned.alpha, expressed.output, turned.change))
    assert torch.equal(turned.pathway2, warp(expressed.output, turned.offset))
    assert system.turn.combiner is not None
    combined = system.turn.combiner(*turned[:2], joints)
    between = blend(combined.mask, *turned[:2])
    assert torch.equal(combined.output, blend(combined.retouch_alpha, between, combined.change))
    assert torch.equal(system(picture, POSE), combined.output)
    assert torch.equal(system.turn.draw_and_decide(expressed.output, joints)[0], combined.output)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("config", [PLAIN, LOOKS, PALETTE], ids=["all", "looks", "palette"])
@torch.no_grad()
def test_what_is_applied_is_nearly_what_the_networks_draw(config: NetworkConfig, name: str) -> None:
    system = untrained(config, "L1").system(name)
    picture = _soft(config.size)
    drawn = system(picture, POSE)
    assert (drawn - picture).abs().mean() > 0.04
    applied = covered(_applied(system, picture, POSE, config.size))
    assert (applied - drawn).abs().mean() < 0.01
    # Networks that have learnt nothing make much of little: of a picture that is reduced in steps.
    applied = covered(_applied(system, picture, POSE, system.small))
    assert (applied - drawn).abs().mean() < 0.06


@torch.no_grad()
def test_who_looks_finely_at_the_face_turns_a_coarser_expression() -> None:
    config = NetworkConfig(96, 4, 8, 1, 0.02, sees=16, looks_at="face", face_sees=24, rests=True)
    system = untrained(config, "L1").system("FU-L1-L1")
    assert (system.small, system.turns_at) == (64, 32)
    expression, over = system.express.decide(_soft(64), POSE[:, FACE])
    assert (expression.shape[-1], over.kept.shape[-1]) == (32, 24)
    decision = system.turn.decide(expression, POSE[:, JOINTS])
    assert {one.shape[-1] for one in decision} == {16}
    picture = _soft(192)
    applied = covered(system.turn.apply_to(system.express.apply_to(picture, over), decision))
    assert (reduced(applied, 96) - system(reduced(picture, 96), POSE)).abs().mean() < 0.06


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_what_is_applied_to_a_larger_picture_is_the_same_larger(name: str) -> None:
    system = untrained(LOOKS, "L1").system(name)
    small, large = (_applied(system, _soft(side), POSE, system.small) for side in (64, 256))
    assert (reduced(large, 64) - small).abs().mean() < 0.01


@pytest.mark.parametrize("side", [64, 100])
@torch.no_grad()
def test_strips_join_to_the_whole(side: int) -> None:
    system, picture = untrained(LOOKS, "L1").system("FU-L1-L1"), _soft(side)
    decision = system.turn.decide(reduced(picture, system.small), POSE[:, JOINTS])
    whole = system.turn.apply_to(picture, decision)
    torch.testing.assert_close(system.turn.apply_in_strips(picture, decision), whole)


@pytest.mark.parametrize("config", [LOOKS, PALETTE], ids=["looks", "palette"])
@pytest.mark.parametrize("side", [64, 100, 256])
def test_at_rest_a_drawing_is_given_back_to_the_byte(side: int, config: NetworkConfig) -> None:
    drawing = np.random.default_rng(side).integers(0, 256, (side, side, 4), np.uint8)
    drawing[: side // 3] = 0
    drawing[drawing[..., 3] == 0] = 0
    networks = TorchNetworks(
        untrained(config, "L1"), "FU-L1-L1", torch.device("cpu"), Execution(precision="bfloat16")
    )
    poser = Poser(networks, drawing)
    np.testing.assert_array_equal(poser.draw(Pose()), drawing)
    moved = poser.draw(Pose(head_y=0.5))
    assert (moved != drawing).any()
    np.testing.assert_array_equal(poser.draw(Pose()), drawing)


def test_networks_that_do_not_fit_one_another_are_refused() -> None:
    bundle = untrained(LOOKS, "L1")
    other = FaceMorpher(replace(LOOKS, sees=32))
    with pytest.raises(InputError, match=r"different sizes, 64 \(looking at 32\), 64 \(looking at"):
        Bundle(other, bundle.rotators, bundle.combiners).system("FU-L1-L1")
