"""The units of which all three networks are built, and the weights that they start from.

Source: the generator of Pumarola et al. 2018 (GANimation), as used in 2019 for talking heads.
Pictures and features are (N, C, H, W). No convolution has a bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.base.config import NetworkConfig


def conv(inputs: int, outputs: int, side: int) -> nn.Conv2d:
    """A filter of ``side`` pixels, odd, stride 1: (N, inputs, H, W) -> (N, outputs, H, W)."""
    return nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """4x4, stride 2: (N, inputs, H, W) -> (N, outputs, H/2, W/2)."""
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Transposed 4x4, stride 2: (N, inputs, H, W) -> (N, outputs, 2H, 2W)."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


class InstanceNorm(nn.Module):
    """Each channel of each picture to mean 0 and variance 1, then an affine map; any (N, C, H, W).

    The same numbers as ``nn.InstanceNorm2d(affine=True)``, which unlike this does not keep the
    memory format that it is given. Where that is channels last, a CPU takes a batch norm of each
    picture, for there its group norm is slow.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> the same."""
        if torch.onnx.is_in_onnx_export():  # one step of a graph; a group norm becomes five
            return functional.instance_norm(features, weight=self.weight, bias=self.bias)
        if features.device.type == "cpu" and not features.is_contiguous():
            return torch.cat([self._of_one(picture) for picture in torch.split(features, 1)])
        return functional.group_norm(features, self.weight.numel(), self.weight, self.bias)

    def _of_one(self, features: Tensor) -> Tensor:
        return functional.batch_norm(
            features, None, None, self.weight, self.bias, training=True, momentum=0.0
        )


class Unit(nn.Module):
    """A convolution, instance norm, relu."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = InstanceNorm(conv.out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H or H/2 or 2H, the same of W)."""
        normalised: Tensor = self.norm(self.conv(features))
        return normalised.relu_()  # in place: no step back needs what was there


class Residual(nn.Module):
    """``Res(x) = x + IN(Conv3(relu(IN(Conv3(x)))))``: (N, C, H, W) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv(channels, channels, 3)
        self.norm1 = InstanceNorm(channels)
        self.conv2 = conv(channels, channels, 3)
        self.norm2 = InstanceNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> the same."""
        inner = self.norm1(self.conv1(features)).relu_()
        change: Tensor = self.norm2(self.conv2(inner))
        return change.add_(features)


def encoder(inputs: int, widths: Sequence[int]) -> nn.ModuleList:
    """Full resolution, then one halving per further width."""
    halvings = (Unit(down(a, b)) for a, b in pairwise(widths))
    return nn.ModuleList([Unit(conv(inputs, widths[0], 7)), *halvings])


class Trunk(nn.Module):
    """Encoder, residual blocks, decoder: (N, inputs, H, W) -> (N, channels, H, W).

    The numbers in comments are the paper's.
    """

    def __init__(self, inputs: int, config: NetworkConfig) -> None:
        super().__init__()
        widths = config.widths  # 64, 128, 256, 512
        self.encoder = encoder(inputs, widths)
        self.residual = nn.ModuleList(Residual(widths[-1]) for _ in range(config.residual_blocks))
        rising = widths[::-1]
        self.decoder = nn.ModuleList(Unit(up(a, b)) for a, b in pairwise(rising))

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, channels, H, W)."""
        for unit in self.encoder:  # (N, 64, 256, 256) ... (N, 512, 32, 32)
            features = unit(features)
        for block in self.residual:  # (N, 512, 32, 32)
            features = block(features)
        for unit in self.decoder:  # (N, 256, 64, 64) ... (N, 64, 256, 256)
            features = unit(features)
        return features


class UNet(nn.Module):
    """The trunk with the encoder's features beside the decoder's at every resolution.

    (N, inputs, H, W) -> (N, channels, H, W). The numbers in comments are the paper's.
    """

    def __init__(self, inputs: int, config: NetworkConfig) -> None:
        super().__init__()
        widths = config.widths  # 64, 128, 256, 512
        self.encoder = encoder(inputs, widths)
        self.residual = nn.ModuleList(Residual(widths[-1]) for _ in range(config.residual_blocks))
        # The first of the decoder reads the bottleneck alone, the others a skip as well.
        arriving = (widths[3], 2 * widths[2], 2 * widths[1])  # 512, 512, 256
        self.decoder = nn.ModuleList(
            Unit(up(a, b)) for a, b in zip(arriving, widths[2::-1], strict=True)
        )
        self.last = Unit(conv(2 * widths[0], widths[0], config.last_filter))

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, channels, H, W)."""
        skips: list[Tensor] = []
        for unit in self.encoder:  # (N, 64, 256, 256) ... (N, 512, 32, 32)
            features = unit(features)
            skips.append(features)
        skips.pop()
        for block in self.residual:  # (N, 512, 32, 32)
            features = block(features)
        for unit in self.decoder:  # (N, 256 + 256, 64, 64) ... (N, 64 + 64, 256, 256)
            features = torch.cat([unit(features), skips.pop()], dim=1)
        last: Tensor = self.last(features)  # (N, 64, 256, 256)
        return last


def head(config: NetworkConfig, outputs: int) -> nn.Conv2d:
    """What a network says of each pixel: (N, channels, H, W) -> (N, outputs, H, W)."""
    return conv(config.channels, outputs, config.last_filter)


def trunk(inputs: int, config: NetworkConfig) -> Trunk | UNet:
    """What lies before a morpher's or a rotator's heads."""
    return UNet(inputs, config) if config.skips else Trunk(inputs, config)


def with_pose(*pictures: Tensor, pose: Tensor) -> Tensor:
    """Pictures (N, C_i, H, W) and pose (N, 3) -> (N, sum C_i + 3, H, W): a constant plane a number.

    The planes come last, in the pose's order.
    """
    rows, columns = pictures[0].shape[2:]
    planes = pose[:, :, None, None].expand(-1, -1, rows, columns)  # (N, 3, H, W)
    return torch.cat([*pictures, planes], dim=1)


def run_heads(features: Tensor, *heads: nn.Conv2d) -> list[Tensor]:
    """Apply several heads at once: (N, C, H, W) -> one (N, outputs, H, W) float32 a head.

    One convolution with the heads' filters side by side reads the features once and gives the
    same numbers; separate ones of 2 to 4 outputs leave most of a vector unit idle. What follows a
    head (masks, colours, sampling positions) needs float32 whatever precision the trunk ran in.
    """
    filters = torch.cat([head.weight for head in heads])
    answers = functional.conv2d(features, filters, padding=heads[0].padding)
    answers = answers.to(torch.float32, memory_format=torch.contiguous_format)
    return list(torch.split(answers, [head.out_channels for head in heads], dim=1))


def blend(alpha: Tensor, over: Tensor, under: Tensor) -> Tensor:
    """``alpha * over + (1 - alpha) * under``, all (N, 4, H, W)."""
    return torch.lerp(under, over, alpha)


def fill_he_normal(network: nn.Module, generator: torch.Generator | None) -> None:
    """Every convolution of ``network`` from N(0, 2 / fan_in), He et al. 2015, equation 10.

    A transposed convolution's fan-in is taken as its outputs times its filter's area, as torch
    counts it; instance norm follows each, so that this scale never reaches the output.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
