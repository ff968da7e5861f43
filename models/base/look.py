"""What a network looks at: the picture, or a part of it, at a smaller size.

Pictures are (N, 4, D, D) in network form; a look is one of L pixels a side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.base.config import CORNERS, SIXTEENTHS, Part

_LEAST_COVERAGE = 1e-6


def reduced(picture: Tensor, side: int) -> Tensor:
    """Each pixel the mean over its area: (N, 4, D, D) -> (N, 4, side, side), any D.

    Colours are weighted by alpha, so that no edge darkens; where nothing is seen they are -1, as
    the background's. A picture of this size already is given back as it is.
    """
    if picture.shape[-1] == side:
        return picture
    alpha = (picture[:, 3:] + 1) / 2
    weighted = torch.addcmul(alpha, picture[:, :3], alpha)  # twice the colour in [0, 1], by alpha
    coverage = _area_mean(alpha, side)
    colour = _area_mean(weighted, side) / coverage.clamp(min=_LEAST_COVERAGE)
    return torch.cat([colour - 1, coverage * 2 - 1], 1)


def _area_mean(planes: Tensor, side: int) -> Tensor:
    given = planes.shape[-1]
    if given % side == 0:
        step = given // side
        narrow = sum_of([planes[..., k::step] for k in range(step)])
        return sum_of([narrow[..., k::step, :] for k in range(step)]) / step**2
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


def sum_of(planes: Sequence[Tensor]) -> Tensor:
    """The sum of tensors of one shape, at least two of them, into one new tensor."""
    total = planes[0] + planes[1]
    for plane in planes[2:]:
        total += plane
    return total


def part_of(picture: Tensor, part: Part) -> Tensor:
    """The square ``part`` of a picture (N, C, D, D), as the picture convention has it; a view."""
    rows, columns, side = _place(picture, part)
    return picture[:, :, rows : rows + side, columns : columns + side]


def with_part(picture: Tensor, changed: Tensor, part: Part) -> Tensor:
    """``picture`` with ``changed`` in place of what ``part_of`` gives; nothing else changes."""
    if part == "whole":
        return changed
    rows, columns, side = _place(picture, part)
    band = picture[:, :, rows : rows + side]
    centre = torch.cat([band[..., :columns], changed, band[..., columns + side :]], 3)
    return torch.cat([picture[:, :, :rows], centre, picture[:, :, rows + side :]], 2)


def _place(picture: Tensor, part: Part) -> tuple[int, int, int]:
    row, column = CORNERS[part]
    length = picture.shape[-1]
    before = length * column // SIXTEENTHS
    return length * row // SIXTEENTHS, before, length - 2 * before
