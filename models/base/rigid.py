"""Where the pixels of a head that turns come from, were it stiff: the start of a flow.

A plain flow says where each pixel comes from in numbers that a network must make up from constant
pose planes, everywhere anew; hair far from the head, which the picture's edge hardly tells from
other hair, is then not taken along far enough. But the camera looks in parallel, and a head turns
about joints at places that the picture convention says nearly: given how near each pixel is to the
viewer, its path follows. So the network says that, and which pixels belong to the head, and adds
what is left.

Coordinates here: x to the right, y up, z toward the viewer, in halves of the picture from edge to
edge, which the convention makes heights of the head; the origin is the picture's middle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from contract.image import CHIN_FRACTION
from contract.pose import JOINT_RADIANS_AT_ONE
from models.base.enlarge import centres

_CHIN_Y = 1 - 2 * CHIN_FRACTION
_HEAD_Y = _CHIN_Y + 0.08
_NECK_Y = _CHIN_Y - 0.12
"""The joints' heights, as those of MMD models are in the mean; sd 0.05 and 0.07 of 19 of them."""
_USUAL_DEPTH = 0.3
"""Before the joints: of a face's front 0.45 to 0.5, of its outline 0."""


def turned(pose: Tensor, nearness: Tensor) -> Tensor:
    """The flow of a stiff head: (N, 2, L, L), x then y down, as ``warp`` takes it.

    pose (N, 3): head_x head_y neck_z. nearness (N, 1, L, L): how much nearer to the viewer than is
    usual what each output pixel shows lies. The neck has turned the head last, so it is turned back
    first; the head had tilted, then turned.
    """
    side = nearness.shape[-1]
    sines = torch.sin(pose * JOINT_RADIANS_AT_ONE)[:, :, None, None]
    cosines = torch.cos(pose * JOINT_RADIANS_AT_ONE)[:, :, None, None]
    (sin_x, sin_y, sin_z), (cos_x, cos_y, cos_z) = sines.unbind(1), cosines.unbind(1)
    place = centres(side, nearness.device)
    x, y, z = place, -place[:, None] - _NECK_Y, nearness[:, 0] + _USUAL_DEPTH
    x, y = cos_z * x + sin_z * y, cos_z * y - sin_z * x  # (N, L, L), by the neck
    y = y + (_NECK_Y - _HEAD_Y)
    x, z = cos_y * x + sin_y * z, cos_y * z - sin_y * x
    y = cos_x * y - sin_x * z + _HEAD_Y
    moved = torch.stack([x - place, -y - place[:, None]], 1)
    return moved * (side / (side - 1))
