"""From what a network decided at its look's size to the size of the picture that it is applied to.

Colour and alpha are separate numbers in the network form, and where alpha is nothing, colour is
black. Mixing and sampling would draw that black into every soft edge. So colours are first spread
beyond what is seen (``spread`` in pictures, within ``layer`` in decisions), everything is
mixed as it is, and last what is not seen is black again (``covered``).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.base.look import sum_of

SNAP = 0.02
"""A share this near to 0 or 1 is meant so: a face shall not show through closed lids, nor grey
through what is kept."""

_REACH = 2  # pixels of a look over which colours spread
_HARDLY_SEEN, _SEEN = 0.02, 0.12  # of coverage
_LEAST_WEIGHT = 1e-6
_ALPHA_STEPS = 255.0


def enlarged(small: Tensor, side: int) -> Tensor:
    """Bilinear, pixel areas upon pixel areas: (N, C, L, L) -> (N, C, side, side)."""
    return functional.interpolate(small, (side, side), mode="bilinear", align_corners=False)


def snapped(share: Tensor) -> Tensor:
    """Shares in [0, 1], those that are nearly 0 or 1 wholly so; any shape."""
    return (share * (1 + 2 * SNAP) - SNAP).clamp(0, 1)


class Layer(NamedTuple):
    """A blend as it is laid over a picture: ``kept * picture + painted``; both (N, 4, L, L).

    What is painted is weighted already, so that a colour that nobody is to see cannot enter
    between two pixels of the look.
    """

    kept: Tensor
    painted: Tensor


def layer(share: Tensor, change: Tensor, coverage: Tensor) -> Layer:
    """The layer of a network's blend: the input's share and what replaces the rest, (N, 4, L, L).

    coverage: (N, 1, L, L) in [0, 1], the alpha of what comes of it. Where that is nothing, colours
    are those nearby.
    """
    kept = snapped(share)
    seen = ((coverage - _HARDLY_SEEN) / (_SEEN - _HARDLY_SEEN)).clamp(0, 1)
    colour = torch.lerp(_nearby(change[:, :3], coverage), change[:, :3], seen)
    return Layer(kept, (1 - kept) * torch.cat([colour, change[:, 3:]], 1))


def laid(over: Layer, picture: Tensor) -> Tensor:
    """A layer, enlarged, over a picture (N, 4, D, D) with spread colours, of any size."""
    kept, painted = torch.split(enlarged(torch.cat(over, 1), picture.shape[-1]), 4, 1)
    return torch.addcmul(painted, kept, picture)


def moved(picture: Tensor, offset: Tensor) -> Tensor:
    """``warp`` of a picture (N, 4, D, D) with spread colours by a flow (N, 2, L, L), of any sizes.

    Here the picture's edges, not the outermost pixels' centres, lie at -1 and 1, so that one pixel
    of the look is D / L of the picture's, whatever D is.
    """
    side = picture.shape[-1]
    place = centres(side, picture.device)
    still = torch.stack([place.expand(side, side), place[:, None].expand(side, side)])
    return sampled(picture, still + enlarged(in_halves(offset), side))


def in_halves(offset: Tensor) -> Tensor:
    """A flow (N, 2, L, L) as ``warp`` has it, in halves of the picture from edge to edge."""
    look = offset.shape[-1]
    return offset * ((look - 1) / look)


def sampled(picture: Tensor, places: Tensor) -> Tensor:
    """The picture (N, 4, D, D) at places (N, 2, rows, columns): bilinear, the border's beyond.

    Places beyond the outermost pixels' centres are moved there first. Then none lies outside, what
    is there does not matter, and with "zeros" onnxruntime is four times as fast as with "border".
    """
    edge = 1 - 1 / picture.shape[-1]
    return functional.grid_sample(
        picture,
        places.clamp(-edge, edge).permute(0, 2, 3, 1),  # (N, rows, columns, 2), as it reads them
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )


def centres(side: int, device: torch.device) -> Tensor:
    """(D,) float32: each pixel's centre along a side, the picture's edges at -1 and 1."""
    middles = torch.arange(side, device=device) + 0.5
    return middles * 2 / (middles[-1:] + 0.5) - 1


def spread(picture: Tensor, look: Tensor) -> Tensor:
    """The picture (N, 4, D, D) with colours nearby where nothing is seen; alpha is untouched.

    look: the picture reduced, (N, 4, L, L).
    """
    near = _nearby(look[:, :3], (look[:, 3:] + 1) / 2)
    alpha = picture[:, 3:]
    colour = torch.where(alpha > -1, picture[:, :3], enlarged(near, picture.shape[-1]))
    return torch.cat([colour, alpha], 1)


def covered(picture: Tensor) -> Tensor:
    """The picture with colour black (-1) where alpha is nothing; comes in over one step of 255."""
    alpha = picture[:, 3:]
    seen = ((alpha + 1) * (_ALPHA_STEPS / 2)).clamp(0, 1)
    colour = picture[:, :3]
    return torch.cat([torch.lerp(torch.full_like(colour, -1), colour, seen), alpha], 1)


def coverage_of(kept: Tensor, look: Tensor, change: Tensor) -> Tensor:
    """The alpha in [0, 1] of the blend of a look and its change: (N, 1, L, L), without gradient."""
    return ((torch.lerp(change[:, 3:], look[:, 3:], kept[:, 3:]) + 1) / 2).detach()


def _nearby(colour: Tensor, coverage: Tensor) -> Tensor:
    """The mean colour of what is seen within ``_REACH``: (N, 3, L, L), weighted by coverage."""
    weight = coverage + _LEAST_WEIGHT
    summed = _window_sums(_window_sums(torch.cat([colour * weight, weight], 1), 3), 2)
    return summed[:, :3] / summed[:, 3:]


def _window_sums(planes: Tensor, axis: int) -> Tensor:
    """Sums over what lies within ``_REACH`` along an axis, nothing beyond the border.

    Whole planes added to one another: an eighth of the time that torch's pooling takes on a CPU.
    """
    margin = (_REACH, _REACH) if axis == 3 else (0, 0, _REACH, _REACH)
    padded, length = functional.pad(planes, margin), planes.shape[axis]
    return sum_of([padded.narrow(axis, k, length) for k in range(2 * _REACH + 1)])
