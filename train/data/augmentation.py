"""Pictures changed by chance, a sample's input and target alike.

Generated faces are laid out, coloured and drawn in fewer ways than drawings are. A sample is moved
(so that its face leaves the exact place of the convention, as drawings' faces do), lit in other
colours, drawn with other lines, softened and compressed, and both its pictures are so in the same
way. What happens to it is decided by a seed and its position in the order of samples alone, and
each kind of change has numbers of its own: switching one on leaves the others as they were.

Colours are moved and blurred multiplied by alpha, so that nothing off the character bleeds into its
edge, and what is off it stays exactly (-1, -1, -1, -1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from contract.origins import HIDDEN, SEEN
from train.data.batch import Batch, Traces
from train.data.jpeg import compressed
from train.fields import check_types, require, require_between

_OPAQUE_ENOUGH = 0.5 / 255
"""Less alpha than this would be stored as none."""
_MIDDLE_GREY = 0.18
"""In linear light; what contrast leaves as it is."""
_DRAWS = 20
_QUALITY = 40, 95


@dataclass(frozen=True)
class Augmentation:
    """How far pictures may be changed; as it stands, not at all.

    scale: each side by a factor of 1 - scale to 1 + scale. turn_radians: either way. shift: in each
    direction, as a share of the side. gain_low, gain_high: each colour times a factor between, in
    linear light. hue_radians: all hues turned, either way. brightness, contrast: a factor of
    1 / (1 + it) to 1 + it, contrast about middle grey. lines: the largest share in which pixels
    become their darkest or their brightest neighbour, so that lines grow or shrink. blur: standard
    deviation in pixels, of every other sample at most this. jpeg: the share of samples that are
    compressed, at qualities of 40 to 95.

    Raises:
        InputError: a value outside its range.
    """

    scale: float = 0.0
    turn_radians: float = 0.0
    shift: float = 0.0
    gain_low: float = 1.0
    gain_high: float = 1.0
    hue_radians: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    lines: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        require_between(self, 0, 0.5, "scale", "shift")
        require_between(self, 0, math.pi, "turn_radians", "hue_radians")
        require_between(self, 0.01, 100, "gain_low", "gain_high")
        require(self, "gain_high", self.gain_low <= self.gain_high, "be gain_low or more")
        require_between(self, 0, 10, "brightness", "contrast")
        require_between(self, 0, 1, "lines", "jpeg")
        require_between(self, 0, 8, "blur")

    def switched_on(self) -> dict[str, Any]:
        """The fields that change anything, as JSON can hold them."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, off) in values.items() if value != off}


def augmented(
    batch: Batch, augmentation: Augmentation, seed: int, positions: Sequence[int]
) -> Batch:
    """A batch with its pictures changed; ``positions``: where each sample stands in the order."""
    if not augmentation.switched_on():
        return batch
    # One by one, so that each is still in the processor's cache from step to step.
    draws = [_draws(seed, position) for position in positions]
    pairs = [
        _changed(torch.stack(pair).contiguous(), augmentation, some)
        for *pair, some in zip(batch.image, batch.target, draws, strict=True)
    ]
    image, target = torch.stack(pairs, 1)
    traces = batch.traces and _moved_traces(batch.traces, augmentation, draws)
    return replace(batch, image=image, target=target, traces=traces)


def _draws(seed: int, position: int) -> list[float]:
    """A sample's numbers, uniform on [-1, 1]."""
    generator = np.random.Generator(np.random.PCG64([seed, position]))
    return list(generator.uniform(-1, 1, _DRAWS))


def _changed(pair: Tensor, by: Augmentation, draws: list[float]) -> Tensor:
    """Input and target (2, 4, H, W) in network form -> the same, changed."""
    unit = pair.add(1).mul_(0.5)
    if by.lines:
        _redraw_lines(unit, by.lines * draws[0])
    colour, alpha = unit[:, :3], unit[:, 3:]
    colour *= alpha
    unit = _relit(unit, by, draws[1:7])
    if by.scale or by.turn_radians or by.shift:
        unit = _moved(unit, _placing(by, draws))
    if by.blur and draws[12] > 0:
        unit = _blurred(unit, by.blur * draws[12])
    colour, alpha = unit[:, :3], unit[:, 3:]
    is_on = alpha >= _OPAQUE_ENOUGH
    alpha *= is_on
    colour *= is_on / alpha.clamp(min=_OPAQUE_ENOUGH)
    if (draws[13] + 1) / 2 < by.jpeg:
        quality = _QUALITY[0] + (_QUALITY[1] - _QUALITY[0]) * (draws[14] + 1) / 2
        colour.copy_(compressed(colour.where(is_on, 1), quality)).mul_(is_on)
    return unit.clamp_(0, 1).mul_(2).sub_(1)


# Lines.


def _redraw_lines(unit: Tensor, share: float) -> None:
    """Straight colours (2, 4, H, W) become their darkest neighbours by a share, or the brightest
    where it is negative; in place. Alpha stays, and what is off the character has no say."""
    colour = unit[:, :3]
    if share > 0:
        darkest = -_largest_around(-colour.where(unit[:, 3:] > 0, 1))
        colour.lerp_(torch.minimum(darkest, colour), share)
    else:
        colour.lerp_(_largest_around(colour), -share)


def _largest_around(values: Tensor) -> Tensor:
    """Of each pixel and its four neighbours."""
    largest = values.clone()
    for axis in (-2, -1):
        length = values.shape[axis] - 1
        for here, there in ((0, 1), (1, 0)):
            place = largest.narrow(axis, here, length)
            torch.maximum(place, values.narrow(axis, there, length), out=place)
    return largest


# Light and colour.


def _relit(unit: Tensor, by: Augmentation, draws: list[float]) -> Tensor:
    """Colours multiplied by alpha, (2, 4, H, W), in another light."""
    matrix = _colour_matrix(by, draws)
    if np.array_equal(matrix, np.eye(4)):
        return unit
    lit = torch.from_numpy(matrix).to(unit) @ unit.flatten(2)
    colour, alpha = lit[:, :3], lit[:, 3:]
    torch.minimum(colour.clamp_(min=0), alpha, out=colour)
    return lit.view(unit.shape)


def _colour_matrix(by: Augmentation, draws: list[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(4, 4), acts on colours multiplied by alpha, and alpha: which makes offsets possible."""
    matrix = np.eye(4)
    # Turned about the grey axis (Rodrigues' formula).
    angle = by.hue_radians * draws[0]
    cosine, sine = math.cos(angle), math.sin(angle) / math.sqrt(3)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    matrix[:3, :3] = cosine * np.eye(3) + sine * across + (1 - cosine) / 3
    contrast = (1 + by.contrast) ** draws[1]
    matrix[:3, :3] *= contrast
    matrix[:3, 3] = _MIDDLE_GREY * (1 - contrast)
    gains = by.gain_low + (by.gain_high - by.gain_low) * (np.array(draws[2:5]) + 1) / 2
    matrix[:3] *= (gains * (1 + by.brightness) ** draws[5])[:, None]
    return matrix


# Place and sharpness.


class _Placing(NamedTuple):
    """From where each pixel of a picture comes that was scaled, turned about its middle and then
    shifted: ``back @ (x, y) + start``, in halves of the picture."""

    back: np.ndarray[Any, np.dtype[np.float64]]  # (2, 2)
    start: np.ndarray[Any, np.dtype[np.float64]]  # (2,)


def _placing(by: Augmentation, draws: list[float]) -> _Placing:
    width, height = (1 + by.scale * draw for draw in draws[7:9])
    angle = by.turn_radians * draws[9]
    cosine, sine = math.cos(angle), math.sin(angle)
    # Back by the shift, turned back, divided by the scale.
    back = np.array([[cosine, sine], [-sine, cosine]]) / [[width], [height]]
    return _Placing(back, -back @ (2 * by.shift * np.array(draws[10:12])))


def _moved(unit: Tensor, placing: _Placing) -> Tensor:
    """Pictures (2, 4, H, W), zero off the character, as ``placing`` says.

    What comes in from outside the picture is its edge: bodies go on below it.
    """
    from_x, from_y = torch.from_numpy(placing.back.T).to(unit)
    start = torch.from_numpy(placing.start).to(unit)
    line = _pixel_centres(unit.shape[-1], unit.device)[:, None]
    grid = (line * from_x + (line * from_y + start)[:, None])[None]  # (1, H, W, 2)
    both = unit.flatten(0, 1)[None]
    moved = functional.grid_sample(both, grid, padding_mode="border", align_corners=False)
    return moved.view(unit.shape)


def _moved_traces(traces: Traces, by: Augmentation, draws: list[list[float]]) -> Traces:
    """Origins of pictures that were moved so: what each pixel shows now, in the moved input."""
    side, device = traces.shown.shape[-1], traces.places.device
    centres = _pixel_centres(side, device)
    x, y = centres.expand(side, side), centres[:, None].expand(side, side)
    placed, shown = [], []
    for some, numbers in enumerate(draws):
        placing = _placing(by, numbers)
        back, start = (torch.from_numpy(part).to(x) for part in placing)
        there = torch.stack([x, y], -1) @ back.T + start
        column, row = ((there + 1) * (side / 2)).floor().long().unbind(-1)
        inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
        nearest = row.clamp(0, side - 1), column.clamp(0, side - 1)
        # An origin lies in the input as it was; that was moved as well.
        place = (traces.places[some][nearest] - start) @ torch.linalg.inv(back).T
        state = traces.shown[some][nearest] * inside
        out = (state == SEEN) & (place.abs() > 1).any(-1)
        placed.append(place)
        shown.append(torch.where(out, HIDDEN, state))
    return Traces(torch.stack(placed), torch.stack(shown))


@cache
def _pixel_centres(side: int, device: torch.device) -> Tensor:
    """(side,) float32; the picture's edges lie at -1 and 1."""
    return (torch.arange(side, device=device) + 0.5) * (2 / side) - 1


def _blurred(unit: Tensor, deviation: float) -> Tensor:
    """A Gaussian, row by row and column by column; the edge is repeated."""
    radius = math.ceil(2.5 * deviation)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    taps /= taps.sum()
    for axis, padding in ((-1, (radius, radius, 0, 0)), (-2, (0, 0, radius, radius))):
        length, wide = unit.shape[axis], functional.pad(unit, padding, mode="replicate")
        # Sums of shifted pictures are faster here than a convolution by channel.
        unit = wide.narrow(axis, 0, length) * float(taps[0])
        for start, tap in enumerate(taps[1:], 1):
            unit.add_(wide.narrow(axis, start, length), alpha=float(tap))
    return unit
