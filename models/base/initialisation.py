"""The weights that a network starts from."""

from __future__ import annotations

import torch
from torch import nn


def fill_he_normal(network: nn.Module, generator: torch.Generator | None) -> None:
    """Every convolution of ``network`` from N(0, 2 / fan_in), He et al. 2015, equation 10.

    A transposed convolution's fan-in is taken as its outputs times its filter's area, as torch
    counts it; instance norm follows each, so that this scale never reaches the output.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
