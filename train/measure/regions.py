"""Where the eyes, the mouth and what comes into view lie in a picture; all masks (..., H, W) bool.

Eyes and mouth: the pixels that any expression of a character changes (against its rest picture with
the same light), the upper ones being the eyes', the lower ones the mouth's. Between the eyes and
the mouth of drawn faces lies row 0.65 of the picture: a fifth of the head above the chin.

Turned with the head: the face as the front of a ball about the neck tip's axis, as wide as the
head is high, turned about the neck tip (at the chin) and the neck root (below it). Good to a pixel
or two at 64 pixels, which the regions' margin takes up.

Disoccluded: what no copying could make. A pixel of the posed picture counts whose surroundings
(3x3, at 64 pixels a side) are found nowhere near (10 pixels) in the expression's picture.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from contract.image import CHIN_FRACTION, SKULL_TOP_FRACTION
from contract.pose import JOINT_RADIANS_AT_ONE
from train.loss.losses import CHANGED

EYES_END = 0.65
_NECK_ROOT = CHIN_FRACTION + 0.1
_HEAD_RADIUS = (CHIN_FRACTION - SKULL_TOP_FRACTION) / 2
_MARGIN = 1 / 64
_SEARCH_SIZE = 64
_SEARCH_RADIUS = 10
_UNLIKE = 0.2
"""Mean difference of surroundings, of values in [-1, 1], above which they are not the same."""


def changed_pixels(rest: Tensor, expressions: Tensor) -> Tensor:
    """Pixels that any of N pictures changes: both (N, 4, H, W) in network form -> (H, W) bool."""
    return ((rest - expressions).abs().amax(1) > CHANGED).any(0)


def face_regions(changed: Tensor) -> tuple[Tensor, Tensor]:
    """Eyes and mouth, each (H, W) bool, of the pixels that expressions change (H, W) bool."""
    changed = _widened(changed[None])[0]
    rows = torch.arange(changed.shape[0], device=changed.device)[:, None] / changed.shape[0]
    return changed & (rows < EYES_END), changed & (rows >= EYES_END)


def _widened(mask: Tensor) -> Tensor:
    """A mask (N, H, W) with its margin."""
    margin = max(1, round(mask.shape[-1] * _MARGIN))
    return functional.max_pool2d(mask.float()[:, None], 2 * margin + 1, 1, margin)[:, 0] > 0


def turned(region: Tensor, joints: Tensor) -> Tensor:
    """A region (H, W) bool of a straight head, as it lies with joints (N, 3): (N, H, W) bool."""
    size = region.shape[0]
    rows, columns = torch.nonzero(region, as_tuple=True)
    if not len(rows):
        return region.expand(len(joints), -1, -1)
    x = (columns + 0.5) / size - 0.5
    y = CHIN_FRACTION - (rows + 0.5) / size  # upward from the neck tip
    z = (_HEAD_RADIUS**2 - x**2).clamp(min=0).sqrt()
    masks = torch.zeros(len(joints), size, size, dtype=torch.bool, device=region.device)
    for mask, (head_x, head_y, neck_z) in zip(masks, joints * JOINT_RADIANS_AT_ONE, strict=True):
        # Positive: up; to the left of the screen; leaning to the left of the screen.
        x1, z1 = x * head_y.cos() - z * head_y.sin(), x * head_y.sin() + z * head_y.cos()
        y1 = y * head_x.cos() + z1 * head_x.sin()
        above_root = y1 + (_NECK_ROOT - CHIN_FRACTION)
        x2 = x1 * neck_z.cos() - above_root * neck_z.sin()
        y2 = x1 * neck_z.sin() + above_root * neck_z.cos()
        to_rows = ((_NECK_ROOT - y2) * size).long().clamp(0, size - 1)
        mask[to_rows, ((x2 + 0.5) * size).long().clamp(0, size - 1)] = True
    return _widened(masks)


def disoccluded(expression: Tensor, posed: Tensor) -> Tensor:
    """What ``expression`` does not show of ``posed``: both (N, 4, H, W) -> (N, H, W) bool."""
    small, wanted = _small(expression), _small(posed)
    side, radius = wanted.shape[-1], _SEARCH_RADIUS
    around = functional.pad(small, [radius] * 4, mode="replicate")
    best = torch.full_like(wanted[:, 0], torch.inf)
    for down in range(2 * radius + 1):
        for right in range(2 * radius + 1):
            moved = around[:, :, down : down + side, right : right + side]
            unlike = (moved - wanted).abs().mean(1, keepdim=True)
            unlike = functional.avg_pool2d(unlike, 3, 1, 1, count_include_pad=False)[:, 0]
            best = torch.minimum(best, unlike)
    found = (best > _UNLIKE) & (wanted[:, 3] > -1)
    size = posed.shape[-1]
    return functional.interpolate(found.float()[:, None], (size, size))[:, 0] > 0


def _small(pictures: Tensor) -> Tensor:
    if pictures.shape[-1] <= _SEARCH_SIZE:
        return pictures
    return functional.interpolate(pictures, (_SEARCH_SIZE, _SEARCH_SIZE), mode="area")
