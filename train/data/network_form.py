"""Stored pictures -> network form, on the device that trains.

Bytes are a quarter of the numbers that they stand for: less to keep, and less to send to a device,
which converts faster than processes that decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from contract.image import ALPHA_BYTE_TO_NETWORK, COLOUR_BYTE_TO_NETWORK, Stored


def to_network(stored: Sequence[Stored], device: torch.device, size: int) -> Tensor:
    """N pictures (H, W, 4) uint8 -> (N, 4, size, size) float32 on ``device``.

    ``contract.image.stored_to_network`` bit for bit, for pictures without colour under alpha 0;
    the result lies pixel by pixel in memory (torch's channels_last). size: H, or a whole fraction
    of it: then each pixel is the mean of a block, as ``_reduced`` says.
    """
    made = torch.empty((len(stored), size, size, 4), device=device)
    if device.type == "cpu":
        # One by one, so that each is still in the processor's cache from step to step.
        for picture, place in zip(stored, made, strict=True):
            _convert(torch.from_numpy(picture), place)
    elif stored:
        _convert(torch.from_numpy(np.stack(stored)).to(device), made)
    return made.movedim(-1, -3)


def _convert(stored: Tensor, out: Tensor) -> None:
    """Pictures (..., H, W, 4) uint8 into ``out`` (..., size, size, 4)."""
    side, size = stored.shape[-2], out.shape[-2]
    table = _table(stored.device)
    entries = torch.add(stored, _first_entries(side, stored.device)).view(-1)
    if size == side:
        torch.index_select(table, 0, entries, out=out.view(-1))
    else:
        out.copy_(_reduced(table.index_select(0, entries).view(stored.shape), size))


@cache
def _table(device: torch.device) -> Tensor:
    """(512,) float32: what each byte of colour stands for, then each byte of alpha."""
    both = np.concatenate([COLOUR_BYTE_TO_NETWORK, ALPHA_BYTE_TO_NETWORK])
    return torch.from_numpy(both).to(device)


@cache
def _first_entries(side: int, device: torch.device) -> Tensor:
    """(side, side, 4) int32: where in the table the entries of each channel begin.

    Of a picture's size, for adding four numbers over and over is slow.
    """
    channels = torch.tensor([0, 0, 0, len(COLOUR_BYTE_TO_NETWORK)], dtype=torch.int32)
    return channels.expand(side, side, 4).contiguous().to(device)


def _reduced(pixels: Tensor, size: int) -> Tensor:
    """(..., H, W, 4) -> (..., size, size, 4), network form: means of blocks in linear light.

    Colours are weighted by alpha, so that no background bleeds into the outline.
    """
    unit = (pixels + 1) / 2
    unit[..., :3] *= unit[..., 3:]
    factor = pixels.shape[-2] // size
    blocks = (*pixels.shape[:-3], size, factor, size, factor, 4)
    mean = unit.view(blocks).mean((-4, -2))
    mean[..., :3] /= mean[..., 3:].clamp(min=1e-6)
    return mean * 2 - 1
