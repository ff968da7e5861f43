"""What training minimises: L1, and L1 with the perceptual loss (Johnson et al. 2016).

Per picture, with sums over elements, the perceptual loss is

    L = |t - o|_1 + sum_j lambda_j (|phi_j(rgb_t) - phi_j(rgb_o)|_1 + |phi_j(aaa_t) - phi_j(aaa_o)|_1)
    lambda_j = w * 4HW / (C_j H_j W_j)

where t, o are target and output (4, H, W), rgb their colour channels, aaa their alpha three times,
and phi_j the activations (C_j, H_j, W_j) of VGG16 after relu1_2, relu2_2 and relu3_3. The picture's
4HW elements cancel: dividing by them, and an L1 norm by its number of elements being a mean,

    L / 4HW = mean|t - o| + w * sum_j (mean|phi_j(rgb_t) - phi_j(rgb_o)| + mean|phi_j(aaa_t) - ...|)

which is what the code computes, averaged over the batch. It does not depend on the picture's size.
"""  # noqa: E501  # a formula reads worse when broken

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from train.loss.vgg import Vgg16, VggActivations

ROTATOR_WEIGHT = 1 / 5
"""w for the rotator."""
COMBINER_WEIGHT = 1 / 25
"""w for the combiner."""


class PictureLoss(Protocol):
    """Compares pictures (N, 4, H, W) in network form with their target."""

    def __call__(self, target: Tensor, *outputs: Tensor) -> Tensor:
        """The sum over ``outputs`` of each one's loss against ``target``: a scalar."""


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
