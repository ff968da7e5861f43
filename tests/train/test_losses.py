"""The losses against a literal transcription of their formula, and with real filters."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.errors import InputError
from tests.support.real_filters import real_vgg16_state
from train.loss import vgg as vgg_module
from train.loss.losses import (
    COMBINER_WEIGHT,
    ROTATOR_WEIGHT,
    PerceptualLoss,
    StageLoss,
    changed_error,
    coarse_error,
    gradient_error,
    l1_loss,
)
from train.loss.vgg import (
    FILE_NAME,
    VARIABLE,
    Vgg16,
    VggActivations,
    find_vgg16,
    load_vgg16,
    vgg16_from_state,
)


def _random_vgg(seed: int = 0) -> Vgg16:
    vgg = Vgg16()
    draw = torch.Generator().manual_seed(seed)
    for convolution in vgg.convolutions:
        assert isinstance(convolution, nn.Conv2d)
        nn.init.kaiming_normal_(convolution.weight, generator=draw)
        assert convolution.bias is not None
        nn.init.normal_(convolution.bias, std=0.1, generator=draw)
    return vgg


def _pictures(count: int, seed: int, size: int = 8) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(count, 4, size, size, generator=draw) * 2 - 1


def _literal_vgg(state: dict[str, Tensor], channels: Tensor) -> list[Tensor]:
    """relu1_2, relu2_2, relu3_3 by torchvision's layer numbers, one layer a line."""
    mean = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[None, :, None, None]

    def conv(x: Tensor, layer: int) -> Tensor:
        weight, bias = state[f"features.{layer}.weight"], state[f"features.{layer}.bias"]
        return functional.relu(functional.conv2d(x, weight, bias, padding=1))

    x = ((channels * 0.5 + 0.5) - mean) / deviation
    relu1_2 = conv(conv(x, 0), 2)
    relu2_2 = conv(conv(functional.max_pool2d(relu1_2, 2), 5), 7)
    relu3_3 = conv(conv(conv(functional.max_pool2d(relu2_2, 2), 10), 12), 14)
    return [relu1_2, relu2_2, relu3_3]


def _literal_perceptual(
    state: dict[str, Tensor], target: Tensor, output: Tensor, w: float
) -> Tensor:
    """Sums over elements with lambda_j, one picture after another; then the pixel mean."""
    total = torch.zeros(())
    for t, o in zip(target[:, None], output[:, None], strict=True):  # (1, 4, H, W) each
        elements = t.numel()
        loss = (t - o).abs().sum()
        aaa_t = torch.cat([t[:, 3:]] * 3, 1)
        aaa_o = torch.cat([o[:, 3:]] * 3, 1)
        layers = zip(
            _literal_vgg(state, t[:, :3]),
            _literal_vgg(state, o[:, :3]),
            _literal_vgg(state, aaa_t),
            _literal_vgg(state, aaa_o),
            strict=True,
        )
        for rgb_t, rgb_o, a_t, a_o in layers:
            lambda_j = w * elements / rgb_t.numel()
            loss = loss + lambda_j * ((rgb_t - rgb_o).abs().sum() + (a_t - a_o).abs().sum())
        total = total + loss / elements
    return total / len(target)


def _state_of(vgg: Vgg16) -> dict[str, Tensor]:
    """A state dict with torchvision's names."""
    state: dict[str, Tensor] = {}
    for layer, convolution in zip((0, 2, 5, 7, 10, 12, 14), vgg.convolutions, strict=True):
        for part, tensor in convolution.named_parameters():
            state[f"features.{layer}.{part}"] = tensor.detach().clone()
    return state


def test_l1_is_the_mean_over_elements_summed_over_outputs() -> None:
    target = torch.tensor([0.0, 1.0, -1.0, 0.5])
    near, far = target + 0.25, target - torch.tensor([0.0, 0.0, 0.0, 2.0])
    assert l1_loss(target, near).item() == pytest.approx(0.25)
    assert l1_loss(target, near, far).item() == pytest.approx(0.25 + 0.5)


@pytest.mark.parametrize("weight", [ROTATOR_WEIGHT, COMBINER_WEIGHT])
@pytest.mark.parametrize("size", [8, 12])
def test_perceptual_equals_the_formula_written_out(weight: float, size: int) -> None:
    vgg = _random_vgg()
    target, output = _pictures(2, 1, size), _pictures(2, 2, size)
    loss = PerceptualLoss(vgg, weight)(target, output)
    literal = _literal_perceptual(_state_of(vgg), target, output, weight)
    torch.testing.assert_close(loss, literal, rtol=1e-5, atol=0)
    assert loss > 1.1 * l1_loss(target, output)


class _FlatVgg(Vgg16):
    """Answers of the paper's shapes, each number the mean of its picture: known differences."""

    def forward(self, channels: Tensor) -> VggActivations:
        count, _, height, width = channels.shape
        means = channels.mean((1, 2, 3))[:, None, None, None]
        shapes = [(64, 1), (128, 2), (256, 4)]
        return VggActivations(
            *(means.expand(count, c, height // part, width // part) for c, part in shapes)
        )


@pytest.mark.parametrize("size", [8, 256])
def test_the_papers_lambda_has_no_size_left_in_it(size: int) -> None:
    """Its sums over elements, each with its lambda_j, divided by the picture's 4 size^2 numbers."""
    weight, colour, alpha = 1 / 5, 0.25, 0.5
    target = torch.zeros(1, 4, size, size)
    output = target.clone()
    output[:, :3], output[:, 3] = colour, alpha
    numbers = 4 * size**2
    total = (3 * colour + alpha) * size**2
    for channels, side in ((64, size), (128, size // 2), (256, size // 4)):
        lambda_j = weight * numbers / (channels * side**2)
        total += lambda_j * channels * side**2 * (colour + alpha)
    loss = PerceptualLoss(_FlatVgg(), weight)(target, output)
    assert loss.item() == pytest.approx(total / numbers, rel=1e-6)
    assert total / numbers == pytest.approx(0.3125 + 3 * weight * 0.75)


def test_vgg_answers_with_64_128_and_256_channels_at_three_sizes() -> None:
    shapes = [tuple(answer.shape) for answer in Vgg16()(torch.zeros(2, 3, 32, 16))]
    assert shapes == [(2, 64, 32, 16), (2, 128, 16, 8), (2, 256, 8, 4)]


def test_two_pathways_cost_the_sum_of_both() -> None:
    loss = PerceptualLoss(_random_vgg(), ROTATOR_WEIGHT)
    target, first, second = (_pictures(2, seed) for seed in (1, 2, 3))
    both = loss(target, first, second)
    torch.testing.assert_close(both, loss(target, first) + loss(target, second))


def test_a_perfect_output_costs_nothing() -> None:
    target = _pictures(1, 1)
    assert PerceptualLoss(_random_vgg(), 1.0)(target, target).item() == 0


def test_alpha_alone_is_felt_through_vgg() -> None:
    target = _pictures(1, 1)
    output = target.clone()
    output[:, 3] = -output[:, 3]
    loss = PerceptualLoss(_random_vgg(), 1.0)
    assert loss(target, output) > 2 * l1_loss(target, output)


def test_vgg_passes_gradients_to_colour_and_alpha_of_the_output_alone() -> None:
    """Beside those of L1, which is symmetric, the target has none; nor have VGG's weights."""
    vgg = _random_vgg()
    target, output = _pictures(1, 1).requires_grad_(), _pictures(1, 2).requires_grad_()
    felt = PerceptualLoss(vgg, 1.0)(target, output) - l1_loss(target, output)
    to_target, to_output = torch.autograd.grad(felt, [target, output])
    assert to_target.abs().max() < 1e-6
    assert (to_output.abs().amax((0, 2, 3)) > 1e-3).all()
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_a_stages_loss_is_the_whole_pictures_and_its_focus() -> None:
    vgg = _random_vgg()
    image, target, output = (_pictures(2, seed) for seed in (1, 2, 3))
    plain = StageLoss()(image, target, [output])
    assert plain == l1_loss(target, output)
    whole = StageLoss(vgg, 0.2)(image, target, [output, image])
    assert whole == PerceptualLoss(vgg, 0.2)(target, output, image)
    focused = StageLoss(focus=0.5)(image, target, [output])
    torch.testing.assert_close(focused, plain + 0.5 * changed_error(image, target, output))


def test_the_focused_error_sees_changed_pixels_only() -> None:
    image, target = torch.zeros(2, 4, 4, 4), torch.zeros(2, 4, 4, 4)
    target[0, 0, 1, 1] = 1.0
    output = torch.full_like(target, 0.5)
    # One pixel of four channels: three are 0.5 off, one is 0.5 off too; the other picture: none.
    assert float(changed_error(image, target, output)) == pytest.approx(0.5 / 2)
    assert float(changed_error(image, target, output, output)) == pytest.approx(0.5)
    assert float(changed_error(image, target, target)) == 0


# The file of weights.


def test_the_option_comes_before_the_variable_and_that_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    cached = tmp_path / "home" / "hub" / "checkpoints" / FILE_NAME
    cached.parent.mkdir(parents=True)
    named, chosen = tmp_path / "named.pth", tmp_path / "chosen.pth"
    for path in (cached, named, chosen):
        path.touch()
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_vgg16() == cached
    monkeypatch.setenv(VARIABLE, str(named))
    assert find_vgg16() == named
    assert find_vgg16(chosen) == chosen


def test_a_missing_file_is_named_with_the_place_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(InputError) as caught:
        load_vgg16()
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"))
    assert "OPENTHA_VGG16" in text
    assert "--vgg16" in text
    with pytest.raises(InputError, match=r"^/nowhere/x\.pth: VGG16's weights are not there"):
        load_vgg16(Path("/nowhere/x.pth"))


def _saved(
    path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, legacy: bool = False
) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(vgg_module, "SHA256_PREFIX", digest[:8])
    return path


@pytest.mark.parametrize("legacy", [True, False])
def test_only_the_features_of_a_whole_file_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool
) -> None:
    vgg = _random_vgg(7)
    state = {
        **_state_of(vgg),
        "features.17.weight": torch.ones(3),
        "classifier.0.bias": torch.ones(3),
    }
    loaded = load_vgg16(_saved(tmp_path / FILE_NAME, state, monkeypatch, legacy))
    picture = _pictures(1, 1)[:, :3]
    for got, want in zip(loaded(picture), vgg(picture), strict=True):
        assert torch.equal(got, want)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_file_with_another_digest_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"not weights")
    begins = hashlib.sha256(b"not weights").hexdigest()[:8]
    with pytest.raises(InputError, match=rf"SHA-256 begins with {begins}, not 397923af"):
        load_vgg16(path)


def test_a_missing_or_misshaped_tensor_is_named() -> None:
    state = _state_of(_random_vgg())
    wrong = {**state, "features.7.bias": torch.zeros(3)}
    with pytest.raises(InputError, match=r"f: features\.7\.bias is of shape \(3,\), not \(128,\)"):
        vgg16_from_state(wrong, "f")
    del state["features.14.weight"]
    with pytest.raises(InputError, match=r"f: features\.14\.weight is missing"):
        vgg16_from_state(state, "f")


# Real filters.


def _blurred(picture: Tensor, deviation: float) -> Tensor:
    taps = torch.exp(-0.5 * (torch.arange(-8.0, 9.0) / deviation) ** 2)
    taps = (taps / taps.sum()).expand(4, 1, 1, 17)
    wide = functional.pad(picture, (8, 8, 8, 8), mode="replicate")
    along = functional.conv2d(wide, taps, groups=4)
    return functional.conv2d(along, taps.transpose(2, 3), groups=4)


def _photograph() -> Tensor:
    """(1, 4, 96, 96) in [-1, 1]: a face, opaque."""
    data = pytest.importorskip("skimage.data")
    colour = torch.from_numpy(np.array(data.astronaut()[60:156, 176:272], np.float32))
    colour = colour.permute(2, 0, 1)[None] / 127.5 - 1
    return torch.cat([colour, torch.ones(1, 1, 96, 96)], 1)


def _blur_over_brightness(vgg: Vgg16, power: int) -> float:
    """How much worse a blur looks to VGG than a brightness shift of the same RMSE."""
    target = _photograph()
    blurred = _blurred(target, 2.0)
    shifted = target.clone()
    shifted[:, :3] += (blurred - target)[:, :3].square().mean().sqrt()

    def felt(output: Tensor) -> float:
        pairs = zip(vgg(target[:, :3]), vgg(output[:, :3]), strict=True)
        return float(sum((a - b).abs().pow(power).mean().item() for a, b in pairs))

    return felt(blurred) / felt(shifted)


def test_real_filters_feel_a_blur_far_more_than_brightness_and_random_ones_do_not() -> None:
    real = vgg16_from_state(real_vgg16_state(), "real filters")
    assert _blur_over_brightness(real, 1) > 4
    assert _blur_over_brightness(real, 2) > 20
    assert _blur_over_brightness(_random_vgg(), 1) < 1.5
    assert _blur_over_brightness(_random_vgg(), 2) < 3


def test_with_real_filters_the_perceptual_loss_turns_the_order_of_l1_around() -> None:
    """L1 prefers the blurred output, the perceptual loss the slightly darker one."""
    target = _photograph()
    blurred = _blurred(target, 2.0)
    darker = target.clone()
    darker[:, :3] -= 1.3 * (blurred - target)[:, :3].abs().mean()
    assert l1_loss(target, blurred) < l1_loss(target, darker)
    loss = PerceptualLoss(vgg16_from_state(real_vgg16_state(), "real filters"), ROTATOR_WEIGHT)
    assert loss(target, blurred) > 2 * loss(target, darker)


def test_gradients_ask_for_edges_where_the_target_has_them() -> None:
    target = torch.zeros(2, 4, 8, 8)
    target[..., 4:] = 1
    assert gradient_error(target, target + 0.5).item() == 0  # an offset has no edge
    shifted = torch.zeros(2, 4, 8, 8)
    shifted[..., 3:] = 1
    # Two of seven steps are wrong by 1, in each row.
    assert gradient_error(target, shifted).item() == pytest.approx(2 / 7)
    assert gradient_error(target, shifted, shifted).item() == pytest.approx(4 / 7)
    turned = gradient_error(target.mT, shifted.mT)
    assert turned.item() == pytest.approx(2 / 7)


def test_from_afar_a_line_at_a_wrong_place_counts_less_than_a_missing_one() -> None:
    target = torch.zeros(1, 4, 8, 8)
    target[..., 2] = 1
    moved, missing = target.roll(1, -1), torch.zeros_like(target)
    assert coarse_error(target, moved).item() == pytest.approx(0)
    # Reduced by 2, 4 and 8 the line is 1/2, 1/4 and 1/8 dark, in 1/4, 1/2 and all of the columns.
    assert coarse_error(target, missing).item() == pytest.approx(3 / 8)


def test_a_stages_loss_is_the_weighted_sum_of_its_parts() -> None:
    image, target, output = (_pictures(2, seed) for seed in range(3))
    loss = StageLoss(None, 0.0, 0.5, 0.25, 2.0)(image, target, [output])
    parts = (
        l1_loss(target, output),
        0.5 * changed_error(image, target, output),
        0.25 * gradient_error(target, output),
        2.0 * coarse_error(target, output),
    )
    torch.testing.assert_close(loss, torch.stack(parts).sum())
