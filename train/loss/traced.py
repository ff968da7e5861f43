"""What origins teach: where a flow leads, and what is best copied.

A picture says where its pixels come from only at edges and lines; a data set with origins says it
of every pixel that was seen before. Of those that come into view it cannot: there is nothing to
copy. But there is a best way to leave what was seen. When a chin is raised, hair that hung behind
it comes into view, and goes down itself. A flow that goes over to that hair at once finds the cheek
in its place; one that follows the chin a little farther finds what lay beside the chin. So what hid
a pixel is continued into it: of the motions around, the one that is least like its own.

Where nothing is shown, nothing says what a flow does, as long as it leads to nothing. A flow that
is left alone there folds, and off the characters that it learnt from its folds bring back pieces of
hair. So the air around a head goes along with it, as far as it finds air.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from contract.origins import HIDDEN, NOTHING, SEEN
from models.base.enlarge import centres, enlarged, in_halves
from models.base.look import sum_of
from train.data.batch import Traces

_SOFT = 0.1
_WHOLLY = 0.99
_FAINT = 0.01
_RINGS = 4
"""Pixels of the origins, two of a look of 64: what bilinear enlargement needs to leave an edge."""
_EDGE_WEIGHT = 4.0
"""They are one in sixteen, and where it shows."""
_APART = 1.0
"""Pixels of the origins; what hid a pixel moved otherwise by more than this."""
_AIR = 16
"""Pixels of the origins, eight of a look of 64: so far around it the air goes along with a head."""
_AIR_WEIGHT = 0.5


class Motions(NamedTuple):
    """What a flow should do, (N, 2, T, T) as ``in_halves`` has it, and three kinds of pixels.

    Each (N, T, T) bool, none of two kinds: ``seen`` before; at the ``edge`` of what moved
    otherwise, within ``_RINGS`` that came into view; ``air`` within ``_AIR`` around the character
    that goes along with it and is air there too.
    """

    wanted: Tensor
    seen: Tensor
    edge: Tensor
    air: Tensor


def motions(traces: Traces, image: Tensor) -> Motions:
    """What a flow of the picture ``image``, (N, 4, D, D) in network form, should do."""
    side = traces.shown.shape[-1]
    place = centres(side, image.device)
    still = torch.stack([place.expand(side, side), place[:, None].expand(side, side)], -1)
    moved = (traces.places - still).permute(0, 3, 1, 2)
    wanted, known = continued(moved, traces.shown, _RINGS, _APART * 2 / side)
    wanted, reached = surrounded(wanted, known, traces.shown, _AIR)
    seen = traces.shown == SEEN
    air = reached & ~known & _empty_at(still + wanted.permute(0, 2, 3, 1), image)
    return Motions(wanted, seen, known & ~seen, air)


def flow_error(offset: Tensor, told: Motions) -> Tensor:
    """How far a flow (N, 2, L, L) leads beside what it was told: a scalar.

    In pixels of the look, the mean over the pixels of all N pictures that were seen, those at
    edges, each of which counts ``_EDGE_WEIGHT`` times, and air, ``_AIR_WEIGHT`` times; distances
    under ``_SOFT`` count less. The flow is compared as it is applied, enlarged. Farther into what
    comes into view the pictures alone say what looks best.
    """
    weight = told.seen + _EDGE_WEIGHT * told.edge + _AIR_WEIGHT * told.air
    look, side = offset.shape[-1], weight.shape[-1]
    beside = (enlarged(in_halves(offset.float()), side) - told.wanted) * (look / 2)
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


def surrounded(motion: Tensor, known: Tensor, shown: Tensor, rings: int) -> tuple[Tensor, Tensor]:
    """Motions continued by ``rings`` pixels into where nothing is shown, and where they are known.

    motion (N, 2, T, T), known (N, T, T) bool, shown (N, T, T) as ``Traces`` has it. Each pixel
    takes the mean of the motions known among the eight around it.
    """
    nothing, count = (shown == NOTHING)[:, None], known[:, None].to(motion)
    planes = torch.cat([motion * count, count], 1)
    for _ in range(rings):
        summed = _sums_around(planes)
        found = nothing & (planes[:, 2:] == 0) & (summed[:, 2:] > 0)
        planes = torch.where(found, summed / summed[:, 2:].clamp(min=1), planes)
    reached = planes[:, 2:] > 0
    return torch.where(reached, planes[:, :2], motion), reached[:, 0]


def _sums_around(planes: Tensor) -> Tensor:
    """Sums of three by three, nothing beyond the border; on CPUs torch's pooling is slow."""
    rows, columns = planes.shape[2:]
    wide = functional.pad(planes, (1, 1, 1, 1))
    narrow = sum_of([wide[..., k : k + columns] for k in range(3)])
    return sum_of([narrow[:, :, k : k + rows] for k in range(3)])


def _empty_at(places: Tensor, image: Tensor) -> Tensor:
    """Whether a picture (N, 4, D, D) shows nothing at places (N, T, T, 2): (N, T, T)."""
    alpha = functional.adaptive_max_pool2d(image[:, 3:] + 1, places.shape[1])
    there = functional.grid_sample(
        alpha, places, mode="nearest", padding_mode="border", align_corners=False
    )
    return there[:, 0] <= _FAINT


def _around(shape: Sequence[int]) -> Iterator[tuple[slice, slice, slice, slice]]:
    """Of pictures (N, T, T) with a margin of one pixel, channels second: the eight beside each."""
    whole = slice(None)
    for row, column in product(range(3), range(3)):
        if (row, column) != (1, 1):
            yield whole, whole, slice(row, row + shape[1]), slice(column, column + shape[2])


def uncopied(copied: Tensor, told: Motions) -> Tensor:
    """The mean share that is not copied where a flow was told what to do; a scalar.

    copied: the share of pathway 2 in a picture, (N, 4, L, L). Counted where that holds for all that
    a pixel of the look covers. A painted pathway that knows the data by heart is trusted too far
    with drawings, whose hair it erases, whose outlines it frays, and whose jaws it smears where
    they come to lie before what was hidden; what the flow copies from there holds for them too.
    """
    told_at = told.seen | told.edge | told.air
    could = functional.interpolate(told_at[:, None].float(), copied.shape[2:], mode="area")
    whole = (could > _WHOLLY).float()
    return (whole * (1 - copied)).sum() / (copied.shape[1] * whole.sum()).clamp(min=1)
