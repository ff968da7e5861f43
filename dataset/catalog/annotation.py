"""What decides how a model is posed and framed, as catalogues and plans keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.pose import FACE_AXES
from dataset.shards.records import HeadLines

BOX_ANSWERS = ("chin", "skull_top", "centre_x")
SIDES = ("whole", "left", "right")


@dataclass(frozen=True)
class Drive:
    """A morph (index and name in the file) that realises an axis; ``weight`` at axis value 1.

    ``side``: "whole", or "left" or "right" for the character's half of the morph.
    """

    morph: int
    name: str
    weight: float
    side: str


@dataclass(frozen=True)
class Annotation:
    """Head box, bones and drives; ``drives`` has an entry for each of contract.pose.FACE_AXES.

    Sides are split at x = ``split_x``, blended over +-``split_half_width`` model units.
    ``confidence``: answer (a face axis, chin, skull_top, centre_x, upright) -> score in [0, 1];
    ``doubtful``: the answers that ask for a person's eye; ``objections`` and ``evidence``: why,
    machine-readable.
    """

    head_box: HeadLines
    head_bone: int
    head_bone_name: str
    neck_bone: int
    neck_bone_name: str
    split_x: float
    split_half_width: float
    drives: Mapping[str, tuple[Drive, ...]]
    confidence: Mapping[str, float]
    doubtful: tuple[str, ...]
    objections: tuple[str, ...] = field(default=())
    evidence: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if set(self.drives) != set(FACE_AXES):
            raise ValueError(f"drives are of {sorted(self.drives)}, not of {FACE_AXES}")
        if not self.head_box.chin_y < self.head_box.skull_top_y:
            raise ValueError("the skull top does not lie above the chin")
        sides = {drive.side for drives in self.drives.values() for drive in drives}
        if not sides <= set(SIDES):
            raise ValueError(f"sides are {sorted(sides)}, not of {SIDES}")
