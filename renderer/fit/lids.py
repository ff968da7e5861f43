"""How a morph closes an eye: which part of the iris lids come to hide, and along what line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderer.fit.face import Change, Eye, Face
from renderer.fit.raycast import Hits, first_hits
from renderer.formats.model import I32

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_COLUMNS, _ROWS = 11, 29
_REACH = 1.5  # half sizes of the eye: what counts as about it
_LID_MOVE = 0.1  # of the half height of the eye: less is no closing
_MIN_COLUMNS = 4
_TALL = 0.4
_MIN_SEEN = 10  # sample points: fewer tell nothing about the iris
_STRIP = 2.0  # a move more than so many times deeper than high is a part that pops out


@dataclass(frozen=True)
class Closing:
    """What a morph does to one eye.

    ``hidden``: how many sample points of the iris it newly hides. Of these, ``from_above`` is the
    share that is hidden by what came down, ``popped`` by what came out of the head. ``covered`` is
    the share of the iris in sight at rest that it hides, -1 where no iris is known.
    ``bulge``: curvature of the line where the lids meet, in units of 1 / half width: positive
    bulges downward (a normal wink), negative upward (a smile).
    """

    hidden: int
    from_above: float
    popped: float
    bulge: float
    covered: float


_UNTOUCHED = Closing(0, 0.0, 0.0, 0.0, 0.0)


class LidProbe:
    """Sample points on one iris, to be asked about morphs."""

    def __init__(self, face: Face, eye: Eye) -> None:
        self._face = face
        self._eye = eye
        x = eye.centre_x + eye.half_width * np.linspace(-0.95, 0.95, _COLUMNS)
        y = eye.centre_y + eye.half_height * np.linspace(-0.95, 0.95, _ROWS)
        self._grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)  # columns, rows, 2
        self._points = self._grid.reshape(-1, 2)
        aside = np.abs(face.positions[:, :2] - [eye.centre_x, eye.centre_y])
        near = (aside <= [_REACH * eye.half_width, _REACH * eye.half_height]).all(axis=1)
        self._about = np.flatnonzero(near & (face.positions[:, 2] <= eye.behind_z))
        self._few_points = self._grid[::2, 1::3].reshape(-1, 2)
        self._iris_z, self._seen = self._iris_in_sight()

    def greatest_move(self, change: Change) -> float:
        """How far the morph moves anything about the eye, in halves of its height."""
        return float(np.abs(change.moves[self._about]).max(initial=0)) / self._eye.half_height

    def closing(self, change: Change) -> Closing:
        """The closing that the morph comes to."""
        triangles = self._near(change)
        if not len(triangles):
            return _UNTOUCHED
        before, after = self._face.positions[triangles], change.moved[triangles]
        few = self._newly_hidden(before, after, self._few_points)[0]
        if not few.any():
            return _UNTOUCHED
        hidden, hits = self._newly_hidden(before, after, self._points)
        moves = np.einsum("nk,nkd->nd", hits.weights, change.moves[triangles][hits.triangles])
        down = hidden & (moves[:, 1] < -_LID_MOVE * self._eye.half_height)
        popped = hidden & (np.abs(moves[:, 2]) > _STRIP * np.abs(moves[:, 1]))
        count = max(1, int(hidden.sum()))
        return Closing(
            int(hidden.sum()),
            float(down.sum()) / count,
            float(popped.sum()) / count,
            self._bulge(hidden, down),
            self._covered(hits),
        )

    def _iris_in_sight(self) -> tuple[F64, Flags]:
        """The depth of the iris at each point (inf beside it), and whether nothing is before it."""
        model, iris = self._face.model, self._face.eyes.iris
        irises = model.vertices.positions[model.faces[iris[model.faces].all(axis=1)]]
        z = first_hits(irises.astype(np.float64), self._points).z
        others = first_hits(self._face.positions[self._face.triangles], self._points).z
        return z, np.isfinite(z) & (others > z)

    def _covered(self, hits: Hits) -> float:
        if self._seen.sum() < _MIN_SEEN:
            return -1.0
        return float((hits.z < self._iris_z)[self._seen].mean())

    def _near(self, change: Change) -> I32:
        """The touched triangles (t, 3) that meet the box of the eye, before or after."""
        low, high = self._points.min(axis=0), self._points.max(axis=0)
        triangles = self._face.triangles[change.touched]
        near = np.zeros(len(triangles), np.bool_)
        for positions in (self._face.positions, change.moved):
            x, y, z = positions.T
            meets = np.ones(len(triangles), np.bool_)
            # A triangle all on one side of the box cannot meet it.
            for outside in (
                x < low[0],
                x > high[0],
                y < low[1],
                y > high[1],
                z > self._eye.behind_z,
            ):
                a, b, c = outside[triangles.T]
                meets &= ~(a & b & c)
            near |= meets
        return triangles[near]

    def _newly_hidden(self, before: F64, after: F64, points: F64) -> tuple[Flags, Hits]:
        """Which points only the moved triangles hide, and what they hit after the move."""
        hits = first_hits(after, points)
        hidden = (hits.z < self._eye.behind_z) & (first_hits(before, points).z > self._eye.behind_z)
        return hidden, hits

    def _bulge(self, hidden: Flags, down: Flags) -> float:
        """Curvature of the lower edge of what came down, where the iris was newly hidden."""
        shape = self._grid.shape[:2]
        hidden, down = hidden.reshape(shape), down.reshape(shape)
        heights = self._grid[0, :, 1]
        heights_hidden = hidden.sum(axis=1)
        # Toward the corners of the eye there is too little to see a line in.
        columns = np.flatnonzero(heights_hidden >= max(2, _TALL * heights_hidden.max()))
        if len(columns) < _MIN_COLUMNS:
            return 0.0
        edge = [
            heights[down[column]].min() if down[column].any() else heights[hidden[column]].max()
            for column in columns
        ]
        x = (self._grid[columns, 0, 0] - self._eye.centre_x) / self._eye.half_width
        return float(np.polyfit(x, np.array(edge) / self._eye.half_width, 2)[0])
