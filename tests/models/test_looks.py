"""Networks that look at a smaller picture: what they see, and how what they decide is applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.errors import InputError
from contract.image import Stored, network_to_stored, stored_to_network
from models.base.config import PAPER, NetworkConfig, Part, config_from_json
from models.base.enlarge import (
    SNAP,
    covered,
    enlarged,
    laid,
    layer,
    moved,
    sampled,
    snapped,
    spread,
)
from models.base.gates import border_gate, face_gate, gated, joint_gate
from models.base.look import part_of, reduced, with_part
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

RED, GREEN = (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0)
SMALL = NetworkConfig(
    size=64, channels=4, max_channels=8, residual_blocks=1, sees=16, looks_at="middle", rests=True
)
FACE = replace(SMALL, looks_at="face", face_sees=24)
FACE_REST, JOINTS_REST = torch.tensor([[0.0, 0.0, 1.0]]), torch.zeros(1, 3)


def _painted(side: int, colour: tuple[float, ...], alpha: float = 1.0) -> Tensor:
    """(1, 4, side, side): one colour, alpha in [-1, 1]."""
    return (
        torch.tensor([*colour, alpha], dtype=torch.float32)[None, :, None, None]
        .expand(1, 4, side, side)
        .clone()
    )


def _character(side: int, seed: int = 0) -> Tensor:
    """(1, 4, side, side): a smooth picture, its left and right quarter empty."""
    draw = torch.Generator().manual_seed(seed)
    picture = enlarged(torch.rand(1, 4, 8, 8, generator=draw) * 2 - 1, side)
    picture[:, 3] = picture[:, 3].clamp(min=-0.5)
    picture[..., : side // 4] = picture[..., -side // 4 :] = -1
    return picture


Made = TypeVar("Made", FaceMorpher, FaceRotator, Combiner)


def _noisy(kind: type[Made], config: NetworkConfig) -> Made:
    return kind(config, torch.Generator().manual_seed(0)).eval()


# Reduction.


def test_an_area_that_divides_is_a_mean_and_edges_do_not_darken() -> None:
    picture = _painted(4, (-1, -1, -1), -1)
    picture[..., 0, 1] = torch.tensor([*RED, 1.0])
    small = reduced(picture, 2)
    torch.testing.assert_close(small[0, :, 0, 0], torch.tensor([*RED, -0.5]))
    torch.testing.assert_close(small[0, :, 1, 1], torch.tensor([-1.0, -1, -1, -1]))


def test_colours_are_weighted_by_alpha() -> None:
    picture = _painted(2, RED)
    picture[..., 0, :] = torch.tensor([*GREEN, -0.5])[:, None]
    torch.testing.assert_close(reduced(picture, 1)[0, :, 0, 0], torch.tensor([0.6, -0.6, -1, 0.25]))


def test_an_area_that_does_not_divide_takes_parts_of_pixels() -> None:
    picture = _painted(3, (0, 0, 0))
    picture[0, 0] = torch.tensor([[0.0, 0.3, 0.6]]).expand(3, 3)
    torch.testing.assert_close(reduced(picture, 2)[0, 0, 0], torch.tensor([0.1, 0.5]))


@pytest.mark.parametrize("side", [64, 100, 250, 256])
def test_one_colour_stays_that_colour_at_any_size(side: int) -> None:
    torch.testing.assert_close(reduced(_painted(side, RED, 0.2), 16), _painted(16, RED, 0.2))


def test_a_picture_of_the_looks_size_is_given_back_itself() -> None:
    picture = _character(32)
    assert reduced(picture, 32) is picture


# Enlargement.


def test_a_share_of_one_pixel_lies_over_that_pixels_area() -> None:
    small = torch.zeros(1, 1, 4, 4)
    small[..., 1, 2] = 1
    large = enlarged(small, 16)
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    centre = [(large * place).sum() / large.sum() for place in (rows, columns)]
    torch.testing.assert_close(torch.stack(centre), torch.tensor([5.5, 9.5]))
    torch.testing.assert_close(large.sum(), torch.tensor(16.0))


def test_a_share_that_is_nearly_one_or_nothing_is_one_or_nothing() -> None:
    share = torch.tensor([0, SNAP / 2, 0.5, 1 - SNAP / 2, 1])
    assert snapped(share).tolist() == pytest.approx([0, 0, 0.5, 1, 1])


@pytest.mark.parametrize("side", [16, 64, 100])
def test_a_flow_of_one_pixel_of_the_look_is_as_many_pixels_as_it_covers(side: int) -> None:
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0] = 2 / 7  # one pixel to the right
    ramp = torch.arange(float(side)).expand(1, 1, side, side)
    turned = moved(ramp, flow)
    inside = int(side - side / 8)
    torch.testing.assert_close(
        turned[0, 0, 3, :inside], ramp[0, 0, 3, :inside] + side / 8, atol=1e-4, rtol=0
    )


def test_a_layer_paints_its_change_and_keeps_the_rest() -> None:
    share, change = torch.ones(1, 4, 4, 4), _painted(4, GREEN)
    share[..., 1, 1] = 0
    output = laid(layer(share, change, torch.ones(1, 1, 4, 4)), _painted(16, RED))
    torch.testing.assert_close(output[0, :, 6, 6], torch.tensor([-0.53125, 0.53125, -1, 1]))
    assert torch.equal(output[..., 10:], _painted(16, RED)[..., 10:])


def test_a_colour_that_is_not_used_does_not_come_in_between_pixels() -> None:
    share, change = torch.ones(1, 4, 4, 4), _painted(4, (-1, -1, 1))
    share[..., 1, :], change[..., 1, :] = 0, torch.tensor([*GREEN, 1.0])[:, None]
    output = laid(layer(share, change, torch.ones(1, 1, 4, 4)), _painted(16, GREEN))
    torch.testing.assert_close(output, _painted(16, GREEN))


def test_colours_of_a_change_do_not_darken_where_nothing_is_seen() -> None:
    change = _painted(8, (-1, -1, -1), -1)
    change[..., :4] = torch.tensor([*RED, 1.0])[:, None, None]
    coverage = (change[:, 3:] + 1) / 2
    large = enlarged(layer(torch.zeros(1, 4, 8, 8), change, coverage).painted, 32)
    assert large[0, 0, :, :22].min() > 0.999  # nearly two pixels of the look beyond the edge
    torch.testing.assert_close(large[:, 3:], enlarged(change[:, 3:], 32))


def test_spread_colours_go_under_alpha_nothing_alone_and_covering_takes_them_back() -> None:
    picture = _painted(32, (-1, -1, -1), -1)
    picture[..., :10] = torch.tensor([*RED, -0.9])[:, None, None]
    wide = spread(picture, reduced(picture, 8))
    assert wide[0, 0, :, :16].min() > 0.999
    assert torch.equal(wide[..., :10], picture[..., :10])
    assert torch.equal(wide[:, 3], picture[:, 3])
    assert torch.equal(covered(wide), picture)


# Parts.


def test_parts_lie_where_the_picture_convention_has_head_and_face() -> None:
    place = torch.arange(256 * 256).view(1, 1, 256, 256)
    places: list[tuple[Part, slice, slice]] = [
        ("whole", slice(0, 256), slice(0, 256)),
        ("middle", slice(64, 192), slice(64, 192)),
        ("face", slice(112, 208), slice(80, 176)),
    ]
    for part, rows, columns in places:
        assert torch.equal(part_of(place, part), place[:, :, rows, columns])


@pytest.mark.parametrize("side", [16, 18, 19, 1000, 1004])
@pytest.mark.parametrize("place", ["whole", "middle", "face"])
def test_a_part_put_back_is_the_picture(place: Part, side: int) -> None:
    picture = _character(side)
    part = part_of(picture, place)
    assert part.shape[-1] == part.shape[-2]
    assert torch.equal(with_part(picture, part, place), picture)
    changed = with_part(picture, part + 5, place) - picture
    assert torch.equal(part_of(changed, place), (part + 5) - part)
    assert changed.count_nonzero() == part.numel()


def test_places_beyond_the_picture_are_the_borders_and_between_pixels_both() -> None:
    """Of 4 pixels a side, whose centres lie at -3/4, -1/4, 1/4 and 3/4."""
    picture = torch.arange(16.0).view(1, 1, 4, 4).expand(1, 4, 4, 4)
    x = torch.tensor([-9.0, -1.0, -0.75, -0.5, 0.0, 0.75, 1.0, 9.0])
    for y, row in ((-5.0, 0), (-0.25, 1), (0.9, 3)):
        places = torch.stack([x, torch.full_like(x, y)])[None, :, None]
        wanted = 4 * row + torch.tensor([0, 0, 0, 0.5, 1.5, 3, 3, 3])
        assert torch.equal(sampled(picture, places)[0, 2, 0], wanted)


@pytest.mark.parametrize("config", [SMALL, FACE])
def test_a_look_at_a_part_changes_nothing_beyond_it_and_leaves_no_seam(
    config: NetworkConfig,
) -> None:
    morpher, picture = _noisy(FaceMorpher, config), _character(256)
    output = morpher(picture, torch.tensor([[1.0, 1.0, 0.0]])).output
    change = (output - picture).abs()
    inner = part_of(change, config.looks_at).amax((0, 1))
    assert inner.max() > 0.1
    beyond = with_part(change, torch.zeros_like(part_of(change, config.looks_at)), config.looks_at)
    assert beyond.max() == 0
    assert torch.stack([inner[0], inner[-1], inner[:, 0], inner[:, -1]]).max() < 1e-6


# Rest.


def test_gates_are_shut_at_rest_and_open_from_a_small_distance_on() -> None:
    faces = torch.tensor([[0.0, 0, 1], [0.05, 0, 1], [0, 0.025, 1], [0, 0, 0.9]])
    assert face_gate(faces).flatten().tolist() == [0, 1, 0.5, 1]
    joints = torch.tensor([[0.0, 0, 0], [0, -0.5, 0], [0, 0, 0.025]])
    assert joint_gate(joints).flatten().tolist() == [0, 1, 0.5]
    assert gated(torch.tensor([0.25]), torch.tensor([0.0])) == 1
    border = border_gate(16, torch.device("cpu"))[0, 0]
    assert border[0].max() == border[:, -1].max() == 0
    assert border[4:-4, 4:-4].min() == 1


@pytest.mark.parametrize("side", [64, 100, 256])
def test_at_rest_networks_that_rest_give_their_input_back(side: int) -> None:
    picture = torch.from_numpy(stored_to_network(_stored(_character(side))))[None]
    expressed = _noisy(FaceMorpher, SMALL)(picture, FACE_REST)
    turned = _noisy(FaceRotator, SMALL)(picture, JOINTS_REST)
    combined = _noisy(Combiner, SMALL)(picture, picture, JOINTS_REST)
    for output in (expressed.output, turned.pathway1, turned.pathway2, combined.output):
        np.testing.assert_array_equal(_stored(output), _stored(picture))


def _stored(picture: Tensor) -> Stored:
    return network_to_stored(picture[0].detach().numpy())


# All networks.


@pytest.mark.parametrize("side", [64, 200])
@pytest.mark.parametrize("config", [SMALL, PAPER], ids=["small", "paper"])
def test_pictures_keep_their_size_and_decisions_have_the_looks(
    side: int, config: NetworkConfig
) -> None:
    narrow = NetworkConfig(
        64, 4, 8, 1, sees=config.sees, looks_at=config.looks_at, rests=config.rests
    )
    picture, pose = _character(side), torch.tensor([[0.5, 0.2, 0.1]])
    expressed = _noisy(FaceMorpher, narrow)(picture, pose)
    turned = _noisy(FaceRotator, narrow)(expressed.output, pose)
    combined = _noisy(Combiner, narrow)(turned.pathway1, turned.pathway2, pose)
    pictures = expressed.output, turned.pathway1, turned.pathway2, combined.output
    assert {tuple(one.shape) for one in pictures} == {(1, 4, side, side)}
    assert all((one.abs() <= 1 + 1e-5).all() for one in pictures)
    decided = expressed.alpha, turned.offset, combined.mask, combined.change
    assert {one.shape[-1] for one in decided} == {narrow.look}


def test_gradients_reach_every_weight_through_an_enlarged_decision() -> None:
    picture, pose = _character(64), torch.tensor([[0.5, 0.2, 0.1]])
    two = picture, picture.flip(3)
    rotator = _noisy(FaceRotator, SMALL)
    of: tuple[tuple[torch.nn.Module, tuple[torch.Tensor, ...], int], ...] = (
        (_noisy(FaceMorpher, SMALL), (picture,), 1),
        (rotator, (picture,), 2),
        (_noisy(Combiner, SMALL), two, 1),
    )
    for network, inputs, pictures in of:
        outputs = network(*inputs, pose)
        sum(one.square().mean() for one in outputs[:pictures]).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name


# Configuration.


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"sees": 48}, "sees"),
        ({"sees": 8}, "sees"),
        ({"sees": -64}, "sees"),
        ({"sees": 512}, "sees"),
        ({"sees": 256, "looks_at": "middle"}, "sees"),
        ({"sees": 64, "looks_at": "face"}, "sees"),
        ({"sees": 64, "face_sees": 64, "looks_at": "face"}, "face_sees"),
        ({"sees": 64, "face_sees": 120, "looks_at": "face"}, "face_sees"),
        ({"face_sees": -24}, "face_sees"),
        ({"looks_at": "middle"}, "sees"),
        ({"sees": 64, "looks_at": "eyes"}, "looks_at"),
        ({"looks_at": 1}, "looks_at"),
        ({"rests": 1}, "rests"),
        ({"last_filter": 4}, "last_filter"),
        ({"last_filter": 0}, "last_filter"),
        ({"last_filter": 17}, "last_filter"),
        ({"last_filter": True}, "last_filter"),
        ({"rigid": 1}, "rigid"),
        ({"boldness": -0.1}, "boldness"),
        ({"boldness": float("nan")}, "boldness"),
        ({"copies_more": 5.0}, "copies_more"),
        ({"copies_more": True}, "copies_more"),
        ({"flow_outlines": 1}, "flow_outlines"),
        ({"both_sides": 1}, "both_sides"),
        ({"sees": True}, "sees"),
    ],
)
def test_a_look_that_no_network_can_have_is_refused(values: dict[str, object], field: str) -> None:
    with pytest.raises(InputError, match=f"network: {field} is"):
        config_from_json(PAPER.to_json() | values)


def test_who_looks_how_finely_and_at_how_large_a_picture_is_decided() -> None:
    looks = [
        (config.look, config.face_look, config.decides_at, config.turns_at)
        for config in (
            PAPER,
            replace(PAPER, sees=64),
            replace(PAPER, sees=64, looks_at="middle"),
            replace(PAPER, sees=64, looks_at="face", face_sees=72),
            replace(PAPER, sees=64, looks_at="face", face_sees=96),
        )
    ]
    assert looks == [
        (256, 256, 256, 256),
        (64, 64, 128, 128),
        (64, 64, 128, 128),
        (64, 72, 192, 128),
        (64, 96, 256, 128),
    ]


def test_later_fields_may_be_missing_and_are_written_only_where_they_say_something() -> None:
    assert list(PAPER.to_json()) == [
        "size",
        "channels",
        "max_channels",
        "residual_blocks",
        "flow_scale",
    ]
    assert config_from_json(PAPER.to_json()) == PAPER
    written = SMALL.to_json()
    assert (written["sees"], written["looks_at"], written["rests"]) == (16, "middle", True)
    assert config_from_json(written) == SMALL
