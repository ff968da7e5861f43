"""Where and when a network changes nothing: at rest, and at the border of what it looks at."""

from __future__ import annotations

import torch
from torch import Tensor

REST_REACH = 0.05
"""From this distance from rest on, on the axis that is farthest from it, networks act in full."""
BORDER_PIXELS = 4
"""Of a look's border, over which a change comes in; the outermost one is never changed."""


def face_gate(face: Tensor) -> Tensor:
    """left_eye right_eye mouth (N, 3) -> (N, 1, 1, 1) in [0, 1]: 0 at rest (0, 0, 1)."""
    distance = torch.cat([face[:, :2], 1 - face[:, 2:]], 1).amax(1)
    return _risen(distance / REST_REACH)[:, None, None, None]


def joint_gate(joints: Tensor) -> Tensor:
    """head_x head_y neck_z (N, 3) -> (N, 1, 1, 1) in [0, 1]: 0 at rest (0, 0, 0)."""
    return _risen(joints.abs().amax(1) / REST_REACH)[:, None, None, None]


def border_gate(side: int, device: torch.device) -> Tensor:
    """(1, 1, side, side) in [0, 1]: 0 on the outermost pixels, 1 from ``BORDER_PIXELS`` inwards."""
    place = torch.arange(side, device=device, dtype=torch.float32)
    ramp = _risen(torch.minimum(place, side - 1 - place) / BORDER_PIXELS)
    return (ramp[:, None] * ramp)[None, None]


def gated(kept: Tensor, gate: Tensor) -> Tensor:
    """Shares of the input that are kept, where the change comes in by ``gate``: 1 where it is 0."""
    return 1 - gate * (1 - kept)


def _risen(value: Tensor) -> Tensor:
    """0 up to 0, 1 from 1 on, smooth in between."""
    unit = value.clamp(0, 1)
    return unit * unit * (3 - 2 * unit)
