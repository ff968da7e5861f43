"""How a model realises the pose: the rig, which fitting finds and a person may correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum

DOUBTFUL_BELOW = 0.5
"""Scores below this ask for a person's eye."""


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


@dataclass(frozen=True)
class HeadBox:
    """Chin, skull top and middle of the head; model units in the file's coordinates."""

    chin_y: float
    skull_top_y: float
    centre_x: float


@dataclass(frozen=True)
class Confidence:
    """A score in [0, 1] for each answer of a rig, and the objections to it.

    ``upright``: that this is a character whose head stands straight and whose face is seen.
    ``objections``: ``answer:check=factor``, factors in [0, 1), in the order of the answers.
    """

    left_eye: float = 1.0
    right_eye: float = 1.0
    mouth: float = 1.0
    chin: float = 1.0
    skull_top: float = 1.0
    centre_x: float = 1.0
    upright: float = 1.0
    objections: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, float]:
        """The scores by answer."""
        return {name: getattr(self, name) for name in ANSWERS}

    @property
    def lowest(self) -> tuple[str, float]:
        """The answer with the least score, and that score."""
        return min(self.scores.items(), key=lambda item: item[1])

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The answers whose score is below ``DOUBTFUL_BELOW``."""
        return tuple(name for name, score in self.scores.items() if score < DOUBTFUL_BELOW)


ANSWERS = tuple(field.name for field in fields(Confidence) if field.name != "objections")

UNJUDGED = Confidence()
"""For rigs made by hand."""


@dataclass(frozen=True)
class Rig:
    """How a model realises the pose.

    ``drives``: for each face axis (left_eye, right_eye, mouth) the morphs and their weights when
    the axis is at 1. Sides are split at x = ``split_x``, blended over +-``split_half_width`` model
    units. ``evidence``: why, as machine-readable words separated by colons. ``confidence``: how
    sure each answer is, and what speaks against it.
    """

    head_box: HeadBox
    head_bone: int
    neck_bone: int
    drives: Mapping[str, tuple[MorphUse, ...]]
    split_x: float
    split_half_width: float
    evidence: tuple[str, ...]
    confidence: Confidence = UNJUDGED
