"""What a network looks at: the picture, or its middle, at a smaller size.

Pictures are (N, 4, D, D) in network form; a look is one of L pixels a side.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_LEAST_COVERAGE = 1e-6


def reduced(picture: Tensor, side: int) -> Tensor:
    """Each pixel the mean over its area: (N, 4, D, D) -> (N, 4, side, side), any D.

    Colours are weighted by alpha, so that no edge darkens; where nothing is seen they are -1, as
    the background's. A picture of this size already is given back as it is.
    """
    if picture.shape[-1] == side:
        return picture
    unit = (picture + 1) / 2
    alpha = unit[:, 3:]
    means = _area_mean(torch.cat([unit[:, :3] * alpha, alpha], 1), side)
    coverage = means[:, 3:]
    colour = means[:, :3] / coverage.clamp(min=_LEAST_COVERAGE)
    return torch.cat([colour, coverage], 1) * 2 - 1


def _area_mean(planes: Tensor, side: int) -> Tensor:
    given = planes.shape[-1]
    if given % side == 0:
        return functional.avg_pool2d(planes, given // side)
    weights = _overlaps(given, side, planes.device)
    # Sums over hundreds of pixels want float32 whatever precision the networks run in.
    with torch.autocast(planes.device.type, enabled=False):
        return weights @ planes @ weights.T


def _overlaps(given: int, side: int, device: torch.device) -> Tensor:
    """(side, given): which share of each of ``side`` intervals lies in each of ``given`` ones."""
    step = given / side
    first = torch.arange(side, device=device)[:, None] * step
    pixel = torch.arange(given, device=device)[None]
    shared = torch.minimum(first + step, pixel + 1.0) - torch.maximum(first, pixel.float())
    return shared.clamp(min=0) / step


def middle(picture: Tensor) -> Tensor:
    """The middle half of rows and columns, where the picture convention has the face; a view."""
    rows, columns = (_quarter(length) for length in picture.shape[2:])
    return picture[:, :, rows:-rows, columns:-columns]


def with_middle(picture: Tensor, part: Tensor) -> Tensor:
    """``picture`` with ``part`` in place of what ``middle`` gives; nothing else changes."""
    rows, columns = (_quarter(length) for length in picture.shape[2:])
    band = picture[:, :, rows:-rows]
    centre = torch.cat([band[..., :columns], part, band[..., -columns:]], 3)
    return torch.cat([picture[:, :, :rows], centre, picture[:, :, -rows:]], 2)


def _quarter(length: int) -> int:
    return length // 4
