"""Where the eyes are: read from several signs, of which the first that sees eyes close is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract.rig import MorphUse
from renderer.deform.deformer import Deformer
from renderer.fit.head_bones import Flags, carried_by, dominant_bones, eye_bones
from renderer.fit.morph_names import SMILING, SURELY_CLOSING, WINKING, blink_hint, moves_pupils
from renderer.formats.model import (
    BoneOffsets,
    GroupOffsets,
    MmdModel,
    VertexOffsets,
)

F64 = npt.NDArray[np.float64]

EYE_DEPTH = 0.35
"""How far behind the front of an iris is safely behind it, in distances between the eyes."""

_LARGEST = 0.55  # half sizes of an eye in the same unit: what is larger is more than an iris
_ALIKE = 2.5  # times as large as the other one an eye may be
_PUPIL_SHARE = 0.3  # of the greatest move: what a morph of the pupils truly moves
# On 23 real models lids sweep places that lie so much further apart than irises, and higher.
_SWEPT_APART, _SWEPT_ABOVE = 1.09, 0.03
_LEAST = 1e-6  # model units


@dataclass(frozen=True)
class Eye:
    """The box that the front of an iris fills; model units. ``behind_z``: safely behind it."""

    centre_x: float
    centre_y: float
    half_width: float
    half_height: float
    behind_z: float


def morphed_positions(deformer: Deformer, morph: int) -> F64:
    """Where one morph at weight 1 puts the deformer's vertices, also by the bones that it moves."""
    morphed = deformer.morph([MorphUse(morph, 1.0)])
    if morphed.bone_rotations or morphed.bone_translations:
        return deformer.skin(morphed, {}).positions.astype(np.float64)
    return morphed.positions.astype(np.float64)


@dataclass(frozen=True)
class Eyes:
    """Both eyes, the character's left first; ``iris`` (V,) marks their vertices."""

    left: Eye
    right: Eye
    iris: Flags
    evidence: str

    @property
    def spacing(self) -> float:
        """The distance between the eyes: the yardstick of the face."""
        return self.left.centre_x - self.right.centre_x

    @property
    def centre_x(self) -> float:
        """The middle between the eyes."""
        return (self.left.centre_x + self.right.centre_x) / 2

    @property
    def inner_gap(self) -> float:
        """The distance between the irises."""
        return self.spacing - self.left.half_width - self.right.half_width

    @property
    def y(self) -> float:
        """The height of the eyes."""
        return (self.left.centre_y + self.right.centre_y) / 2

    @property
    def is_likely(self) -> bool:
        """Whether the boxes are of two eyes, alike and no larger than eyeballs are."""
        sizes = np.array([[e.half_width, e.half_height] for e in (self.left, self.right)])
        apart = abs(self.left.centre_y - self.right.centre_y)
        alike = (sizes.max(axis=0) < _ALIKE * sizes.min(axis=0)).all()
        return bool(alike and sizes.max() < _LARGEST * self.spacing > apart)

    def is_about(self, other: Eyes) -> bool:
        """Whether these, without irises, lie about the irises of others."""
        return not self.iris.any() and all(
            abs(mine.centre_x - iris.centre_x) < mine.half_width + iris.half_width
            and abs(mine.centre_y - iris.centre_y) < mine.half_height + iris.half_height
            for mine, iris in ((self.left, other.left), (self.right, other.right))
        )


def eye_readings(model: MmdModel, head: int) -> Iterator[Eyes]:
    """The eyes as several signs tell of them, the likeliest sign first.

    What hangs on the eye bones; what morphs of the pupils move; what blinks; what winks or smiles.
    Lids tell where eyes are only where they do not sweep over irises that are known.
    """
    told: list[Eyes] = []
    for reading in (_by_bones, _by_pupils, _by_blinks, _by_winks):
        eyes = reading(model, head)
        if eyes is None or eyes.spacing <= 0:
            continue
        if eyes.is_likely and not any(known.is_likely and eyes.is_about(known) for known in told):
            yield eyes
        told.append(eyes)
    yield from (eyes for eyes in told if not eyes.is_likely)


def _by_bones(model: MmdModel, head: int) -> Eyes | None:
    iris = np.isin(dominant_bones(model), eye_bones(model))
    return _eyes_at(_places(model, iris), iris, model.bones[head].position[0], "eyes:bones")


def _by_pupils(model: MmdModel, head: int) -> Eyes | None:
    iris = np.zeros(len(model.vertices), np.bool_)
    for moves in _moves(model, head, moves_pupils):
        lengths = np.linalg.norm(moves, axis=1)
        iris |= lengths > max(_PUPIL_SHARE * lengths.max(initial=0), _LEAST)
    return _eyes_at(_places(model, iris), iris, model.bones[head].position[0], "eyes:pupil-morph")


def _by_blinks(model: MmdModel, head: int) -> Eyes | None:
    return _swept(model, head, lambda name: blink_hint(name) == SURELY_CLOSING, "eyes:blinking")


def _by_winks(model: MmdModel, head: int) -> Eyes | None:
    def winks(name: str) -> bool:
        return blink_hint(name) in {SMILING, *WINKING}

    return _swept(model, head, winks, "eyes:winking")


def _swept(model: MmdModel, head: int, named: Callable[[str], bool], evidence: str) -> Eyes | None:
    """The eyes where morphs of such names take vertices from and to.

    Vertices count that move by at least half of the morph's greatest move: the upper lids, which
    pass over the opening of the eye.
    """
    none = np.zeros(len(model.vertices), np.bool_)
    swept = [np.empty((0, 3))]
    for moves in _moves(model, head, named):
        lengths = np.linalg.norm(moves, axis=1)
        lids = lengths > max(lengths.max(initial=0) / 2, _LEAST)
        start = _places(model, lids)
        swept += [start, start + moves[lids]]
    eyes = _eyes_at(np.concatenate(swept), none, model.bones[head].position[0], evidence)
    return None if eyes is None else _over_irises(eyes)


def _over_irises(eyes: Eyes) -> Eyes:
    """Eyes that lids sweep over, moved to where their irises are."""
    aside, down = (eyes.spacing - eyes.spacing / _SWEPT_APART) / 2, _SWEPT_ABOVE * eyes.spacing
    left = replace(
        eyes.left, centre_x=eyes.left.centre_x - aside, centre_y=eyes.left.centre_y - down
    )
    right = replace(
        eyes.right, centre_x=eyes.right.centre_x + aside, centre_y=eyes.right.centre_y - down
    )
    return replace(eyes, left=left, right=right)


def _moves(model: MmdModel, head: int, named: Callable[[str], bool]) -> Iterator[F64]:
    """The moves (V, 3) of what hangs on the head, of each morph of such a name."""
    places = [
        place
        for place, morph in enumerate(model.morphs)
        if named(morph.name)
        and isinstance(morph.offsets, VertexOffsets | GroupOffsets | BoneOffsets)
    ]
    if not places:
        return
    rows = np.flatnonzero(carried_by(model, head)).astype(np.int32)
    deformer = Deformer(model, rows)
    rest = model.vertices.positions[rows]
    for place in places:
        moves = np.zeros((len(model.vertices), 3))
        moves[rows] = morphed_positions(deformer, place) - rest
        yield moves


def _places(model: MmdModel, vertices: Flags) -> F64:
    return model.vertices.positions[vertices].astype(np.float64)


def _eyes_at(points: F64, iris: Flags, middle_x: float, evidence: str) -> Eyes | None:
    left, right = points[points[:, 0] > middle_x], points[points[:, 0] < middle_x]
    if not len(left) or not len(right):
        return None
    spacing = float(np.median(left[:, 0]) - np.median(right[:, 0]))
    return Eyes(_eye(left, spacing), _eye(right, spacing), iris, evidence)


def _eye(points: F64, spacing: float) -> Eye:
    """The box of the front part: other pupils may be kept inside the head."""
    behind = float(points[:, 2].min()) + EYE_DEPTH * spacing
    front = points[points[:, 2] < behind]
    (x0, y0), (x1, y1) = front[:, :2].min(axis=0), front[:, :2].max(axis=0)
    return Eye(
        float(x0 + x1) / 2,
        float(y0 + y1) / 2,
        max(float(x1 - x0) / 2, 1e-3 * spacing),
        max(float(y1 - y0) / 2, 1e-3 * spacing),
        behind,
    )
