"""How a model realises the pose: the rig, which fitting finds and a person may correct.

Catalogues and plans keep it as JSON under the key ``annotation``, shards its head box and morphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.pose import FACE_AXES

DOUBTFUL_BELOW = 0.5
"""Scores below this ask for a person's eye."""

BOX_ANSWERS = ("chin", "skull_top", "centre_x")
ANSWERS = (*FACE_AXES, *BOX_ANSWERS, "upright")
"""What a rig answers; ``upright``: that this is a character whose head stands straight and whose
face is seen."""


class Side(StrEnum):
    """The CHARACTER's side; left is where x is greater than the split's."""

    WHOLE = "whole"
    LEFT = "left"
    RIGHT = "right"


NAME_ONLY = -1
"""In place of a morph's index where only its name was kept, as in shards."""


@dataclass(frozen=True)
class MorphUse:
    """A morph (index into ``MmdModel.morphs``, and its name there) at a weight.

    With ``side`` LEFT or RIGHT only that side's share of the morph acts, blended smoothly across
    the middle so that the bridge of the nose does not tear.
    """

    morph: int
    weight: float
    side: Side = Side.WHOLE
    name: str = ""


@dataclass(frozen=True)
class HeadBox:
    """Chin, skull top and middle of the head; model units in the file's coordinates."""

    chin_y: float
    skull_top_y: float
    centre_x: float


@dataclass(frozen=True)
class Rig:
    """Head box, bones, and what drives each of ``contract.pose.FACE_AXES`` (weights at value 1).

    Sides are split at x = ``split_x``, blended over +-``split_half_width`` model units.
    Only drafts, which a person has to complete, have axes without a morph; nothing moves these.
    ``confidence``: answer (one of ``ANSWERS``) -> score in [0, 1]; ``doubtful``: those that ask for
    a person's eye; ``objections`` (``answer:check=factor``) and ``evidence`` (words separated by
    colons): why, machine-readable.

    Raises:
        ValueError: the box is upside down, or ``drives`` are of other axes.
    """

    head_box: HeadBox
    head_bone: int
    head_bone_name: str
    neck_bone: int
    neck_bone_name: str
    split_x: float
    split_half_width: float
    drives: Mapping[str, tuple[MorphUse, ...]]
    confidence: Mapping[str, float]
    doubtful: tuple[str, ...]
    objections: tuple[str, ...] = field(default=())
    evidence: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if set(self.drives) != set(FACE_AXES):
            raise ValueError(f"drives are of {sorted(self.drives)}, not of {FACE_AXES}")
        if not self.head_box.chin_y < self.head_box.skull_top_y:
            raise ValueError("the skull top does not lie above the chin")
