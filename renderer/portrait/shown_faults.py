"""Whether the pictures of a model show what is wrong with it.

A colour map that cannot be used: drawn once with its materials white and once black, pictures
differ exactly where they show, whatever hides them or shines through them. A record that reading
had to mend: pictures need it, or they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError
from contract.image import Stored, head_rows
from contract.pose import REST, Pose
from contract.rig import Rig
from renderer.deform.material_morphs import MaterialStates
from renderer.deform.skeleton import Skeleton
from renderer.draw.canvas import Camera
from renderer.formats.model import F32, BoneOffsets, GroupOffsets, MendedKind, MmdModel
from renderer.portrait.visible import VisiblePart

Shown = Literal["nowhere", "aside", "on the face"]
"""``on the face``: or on more than a tenth of the head, so that the picture is no likeness."""

SHUT = Pose(left_eye=1.0, right_eye=1.0, mouth=0.0)
_TURNED = tuple(
    Pose(head_x=x, head_y=y, neck_z=z)
    for x, y, z in ((-1.0, -1.0, 1.0), (1.0, 1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, -1.0, -1.0))
)
_ENOUGH = 4  # of these poses, where something was seen: the others tell whether it ever is
_DIFFERS = 16  # of 255
_MOST_OF_HEAD = 0.1
_MOST_OF_FACE = 0.04  # of the boxes around each eye, around the mouth, and around them all
_LEAST = 1e-4  # of a picture: less is the soft edge of something else
_MOVES = 0.1  # of the face's greatest move: what moves less is not of eyes or mouth


@dataclass(frozen=True)
class Sighting:
    """One pose: pictures (S, S, 4) with the colourless materials white and black, and the mesh's
    positions (V, 3)."""

    white: Stored
    black: Stored
    positions: F32

    @cached_property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Where (S, S) the colourless materials show."""
        apart = np.abs(self.white[..., :3].astype(np.int16) - self.black[..., :3])
        return np.asarray((apart > _DIFFERS).any(axis=2))


def blackened(materials: MaterialStates, chosen: npt.NDArray[np.bool_]) -> MaterialStates:
    """The materials with the colour maps of the ``chosen`` (M,) black, as transparent as before."""
    multiply, add = materials.texture_multiply.copy(), materials.texture_add.copy()
    multiply[chosen, :3], add[chosen, :3] = 0, 0
    return replace(materials, texture_multiply=multiply, texture_add=add)


def where_it_shows(see: Callable[[Pose], Sighting], camera: Camera) -> Shown:
    """Where colourless materials show, over the poses that turn and shut the face the most."""
    rest = see(REST)
    if _on_head(rest) > _MOST_OF_HEAD:
        return "on the face"
    shut = see(SHUT)
    features = tuple(_features(rest.positions, shut.positions, camera.centre_x))
    found: Shown = "nowhere"
    for number, pose in enumerate((REST, SHUT, *_TURNED)):
        if found == "aside" and number >= _ENOUGH:
            break
        sighting = (rest, shut)[number] if number < 2 else see(pose)
        if sighting.differs.mean() <= _LEAST:
            continue
        found = "aside"
        on_features = (_within(sighting, rows, camera) for rows in features)
        if _on_head(sighting) > _MOST_OF_HEAD or max(on_features, default=0) > _MOST_OF_FACE:
            return "on the face"
    return found


def _features(rest: F32, shut: F32, middle_x: float) -> Iterator[npt.NDArray[np.intp]]:
    """The vertices of the face, its mouth and each eye: what moves as the face shuts."""
    moves = np.linalg.norm(shut - rest, axis=1)
    face = np.flatnonzero(moves > _MOVES * moves.max(initial=0.0))
    if not len(face):
        return
    heights = rest[face, 1]
    upper = heights > (heights.min() + heights.max()) / 2
    yield face
    yield face[~upper]
    eyes = face[upper]
    for side in (rest[eyes, 0] > middle_x, rest[eyes, 0] < middle_x):
        if side.any():
            yield eyes[side]


def _on_head(sighting: Sighting) -> float:
    """The share of the head's visible pixels: of a square from chin to skull top."""
    first, end = head_rows(len(sighting.white))
    head = np.s_[first:end, first:end]
    visible = sighting.white[head][..., 3] > 0
    return float((sighting.differs[head] & visible).sum() / max(1, visible.sum()))


def _within(sighting: Sighting, rows: npt.NDArray[np.intp], camera: Camera) -> float:
    """The share of the box around these vertices."""
    x, y, _ = sighting.positions[rows].T
    size = len(sighting.white)
    across, down = (
        np.clip((place / camera.half_height + 1) / 2 * size, 0, size - 1).astype(int)
        for place in (x - camera.centre_x, camera.centre_y - y)
    )
    box = sighting.differs[down.min() : down.max() + 1, across.min() : across.max() + 1]
    return float(box.mean())


def require_sound(model: MmdModel, rig: Rig, part: VisiblePart, skeleton: Skeleton) -> None:
    """Raise where the pictures of a rig are not those that the file means.

    ``part`` is what they can show, ``skeleton`` what moves it.

    Raises:
        FormatError: the code is the mend's; the message names the model and the record.
    """
    if not any(mend.of for mend in model.mends):
        return
    morphs = _drawn_morphs(model, rig)
    turned = {rig.head_bone, rig.neck_bone} | _moved_bones(model, morphs)
    needed: dict[MendedKind, Set[int]] = {
        "material": set(part.materials.tolist()),
        "bone": skeleton.needed | turned,
        "joint": skeleton.turning | turned,
        "morph": morphs,
    }
    for mend in model.mends:
        if mend.of and mend.of[1] in needed[mend.of[0]]:
            raise FormatError(
                f"{model.path.name}: {mend.text}, but its pictures need it; get the file again",
                mend.code,
            )


def _drawn_morphs(model: MmdModel, rig: Rig) -> set[int]:
    """The morphs that drive the face, with those that they name."""
    found: set[int] = set()
    waiting = [use.morph for uses in rig.drives.values() for use in uses]
    while waiting:
        morph = waiting.pop()
        if morph in found or morph < 0:
            continue
        found.add(morph)
        offsets = model.morphs[morph].offsets
        if isinstance(offsets, GroupOffsets):
            waiting += offsets.morphs.tolist()
    return found


def _moved_bones(model: MmdModel, morphs: Iterable[int]) -> set[int]:
    offsets = (model.morphs[morph].offsets for morph in morphs)
    return {bone for o in offsets if isinstance(o, BoneOffsets) for bone in o.bones.tolist()}
