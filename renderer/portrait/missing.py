"""Where pictures show materials whose colour map cannot be used.

Drawn once with those materials white and once black, pictures differ exactly where they show,
whatever hides them or shines through them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from contract.image import Stored, head_rows
from contract.pose import REST, Pose
from renderer.draw.view import Camera
from renderer.formats.model import F32

Shown = Literal["nowhere", "aside", "on the face"]
"""``on the face``: or on more than a tenth of the head, so that the picture is no likeness."""

_SHUT = Pose(left_eye=1.0, right_eye=1.0, mouth=0.0)
_TURNED = tuple(Pose(head_x=x, head_y=y, neck_z=x * y) for x in (-1.0, 1.0) for y in (-1.0, 1.0))
_DIFFERS = 16  # of 255
_MOST_OF_HEAD = 0.1
_MOST_OF_FACE = 0.04  # of the boxes around each eye, and around eyes and mouth
_LEAST = 1e-4  # of a picture: less is the soft edge of something else
_MOVES = 0.1  # of the face's greatest move: what moves less is not of eyes or mouth


@dataclass(frozen=True)
class Sighting:
    """One pose: pictures (S, S, 4) with the colourless materials white and black, and the mesh's
    positions (V, 3)."""

    white: Stored
    black: Stored
    positions: F32

    def differs(self) -> npt.NDArray[np.bool_]:
        """Where (S, S) the colourless materials show."""
        apart = np.abs(self.white[..., :3].astype(np.int16) - self.black[..., :3])
        return np.asarray((apart > _DIFFERS).any(axis=2))


def where_it_shows(see: Callable[[Pose], Sighting], camera: Camera) -> Shown:
    """Where colourless materials show, over the poses that turn and shut the face the most."""
    rest, shut = see(REST), see(_SHUT)
    features = tuple(_features(rest.positions, shut.positions, camera.centre_x))
    found: Shown = "nowhere"
    for sighting in (rest, shut, *map(see, _TURNED)):
        differs = sighting.differs()
        if differs.mean() <= _LEAST:
            continue
        found = "aside"
        if _on_head(sighting, differs) > _MOST_OF_HEAD:
            return "on the face"
        for rows in features:
            if _within(differs, sighting.positions[rows], camera) > _MOST_OF_FACE:
                return "on the face"
    return found


def _features(rest: F32, shut: F32, middle_x: float) -> Iterator[npt.NDArray[np.intp]]:
    """The vertices of the face, and of its eye on each side: what moves as the face shuts."""
    moves = np.linalg.norm(shut - rest, axis=1)
    face = np.flatnonzero(moves > _MOVES * moves.max(initial=0.0))
    if not len(face):
        return
    yield face
    heights = rest[face, 1]
    eyes = face[heights > (heights.min() + heights.max()) / 2]
    for side in (rest[eyes, 0] > middle_x, rest[eyes, 0] < middle_x):
        if side.any():
            yield eyes[side]


def _on_head(sighting: Sighting, differs: npt.NDArray[np.bool_]) -> float:
    """The share of the head's visible pixels: of a square from chin to skull top."""
    first, end = head_rows(len(differs))
    head = np.s_[first:end, first:end]
    visible = sighting.white[head][..., 3] > 0
    return float((differs[head] & visible).sum() / max(1, visible.sum()))


def _within(differs: npt.NDArray[np.bool_], points: F32, camera: Camera) -> float:
    """The share of the box around points (n, 3)."""
    size = len(differs)
    across = (points[:, 0] - camera.centre_x) / camera.half_height
    down = (camera.centre_y - points[:, 1]) / camera.half_height
    columns, rows = (
        np.clip((place + 1) / 2 * size, 0, size - 1).astype(int) for place in (across, down)
    )
    box = differs[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return float(box.mean())
