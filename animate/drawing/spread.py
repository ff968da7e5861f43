"""Colours for the pixels that nobody sees: mixing and sampling must not find black there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contract.image import NetworkPicture

_F32 = npt.NDArray[np.float32]

_QUARTER, _LEAST = np.float32(0.25), np.float32(1e-6)


def spread(picture: NetworkPicture) -> NetworkPicture:
    """(4, H, W) in network form -> the same with the nearest seen colours where alpha is nothing.

    What is seen, and alpha, are untouched. From ever coarser means, weighted by alpha.
    """
    weight = ((picture[3:] + 1) / 2).astype(np.float32)
    colour = np.where(picture[3:] > -1, picture[:3], _filled(picture[:3], weight))
    return np.concatenate([colour, picture[3:]])


def _filled(colour: _F32, weight: _F32) -> _F32:
    """Colours (3, H, W) with weights (1, H, W), those of weight 0 from half the size."""
    height, width = colour.shape[1:]
    if not weight.any() or weight.all() or max(height, width) == 1:
        return colour
    mass = _halved(weight)
    coarse = _halved(colour * weight) / np.maximum(mass, _LEAST)
    # Full weight to whatever is known: a soft edge is as good a neighbour as a hard one.
    filled = _filled(coarse.astype(np.float32), (mass > 0).astype(np.float32))
    doubled = filled.repeat(2, 1).repeat(2, 2)[:, :height, :width]
    return np.where(weight > 0, colour, doubled)


def _halved(planes: _F32) -> _F32:
    """Means of 2x2 pixels, (C, H, W) -> (C, ceil(H/2), ceil(W/2)); an odd edge stands alone."""
    _, height, width = planes.shape
    even = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)))
    return (
        even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    ) * _QUARTER
