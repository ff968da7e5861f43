"""The three networks written a second time, plainly, under THA1's own tensor names.

Eager float32 in torch's default memory format, one standard module an operation. The tests compare
the package's networks with these; the benchmark measures against them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (64, 128, 256, 512)


def listed_tensors(path: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """File -> tensor -> shape, as the file ``tha1_state_dict.txt`` lists them."""
    files: dict[str, dict[str, tuple[int, ...]]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            files[line[2:].split(":")[0]] = {}
        elif line:
            name, shape = line.split("\t")
            sides = tuple(int(side) for side in shape.strip("()").split(",") if side.strip())
            files[list(files)[-1]][name] = sides
    return files


def _unit(conv: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(conv, nn.InstanceNorm2d(channels, affine=True), nn.ReLU())


def _conv(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return _unit(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), outputs)


def _head(channels: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(_conv(channels, outputs, 7, 1, 3), activation)


class PlainResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels, 3, 1, 1)
        self.norm1 = nn.InstanceNorm2d(channels, affine=True)
        self.conv2 = _conv(channels, channels, 3, 1, 1)
        self.norm2 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        change: Tensor = self.norm2(self.conv2(y))
        return x + change


class PlainTrunk(nn.Module):
    def __init__(self, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.module_list = nn.ModuleList(
            [
                _unit(_conv(7, a, 7, 1, 3), a),
                _unit(_conv(a, b, 4, 2, 1), b),
                _unit(_conv(b, c, 4, 2, 1), c),
                _unit(_conv(c, d, 4, 2, 1), d),
                *(PlainResidual(d) for _ in range(blocks)),
                _up(d, c),
                _up(c, b),
                _up(b, a),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        for module in self.module_list:
            x = module(x)
        return x


class PlainUNet(nn.Module):
    def __init__(self, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.downward_modules = nn.ModuleList(
            [
                _unit(_conv(11, a, 7, 1, 3), a),
                _unit(_conv(a, b, 4, 2, 1), b),
                _unit(_conv(b, c, 4, 2, 1), c),
                _unit(_conv(c, d, 4, 2, 1), d),
            ]
        )
        self.bottleneck_modules = nn.ModuleList(PlainResidual(d) for _ in range(blocks))
        self.upsampling_modules = nn.ModuleList(
            [_unit(_conv(2 * a, a, 7, 1, 3), a), _up(2 * b, a), _up(2 * c, b), _up(d, c)]
        )

    def forward(self, x: Tensor) -> Tensor:
        full = self.downward_modules[0](x)
        half = self.downward_modules[1](full)
        quarter = self.downward_modules[2](half)
        x = self.downward_modules[3](quarter)
        for block in self.bottleneck_modules:
            x = block(x)
        x = torch.cat([self.upsampling_modules[3](x), quarter], 1)
        x = torch.cat([self.upsampling_modules[2](x), half], 1)
        x = torch.cat([self.upsampling_modules[1](x), full], 1)
        last: Tensor = self.upsampling_modules[0](x)
        return last


def _planes(pose: Tensor, image: Tensor) -> Tensor:
    n, count = pose.shape
    return pose.reshape(n, count, 1, 1).repeat(1, 1, image.shape[2], image.shape[3])


class PlainMorpher(nn.Module):
    def __init__(self, widths: tuple[int, ...] = WIDTHS, blocks: int = 6) -> None:
        super().__init__()
        self.main_body = PlainTrunk(widths, blocks)
        self.color_change = _head(widths[0], 4, nn.Tanh())
        self.alpha_mask = _head(widths[0], 4, nn.Sigmoid())

    def forward(self, image: Tensor, pose: Tensor) -> tuple[Tensor, ...]:
        y = self.main_body(torch.cat([image, _planes(pose, image)], 1))
        alpha, change = self.alpha_mask(y), self.color_change(y)
        return alpha * image + (1 - alpha) * change, alpha, change


class PlainRotator(nn.Module):
    def __init__(self, widths: tuple[int, ...] = WIDTHS, blocks: int = 6) -> None:
        super().__init__()
        self.main_body = PlainTrunk(widths, blocks)
        self.pumarola_color_change = _head(widths[0], 4, nn.Tanh())
        self.pumarola_alpha_mask = _head(widths[0], 4, nn.Sigmoid())
        self.zhou_grid_change = _conv(widths[0], 2, 7, 1, 3)

    def forward(self, image: Tensor, pose: Tensor) -> tuple[Tensor, ...]:
        y = self.main_body(torch.cat([image, _planes(pose, image)], 1))
        alpha, change = self.pumarola_alpha_mask(y), self.pumarola_color_change(y)
        offset = self.zhou_grid_change(y)
        same = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).repeat(image.shape[0], 1, 1)
        grid = functional.affine_grid(same, list(image.shape), align_corners=True)
        grid = grid + offset.permute(0, 2, 3, 1)
        moved = functional.grid_sample(
            image, grid, mode="bilinear", padding_mode="border", align_corners=True
        )
        return alpha * image + (1 - alpha) * change, moved, alpha, change, offset


class PlainCombiner(nn.Module):
    def __init__(self, widths: tuple[int, ...] = WIDTHS, blocks: int = 6) -> None:
        super().__init__()
        self.main_body = PlainUNet(widths, blocks)
        self.combine_alpha_mask = _head(widths[0], 4, nn.Sigmoid())
        self.retouch_alpha_mask = _head(widths[0], 4, nn.Sigmoid())
        self.retouch_color_change = _head(widths[0], 4, nn.Tanh())

    def forward(self, pathway1: Tensor, pathway2: Tensor, pose: Tensor) -> tuple[Tensor, ...]:
        y = self.main_body(torch.cat([pathway1, pathway2, _planes(pose, pathway1)], 1))
        mask = self.combine_alpha_mask(y)
        combined = mask * pathway1 + (1 - mask) * pathway2
        alpha, change = self.retouch_alpha_mask(y), self.retouch_color_change(y)
        return alpha * combined + (1 - alpha) * change, combined, mask, alpha, change


PLAIN: dict[str, Callable[..., nn.Module]] = {
    "FaceMorpher": PlainMorpher,
    "FaceRotator": PlainRotator,
    "Combiner": PlainCombiner,
}
"""By the name of the package's class."""
