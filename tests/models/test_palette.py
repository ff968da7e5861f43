"""A morpher that paints with the picture's own colours, and trunks that see past the bottleneck."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from contract.errors import InputError
from models.base.config import NetworkConfig, config_from_json
from models.base.layers import Trunk, UNet
from models.base.palette import mixed
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

PLAIN = NetworkConfig(16, 4, 8, 1)
FULL = NetworkConfig(
    64, 4, 8, 1, sees=16, looks_at="middle", rests=True, skips=True, palette=3, last_filter=5
)
SURE = 80.0  # a logit beside which 0 is nothing
POSE = torch.tensor([[0.5, 0.2, 0.1]])


def _look() -> Tensor:
    """(1, 4, 2, 2): red, green / blue, and white that is not seen."""
    colours = [[[1.0, -1, -1], [-1, 1, -1]], [[-1, -1, 1], [1, 1, 1]]]
    seen = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    return torch.cat([torch.tensor(colours).permute(2, 0, 1), seen[None]])[None]


def test_a_colour_is_that_of_the_pixels_that_count() -> None:
    where = torch.zeros(1, 2, 2, 2)
    where[0, 0, 1, 0] = SURE  # the first colour: blue; the second: all that is seen, alike
    share = torch.zeros(1, 3, 2, 2)
    share[0, 1, :, 0] = share[0, 2, :, 1] = SURE
    picture = mixed(_look(), where, share, torch.zeros(1, 3, 2, 2))[0]
    torch.testing.assert_close(picture[:, 0, 0], torch.tensor([-1.0, -1.0, 1.0]))
    torch.testing.assert_close(picture[:, 1, 1], torch.full((3,), -1 / 3), atol=2e-3, rtol=0)


def test_made_up_colours_have_a_share() -> None:
    made_up = torch.full((1, 3, 2, 2), 0.5)
    share = torch.zeros(1, 2, 2, 2)
    share[0, 0, 0] = SURE
    where = torch.zeros(1, 1, 2, 2)
    where[0, 0, 0, 0] = SURE
    picture = mixed(_look(), where, share, made_up)[0]
    torch.testing.assert_close(picture[:, 0], torch.full((3, 2), 0.5))
    half = torch.tensor([0.75, -0.25, -0.25])
    torch.testing.assert_close(picture[:, 1], half[:, None].expand(3, 2))


def test_what_is_painted_follows_the_colours_of_the_picture() -> None:
    """Of one colour all over, that is all that there is to paint with."""
    morpher = FaceMorpher(FULL, torch.Generator().manual_seed(0))
    (weight,) = morpher.palette_heads[1].parameters()
    weight.data[0] = 0  # what is made up has the share of a colour, by chance
    look = torch.ones(1, 4, 16, 16)
    changes = []
    for value in (-0.9, 0.9):
        look[:, :3] = value
        decision = morpher.decide(look, POSE)
        changes.append(decision.change[:, :3].mean().item())
    assert changes[1] - changes[0] > 0.9


@pytest.mark.parametrize("kind", [FaceMorpher, FaceRotator, Combiner])
def test_gradients_reach_every_weight(
    kind: type[FaceMorpher] | type[FaceRotator] | type[Combiner],
) -> None:
    network = kind(FULL, torch.Generator().manual_seed(0))
    picture = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
    inputs = (picture, picture.flip(3)) if kind is Combiner else (picture,)
    outputs = network(*inputs, POSE)
    sum(one.square().mean() for one in outputs[: 2 if kind is FaceRotator else 1]).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("kind", [FaceMorpher, FaceRotator])
def test_skips_put_a_u_net_before_the_heads(kind: type[FaceMorpher] | type[FaceRotator]) -> None:
    assert isinstance(kind(PLAIN).trunk, Trunk)
    network = kind(replace(PLAIN, skips=True))
    assert isinstance(network.trunk, UNet)
    output = network(torch.rand(2, 4, 16, 16), torch.rand(2, 3))
    assert output[0].shape == (2, 4, 16, 16)


def test_both_are_told_of_a_network_and_read_again() -> None:
    told = FULL.to_json()
    assert (told["skips"], told["palette"]) == (True, 3)
    assert config_from_json(told) == FULL
    with pytest.raises(InputError, match="network: palette is 65; it must lie in"):
        config_from_json(told | {"palette": 65})
    with pytest.raises(InputError, match="network: skips is 1; give true or false"):
        config_from_json(told | {"skips": 1})
