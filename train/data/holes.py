"""Holes torn into what a rotator painted, so that a combiner does not trust it blindly.

Pathway 1 knows the characters that it was trained on by heart, and what it leaves empty there is
empty. Of drawings it erases hair that hangs behind a head that turns far; a combiner that has seen
it err copies that hair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from train.data.transfer import sent

EMPTY = -1.0
_CELLS = 9  # a side, of the noise whose heights are holes
_HEIGHT = 0.62  # of interpolated uniform noise: a fifth of the picture


def tear_holes(pathway1: Tensor, share: float, seed: int, positions: Sequence[int]) -> Tensor:
    """Pictures (N, 4, H, W) in network form, holes torn into a ``share`` of them in the mean.

    positions: where each sample stands in the order; with the seed they decide its holes.
    """
    # Of those that shall stay whole the noise is flat.
    noise = np.zeros((len(positions), 1, _CELLS, _CELLS), np.float32)
    for cells, position in zip(noise, positions, strict=True):
        generator = np.random.Generator(np.random.PCG64([seed, position]))
        if generator.random() < share:
            generator.random(out=cells, dtype=np.float32)
    here = sent(torch.from_numpy(noise), pathway1.device)
    heights = functional.interpolate(here, pathway1.shape[2:], mode="bilinear")
    return pathway1.masked_fill(heights > _HEIGHT, EMPTY)
