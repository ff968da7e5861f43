"""Deciding twice, on the mirror image as well, and taking the mean.

What a network is unsure of it decides by chance a little otherwise on the mirror image; the mean of
both is nearer to what is right, of faces unlike those that it learnt from above all.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from contract.pose import FACE, JOINTS, mirrored_pose

_LEAST_SHARE = 1e-4

_MIRROR = np.stack([mirrored_pose(axis) for axis in np.eye(6, dtype=np.float32)], 1)  # (6, 6)
_FACE_ORDER: list[int] = np.abs(_MIRROR[FACE, FACE]).argmax(1).tolist()
"""From which axis of a pose each of the mirror image's comes; none changes its sign."""
_JOINT_SIGNS: list[float] = np.diagonal(_MIRROR[JOINTS, JOINTS]).tolist()
"""By which each axis of a pose becomes the mirror image's."""


def both_faces(pose: Tensor) -> Tensor:
    """Poses of eyes and mouth (N, 3), and those of the mirror images: (2N, 3)."""
    return torch.cat([pose, torch.stack([pose[:, k] for k in _FACE_ORDER], 1)])


def both_joints(pose: Tensor) -> Tensor:
    """Poses of head and neck (N, 3), and those of the mirror images: (2N, 3)."""
    return torch.cat([pose, pose * torch.tensor(_JOINT_SIGNS, device=pose.device)])


def both_looks(look: Tensor) -> Tensor:
    """Looks (N, 4, L, L), and their mirror images: (2N, 4, L, L)."""
    return torch.cat([look, look.flip(3)])


def mean_blend(kept: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of blends decided on both: shares kept and what replaces the rest, (N, 4, L, L).

    Both (2N, 4, L, L) as they were decided. What replaces is weighted by how much it does.
    """
    share, mirrored_share = 1 - _there(kept, 0), 1 - _there(kept, 1)
    here, there = _there(change, 0), _there(change, 1)
    shares = share + mirrored_share
    weighted = (share * here + mirrored_share * there) / shares.clamp(min=_LEAST_SHARE)
    change = torch.where(shares > _LEAST_SHARE, weighted, (here + there) / 2)
    return 1 - shares / 2, change


def mean_flow(offset: Tensor) -> Tensor:
    """The mean of flows (2N, 2, L, L), x then y, decided on both: (N, 2, L, L)."""
    there = _there(offset, 1)
    return (_there(offset, 0) + torch.cat([-there[:, :1], there[:, 1:]], 1)) / 2


def _there(decided: Tensor, half: int) -> Tensor:
    """The first half of what was decided, or the second, of mirror images, turned back."""
    part = decided.chunk(2)[half]
    return part.flip(3) if half else part
