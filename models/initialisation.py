"""The weights that a network starts from."""

from __future__ import annotations

import math

import torch
from torch import nn

# Features before a head are relu(z), z standard normal at the start: E[relu(z)] = 1/sqrt(2 pi).
_MEAN_FEATURE = 1 / math.sqrt(2 * math.pi)


def fill_he_normal(network: nn.Module, generator: torch.Generator | None) -> None:
    """Every convolution of ``network`` from N(0, 2 / fan_in), He et al. 2015, equation 10.

    A transposed convolution's fan-in is taken as its outputs times its filter's area, as torch
    counts it; instance norm follows each, so that this scale never reaches the output.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)


@torch.no_grad()
def start_sigmoid_at(head: nn.Conv2d, share: float | None) -> None:
    """Set the weights of a head so that its sigmoid starts near ``share``; None leaves them.

    Heads have no bias, but relu features are positive: filters of one constant w give
    ``w * inputs * 49 * E[feature]`` before the sigmoid, less within 3 pixels of the picture's edge.
    """
    if share is not None:
        logit = math.log(share / (1 - share))
        head.weight.fill_(logit / (head.weight[0].numel() * _MEAN_FEATURE))


@torch.no_grad()
def scale(head: nn.Conv2d, factor: float) -> None:
    """Multiply a head's weights."""
    head.weight.mul_(factor)
