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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from contract.origins import HIDDEN, SEEN
from train.data.batch import Batch, Traces
from train.data.jpeg import compressed
from train.data.transfer import sent
from train.fields import check_types, require, require_between

F64 = npt.NDArray[np.float64]

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
    draws = _draws(seed, positions)
    # A CPU takes them one by one, so that each is still in its cache from step to step; a graphics
    # card all at once, for every step that it is asked for takes a moment, however small.
    at_once = 1 if batch.image.device.type == "cpu" else len(draws)
    pairs = []
    for start in range(0, len(draws), at_once):
        some = slice(start, start + at_once)
        both = torch.stack([batch.image[some], batch.target[some]], 1).contiguous()
        pairs.append(_changed(both, augmentation, draws[some]))
    image, target = (torch.cat([pair[:, side] for pair in pairs]) for side in (0, 1))
    traces = batch.traces and _moved_traces(batch.traces, augmentation, draws)
    return replace(batch, image=image, target=target, traces=traces)


def _draws(seed: int, positions: Sequence[int]) -> F64:
    """(N, _DRAWS): each sample's numbers, uniform on [-1, 1]."""
    draws = np.empty((len(positions), _DRAWS))
    for row, position in zip(draws, positions, strict=True):
        row[:] = np.random.Generator(np.random.PCG64([seed, position])).uniform(-1, 1, _DRAWS)
    return draws


def _changed(pairs: Tensor, by: Augmentation, draws: F64) -> Tensor:
    """Inputs and targets (N, 2, 4, H, W) in network form -> the same, changed."""
    unit = pairs.add(1).mul_(0.5)
    if by.lines:
        share = by.lines * draws[:, 0]
        grow = share > 0
        unit = _of_some(unit, grow, partial(_grown_lines, shares=share[grow]))
        unit = _of_some(unit, ~grow, partial(_shrunk_lines, shares=-share[~grow]))
    colour, alpha = unit[:, :, :3], unit[:, :, 3:]
    colour *= alpha
    unit = _relit(unit, by, draws[:, 1:7])
    if by.scale or by.turn_radians or by.shift:
        unit = _moved(unit, _placing(by, draws))
    if by.blur:
        deviations = by.blur * draws[:, 12]
        soft = deviations > 0
        unit = _of_some(unit, soft, partial(_blurred, deviations=deviations[soft]))
    colour, alpha = unit[:, :, :3], unit[:, :, 3:]
    is_on = alpha >= _OPAQUE_ENOUGH
    alpha *= is_on
    colour *= is_on / alpha.clamp(min=_OPAQUE_ENOUGH)
    if by.jpeg:
        packed = (draws[:, 13] + 1) / 2 < by.jpeg
        qualities = _QUALITY[0] + (_QUALITY[1] - _QUALITY[0]) * (draws[packed, 14] + 1) / 2
        unit = _of_some(unit, packed, partial(_packed, qualities=qualities))
    return unit.clamp_(0, 1).mul_(2).sub_(1)


def _of_some(
    unit: Tensor, chosen: npt.NDArray[np.bool_], change: Callable[[Tensor], Tensor]
) -> Tensor:
    """``unit`` with those of its N samples changed that are ``chosen``; it may be written to."""
    if not chosen.any():
        return unit
    if chosen.all():
        return change(unit)
    which = sent(torch.from_numpy(np.flatnonzero(chosen)), unit.device)
    return unit.index_copy_(0, which, change(unit.index_select(0, which)))


def _beside(numbers: F64, like: Tensor) -> Tensor:
    """Numbers that were worked out here, on the device of ``like`` and as precise."""
    return sent(torch.from_numpy(numbers).to(like.dtype), like.device)


def _of_each(numbers: F64, like: Tensor) -> Tensor:
    """(N,) -> (N, 1, 1, 1, 1): one number for each sample's pictures."""
    return _beside(numbers, like).view(-1, 1, 1, 1, 1)


# Lines.


def _grown_lines(unit: Tensor, shares: F64) -> Tensor:
    """Straight colours (N, 2, 4, H, W) become their darkest neighbours by a share (N,); in place.

    Alpha stays, and what is off the character has no say.
    """
    colour = unit[:, :, :3]
    darkest = -_largest_around(-colour.where(unit[:, :, 3:] > 0, 1))
    colour.lerp_(torch.minimum(darkest, colour), _of_each(shares, unit))
    return unit


def _shrunk_lines(unit: Tensor, shares: F64) -> Tensor:
    """Straight colours become their brightest neighbours by a share; in place, and alpha stays."""
    colour = unit[:, :, :3]
    colour.lerp_(_largest_around(colour), _of_each(shares, unit))
    return unit


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


def _relit(unit: Tensor, by: Augmentation, draws: F64) -> Tensor:
    """Colours multiplied by alpha, (N, 2, 4, H, W), in another light."""
    matrices = _colour_matrices(by, draws)
    if (matrices == np.eye(4)).all():
        return unit
    lit = _beside(matrices, unit)[:, None] @ unit.flatten(3)
    colour, alpha = lit[:, :, :3], lit[:, :, 3:]
    torch.minimum(colour.clamp_(min=0), alpha, out=colour)
    return lit.view(unit.shape)


def _colour_matrices(by: Augmentation, draws: F64) -> F64:
    """(N, 4, 4), act on colours multiplied by alpha, and alpha: which makes offsets possible."""
    matrices = np.tile(np.eye(4), (len(draws), 1, 1))
    # Turned about the grey axis (Rodrigues' formula).
    cosine, sine = _turns(by.hue_radians * draws[:, 0])[..., None, None]
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    turned = cosine * np.eye(3) + sine / math.sqrt(3) * across + (1 - cosine) / 3
    contrast = _powers(1 + by.contrast, draws[:, 1])[:, None]
    matrices[:, :3, :3] = turned * contrast[..., None]
    matrices[:, :3, 3] = _MIDDLE_GREY * (1 - contrast)
    gains = by.gain_low + (by.gain_high - by.gain_low) * (draws[:, 2:5] + 1) / 2
    gains *= _powers(1 + by.brightness, draws[:, 5])[:, None]
    matrices[:, :3] *= gains[..., None]
    return matrices


def _turns(angles: F64) -> F64:
    """(2, N): cosines and sines; numpy's may differ in the last bit from one processor to another,
    and from how many there are."""
    return np.array([[turn(angle) for angle in angles] for turn in (math.cos, math.sin)])


def _powers(base: float, exponents: F64) -> F64:
    """(N,); for numpy's own see ``_turns``."""
    return np.array([math.pow(base, exponent) for exponent in exponents])


# Place and sharpness.


class _Placing(NamedTuple):
    """From where each pixel of N pictures comes that were scaled, turned about their middle and
    then shifted: ``back @ (x, y) + start``, in halves of the picture."""

    back: F64  # (N, 2, 2)
    start: F64  # (N, 2)


def _placing(by: Augmentation, draws: F64) -> _Placing:
    cosine, sine = _turns(by.turn_radians * draws[:, 9])
    # Back by the shift, turned back, divided by the scale.
    back = np.array([[cosine, sine], [-sine, cosine]]).transpose(2, 0, 1)
    back = back / (1 + by.scale * draws[:, 7:9, None])
    return _Placing(back, (-back @ (2 * by.shift * draws[:, 10:12, None]))[..., 0])


def _moved(unit: Tensor, placing: _Placing) -> Tensor:
    """Pictures (N, 2, 4, H, W), zero off the character, as ``placing`` says.

    What comes in from outside the picture is its edge: bodies go on below it.
    """
    from_x, from_y = _beside(placing.back, unit)[:, None].unbind(-1)  # (N, 1, 2) each
    start = _beside(placing.start, unit)[:, None]
    line = _pixel_centres(unit.shape[-1], unit.device)[:, None]
    grid = (line * from_x)[:, None] + (line * from_y + start)[:, :, None]  # (N, H, W, 2)
    both = unit.flatten(1, 2)
    moved = functional.grid_sample(both, grid, padding_mode="border", align_corners=False)
    return moved.view(unit.shape)


def _moved_traces(traces: Traces, by: Augmentation, draws: F64) -> Traces:
    """Origins of pictures that were moved so: what each pixel shows now, in the moved input."""
    side, device = traces.shown.shape[-1], traces.places.device
    centres = _pixel_centres(side, device)
    x, y = centres.expand(side, side), centres[:, None].expand(side, side)
    placing = _placing(by, draws)
    back, start = _beside(placing.back, x), _beside(placing.start, x)[:, None]
    there = torch.stack([x, y], -1).flatten(0, 1) @ back.mT + start  # (N, T * T, 2)
    column, row = ((there + 1) * (side / 2)).floor().long().unbind(-1)
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    nearest = row.clamp(0, side - 1) * side + column.clamp(0, side - 1)
    # An origin lies in the input as it was; that was moved as well.
    forth = sent(torch.linalg.inv(torch.from_numpy(placing.back).to(x.dtype)), device)
    places = traces.places.flatten(1, 2).take_along_dim(nearest[..., None], 1)
    places = (places - start) @ forth.mT
    state = traces.shown.flatten(1).gather(1, nearest) * inside
    out = (state == SEEN) & (places.abs() > 1).any(-1)
    shown = torch.where(out, HIDDEN, state)
    return Traces(places.view(traces.places.shape), shown.view(traces.shown.shape))


@cache
def _pixel_centres(side: int, device: torch.device) -> Tensor:
    """(side,) float32; the picture's edges lie at -1 and 1."""
    return (torch.arange(side, device=device) + 0.5) * (2 / side) - 1


def _blurred(unit: Tensor, deviations: F64) -> Tensor:
    """A Gaussian of each sample (N, 2, 4, H, W), row by row and column by column; the edge is
    repeated."""
    taps = _taps(deviations)
    radius = taps.shape[1] // 2
    first, *others = _beside(taps.T, unit)[..., None, None, None, None]
    for axis, padding in ((-1, (radius, radius, 0, 0)), (-2, (0, 0, radius, radius))):
        length, wide = unit.shape[axis], functional.pad(unit.flatten(0, 1), padding, "replicate")
        wide = wide.view(*unit.shape[:2], *wide.shape[1:])
        # Sums of shifted pictures are faster here than a convolution by channel.
        unit = wide.narrow(axis, 0, length) * first
        for start, tap in enumerate(others, 1):
            unit.addcmul_(wide.narrow(axis, start, length), tap)
    return unit


def _taps(deviations: F64) -> F64:
    """(N, 2 R + 1): each sample's Gaussian, zeros beyond its own radius."""
    radii = np.ceil(2.5 * deviations)[:, None]
    places = np.arange(-radii.max(), radii.max() + 1)
    taps: F64 = np.exp(-0.5 * (places / deviations[:, None]) ** 2) * (abs(places) <= radii)
    taps /= taps.sum(1, keepdims=True)
    return taps


def _packed(unit: Tensor, qualities: F64) -> Tensor:
    """Straight colours (N, 2, 4, H, W) as JPEGs of these qualities have them; in place."""
    colour, is_on = unit[:, :, :3], unit[:, :, 3:] > 0
    pictures = colour.where(is_on, 1).flatten(0, 1)
    packed = compressed(pictures, np.repeat(qualities, 2))
    colour.copy_(packed.view(colour.shape)).mul_(is_on)
    return unit
