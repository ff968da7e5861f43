"""Appearance flow (Zhou et al. 2016): each output pixel says which input pixel it copies."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def identity_grid(rows: int, columns: int, device: torch.device) -> Tensor:
    """(1, 2, H, W) float32: x then y of each pixel centre; the outermost lie at -1 and 1."""
    x = torch.linspace(-1, 1, columns, device=device).expand(rows, columns)
    y = torch.linspace(-1, 1, rows, device=device)[:, None].expand(rows, columns)
    return torch.stack([x, y])[None]


def warp(image: Tensor, offset: Tensor) -> Tensor:
    """Sample ``image`` at the identity grid plus ``offset``.

    image: (N, C, H, W) float32. offset: (N, 2, H, W) float32, x then y, in units of half the
    picture (2 / (W - 1) is one pixel to the right). Bilinear; positions outside the picture take
    the border's value. Returns (N, C, H, W).
    """
    rows, columns = image.shape[2:]
    grid = identity_grid(rows, columns, image.device) + offset
    return functional.grid_sample(
        image,
        grid.permute(0, 2, 3, 1),  # (N, H, W, 2), as grid_sample reads it
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
