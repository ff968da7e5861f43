"""A morph in use: which, how much of it, and on which side of the face."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """The CHARACTER's side; left is where x is greater than the split's."""

    WHOLE = "whole"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class MorphUse:
    """A morph (index into ``MmdModel.morphs``) at a weight.

    With ``side`` LEFT or RIGHT only that side's share of the morph acts, blended smoothly across
    the middle so that the bridge of the nose does not tear.
    """

    morph: int
    weight: float
    side: Side = Side.WHOLE
