"""What every morph does to the eyes, and how like it is to the blink and the smile of the face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from contract.rig import Side
from renderer.fit.face import Change, Face
from renderer.fit.lids import Closing, LidProbe
from renderer.fit.morph_names import NOT_A_BLINK, SMILING, SURELY_CLOSING, blink_hint

F64 = npt.NDArray[np.float64]

BOTH = (Side.LEFT, Side.RIGHT)
UNMOVED = 0.1
"""In halves of an eye's height: a lesser move is none."""

_BULGE_UNIT, _ABOVE_MIDDLE, _ABOVE_UNIT = 0.08, 0.75, 0.1
_LIKENESS = 3.0  # what likeness to blink or smile is worth
_CHEEKS = 0.55  # below the eyes, in distances between them: moves down there are not of lids
_KNOWN_COVERS = 0.7  # of the iris: what a blink must hide to be compared with
_ALONE = 0.05  # how unlike the blink, 1 - cosine, a wink may be where no smile is known
_SPREAD = 0.002  # of two likenesses: less tells nothing

# No blink of 26 real models hides all of the iris before 0.9; over small ones it may be 0.75.
_WEIGHTS = tuple(round(0.05 * step, 2) for step in range(4, 20))
_RUNS_PAST, _HIDES, _REOPENED, _HALFWAY = 0.65, 0.9, 0.1, 0.6


@dataclass(frozen=True)
class Blink:
    """What a morph does to the eyes (left, right).

    ``moved``: the greatest move near each eye, in halves of its height. ``stray`` is the share of
    its moves that lie below the eyes. ``hint`` is its name's, see ``morph_names.blink_hint``.
    ``like``: how far it moves each eye as the face's blink does (1), not as its smile (-1).
    ``weight``: at which it was looked at, less than 1 where it opens the eye again before 1.
    """

    morph: int
    closings: tuple[Closing, Closing]
    moved: tuple[float, float]
    stray: float
    hint: float
    like: tuple[float, float] = (0.0, 0.0)
    weight: float = 1.0

    def closing(self, side: Side) -> Closing:
        """What it does to one eye."""
        return self.closings[BOTH.index(side)]

    def kind(self, side: Side) -> float:
        """How normal (+) or smiling (-) the closed eye looks, likeness and name included."""
        closing = self.closing(side)
        bulge = np.clip(closing.bulge / _BULGE_UNIT, -3, 3)
        above = np.clip((closing.from_above - _ABOVE_MIDDLE) / _ABOVE_UNIT, -2, 2)
        return float(bulge + above) + _LIKENESS * self.like[BOTH.index(side)] + self.hint


class BlinkProbe:
    """Collects what morphs do to both eyes."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._probes = (LidProbe(face, face.eyes.left), LidProbe(face, face.eyes.right))
        self._low = face.positions[:, 1] < face.eyes.y - _CHEEKS * face.eyes.spacing
        self._blinks: list[Blink] = []
        self._moves: list[tuple[F64, F64]] = []

    def add(self, change: Change) -> None:
        """Note a morph."""
        hint = blink_hint(self._face.model.morphs[change.morph].name)
        if hint == NOT_A_BLINK:
            return
        left, right = self._probes
        moved = left.greatest_move(change), right.greatest_move(change)
        if max(moved) < UNMOVED:
            return
        size = np.abs(change.moves).sum(axis=1)
        stray = float(size[self._low].sum() / size.sum())
        weight, closings = 1.0, (left.closing(change), right.closing(change))
        if hint and any(c.hidden and 0 <= c.covered < _HIDES for c in closings):
            weight = self._most_closed(change, max(c.covered for c in closings))
            looked_at = change.at(weight)
            closings = left.closing(looked_at), right.closing(looked_at)
        self._blinks.append(Blink(change.morph, closings, moved, stray, hint, weight=weight))
        self._moves.append((left.moves(change), right.moves(change)))

    def found(self) -> tuple[Blink, ...]:
        """All morphs that move something at the eyes, compared with what is called a blink."""
        blink, smile = self._known(SURELY_CLOSING), self._known(SMILING)
        if blink is None:
            return tuple(self._blinks)
        of_blink = self._moves[blink]
        of_smile = None if smile is None else self._moves[smile]
        compared = []
        for one, moves in zip(self._blinks, self._moves, strict=True):
            left, right = (
                _likeness(moves[eye], of_blink[eye], of_smile and of_smile[eye]) for eye in (0, 1)
            )
            compared.append(replace(one, like=(left, right)))
        return tuple(compared)

    def weight(self, blink: Blink, side: Side) -> float:
        """The weight at which a morph closes an eye: 1, or the least that does if it runs past."""
        probe = self._probes[BOTH.index(side)]
        change = self._face.change(blink.morph)
        whole = probe.covered(change.at(blink.weight))
        if whole < _HIDES or probe.covered(change.at(_RUNS_PAST)) < whole - 0.005:
            return blink.weight
        closing = (w for w in _WEIGHTS if probe.covered(change.at(w)) >= whole - 0.005)
        return next(closing, blink.weight)

    def _most_closed(self, change: Change, whole: float) -> float:
        """1, or the weight that hides most of an iris if the morph shows it again at 1."""
        earlier = max(probe.covered(change.at(_HALFWAY)) for probe in self._probes)
        if earlier <= whole + _REOPENED:
            return 1.0
        covered = [max(p.covered(change.at(w)) for p in self._probes) for w in _WEIGHTS]
        return _WEIGHTS[int(np.argmax(covered))]

    def _known(self, hint: float) -> int | None:
        """The place of the first morph of such a name that closes both eyes."""
        for place, blink in enumerate(self._blinks):
            covered = [closing.covered for closing in blink.closings]
            hidden = min(closing.hidden for closing in blink.closings) > 0
            if blink.hint == hint and hidden and (min(covered) >= _KNOWN_COVERS or -1 in covered):
                return place
        return None


def _likeness(moves: F64, blink: F64, smile: F64 | None) -> float:
    """Whether moves (n, 3) of one eye are those of its blink (1) or its smile (-1)."""
    off_blink = 1 - _cosine(moves, blink)
    if smile is None:
        return float(np.clip(1 - off_blink / _ALONE, -1, 1))
    off_smile = 1 - _cosine(moves, smile)
    return (off_smile - off_blink) / (off_smile + off_blink + _SPREAD)


def _cosine(a: F64, b: F64) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths else 0.0
