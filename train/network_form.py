"""Stored pictures -> network form, many at once, on the device that trains.

Bytes are a quarter of the numbers that they stand for: less to keep, and less to send to a device,
which converts faster than processes that decode.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from contract.image import ALPHA_BYTE_TO_NETWORK, COLOUR_BYTE_TO_NETWORK

_PAIRS = 1 << 16


def to_network(stored: Tensor, size: int) -> Tensor:
    """Pictures (..., H, W, 4) uint8 -> (..., 4, size, size) float32, on the same device.

    ``contract.image.stored_to_network`` bit for bit, for pictures without colour under alpha 0;
    the result lies pixel by pixel in memory (torch's channels_last). size: H, or a whole fraction
    of it: then each pixel is the mean of a block, as ``_reduced`` says.
    """
    # Two bytes at a time, red with green and blue with alpha, for half the look-ups.
    pairs = stored.contiguous().view(torch.int16).to(torch.int32) & (_PAIRS - 1)  # (..., H, W, 2)
    pairs[..., 1] += _PAIRS
    found = _table(stored.device).index_select(0, pairs.view(-1))
    pixels = found.view(torch.float32).view(stored.shape)
    if size != stored.shape[-2]:
        pixels = _reduced(pixels, size)
    return pixels.movedim(-1, -3)


@cache
def _table(device: torch.device) -> Tensor:
    """Two bytes, the first the lower -> two float32, held as one number of 64 bits.

    Entries below 65536 are for red and green, those above for blue and alpha.
    """
    first, second = np.arange(_PAIRS) & 255, np.arange(_PAIRS) >> 8
    red_green = np.stack([COLOUR_BYTE_TO_NETWORK[first], COLOUR_BYTE_TO_NETWORK[second]], -1)
    blue_alpha = np.stack([COLOUR_BYTE_TO_NETWORK[first], ALPHA_BYTE_TO_NETWORK[second]], -1)
    both = np.concatenate([red_green, blue_alpha]).view(np.int64).ravel()
    return torch.from_numpy(both).to(device)


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
