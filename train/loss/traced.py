"""What origins teach: where a flow leads, and what is best copied.

A picture says where its pixels come from only at edges and lines; a data set with origins says it
of every pixel that was seen before. Of those that come into view it cannot: there is nothing to
copy. But there is a best way to leave what was seen. When a chin is raised, hair that hung behind
it comes into view, and goes down itself. A flow that goes over to that hair at once finds the cheek
in its place; one that follows the chin a little farther finds what lay beside the chin. So what hid
a pixel is continued into it: of the motions around, the one that is least like its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from contract.origins import HIDDEN, SEEN
from models.base.enlarge import centres, enlarged, in_halves
from train.data.batch import Traces

_SOFT = 0.1
_WHOLLY = 0.99
_RINGS = 4
"""Pixels of the origins, two of a look of 64: what bilinear enlargement needs to leave an edge."""
_RING_WEIGHT = 4.0
"""They are one in sixteen, and where it shows."""
_APART = 1.0
"""Pixels of the origins; what hid a pixel moved otherwise by more than this."""


def flow_error(offset: Tensor, traces: Traces) -> Tensor:
    """How far a flow (N, 2, L, L) leads beside the origins that were seen: a scalar.

    In pixels of the look, the mean over those pixels of all N pictures and over ``_RINGS`` around
    them, each of which counts ``_RING_WEIGHT`` times; distances under ``_SOFT`` count less. The
    flow is compared as it is applied, enlarged. Farther into what comes into view the pictures
    alone say what looks best.
    """
    look, side = offset.shape[-1], traces.shown.shape[-1]
    place = centres(side, offset.device)
    still = torch.stack([place.expand(side, side), place[:, None].expand(side, side)], -1)
    seen = traces.shown == SEEN
    wanted, known = continued(
        (traces.places - still).permute(0, 3, 1, 2), traces.shown, _RINGS, _APART * 2 / side
    )
    weight = seen + _RING_WEIGHT * (known & ~seen)
    beside = (enlarged(in_halves(offset.float()), side) - wanted) * (look / 2)
    distance = (beside.pow(2).sum(1) + _SOFT**2).sqrt() - _SOFT
    return (weight * distance).sum() / weight.sum().clamp(min=1)


def continued(motion: Tensor, shown: Tensor, rings: int, apart: float) -> tuple[Tensor, Tensor]:
    """Motions continued by ``rings`` pixels into what was hidden, and where they are known then.

    motion (N, 2, T, T), shown (N, T, T) as ``Traces`` has it. A hidden pixel takes the motion that
    differs most from its own of the eight around that are known; by more than ``apart``, or it is
    of the same thing, and hidden by another one farther away.
    """
    known, hidden = shown == SEEN, shown == HIDDEN
    own = motion
    for _ in range(rings):
        beside = functional.pad(torch.cat([motion, known[:, None].to(motion)], 1), (1, 1, 1, 1))
        most, taken = torch.full_like(own[:, 0], apart**2), motion
        for there in _around(known.shape):
            other, is_known = beside[there][:, :2], beside[there][:, 2]
            differs = (other - own).pow(2).sum(1) * is_known
            more = differs > most
            most = torch.where(more, differs, most)
            taken = torch.where(more[:, None], other, taken)
        found = hidden & ~known & (most > apart**2)
        motion, known = torch.where(found[:, None], taken, motion), known | found
    return motion, known


def _around(shape: Sequence[int]) -> Iterator[tuple[slice, slice, slice, slice]]:
    """Of pictures (N, T, T) with a margin of one pixel, channels second: the eight beside each."""
    whole = slice(None)
    for row, column in product(range(3), range(3)):
        if (row, column) != (1, 1):
            yield whole, whole, slice(row, row + shape[1]), slice(column, column + shape[2])


def uncopied(copied: Tensor, traces: Traces) -> Tensor:
    """The mean share that is not copied where it could be: of what was seen before; a scalar.

    copied: the share of pathway 2 in a picture, (N, 4, L, L). Counted where all that a pixel of the
    look covers was seen. A painted pathway that knows the data by heart is trusted too far with
    drawings, whose hair it erases; what the flow copies from there holds for them too.
    """
    seen = functional.interpolate(
        (traces.shown == SEEN)[:, None].float(), copied.shape[2:], mode="area"
    )
    whole = (seen > _WHOLLY).float()
    return (whole * (1 - copied)).sum() / (copied.shape[1] * whole.sum()).clamp(min=1)
