"""An error over only the pixels that the pose changes.

Closing the eyes changes one pixel in a hundred: in a mean over the whole picture the morpher hardly
sees its task, and doing nothing is nearly optimal. This error weighs those pixels as much as their
number were the whole picture's. The paper has nothing of the kind; its presets leave it out.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHANGED = 0.04
"""A pixel is changed where a channel, in [-1, 1], differs by more than this."""


def changed_error(image: Tensor, target: Tensor, *outputs: Tensor) -> Tensor:
    """Mean absolute difference over each picture's changed pixels, summed over ``outputs``.

    All (N, 4, H, W) in network form; returns a scalar, the mean over the N pictures.
    """
    changed = (image - target).abs().amax(1, keepdim=True) > CHANGED  # (N, 1, H, W)
    elements = target.shape[1] * changed.sum((1, 2, 3)).clamp(min=1)
    errors = [((output - target).abs() * changed).sum((1, 2, 3)) / elements for output in outputs]
    return torch.stack(errors).sum(0).mean()
