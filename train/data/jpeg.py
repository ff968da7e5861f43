"""What JPEG does to colours: ITU T.81's transform and its Annex K tables, without subsampling."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from train.data.transfer import sent

F64 = npt.NDArray[np.float64]

_BLOCK = 8

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)


def compressed(colour: Tensor, quality: float | F64) -> Tensor:
    """Colours (N, 3, H, W) float32 in linear light, [0, 1] -> the same as JPEGs have them.

    quality: of all, or (N,) of each: 1 to 100, as libjpeg scales its tables. sRGB is taken as the
    square root, which is near enough. H and W are multiples of 8. May leave [0, 1] a little.
    """
    count, _, rows, columns = colour.shape
    steps = _steps(np.broadcast_to(quality, count))[:, :, None, :, None, :]  # (N, 3, 1, 8, 1, 8)
    each_step = sent(torch.from_numpy(steps), colour.device)
    to_ycc, from_ycc, waves = _matrices(colour.device)
    ycc = to_ycc @ colour.clamp(0, 1).sqrt().mul_(255).flatten(2)
    ycc[:, 0] -= 128
    blocks = ycc.view(count, 3, rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    found = torch.einsum("ur,ncyrxs,vs->ncyuxv", waves, blocks, waves)
    found = (found / each_step).round_().mul_(each_step)
    again = torch.einsum("ur,ncyuxv,vs->ncyrxs", waves, found, waves).reshape(count, 3, -1)
    again[:, 0] += 128
    srgb: Tensor = (from_ycc @ again).mul_(1 / 255).clamp_(min=0)
    return srgb.square().view(colour.shape)


def _steps(quality: F64) -> npt.NDArray[np.float32]:
    """(N, 3, 8, 8): how coarsely each wave is kept."""
    percent = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None, None]
    tables = np.array([_LUMINANCE, _CHROMINANCE, _CHROMINANCE])
    steps: F64 = np.floor((tables * percent + 50) / 100)
    return steps.clip(1, 255).astype(np.float32)


@cache
def _matrices(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """To luminance and colour differences, back from them, and the waves; float32."""
    to_ycc = torch.from_numpy(_TO_YCC).float()
    made = to_ycc, torch.linalg.inv(to_ycc), torch.from_numpy(_waves())
    return made[0].to(device), made[1].to(device), made[2].to(device)


def _waves() -> npt.NDArray[np.float32]:
    """(8, 8): the orthonormal cosine transform; a row a wave."""
    place, wave = np.arange(_BLOCK) + 0.5, np.arange(_BLOCK)[:, None]
    waves: npt.NDArray[np.float64] = np.cos(math.pi / _BLOCK * place * wave) * math.sqrt(2 / _BLOCK)
    waves[0] /= math.sqrt(2)
    return waves.astype(np.float32)
