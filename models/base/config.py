"""What decides a network's shape and the weights it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, get_args

from contract.errors import InputError
from contract.image import DEFAULT_SIZE

IMAGE_CHANNELS = 4
DOWNSAMPLINGS = 3
"""Halvings between the picture and the bottleneck (256 -> 32)."""

Part = Literal["whole", "middle", "face"]
SIXTEENTHS = 16
CORNERS: Mapping[Part, tuple[int, int]] = {"whole": (0, 0), "middle": (4, 4), "face": (7, 5)}
"""First row and column of each part of a picture, in sixteenths of its side. A part is a square,
with as many columns behind it as before it."""

_LARGEST_SIZE = 2048
_MOST_CHANNELS = 2048
_MOST_BLOCKS = 64
_MOST_COLOURS = 64
_LARGEST_FILTER = 15
_BOLDEST = 4


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a network and its first weights; the defaults are the paper's, exactly.

    size: height and width of the pictures in pixels, a multiple of 8 and at least 16.
    channels: at full resolution; doubled at each of three halvings up to ``max_channels``.
    residual_blocks: at the bottleneck.

    flow_scale: factor on the He-normal weights that the flow head starts with, in [0, 1]. As they
        come, offsets are as large as the picture; 0 starts the flow as the identity (where it is
        ``rigid``, half way to a stiff head's). See ``copying``.
    sees: pixels a side of what a network looks at, a multiple of 8 that divides ``size``; 0: the
        pictures as they are. What it decides has this size and is applied to the whole picture.
    looks_at: the part of the picture that the morpher looks at and changes. Of the picture's side
        "middle" is the middle half, where the picture convention has the head, and "face" three
        eighths, from above the eyes to below an open mouth's chin. Rotator and combiner always see
        the whole.
    face_sees: pixels a side of what the morpher looks at, a multiple of 8 that a part no larger
        than ``size`` has; 0: ``sees``.
    rests: whether what the networks change vanishes as the pose comes to rest, so that rest gives
        the input back.
    skips: whether morpher and rotator read what they see past the bottleneck as well, as the
        combiner always does.
    palette: how many colours of the picture networks can paint with, besides those that they make
        up; see ``models.base.palette``.
    last_filter: pixels a side, odd, of the filters that a network ends with: its heads', and a
        U-net's last. They work at the full look: with 7 a small network takes a fifth longer than
        with 3.
    rigid: whether the rotator's flow starts from a stiff head that turns; see
        ``models.base.rigid``.
    boldness: by how much the morpher's logits of the share of the picture that it keeps are lower
        than it learnt, where it is used. Of eyes and mouths unlike those that it learnt from it is
        not sure, and without this leaves them half as they were.
    copies_more: by how much the combiner's logits of pathway 1's share are lower than it learnt,
        where it is used. Of drawings the flow has more that is right than it trusts.
    flow_outlines: whether the combiner, where it is used, takes alpha from pathway 2 alone, and
        leaves to it what is narrow in the input; see ``models.base.narrow``.
    both_sides: whether morpher and rotator, where they are used, decide on the mirror image as well
        and take the mean; see ``models.base.mirror``.

    Raises:
        InputError: a value that no network can have.
    """

    size: int = DEFAULT_SIZE
    channels: int = 64
    max_channels: int = 512
    residual_blocks: int = 6
    flow_scale: float = 1.0
    sees: int = 0
    looks_at: Part = "whole"
    face_sees: int = 0
    rests: bool = False
    skips: bool = False
    palette: int = 0
    last_filter: int = 7
    rigid: bool = False
    boldness: float = 0.0
    copies_more: float = 0.0
    flow_outlines: bool = False
    both_sides: bool = False

    def __post_init__(self) -> None:
        # A configuration may come from a stranger's file: types and bounds before any tensor.
        for field in fields(self):
            value, (kinds, what) = getattr(self, field.name), _KINDS[type(field.default)]
            is_mixed_up = isinstance(value, bool) != isinstance(field.default, bool)
            if is_mixed_up or not isinstance(value, kinds):
                raise InputError(f"network: {field.name} is {value!r}; give {what}")
        self._require("size", 16 <= self.size <= _LARGEST_SIZE and self.size % 8 == 0)
        self._require("channels", 1 <= self.channels <= _MOST_CHANNELS)
        self._require("max_channels", self.channels <= self.max_channels <= _MOST_CHANNELS)
        self._require("residual_blocks", 0 <= self.residual_blocks <= _MOST_BLOCKS)
        self._require("flow_scale", 0 <= self.flow_scale <= 1)
        self._require("palette", 0 <= self.palette <= _MOST_COLOURS)
        self._require("last_filter", self.last_filter in range(1, _LARGEST_FILTER + 1, 2))
        self._require("boldness", 0 <= self.boldness <= _BOLDEST)
        self._require("copies_more", 0 <= self.copies_more <= _BOLDEST)
        self._require("looks_at", self.looks_at in get_args(Part))
        of_all = self.sees >= 16 and self.sees % 8 == 0 and self.size % self.sees == 0
        self._require("sees", of_all or (self.sees == 0 and self.looks_at == "whole"))
        self._require("face_sees", self.face_sees == 0 or self._has_part(self.face_sees))
        self._require("sees", self.sees == 0 or self.face_sees > 0 or self._has_part(self.sees))

    def _has_part(self, look: int) -> bool:
        """Whether a picture no larger than ours has a part of so many pixels a side."""
        fits = look * SIXTEENTHS % self._part_sixteenths == 0 and self._with_part(look) <= self.size
        return look >= 16 and look % 8 == 0 and fits

    def _with_part(self, look: int) -> int:
        """Pixels a side of the picture whose part has ``look``."""
        return look * SIXTEENTHS // self._part_sixteenths

    @property
    def _part_sixteenths(self) -> int:
        return SIXTEENTHS - 2 * CORNERS[self.looks_at][1]

    def _require(self, name: str, holds: bool) -> None:
        if not holds:
            raise InputError(f"network: {name} is {getattr(self, name)}; {_RULES[name]}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each resolution, from full (index 0) to the bottleneck (index 3)."""
        doubled = (self.channels * 2**level for level in range(DOWNSAMPLINGS + 1))
        return tuple(min(width, self.max_channels) for width in doubled)

    @property
    def look(self) -> int:
        """Pixels a side of what rotator and combiner look at and of what they decide."""
        return self.sees or self.size

    @property
    def face_look(self) -> int:
        """Pixels a side of what the morpher looks at and of what it decides."""
        return self.face_sees or self.look

    @property
    def decides_at(self) -> int:
        """Pixels a side of the rest picture that a system decides on, for the finest look."""
        return max(self.turns_at, self._with_part(self.face_look))

    @property
    def turns_at(self) -> int:
        """Pixels a side of the expression that rotator and combiner decide on, ``size`` at most.

        Twice their look: fine enough to warp without blurring what is then looked at.
        """
        return min(self.size, 2 * self.look)

    def to_json(self) -> dict[str, int | float | str]:
        """The fields, as JSON can hold them; of those that came later only what is not usual.

        So a program that does not know them reads the networks that do without.
        """
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _LATER or value != _LATER[name]
        }


_KINDS: Mapping[type, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a number"),
    float: ((int, float), "a number"),
    str: ((str,), "a word"),
    bool: ((bool,), "true or false"),
}
_LATER: Mapping[str, object] = {
    "sees": 0,
    "looks_at": "whole",
    "face_sees": 0,
    "rests": False,
    "skips": False,
    "palette": 0,
    "last_filter": 7,
    "rigid": False,
    "boldness": 0.0,
    "copies_more": 0.0,
    "flow_outlines": False,
    "both_sides": False,
}
"""Fields that older records lack, and what is meant then."""
_RULES = {
    "size": f"it must be a multiple of 8 from 16 to {_LARGEST_SIZE}",
    "channels": f"it must lie in [1, {_MOST_CHANNELS}]",
    "max_channels": f"it must lie between channels and {_MOST_CHANNELS}",
    "residual_blocks": f"it must lie in [0, {_MOST_BLOCKS}]",
    "flow_scale": "it must lie in [0, 1]",
    "sees": "it must be a multiple of 8 from 16 on and divide size, and so many pixels a side must "
    "the morpher's part of a picture no larger than size have, unless face_sees is given; 0 to "
    "look at the whole pictures as they are",
    "face_sees": "it must be a multiple of 8 from 16 on (of 24 where the morpher looks at the "
    "face), and so many pixels a side must its part of a picture no larger than size have; or 0 "
    "for what sees says",
    "palette": f"it must lie in [0, {_MOST_COLOURS}]",
    "last_filter": f"it must be odd and lie in [1, {_LARGEST_FILTER}]",
    "boldness": f"it must lie in [0, {_BOLDEST}]",
    "copies_more": f"it must lie in [0, {_BOLDEST}]",
    "looks_at": f"it must be {' or '.join(get_args(Part))}",
}

PAPER = NetworkConfig()


def copying(config: NetworkConfig) -> NetworkConfig:
    """The same networks, the flow starting as the identity: pathway 2 begins as a copy.

    Measured on generated faces of 32 pixels, 16 channels, 600 steps of 8 pictures: the error of
    pathway 1 and 2, relative to copying the input, is 1.00 and 0.37 with the flow as it comes, and
    0.23 and 0.11 with this. A random flow's gradients swamp the trunk that both pathways share, and
    pathway 1 flees into alpha = 1. Starting the alpha heads near 1 does not help: it starves the
    change picture, and the morpher then learns more slowly, not faster. The combiner's start does
    not matter.
    """
    return replace(config, flow_scale=0.0)


def config_from_json(values: Mapping[str, object]) -> NetworkConfig:
    """The configuration that ``to_json`` gave; ``InputError`` on unknown or missing fields."""
    names = {field.name for field in fields(NetworkConfig)}
    if odd := (set(values) - names) | (names - set(_LATER) - set(values)):
        told = ", ".join(sorted(map(str, odd)))
        raise InputError(f"network: fields are missing or unknown ({told}); use a matching version")
    return NetworkConfig(**values)  # type: ignore[arg-type]  # __post_init__ checks every type
