"""The networks against a second, plain transcription, and every tensor against THA1's list."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.errors import InputError
from models.base.config import PAPER, NetworkConfig, config_from_json, copying
from models.base.layers import InstanceNorm, blend, run_heads, with_pose
from models.files.tha1 import names
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator, warp
from tests.support.plain_networks import PLAIN, listed_tensors

Network = type[FaceMorpher] | type[FaceRotator] | type[Combiner]

TINY = NetworkConfig(size=32, channels=4, max_channels=16, residual_blocks=2)
NETWORKS: list[Network] = [FaceMorpher, FaceRotator, Combiner]
FILES = {
    FaceMorpher: ("face_morpher.pt", 33_878_720),
    FaceRotator: ("two_algo_face_rotator.pt", 33_884_992),
    Combiner: ("combiner.pt", 34_960_704),
}


def _inputs(kind: Network, seed: int = 1, count: int = 2, size: int = 32) -> list[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    pictures = 2 if kind is Combiner else 1
    # Smooth pictures: noise would turn a last bit of a sampling position into a visible difference.
    coarse = [torch.rand(count, 4, 5, 5, generator=draw) * 2 - 1 for _ in range(pictures)]
    shown = [functional.interpolate(small, (size, size), mode="bilinear") for small in coarse]
    return [*shown, torch.rand(count, 3, generator=draw) * 2 - 1]


def _network(kind: Network, config: NetworkConfig = TINY) -> FaceMorpher | FaceRotator | Combiner:
    return kind(config, torch.Generator().manual_seed(0))


def _plain(network: FaceMorpher | FaceRotator | Combiner) -> nn.Module:
    """The transcription with the same weights, carried over by THA1's names."""
    plain = PLAIN[type(network).__name__](network.config.widths, network.config.residual_blocks)
    state = network.state_dict()
    plain.load_state_dict({theirs: state[ours] for theirs, ours in names(network)})
    return plain


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_tensor_of_the_paper_has_tha1s_name_shape_and_place(
    tha1_tensors: Path, kind: Network
) -> None:
    with torch.device("meta"):
        network = kind(PAPER)
    file, numbers = FILES[kind]
    state = network.state_dict()
    ours = {theirs: tuple(state[own].shape) for theirs, own in names(network)}
    listed = listed_tensors(tha1_tensors)[file]
    assert list(ours.items()) == list(listed.items())
    assert len(ours) == len(state)
    assert sum(parameter.numel() for parameter in network.parameters()) == numbers


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(
    "config",
    [TINY, NetworkConfig(size=64, channels=3, max_channels=7, residual_blocks=1)],
    ids=["32", "64-narrow"],
)
def test_outputs_and_gradients_equal_the_plain_transcription(
    kind: Network, config: NetworkConfig
) -> None:
    network = _network(kind, config)
    plain = _plain(network)
    inputs = _inputs(kind, size=config.size)
    ours, theirs = network(*inputs), plain(*inputs)
    for name, own, other in zip(ours._fields, ours, theirs, strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5, msg=name)
    pairs = list(names(network))
    own_gradients = _gradients(ours, [network.get_parameter(own) for _, own in pairs])
    other_gradients = _gradients(theirs, [plain.get_parameter(other) for other, _ in pairs])
    for (name, _), own, other in zip(pairs, own_gradients, other_gradients, strict=True):
        size = other.abs().max()
        torch.testing.assert_close(own / size, other / size, atol=2e-3, rtol=0, msg=name)


def _gradients(outputs: Iterable[Tensor], parameters: list[nn.Parameter]) -> tuple[Tensor, ...]:
    loss = torch.stack([output.square().mean() for output in outputs]).sum()
    return torch.autograd.grad(loss, parameters)


@pytest.mark.parametrize("kind", NETWORKS)
def test_masks_and_pictures_stay_in_their_ranges(kind: Network) -> None:
    for name, tensor in _network(kind)(*_inputs(kind))._asdict().items():
        assert tensor.dtype == torch.float32
        assert tensor.shape == (2, 2 if name == "offset" else 4, 32, 32)
        if name in ("alpha", "mask", "retouch_alpha"):
            assert 0 < tensor.min() < 0.4
            assert 0.6 < tensor.max() < 1
        elif name != "offset":
            assert tensor.abs().max() <= 1


def test_the_start_is_he_normal_and_depends_on_the_generator_alone() -> None:
    config = NetworkConfig(size=32, channels=32, max_channels=64, residual_blocks=1)
    network = _network(FaceMorpher, config)
    again = _network(FaceMorpher, config)
    for own, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(own, other)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)
            assert abs(module.weight.mean().item()) < 0.05 * module.weight.std().item() + 1e-3


def test_instance_norm_equals_torchs() -> None:
    norm, theirs = InstanceNorm(5), nn.InstanceNorm2d(5, affine=True)
    with torch.no_grad():
        norm.weight.copy_(torch.randn(5))
        norm.bias.copy_(torch.randn(5))
        theirs.load_state_dict(norm.state_dict())
    features = torch.randn(3, 5, 6, 7) * 4 + 2
    torch.testing.assert_close(norm(features), theirs(features))
    last = features.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(norm(last), theirs(features))
    assert norm(last).is_contiguous(memory_format=torch.channels_last)


def test_pose_planes_come_after_the_pictures_in_order() -> None:
    image = torch.zeros(1, 4, 2, 2)
    joined = with_pose(image, image + 1, pose=torch.tensor([[2.0, 3.0, 4.0]]))
    assert joined[0, :, 0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4]
    assert torch.equal(joined[:, 8:].amin((2, 3)), joined[:, 8:].amax((2, 3)))


def test_heads_run_together_equal_heads_run_one_by_one() -> None:
    heads = [nn.Conv2d(6, outputs, 7, padding=3, bias=False) for outputs in (4, 4, 2)]
    features = torch.randn(2, 6, 9, 9)
    for together, head in zip(run_heads(features, *heads), heads, strict=True):
        torch.testing.assert_close(together, head(features), atol=1e-6, rtol=1e-5)


def test_a_blend_of_one_is_the_first_picture_and_of_zero_the_second() -> None:
    over, under = torch.tensor([0.3, 0.3, 1.0]), torch.tensor([-0.7, -0.7, 0.0])
    blended = blend(torch.tensor([1.0, 0.0, 0.25]), over, under)
    assert torch.equal(blended, torch.tensor([0.3, -0.7, 0.25]))


# Warp.


def _ramp() -> Tensor:
    """(1, 1, 4, 5): the number of each pixel, row by row."""
    return torch.arange(20.0).reshape(1, 1, 4, 5)


@pytest.mark.parametrize(
    ("kind", "config", "share"),
    [
        (FaceMorpher, dataclasses.replace(TINY, boldness=0.5), "alpha"),
        (Combiner, dataclasses.replace(TINY, copies_more=0.5), "mask"),
    ],
    ids=["a bold morpher", "a combiner that copies more"],
)
def test_a_share_is_lower_where_it_is_used_and_learnt_as_any(
    kind: Network, config: NetworkConfig, share: str
) -> None:
    inputs = _inputs(kind)
    for learns, lower in ((True, 0.0), (False, 0.5)):
        plain, lowered = (_network(kind, one).train(learns) for one in (TINY, config))
        kept, less = (getattr(network(*inputs), share).logit() for network in (plain, lowered))
        torch.testing.assert_close(less + lower, kept, rtol=0, atol=1e-4)


def test_outlines_are_the_flows_where_a_combiner_is_used_and_learnt_as_any() -> None:
    inputs = _inputs(Combiner)
    config = dataclasses.replace(TINY, flow_outlines=True)
    for learns in (True, False):
        plain, outlined = (_network(Combiner, one).train(learns) for one in (TINY, config))
        mask, kept = (network(*inputs).mask for network in (plain, outlined))
        torch.testing.assert_close(kept[:, :3], mask[:, :3], rtol=0, atol=0)
        torch.testing.assert_close(kept[:, 3], mask[:, 3] * learns, rtol=0, atol=0)
        assert mask[:, 3].min() > 0
    torch.testing.assert_close(outlined(*inputs).combined[:, 3], inputs[1][:, 3], rtol=0, atol=0)


def test_no_offset_copies_the_picture() -> None:
    torch.testing.assert_close(warp(_ramp(), torch.zeros(1, 2, 4, 5)), _ramp())


def test_one_pixel_of_offset_reads_the_pixel_to_the_right_or_below() -> None:
    right = torch.zeros(1, 2, 4, 5)
    right[:, 0] = 2 / 4  # x: half the picture is (5 - 1) / 2 pixels
    torch.testing.assert_close(warp(_ramp(), right)[0, 0, 0], torch.tensor([1.0, 2, 3, 4, 4]))
    below = torch.zeros(1, 2, 4, 5)
    below[:, 1] = 2 / 3
    torch.testing.assert_close(warp(_ramp(), below)[0, 0, :, 0], torch.tensor([5.0, 10, 15, 15]))


def test_half_a_pixel_is_the_mean_of_two() -> None:
    half = torch.zeros(1, 2, 4, 5)
    half[:, 0] = 1 / 4
    torch.testing.assert_close(warp(_ramp(), half)[0, 0, 1], torch.tensor([5.5, 6.5, 7.5, 8.5, 9]))


# Configuration.


def test_a_copying_start_gives_the_input_back_by_pathway_2_alone() -> None:
    image, pose = _inputs(FaceRotator)
    copied, random = (
        _network(FaceRotator, copying(TINY))(image, pose),
        _network(FaceRotator)(image, pose),
    )
    torch.testing.assert_close(copied.pathway2, image, atol=1e-4, rtol=0)
    assert (random.pathway2 - image).abs().mean() > 0.1
    assert torch.equal(copied.pathway1, random.pathway1)


def test_a_configuration_survives_json() -> None:
    config = copying(TINY)
    assert config_from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 100),
        ("size", 8),
        ("size", 1 << 20),
        ("size", 64.0),
        ("size", None),
        ("channels", 0),
        ("channels", "64"),
        ("channels", True),
        ("max_channels", 32),
        ("max_channels", 1 << 20),
        ("residual_blocks", -1),
        ("residual_blocks", 10**9),
        ("flow_scale", float("nan")),
        ("flow_scale", -0.1),
    ],
)
def test_an_impossible_configuration_is_refused_by_its_field(field: str, value: object) -> None:
    values = {**PAPER.to_json(), field: value}
    with pytest.raises(InputError, match=f"network: {field} is"):
        config_from_json(values)


def test_unknown_and_missing_fields_are_named() -> None:
    values: dict[str, object] = {**PAPER.to_json(), "depth": 3}
    del values["size"]
    with pytest.raises(InputError, match=r"\(depth, size\)"):
        config_from_json(values)


def test_the_paper_is_the_default() -> None:
    looks = 0, "whole", 0, False, False, 0, 7, False, 0.0, 0.0, False, False
    assert dataclasses.astuple(PAPER) == (256, 64, 512, 6, 1.0, *looks)
    assert PAPER.widths == (64, 128, 256, 512)
