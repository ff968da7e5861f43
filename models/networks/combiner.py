"""Network 3: chooses between the rotator's two pictures pixel by pixel and retouches the result."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.enlarge import coverage_of, covered, enlarged, laid, layer, snapped, spread
from models.base.gates import gated, joint_gate
from models.base.layers import UNet, blend, fill_he_normal, head, run_heads, with_pose
from models.base.look import reduced
from models.base.narrow import left_to_the_flow
from models.base.palette import painted, palette_heads


class CombinerDecision(NamedTuple):
    """What the network decides, of the size of its look (L pixels a side).

    mask (N, 4, L, L) in [0, 1] is pathway 1's share of the combined picture, retouch_alpha
    (N, 4, L, L) in [0, 1] the combined picture's share of the output, change (N, 4, L, L) in
    network form what replaces the rest, coverage (N, 1, L, L) in [0, 1] the alpha of all together.
    """

    mask: Tensor
    retouch_alpha: Tensor
    change: Tensor
    coverage: Tensor


class CombinerOutput(NamedTuple):
    """Two pictures (N, 4, D, D) in network form, float32: the output, and before the retouching.

    The rest is ``CombinerDecision``'s, of its size.
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
        self.mask_head = head(config, IMAGE_CHANNELS)
        self.retouch_head = head(config, IMAGE_CHANNELS)
        self.change_head = head(config, IMAGE_CHANNELS)
        self.palette_heads = nn.ModuleList(palette_heads(config))
        fill_he_normal(self, generator)

    def forward(
        self, pathway1: Tensor, pathway2: Tensor, pose: Tensor, narrow: Tensor | None = None
    ) -> CombinerOutput:
        """Both pictures (N, 4, D, D) in network form, any D; the rest as ``decide`` has it."""
        decision = self.decide(self.look(pathway1), self.look(pathway2), pose, narrow)
        return self.apply_to(pathway1, pathway2, decision)

    def look(self, picture: Tensor) -> Tensor:
        """What the network sees of a picture (N, 4, D, D): (N, 4, L, L)."""
        return reduced(picture, self.config.look)

    def decide(
        self, look1: Tensor, look2: Tensor, pose: Tensor, narrow: Tensor | None = None
    ) -> CombinerDecision:
        """What is to become of the two pictures that are seen, (N, 4, L, L); pose (N, 3).

        narrow: ``narrow_parts`` of the rotator's look and flow, where ``flow_outlines`` are asked.
        """
        features = self.unet(with_pose(look1, look2, pose=pose))  # (N, 64, L, L)
        mask, retouch, change, *picked = run_heads(
            features, self.mask_head, self.retouch_head, self.change_head, *self.palette_heads
        )
        if not self.training:
            mask = mask - self.config.copies_more
        mask, retouch = torch.sigmoid(mask), torch.sigmoid(retouch)
        outlines = self.config.flow_outlines and not self.training
        if outlines:
            mask = torch.cat([mask[:, :3], torch.zeros_like(mask[:, 3:])], 1)
        change = painted(blend(mask, look1, look2), torch.tanh(change), picked)
        if self.config.rests:
            retouch = gated(retouch, joint_gate(pose))
        if outlines and narrow is not None:
            alone = left_to_the_flow(narrow, look2, change)
            mask, retouch = mask * (1 - alone), retouch + (1 - retouch) * alone
        coverage = coverage_of(retouch, blend(mask, look1, look2), change)
        return CombinerDecision(mask, retouch, change, coverage)

    def apply_to(
        self, pathway1: Tensor, pathway2: Tensor, decision: CombinerDecision
    ) -> CombinerOutput:
        """Combine two pictures (N, 4, D, D), of any size, as was decided."""
        mask, retouch, change, coverage = decision
        side, look = pathway1.shape[-1], mask.shape[-1]
        if side == look:
            combined = blend(mask, pathway1, pathway2)
            return CombinerOutput(blend(retouch, combined, change), combined, mask, retouch, change)
        wide1, wide2 = (spread(one, reduced(one, look)) for one in (pathway1, pathway2))
        combined = blend(enlarged(snapped(mask), side), wide1, wide2)
        output = laid(layer(retouch, change, coverage), combined)
        return CombinerOutput(covered(output), covered(combined), mask, retouch, change)
