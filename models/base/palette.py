"""Colours of the picture itself to paint with.

Instance norm hides from a network which colours it sees: it learns what skin is, and then paints
the skin of the characters that it was trained on. So it says where to look for colours instead, and
which of them go where; skin over a closing eye is then that drawing's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.base.config import NetworkConfig
from models.base.layers import head

_LEAST_COVERAGE = 1e-3


def palette_heads(config: NetworkConfig) -> list[nn.Conv2d]:
    """What picks colours and what shares them out; none where networks make up all of them."""
    count = config.palette
    return [head(config, n) for n in (count, 1 + count)] if count else []


def painted(look: Tensor, change: Tensor, picked: Sequence[Tensor]) -> Tensor:
    """What a network paints (N, 4, L, L), from what it makes up and what its palette's heads say.

    look: as ``mixed`` has it.
    """
    if not picked:
        return change
    where, share = picked
    return torch.cat([mixed(look, where, share, change[:, :3]), change[:, 3:]], 1)


def mixed(look: Tensor, where: Tensor, share: Tensor, made_up: Tensor) -> Tensor:
    """The colours (N, 3, L, L) that K colours of a look, and those made up, mix to at each pixel.

    look (N, 4, L, L) in network form. where (N, K, L, L): logits of how much each pixel counts in
    the mean that a colour is; what is not seen does not count. share (N, 1 + K, L, L): logits of
    the shares of ``made_up`` (N, 3, L, L) and of the K colours.
    """
    coverage = ((look[:, 3:] + 1) / 2).clamp(min=_LEAST_COVERAGE)
    weights = torch.softmax((where + coverage.log()).flatten(2), 2)  # (N, K, LL)
    colours = weights @ look[:, :3].flatten(2).transpose(1, 2)  # (N, K, 3)
    shares = _softmax_of_planes(share)
    taken = colours.transpose(1, 2) @ shares[:, 1:].flatten(2)  # (N, 3, LL)
    mixture: Tensor = shares[:, :1] * made_up + taken.view_as(made_up)
    return mixture


def _softmax_of_planes(logits: Tensor) -> Tensor:
    """Softmax over the channels of (N, C, L, L).

    In a graph plane by plane, for onnxruntime lays all planes out anew, and back, for a softmax.
    """
    if not torch.onnx.is_in_onnx_export():
        return torch.softmax(logits, 1)
    powers = torch.exp(logits - logits.amax(1, keepdim=True))
    return powers / powers.sum(1, keepdim=True)
