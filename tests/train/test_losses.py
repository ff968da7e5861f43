"""The losses against a literal transcription of their formula."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.support.random_vgg import random_vgg, state_of
from train.loss.losses import (
    COMBINER_WEIGHT,
    ROTATOR_WEIGHT,
    PerceptualLoss,
    StageLoss,
    changed_error,
    coarse_error,
    dissimilarity,
    gradient_error,
    l1_loss,
    squared_error,
)
from train.loss.vgg import Vgg16, VggActivations


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


def test_l1_is_the_mean_over_elements_summed_over_outputs() -> None:
    target = torch.tensor([0.0, 1.0, -1.0, 0.5])
    near, far = target + 0.25, target - torch.tensor([0.0, 0.0, 0.0, 2.0])
    assert l1_loss(target, near).item() == pytest.approx(0.25)
    assert l1_loss(target, near, far).item() == pytest.approx(0.25 + 0.5)


@pytest.mark.parametrize("weight", [ROTATOR_WEIGHT, COMBINER_WEIGHT])
@pytest.mark.parametrize("size", [8, 12])
def test_perceptual_equals_the_formula_written_out(weight: float, size: int) -> None:
    vgg = random_vgg()
    target, output = _pictures(2, 1, size), _pictures(2, 2, size)
    loss = PerceptualLoss(vgg, weight)(target, output)
    literal = _literal_perceptual(state_of(vgg), target, output, weight)
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
    loss = PerceptualLoss(random_vgg(), ROTATOR_WEIGHT)
    target, first, second = (_pictures(2, seed) for seed in (1, 2, 3))
    both = loss(target, first, second)
    torch.testing.assert_close(both, loss(target, first) + loss(target, second))


def test_a_perfect_output_costs_nothing() -> None:
    target = _pictures(1, 1)
    assert PerceptualLoss(random_vgg(), 1.0)(target, target).item() == 0


def test_alpha_alone_is_felt_through_vgg() -> None:
    target = _pictures(1, 1)
    output = target.clone()
    output[:, 3] = -output[:, 3]
    loss = PerceptualLoss(random_vgg(), 1.0)
    assert loss(target, output) > 2 * l1_loss(target, output)


def test_vgg_passes_gradients_to_colour_and_alpha_of_the_output_alone() -> None:
    """Beside those of L1, which is symmetric, the target has none; nor have VGG's weights."""
    vgg = random_vgg()
    target, output = _pictures(1, 1).requires_grad_(), _pictures(1, 2).requires_grad_()
    felt = PerceptualLoss(vgg, 1.0)(target, output) - l1_loss(target, output)
    to_target, to_output = torch.autograd.grad(felt, [target, output])
    assert to_target.abs().max() < 1e-6
    assert (to_output.abs().amax((0, 2, 3)) > 1e-3).all()
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_a_stages_loss_is_the_whole_pictures_and_its_focus() -> None:
    vgg = random_vgg()
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


def test_the_squared_error_is_of_the_whole_picture_by_the_share_that_changes() -> None:
    image, target = torch.zeros(2, 4, 16, 16), torch.zeros(2, 4, 16, 16)
    target[0, :, :4] = 1.0  # a quarter of the first; nothing of the second, which counts as 1 / 256
    output = torch.full_like(target, 0.5)
    both = (0.25 / 0.25 + 0.25 * 256) / 2
    assert float(squared_error(image, target, output)) == pytest.approx(both)
    assert float(squared_error(image, target, output, output)) == pytest.approx(2 * both)
    assert float(squared_error(image, target, target)) == 0


def test_a_line_that_one_target_in_three_has_is_drawn_faintly_for_its_square_alone() -> None:
    empty = torch.zeros(3, 4, 16, 16)
    targets, image = empty.clone(), empty.clone()
    targets[0, :, 3] = 1.0
    image[:, :, 2] = -1.0  # so that as much changes in each
    faint = empty.clone()
    faint[:, :, 3] = 1 / 3
    assert squared_error(image, targets, faint) < squared_error(image, targets, empty)
    assert l1_loss(targets, faint) > l1_loss(targets, empty)


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


def test_dissimilarity_is_what_the_definition_of_ssim_says() -> None:
    """Means, variances and the covariance of each window of 6 x 6, at every second pixel."""
    target, output = (_pictures(2, seed, 12)[..., :10, :] for seed in range(2))
    errors = []
    for row, column in product(range(0, 5, 2), range(0, 7, 2)):
        window = ..., slice(row, row + 6), slice(column, column + 6)
        one, other = ((picture[window].double() + 1) / 2 for picture in (target, output))
        axes = (-2, -1)
        means = one.mean(axes), other.mean(axes)
        together = (one * other).mean(axes) - means[0] * means[1]
        spread = one.var(axes, correction=0) + other.var(axes, correction=0)
        likeness = (2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4)
        errors.append(1 - likeness * (2 * together + 9e-4) / (spread + 9e-4))
    wanted = float(torch.stack(errors).mean())
    assert dissimilarity(target, output).item() == pytest.approx(wanted, rel=1e-4)
    assert dissimilarity(target, output, target).item() == pytest.approx(wanted, rel=1e-4)


def test_a_loss_of_contrast_is_dissimilar_and_equal_pictures_are_not() -> None:
    board = (torch.arange(16) % 2 * 2.0 - 1).expand(1, 4, 16, 16)
    board = board * board.mT
    assert dissimilarity(board, board).item() == pytest.approx(0, abs=1e-6)
    # Gray has the right mean, a half, and none of the spread, a quarter.
    gray = torch.zeros_like(board)
    assert dissimilarity(board, gray).item() == pytest.approx(1 - 9e-4 / (0.25 + 9e-4))
    assert dissimilarity(board, -board).item() == pytest.approx(1 + 0.4991 / 0.5009)


def test_a_stages_loss_is_the_weighted_sum_of_its_parts() -> None:
    image, target, output = (_pictures(2, seed) for seed in range(3))
    loss = StageLoss(None, 0.0, 0.5, 1.5, 0.25, 2.0, 3.0)(image, target, [output])
    parts = (
        l1_loss(target, output),
        0.5 * changed_error(image, target, output),
        1.5 * squared_error(image, target, output),
        0.25 * gradient_error(target, output),
        2.0 * coarse_error(target, output),
        3.0 * dissimilarity(target, output),
    )
    torch.testing.assert_close(loss, torch.stack(parts).sum())
