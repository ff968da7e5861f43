"""Network 1: closes eyes and mouth. The generator of Pumarola et al. 2018."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.layers import Trunk, blend, conv7, fill_he_normal, run_heads, with_pose


class MorpherOutput(NamedTuple):
    """All (N, 4, H, W) float32: the picture; the share of the input kept; what replaces the rest.

    ``alpha`` lies in (0, 1), the pictures in network form.
    """

    output: Tensor
    alpha: Tensor
    change: Tensor


class FaceMorpher(nn.Module):
    """(rest picture, left_eye right_eye mouth) -> the same face with that expression."""

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(IMAGE_CHANNELS + 3, config)
        self.alpha_head = conv7(config.channels, IMAGE_CHANNELS)
        self.change_head = conv7(config.channels, IMAGE_CHANNELS)
        fill_he_normal(self, generator)

    def forward(self, image: Tensor, pose: Tensor) -> MorpherOutput:
        """image (N, 4, H, W) in network form, pose (N, 3); sides are multiples of 8."""
        features = self.trunk(with_pose(image, pose=pose))  # (N, 64, H, W)
        alpha, change = run_heads(features, self.alpha_head, self.change_head)
        alpha, change = torch.sigmoid(alpha), torch.tanh(change)
        return MorpherOutput(blend(alpha, image, change), alpha, change)
