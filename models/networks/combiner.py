"""Network 3: chooses between the rotator's two pictures pixel by pixel and retouches the result."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.layers import UNet, blend, conv7, fill_he_normal, run_heads, with_pose


class CombinerOutput(NamedTuple):
    """All (N, 4, H, W) float32; pictures in network form, shares in (0, 1).

    ``mask`` is pathway 1's share of ``combined``, ``retouch_alpha`` the share of ``combined`` in
    ``output``, ``change`` what replaces the rest.
    """

    output: Tensor
    combined: Tensor
    mask: Tensor
    retouch_alpha: Tensor
    change: Tensor


class Combiner(nn.Module):
    """(pathway 1, pathway 2, head_x head_y neck_z) -> one picture."""

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(2 * IMAGE_CHANNELS + 3, config)
        self.mask_head = conv7(config.channels, IMAGE_CHANNELS)
        self.retouch_head = conv7(config.channels, IMAGE_CHANNELS)
        self.change_head = conv7(config.channels, IMAGE_CHANNELS)
        fill_he_normal(self, generator)

    def forward(self, pathway1: Tensor, pathway2: Tensor, pose: Tensor) -> CombinerOutput:
        """Both pictures (N, 4, H, W) in network form, pose (N, 3); sides are multiples of 8."""
        features = self.unet(with_pose(pathway1, pathway2, pose=pose))  # (N, 64, H, W)
        mask, retouch, change = run_heads(
            features, self.mask_head, self.retouch_head, self.change_head
        )
        mask, retouch, change = torch.sigmoid(mask), torch.sigmoid(retouch), torch.tanh(change)
        combined = blend(mask, pathway1, pathway2)
        output = blend(retouch, combined, change)
        return CombinerOutput(output, combined, mask, retouch, change)
