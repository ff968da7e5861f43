"""A VGG16 of random filters, and its weights under torchvision's names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.loss.vgg import (
    Vgg16,
)


def random_vgg(seed: int = 0) -> Vgg16:
    vgg = Vgg16()
    draw = torch.Generator().manual_seed(seed)
    for convolution in vgg.convolutions:
        assert isinstance(convolution, nn.Conv2d)
        nn.init.kaiming_normal_(convolution.weight, generator=draw)
        assert convolution.bias is not None
        nn.init.normal_(convolution.bias, std=0.1, generator=draw)
    return vgg


def state_of(vgg: Vgg16) -> dict[str, Tensor]:
    """A state dict with torchvision's names."""
    state: dict[str, Tensor] = {}
    for layer, convolution in zip((0, 2, 5, 7, 10, 12, 14), vgg.convolutions, strict=True):
        for part, tensor in convolution.named_parameters():
            state[f"features.{layer}.{part}"] = tensor.detach().clone()
    return state
