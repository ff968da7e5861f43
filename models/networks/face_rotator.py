"""Network 2: turns the head, in two ways at once.

Pathway 1 paints new pixels (Pumarola et al. 2018): blurred, but it can invent what was hidden.
Pathway 2 copies pixels (Zhou et al. 2016): sharp, but it tears where something comes into view.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.layers import Trunk, blend, conv7, fill_he_normal, run_heads, with_pose
from models.base.warp import warp


class RotatorOutput(NamedTuple):
    """The two pictures and what they were made of; float32.

    pathway1, pathway2: (N, 4, H, W) in network form. alpha (N, 4, H, W) in (0, 1) is the share of
    the input in pathway 1, change (N, 4, H, W) what replaces the rest. offset (N, 2, H, W) is
    pathway 2's flow, x then y, in units of half the picture.
    """

    pathway1: Tensor
    pathway2: Tensor
    alpha: Tensor
    change: Tensor
    offset: Tensor


class FaceRotator(nn.Module):
    """(picture with its expression, head_x head_y neck_z) -> the head turned, by two pathways."""

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(IMAGE_CHANNELS + 3, config)
        self.alpha_head = conv7(config.channels, IMAGE_CHANNELS)
        self.change_head = conv7(config.channels, IMAGE_CHANNELS)
        self.flow_head = conv7(config.channels, 2)
        fill_he_normal(self, generator)
        self.flow_head.weight.data.mul_(config.flow_scale)

    def forward(self, image: Tensor, pose: Tensor) -> RotatorOutput:
        """image (N, 4, H, W) in network form, pose (N, 3); sides are multiples of 8."""
        features = self.trunk(with_pose(image, pose=pose))  # (N, 64, H, W)
        alpha, change, offset = run_heads(
            features, self.alpha_head, self.change_head, self.flow_head
        )
        alpha, change = torch.sigmoid(alpha), torch.tanh(change)
        pathway1 = blend(alpha, image, change)
        return RotatorOutput(pathway1, warp(image, offset), alpha, change, offset)
