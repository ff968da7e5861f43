"""How a morph closes an eye: which part of the iris lids come to hide, and along what line.

A lid is what the morph moves up or down. What it moves only in depth is none: many a blink pushes
iris and white back a little, so that the lid, which is thin, passes before them. What the morph
leaves alone and what stands before the iris at rest (a fringe, glasses, gloss) hides nothing here:
it would hide the open eye as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from renderer.fit.eyes import Eye
from renderer.fit.face import Change, Face
from renderer.fit.raycast import Hits, first_hits
from renderer.formats.model import I32

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_COLUMNS, _ROWS = 11, 29
_REACH = 1.5  # half sizes of the eye: what counts as about it
_LID_MOVE = 0.1  # of the half height of the eye: less is no closing
_MIN_COLUMNS = 4
_TALL = 0.4
_MIN_SEEN = 8  # sample points: fewer tell nothing about the iris
_STRIP = 2.0  # a move more than so many times deeper than high is a part that pops out


@dataclass(frozen=True)
class Closing:
    """What a morph does to one eye.

    ``hidden``: how many sample points of the iris lids newly hide. Of these, ``from_above`` is the
    share that is hidden by what came down, ``popped`` by what came out of the head. ``covered`` is
    the share of the iris in sight at rest that is out of sight, -1 where no iris is known.
    ``bulge``: curvature of the line where the lids meet, in units of 1 / half width: positive
    bulges downward (a normal wink), negative upward (a smile).
    """

    hidden: int
    from_above: float
    popped: float
    bulge: float
    covered: float


_UNTOUCHED = Closing(0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Touched:
    """The triangles near an eye that a morph touches (t, 3), before and after, (t, 3, 3) each.

    ``lids`` (t,) marks those that it moves up or down.
    """

    rows: I32
    triangles: I32
    before: F64
    after: F64
    lids: Flags


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
        self._iris_points = self._grid[:, ::2].reshape(-1, 2)
        self._iris_z = first_hits(face.positions[face.iris_triangles], self._iris_points).z
        everything = np.arange(len(face.triangles), dtype=np.int32)
        self._near_eye = everything[self._meets_box(face.triangles, face.positions)]
        self._materials = face.materials[face.faces]
        behind = first_hits(
            self._corners(self._near_eye), self._iris_points, self._iris_z
        ).triangles
        self._whites = np.unique(self._near_eye[behind[behind >= 0]])

    def greatest_move(self, change: Change) -> float:
        """How far the morph moves anything about the eye, in halves of its height."""
        return float(np.abs(change.moves[self._about]).max(initial=0)) / self._eye.half_height

    def moves(self, change: Change) -> F64:
        """The morph's moves (n, 3) of what lies about the eye."""
        return change.moves[self._about]

    def closing(self, change: Change) -> Closing:
        """The closing that the morph comes to."""
        touched = self._touched(change)
        if not touched.lids.any() or not self._newly_hidden(touched, self._few_points)[0].any():
            return _UNTOUCHED
        hidden, hits = self._newly_hidden(touched, self._points)
        moves = np.einsum(
            "nk,nkd->nd", hits.weights, change.moves[touched.triangles][hits.triangles]
        )
        down = hidden & (moves[:, 1] < -_LID_MOVE * self._eye.half_height)
        popped = hidden & (np.abs(moves[:, 2]) > _STRIP * np.abs(moves[:, 1]))
        count = max(1, int(hidden.sum()))
        return Closing(
            int(hidden.sum()),
            float(down.sum()) / count,
            float(popped.sum()) / count,
            self._bulge(hidden, down),
            self._covered(change, touched),
        )

    def covered(self, change: Change) -> float:
        """The share of the iris in sight at rest that the morph puts out of sight, -1 unknown."""
        return self._covered(change, self._touched(change))

    def _covered(self, change: Change, touched: _Touched) -> float:
        """See ``Closing``; out of sight is what lids or, the white gone too, anything hides."""
        still = np.setdiff1d(self._near_eye, touched.rows)
        in_sight = self._in_sight(touched, still)
        if in_sight.sum() < _MIN_SEEN:
            return -1.0
        points, iris_z = self._iris_points[in_sight], self._iris_z[in_sight]
        iris = first_hits(change.moved[self._face.iris_triangles], points).z
        behind = first_hits(self._corners(still), points, iris_z)
        moved = first_hits(touched.after, points)
        lid = moved.z < np.minimum(iris, behind.z)
        lid &= np.append(touched.lids | ~np.isin(touched.rows, self._whites), False)[
            moved.triangles
        ]
        gone = behind.z < np.minimum(iris, moved.z)
        gone &= ~np.isin(np.append(still, -1)[behind.triangles], self._whites)
        return float((lid | gone).mean())

    def _in_sight(self, touched: _Touched, still: I32) -> Flags:
        """Where the iris is behind no part of the face: its lids, or what is of their materials.

        Anything else before it, as a fringe or gloss, is looked through.
        """
        of_lids = np.unique(self._materials[touched.rows[touched.lids]])
        skin = still[np.isin(self._materials[still], of_lids)]
        before = np.concatenate([touched.before, self._corners(skin)])
        return np.isfinite(self._iris_z) & (first_hits(before, self._iris_points).z > self._iris_z)

    def _corners(self, rows: I32) -> F64:
        return self._face.positions[self._face.triangles[rows]]

    def _touched(self, change: Change) -> _Touched:
        """What the morph touches that meets the box of the eye, before or after."""
        triangles = self._face.triangles[change.touched]
        near = self._meets_box(triangles, self._face.positions)
        near |= self._meets_box(triangles, change.moved)
        triangles = triangles[near]
        rise = np.abs(change.moves[triangles][..., 1]).max(axis=1, initial=0)
        return _Touched(
            change.touched[near],
            triangles,
            self._face.positions[triangles],
            change.moved[triangles],
            rise >= _LID_MOVE * self._eye.half_height,
        )

    def _meets_box(self, triangles: I32, positions: F64) -> Flags:
        """Which triangles meet the box of the eye: one all on one side of it cannot."""
        low, high = self._points.min(axis=0), self._points.max(axis=0)
        x, y, z = positions.T
        meets = np.ones(len(triangles), np.bool_)
        for outside in (
            x < low[0],
            x > high[0],
            y < low[1],
            y > high[1],
            z > self._eye.behind_z,
        ):
            a, b, c = outside[triangles.T]
            meets &= ~(a & b & c)
        return meets

    def _newly_hidden(self, touched: _Touched, points: F64) -> tuple[Flags, Hits]:
        """Which points lids come to hide, and what of the touched is hit after the move."""
        behind = self._eye.behind_z
        hits = first_hits(touched.after, points)
        by_lid = (hits.z < behind) & touched.lids[hits.triangles]
        before = first_hits(touched.before[touched.lids], points).z
        return by_lid & (before > behind), hits

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
