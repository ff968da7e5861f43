"""What origins teach: where a flow leads, and what is best copied.

A picture says where its pixels come from only at edges and lines; a data set with origins says it
of every pixel that was seen before. Of those that come into view it cannot: there is nothing to
copy. But there is a best way to leave what was seen. When a chin is raised, the throat comes into
view under it. A flow that goes over to the throat at once, which has not moved, finds the chin
there a second time, and its line is lost between the two. One that follows the head a little
farther finds what lay beside the chin. So what moved most is continued into what is not known.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from contract.origins import SEEN
from models.base.enlarge import centres, enlarged, in_halves
from train.data.batch import Traces

_SOFT = 0.1
_WHOLLY = 0.99
_RINGS = 4
"""Pixels of the origins, two of a look of 64: what bilinear enlargement needs to leave an edge."""


def flow_error(offset: Tensor, traces: Traces) -> Tensor:
    """How far a flow (N, 2, L, L) leads beside the origins that were seen: a scalar.

    In pixels of the look, the mean over those pixels of all N pictures and over ``_RINGS`` around
    them; distances under ``_SOFT`` count less. The flow is compared as it is applied, enlarged.
    Farther into what comes into view the pictures alone say what looks best.
    """
    look, side = offset.shape[-1], traces.shown.shape[-1]
    place = centres(side, offset.device)
    still = torch.stack([place.expand(side, side), place[:, None].expand(side, side)], -1)
    wanted, known = continued(
        (traces.places - still).permute(0, 3, 1, 2), traces.shown == SEEN, _RINGS
    )
    beside = (enlarged(in_halves(offset.float()), side) - wanted) * (look / 2)
    distance = (beside.pow(2).sum(1) + _SOFT**2).sqrt() - _SOFT
    return (known * distance).sum() / known.sum().clamp(min=1)


def continued(motion: Tensor, known: Tensor, rings: int) -> tuple[Tensor, Tensor]:
    """A motion (N, 2, T, T) continued by ``rings`` pixels, and where it is known then (N, T, T).

    Each pixel that is not known, beside one that is, takes the greatest motion of the eight around:
    what is nearer moves more, and at its edge what it leaves is farther away.
    """
    for _ in range(rings):
        size = torch.where(known, motion.pow(2).sum(1), -1.0)
        greatest, place = functional.max_pool2d(size[:, None], 3, 1, 1, return_indices=True)
        taken = motion.flatten(2).gather(2, place.flatten(2).expand(-1, 2, -1))
        motion = torch.where(known[:, None], motion, taken.view(motion.shape))
        known = greatest[:, 0] >= 0
    return motion, known


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
