"""Network 2: turns the head, in two ways at once.

Pathway 1 paints new pixels (Pumarola et al. 2018): blurred, but it can invent what was hidden.
Pathway 2 copies pixels (Zhou et al. 2016): sharp, but it tears where something comes into view.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.enlarge import coverage_of, covered, laid, layer, moved, spread
from models.base.gates import gated, joint_gate
from models.base.layers import blend, fill_he_normal, head, run_heads, trunk, with_pose
from models.base.look import reduced
from models.base.mirror import both_joints, both_looks, mean_blend, mean_flow
from models.base.palette import painted, palette_heads
from models.base.rigid import turned


class RotatorDecision(NamedTuple):
    """What the network decides, of the size of its look (L pixels a side).

    alpha (N, 4, L, L) in [0, 1] is the share of the input in pathway 1, change (N, 4, L, L) in
    network form what replaces the rest, coverage (N, 1, L, L) in [0, 1] the alpha of both together.
    offset (N, 2, L, L) is pathway 2's flow, x then y, in units of half the picture.
    """

    alpha: Tensor
    change: Tensor
    offset: Tensor
    coverage: Tensor


class RotatorOutput(NamedTuple):
    """The two pictures (N, 4, D, D) in network form, float32, and what they were made of.

    The rest is ``RotatorDecision``'s, of its size.
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
        self.trunk = trunk(IMAGE_CHANNELS + 3, config)
        self.alpha_head = head(config, IMAGE_CHANNELS)
        self.change_head = head(config, IMAGE_CHANNELS)
        self.flow_head = head(config, 4 if config.rigid else 2)
        self.palette_heads = nn.ModuleList(palette_heads(config))
        fill_he_normal(self, generator)
        self.flow_head.weight.data.mul_(config.flow_scale)

    def forward(self, image: Tensor, pose: Tensor) -> RotatorOutput:
        """image (N, 4, D, D) in network form, any D; pose (N, 3)."""
        return self.apply_to(image, self.decide(self.look(image), pose))

    def look(self, image: Tensor) -> Tensor:
        """What the network sees of a picture (N, 4, D, D): (N, 4, L, L)."""
        return reduced(image, self.config.look)

    def decide(self, look: Tensor, pose: Tensor) -> RotatorDecision:
        """What is to change of what is seen, (N, 4, L, L); pose (N, 3)."""
        if self.training or not self.config.both_sides:
            alpha, change, offset = self._blend_and_flow(look, pose)
        else:
            twice = self._blend_and_flow(both_looks(look), both_joints(pose))
            (alpha, change), offset = mean_blend(*twice[:2]), mean_flow(twice[2])
        return RotatorDecision(alpha, change, offset, coverage_of(alpha, look, change))

    def _blend_and_flow(self, look: Tensor, pose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.trunk(with_pose(look, pose=pose))  # (N, 64, L, L)
        alpha, change, flow, *picked = run_heads(
            features, self.alpha_head, self.change_head, self.flow_head, *self.palette_heads
        )
        alpha, change = torch.sigmoid(alpha), painted(look, torch.tanh(change), picked)
        offset = flowing(flow, pose) if self.config.rigid else flow
        if self.config.rests:
            gate = joint_gate(pose)
            alpha, offset = gated(alpha, gate), gate * offset
        return alpha, change, offset

    def apply_to(self, image: Tensor, decision: RotatorDecision) -> RotatorOutput:
        """Turn a picture (N, 4, D, D), of any size, as was decided."""
        alpha, change, offset, coverage = decision
        side = image.shape[-1]
        if side == alpha.shape[-1]:
            pathway1 = blend(alpha, image, change)
            return RotatorOutput(pathway1, warp(image, offset), alpha, change, offset)
        wide = spread(image, reduced(image, alpha.shape[-1]))
        pathway1 = laid(layer(alpha, change, coverage), wide)
        pathway2 = moved(wide, offset)
        return RotatorOutput(covered(pathway1), covered(pathway2), alpha, change, offset)


def flowing(flow: Tensor, pose: Tensor) -> Tensor:
    """The flow (N, 2, L, L) for a pose (N, 3) of what a rigid flow head says (N, 4, L, L).

    Of each pixel: what is added, x then y; how near it is; the logit of its belonging to the head.
    """
    added, nearness, belonging = torch.split(flow, [2, 1, 1], 1)
    return added + torch.sigmoid(belonging) * turned(pose, nearness)


# Appearance flow (Zhou et al. 2016): each output pixel says which input pixel it copies.


def identity_grid(rows: int, columns: int, device: torch.device) -> Tensor:
    """(1, 2, H, W) float32: x then y of each pixel centre; the outermost lie at -1 and 1."""
    x = torch.linspace(-1, 1, columns, device=device).expand(rows, columns)
    y = torch.linspace(-1, 1, rows, device=device)[:, None].expand(rows, columns)
    return torch.stack([x, y])[None]


def warp(image: Tensor, offset: Tensor) -> Tensor:
    """Sample ``image`` at the identity grid plus ``offset``.

    image: (N, C, H, W) float32. offset: (N, 2, H, W) float32, x then y, in units of half the
    picture (2 / (W - 1) is one pixel to the right). Bilinear; positions outside the picture take
    the border's value. Returns (N, C, H, W).
    """
    rows, columns = image.shape[2:]
    grid = identity_grid(rows, columns, image.device) + offset
    return functional.grid_sample(
        image,
        grid.permute(0, 2, 3, 1),  # (N, H, W, 2), as grid_sample reads it
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
