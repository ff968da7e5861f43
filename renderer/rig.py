"""What a model must tell before it can be posed: its head, and how its face realises the axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """The CHARACTER's side; left is x > ``Rig.split_x``."""

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


@dataclass(frozen=True)
class HeadBox:
    """Chin, skull top and middle of the head; model units in the file's coordinates."""

    chin_y: float
    skull_top_y: float
    centre_x: float


@dataclass(frozen=True)
class Rig:
    """How a model realises the pose.

    ``drives``: for each face axis (left_eye, right_eye, mouth) the morphs and their weights when
    the axis is at 1. Sides are split at x = ``split_x``, blended over +-``split_half_width`` model
    units. ``evidence``: why, as machine-readable words.
    """

    head_box: HeadBox
    head_bone: int
    neck_bone: int
    drives: Mapping[str, tuple[MorphUse, ...]]
    split_x: float
    split_half_width: float
    evidence: tuple[str, ...]
