"""What training minimises: L1, the perceptual loss (Johnson et al. 2016), and a focus of our own.

Per picture, with sums over elements, the perceptual loss is

    L = |t - o|_1 + sum_j lambda_j (|phi_j(rgb_t) - phi_j(rgb_o)|_1 + |phi_j(aaa_t) - phi_j(aaa_o)|_1)
    lambda_j = w * 4HW / (C_j H_j W_j)

where t, o are target and output (4, H, W), rgb their colour channels, aaa their alpha three times,
and phi_j the activations (C_j, H_j, W_j) of VGG16 after relu1_2, relu2_2 and relu3_3. The picture's
4HW elements cancel: dividing by them, and an L1 norm by its number of elements being a mean,

    L / 4HW = mean|t - o| + w * sum_j (mean|phi_j(rgb_t) - phi_j(rgb_o)| + mean|phi_j(aaa_t) - ...|)

which is what the code computes, averaged over the batch. It does not depend on the picture's size.

The focus is L1 over only the pixels that the pose changes. Closing the eyes changes one pixel in a
hundred: in a mean over the whole picture the morpher hardly sees its task, and doing nothing is
nearly optimal. This error weighs those pixels as much as their number were the whole picture's. The
paper has nothing of the kind; its presets leave it out.

The mean of absolute differences is least at the median of what may be right: a line that can lie at
any of several places is best left out at all of them. ``squared_error`` is least at the mean, so
that such a line is drawn, if faintly; it is what evaluation measures.

Where VGG16's filters cannot be had, three measures ask for something of what they ask for: that
edges be where the target has them (``gradient_error``), that the picture be right as seen from
farther away, where a line at a wrong place counts less than a missing one (``coarse_error``), and
that small windows have the target's brightness, contrast and pattern (``dissimilarity``).

Where a data set says where each pixel comes from, a flow can be told so itself: see ``traced``.
"""  # noqa: E501  # a formula reads worse when broken

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from train.loss.vgg import Vgg16, VggActivations

ROTATOR_WEIGHT = 1 / 5
"""w for the rotator."""
COMBINER_WEIGHT = 1 / 25
"""w for the combiner."""

CHANGED = 0.04
"""A pixel is changed where a channel, in [-1, 1], differs by more than this."""
_LEAST_CHANGED = 1 / 256
_COARSER_LEVELS = 3
_C1, _C2 = 0.01**2, 0.03**2
"""SSIM's constants, of values in [0, 1]."""


def l1_loss(target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean absolute difference over all elements, summed over ``outputs`` (a rotator has two)."""
    return torch.stack([functional.l1_loss(output, target) for output in outputs]).sum()


class PerceptualLoss:
    """L1 plus ``weight`` times the difference of VGG16's activations; see the module's formula."""

    def __init__(self, vgg: Vgg16, weight: float) -> None:
        self.vgg = vgg
        self.weight = weight

    def __call__(self, target: Tensor, *outputs: Tensor) -> Tensor:
        """The sum over ``outputs`` of each one's loss against ``target``: a scalar."""
        with torch.no_grad():
            wanted = self._activations(target)
        felt = torch.stack([self._distance(wanted, output) for output in outputs]).sum()
        return l1_loss(target, *outputs) + self.weight * felt

    def _activations(self, pictures: Tensor) -> VggActivations:
        """(N, 4, H, W) -> VGG16's answers to both groups: colours, then alpha, 2N in all."""
        colour = pictures[:, :3]
        alpha = pictures[:, 3:].expand(-1, 3, -1, -1)
        answers: VggActivations = self.vgg(torch.cat([colour, alpha]))  # (2N, 3, H, W)
        return answers

    def _distance(self, wanted: VggActivations, output: Tensor) -> Tensor:
        pairs = zip(wanted, self._activations(output), strict=True)
        # The mean over both groups together is half the sum of their means.
        return 2 * torch.stack([functional.l1_loss(given, want) for want, given in pairs]).sum()


@dataclass(frozen=True)
class StageLoss:
    """What one stage minimises.

    vgg: adds the perceptual loss, with the weight ``perceptual_weight``. focus, squared_weight,
    gradient_weight, coarse_weight, similarity_weight: weights of ``changed_error``,
    ``squared_error``, ``gradient_error``, ``coarse_error`` and ``dissimilarity``.
    """

    vgg: Vgg16 | None = None
    perceptual_weight: float = 0.0
    focus: float = 0.0
    squared_weight: float = 0.0
    gradient_weight: float = 0.0
    coarse_weight: float = 0.0
    similarity_weight: float = 0.0

    def __call__(self, image: Tensor, target: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """A scalar. image: the stage's input; all (N, 4, H, W) in network form."""
        if self.vgg is None:
            loss = l1_loss(target, *outputs)
        else:
            loss = PerceptualLoss(self.vgg, self.perceptual_weight)(target, *outputs)
        if self.focus:
            loss = loss + self.focus * changed_error(image, target, *outputs)
        if self.squared_weight:
            loss = loss + self.squared_weight * squared_error(image, target, *outputs)
        if self.gradient_weight:
            loss = loss + self.gradient_weight * gradient_error(target, *outputs)
        if self.coarse_weight:
            loss = loss + self.coarse_weight * coarse_error(target, *outputs)
        if self.similarity_weight:
            loss = loss + self.similarity_weight * dissimilarity(target, *outputs)
        return loss


def changed_error(image: Tensor, target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean absolute difference over each picture's changed pixels, summed over ``outputs``.

    All (N, 4, H, W) in network form; returns a scalar, the mean over the N pictures.
    """
    changed = _changed(image, target)
    elements = target.shape[1] * changed.sum((1, 2, 3)).clamp(min=1)
    errors = [((output - target).abs() * changed).sum((1, 2, 3)) / elements for output in outputs]
    return torch.stack(errors).sum(0).mean()


def squared_error(image: Tensor, target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean squared difference over whole pictures, by the share of pixels that the pose changes.

    That share counts as ``_LEAST_CHANGED`` at least, so no picture outweighs the rest. All
    (N, 4, H, W) in network form; returns a scalar, summed over ``outputs``, the mean over the N
    pictures.
    """
    share = _changed(image, target).float().mean((1, 2, 3)).clamp(min=_LEAST_CHANGED)
    errors = [(output - target).square().mean((1, 2, 3)) / share for output in outputs]
    return torch.stack(errors).sum(0).mean()


def _changed(image: Tensor, target: Tensor) -> Tensor:
    return (image - target).abs().amax(1, keepdim=True) > CHANGED  # (N, 1, H, W)


def gradient_error(target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean absolute difference of the steps from pixel to pixel, right and down, summed likewise.

    All (N, 4, H, W) in network form; returns a scalar.
    """
    errors = []
    for output in outputs:
        wrong = output - target
        right = wrong[..., 1:] - wrong[..., :-1]
        down = wrong[..., 1:, :] - wrong[..., :-1, :]
        errors.append(right.abs().mean() + down.abs().mean())
    return torch.stack(errors).sum()


def coarse_error(target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean absolute difference of pictures reduced by 2, 4 and 8, summed, and over ``outputs``.

    All (N, 4, H, W) in network form, H and W multiples of 8; returns a scalar.
    """
    errors = []
    for output in outputs:
        wrong = output - target
        for _ in range(_COARSER_LEVELS):
            wrong = functional.avg_pool2d(wrong, 2)
            errors.append(wrong.abs().mean())
    return torch.stack(errors).sum()


def dissimilarity(target: Tensor, *outputs: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004), its mean over windows at every second pixel, summed likewise.

    All (N, 4, H, W) in network form, H and W even, 8 or more; returns a scalar. With means m and
    variances v of a window, SSIM is (1 - (m_t - m_o)^2 / (m_t^2 + m_o^2 + c1)) times
    (1 - v_(t - o) / (v_t + v_o + c2)), the form that is computed here.
    """
    wanted = (target.float() + 1) / 2
    errors = []
    for output in outputs:
        given = (output.float() + 1) / 2
        wrong = given - wanted
        mean_wanted, mean_given = _local_mean(wanted), _local_mean(given)
        means = mean_wanted**2 + mean_given**2
        mean_wrong = (mean_given - mean_wanted) ** 2
        spread_wrong = _local_mean(wrong**2) - mean_wrong
        spreads = _local_mean(wanted**2 + given**2) - means
        likeness = (1 - mean_wrong / (means + _C1)) * (1 - spread_wrong / (spreads + _C2))
        errors.append(1 - likeness.mean())
    return torch.stack(errors).sum()


def _local_mean(pictures: Tensor) -> Tensor:
    """Over windows of 6 pixels a side, as wide as a Gaussian of sigma 1.7, at every second pixel.

    Sums of slices: ``avg_pool2d`` takes three times as long.
    """
    rows = pictures[..., 0::2, :] + pictures[..., 1::2, :]
    halved = rows[..., 0::2] + rows[..., 1::2]
    rows = halved[..., :-2, :] + halved[..., 1:-1, :] + halved[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 36
