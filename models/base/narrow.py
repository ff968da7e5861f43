"""What is narrow in a picture: strands before the background, and gaps between strands.

Where combiners learn, what is narrow in a flow's picture has mostly been torn by the flow. So of
drawings they cut strands, and fill gaps, that lie there already. Those can be told by the
drawing itself, from which the flow brings them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from models.base.enlarge import moved

_HARDLY_NARROW, _NARROW = 0.2, 0.5  # of coverage that opening or closing changes
_HARDLY_SEEN, _SEEN = 0.1, 0.4  # of coverage
_MORE = 0.02  # of coverage


def narrow_parts(look: Tensor, offset: Tensor) -> Tensor:
    """How narrow what a flow shows is in the picture that it comes from: (N, 1, L, L) in [0, 1].

    look (N, 4, L, L) in network form; offset (N, 2, L, L) as ``RotatorDecision`` has it. Narrow is
    what opening coverage by three pixels takes away, or closing it fills (Serra 1982).
    """
    coverage = (look[:, 3:] + 1) / 2
    closed, opened = _eroded(_dilated(coverage)), _dilated(_eroded(coverage))
    changed = torch.maximum(closed - coverage, coverage - opened)
    return moved(_ramp(changed, _HARDLY_NARROW, _NARROW), offset)


def left_to_the_flow(narrow: Tensor, look: Tensor, change: Tensor) -> Tensor:
    """The share of each pixel in which nothing but the flow's picture is right: (N, 1, L, L).

    narrow: as ``narrow_parts`` has it. look: the flow's picture, and change: what would replace it,
    both (N, 4, L, L). What the flow hardly shows may be taken away, but nothing be added to it.
    """
    coverage = (look[:, 3:] + 1) / 2
    adds = (change[:, 3:] + 1) / 2 > coverage + _MORE
    return torch.where(adds, narrow, narrow * _ramp(coverage, _HARDLY_SEEN, _SEEN))


def _ramp(value: Tensor, low: float, high: float) -> Tensor:
    return ((value - low) / (high - low)).clamp(0, 1)


def _dilated(coverage: Tensor) -> Tensor:
    """By three pixels each way; nothing lies outside. In a quarter of a pooling's time on a CPU."""
    padded = functional.pad(coverage, (1, 1, 1, 1))
    wide = _largest(padded[..., :-2], padded[..., 1:-1], padded[..., 2:])
    return _largest(wide[..., :-2, :], wide[..., 1:-1, :], wide[..., 2:, :])


def _eroded(coverage: Tensor) -> Tensor:
    return -_dilated(-coverage)


def _largest(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    return torch.maximum(torch.maximum(first, second), third)
