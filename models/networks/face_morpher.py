"""Network 1: closes eyes and mouth. The generator of Pumarola et al. 2018."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.base.config import IMAGE_CHANNELS, NetworkConfig
from models.base.enlarge import coverage_of, covered, laid, layer, spread
from models.base.gates import border_gate, face_gate, gated
from models.base.layers import blend, fill_he_normal, head, run_heads, trunk, with_pose
from models.base.look import part_of, reduced, with_part
from models.base.mirror import both_faces, both_looks, mean_blend
from models.base.palette import painted, palette_heads


class MorpherDecision(NamedTuple):
    """What the network decides, of the size of its look (L pixels a side) and for that part alone.

    alpha (N, 4, L, L) in [0, 1] is the share of the input that is kept, change (N, 4, L, L) in
    network form what replaces the rest, coverage (N, 1, L, L) in [0, 1] the alpha of both together.
    """

    alpha: Tensor
    change: Tensor
    coverage: Tensor


class MorpherOutput(NamedTuple):
    """The picture (N, 4, D, D) in network form, float32, and ``MorpherDecision``'s first two."""

    output: Tensor
    alpha: Tensor
    change: Tensor


class FaceMorpher(nn.Module):
    """(rest picture, left_eye right_eye mouth) -> the same face with that expression."""

    def __init__(self, config: NetworkConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.trunk = trunk(IMAGE_CHANNELS + 3, config)
        self.alpha_head = head(config, IMAGE_CHANNELS)
        self.change_head = head(config, IMAGE_CHANNELS)
        self.palette_heads = nn.ModuleList(palette_heads(config))
        fill_he_normal(self, generator)

    def forward(self, image: Tensor, pose: Tensor) -> MorpherOutput:
        """image (N, 4, D, D) in network form, any D; pose (N, 3)."""
        return self.apply_to(image, self.decide(self.look(image), pose))

    def look(self, image: Tensor) -> Tensor:
        """What the network sees of a picture (N, 4, D, D): (N, 4, L, L)."""
        return reduced(part_of(image, self.config.looks_at), self.config.face_look)

    def decide(self, look: Tensor, pose: Tensor) -> MorpherDecision:
        """What is to change of what is seen, (N, 4, L, L); pose (N, 3)."""
        if self.training or not self.config.both_sides:
            alpha, change = self._blend(look, pose)
        else:
            alpha, change = mean_blend(*self._blend(both_looks(look), both_faces(pose)))
        return MorpherDecision(alpha, change, coverage_of(alpha, look, change))

    def _blend(self, look: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(with_pose(look, pose=pose))  # (N, 64, L, L)
        alpha, change, *picked = run_heads(
            features, self.alpha_head, self.change_head, *self.palette_heads
        )
        if not self.training:
            alpha = alpha - self.config.boldness
        alpha, change = torch.sigmoid(alpha), painted(look, torch.tanh(change), picked)
        if self.config.looks_at != "whole":
            alpha = gated(alpha, border_gate(look.shape[-1], look.device))
        if self.config.rests:
            alpha = gated(alpha, face_gate(pose))
        return alpha, change

    def apply_to(self, image: Tensor, decision: MorpherDecision) -> MorpherOutput:
        """Change a picture (N, 4, D, D), of any size, as was decided."""
        alpha, change, coverage = decision
        place = self.config.looks_at
        part = part_of(image, place)
        if place == "whole" and image.shape[-1] == alpha.shape[-1]:
            return MorpherOutput(blend(alpha, image, change), alpha, change)
        wide = spread(part, reduced(part, alpha.shape[-1]))
        output = covered(laid(layer(alpha, change, coverage), wide))
        return MorpherOutput(with_part(image, output, place), alpha, change)
