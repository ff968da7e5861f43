"""Which morphs close each eye with a normal wink: geometry decides, names only lean.

In order: a morph that closes this eye alone; one that closes the other too, of which this side is
taken; smiling ones only where they are allowed; at last, what is called a blink and moves lids
without being seen to hide the iris.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.rig import MorphUse, Side
from renderer.fit.confidence import Judgement, judged, lowered, ramp
from renderer.fit.face import Change, Face
from renderer.fit.lids import Closing, LidProbe
from renderer.fit.morph_names import NOT_A_BLINK, blink_hint
from renderer.formats.model import MmdModel

CLOSED = 0.75
"""Share of what the best morph hides of the iris: from here on an eye counts as closed."""
_OTHER_OPEN = 0.2
_BULGE_UNIT, _ABOVE_MIDDLE, _ABOVE_UNIT = 0.08, 0.75, 0.1
_STRAY_COST, _POPPED_COST = 4.0, 3.0
_MAX_POPPED = 0.15
_CHEEKS = 0.55  # below the eyes, in distances between them: moves down there are not of lids
_SURE_HINT = 2.0  # of names that are believed even where the eye is not seen to close
_KINDS_APART, _COVERED_APART = 4.0, 0.3  # of the two eyes, beyond which one is seldom right
_UNSEEN, _SMILE = 0.3, 0.3  # factors: a name alone is believed; the wink smiles
_MOVED, _UNMOVED = 0.5, 0.1  # of half an eye's height
_BOTH = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class Blink:
    """What a morph does to the eyes (left, right).

    ``moved``: the greatest move near each eye, in halves of its height. ``stray`` is the share of
    its moves that lie below the eyes. ``hint`` is its name's, see ``morph_names.blink_hint``.
    """

    morph: int
    closings: tuple[Closing, Closing]
    moved: tuple[float, float]
    stray: float
    hint: float

    def kind(self, side: Side) -> float:
        """How normal (+) or smiling (-) the closed eye looks, its name included."""
        closing = self.closings[_BOTH.index(side)]
        bulge = np.clip(closing.bulge / _BULGE_UNIT, -3, 3)
        above = np.clip((closing.from_above - _ABOVE_MIDDLE) / _ABOVE_UNIT, -2, 2)
        return float(bulge + above) + self.hint


@dataclass(frozen=True)
class Wink:
    """The choice for one eye: ``use`` is a whole morph or one side of it; and why."""

    use: MorphUse
    evidence: str
    blink: Blink
    judgement: Judgement


class WinkProbe:
    """Collects what morphs do to both eyes, then chooses."""

    def __init__(self, face: Face) -> None:
        self._model: MmdModel = face.model
        self._probes = (LidProbe(face, face.eyes.left), LidProbe(face, face.eyes.right))
        self._low = face.positions[:, 1] < face.eyes.y - _CHEEKS * face.eyes.spacing
        self._blinks: list[Blink] = []

    def add(self, change: Change) -> None:
        """Note a morph."""
        hint = blink_hint(self._model.morphs[change.morph].name)
        if hint == NOT_A_BLINK:
            return
        left, right = self._probes
        moved = left.greatest_move(change), right.greatest_move(change)
        if max(moved) < _UNMOVED:
            return
        size = np.abs(change.moves).sum(axis=1)
        stray = float(size[self._low].sum() / size.sum())
        closings = left.closing(change), right.closing(change)
        self._blinks.append(Blink(change.morph, closings, moved, stray, hint))

    def choose(self, side: Side, *, allow_smile: bool) -> Wink | None:
        """The best wink for the LEFT or RIGHT eye, or ``None``."""
        one, both = self._closers(side)
        choices = [(one, "normal"), (both, "normal")]
        if allow_smile:
            choices += [(one, "smile"), (both, "smile")]
        for blinks, kind in choices:
            fitting = [b for b in blinks if (b.kind(side) > 0) == (kind == "normal")]
            if fitting:
                best = max(fitting, key=lambda blink: self._score(blink, side, kind))
                return self._wink(best, side, kind, whole=blinks is one)
        return self._believed(side)

    def names_of_closers(self, side: Side) -> list[str]:
        """The morphs that close the eye in some way, for messages."""
        one, both = self._closers(side)
        return [self._model.morphs[blink.morph].name for blink in one + both]

    def _closers(self, side: Side) -> tuple[list[Blink], list[Blink]]:
        """Morphs that close the eye alone, and those that do something to the other too."""
        one: list[Blink] = []
        both: list[Blink] = []
        for blink in self._blinks:
            if self._closed(blink, side) >= CLOSED and self._is_lid(blink, side):
                alone = self._closed(blink, _other(side)) < _OTHER_OPEN
                (one if alone else both).append(blink)
        return one, both

    def _believed(self, side: Side) -> Wink | None:
        """What is called a blink and moves things at this eye, rather at this eye alone."""
        place, other = _BOTH.index(side), _BOTH.index(_other(side))
        named = [b for b in self._blinks if b.hint >= _SURE_HINT and b.moved[place] >= _MOVED]
        alone = [blink for blink in named if blink.moved[other] < _UNMOVED]
        if not named:
            return None
        return self._wink((alone or named)[0], side, "name-unverified", whole=bool(alone))

    @staticmethod
    def _is_lid(blink: Blink, side: Side) -> bool:
        """Whether the iris is hidden by lids, not by something that pops out of the head."""
        return blink.closings[_BOTH.index(side)].popped <= _MAX_POPPED

    def _closed(self, blink: Blink, side: Side) -> float:
        """How much of the iris it hides, compared with the most that lids ever hide."""
        place = _BOTH.index(side)
        most = max(
            (other.closings[place].hidden for other in self._blinks if self._is_lid(other, side)),
            default=0,
        )
        return blink.closings[place].hidden / most if most else 0.0

    def _score(self, blink: Blink, side: Side, kind: str) -> float:
        closing = blink.closings[_BOTH.index(side)]
        return (
            (1 if kind == "normal" else -1) * blink.kind(side)
            + self._closed(blink, side)
            - _STRAY_COST * blink.stray
            - _POPPED_COST * closing.popped
        )

    def _wink(self, blink: Blink, side: Side, kind: str, *, whole: bool) -> Wink:
        closing = blink.closings[_BOTH.index(side)]
        name = self._model.morphs[blink.morph].name
        return Wink(
            MorphUse(blink.morph, 1.0, Side.WHOLE if whole else side),
            f"{side.value}_eye:{'one-eyed' if whole else 'half'}:{kind}:{name}"
            f":closed={self._closed(blink, side):.2f}:kind={blink.kind(side):+.1f}"
            f":bulge={closing.bulge:+.2f}:from_above={closing.from_above:.2f}"
            f":covered={closing.covered:.2f}",
            blink,
            self._judgement(blink, side, kind, whole),
        )

    def _judgement(self, blink: Blink, side: Side, kind: str, whole: bool) -> Judgement:
        """What speaks against the choice; each check looks at something else."""
        closing = blink.closings[_BOTH.index(side)]
        certain = blink.kind(side) * (-1 if kind == "smile" else 1)
        return judged(
            {
                "seen-to-close": _UNSEEN if kind == "name-unverified" else 1.0,
                "normal": _SMILE if kind == "smile" else 1.0,
                "closed": ramp(self._closed(blink, side), 0.6, 0.75, 0.4),
                "covered": self._covers(blink, side),
                "curve": ramp(certain, 0.0, 1.5, 0.3),
                "curve-without-name": ramp(certain - blink.hint, -2.0, 0.0, 0.6),
                "lids-only": ramp(blink.stray, 0.5, 0.2, 0.4),
                "from-the-head": ramp(closing.popped, _MAX_POPPED, 0.0, 0.6),
                "other-eye-open": self._leaves_open(blink, side) if whole else 1.0,
            }
        )

    def _covers(self, blink: Blink, side: Side) -> float:
        covered = blink.closings[_BOTH.index(side)].covered
        if covered < 0:  # no iris is known: only a name can tell closing from narrowing
            return 1.0 if blink.hint >= _SURE_HINT else 0.7
        return ramp(covered, 0.65, 0.9)

    def _leaves_open(self, blink: Blink, side: Side) -> float:
        return ramp(self._closed(blink, _other(side)), _OTHER_OPEN, _OTHER_OPEN / 2, 0.5)


def agreeing(left: Wink, right: Wink) -> tuple[Judgement, Judgement]:
    """The judgements of both eyes, lowered where their choices are not of one manner.

    Faces are drawn alike on both sides, so where one eye closes otherwise than the other, one of
    the two morphs is likely another expression.
    """
    closings = left.blink.closings[0], right.blink.closings[1]
    kinds = abs(left.blink.kind(Side.LEFT) - right.blink.kind(Side.RIGHT))
    covered = abs(closings[0].covered - closings[1].covered)
    alone = [wink.use.side is Side.WHOLE for wink in (left, right)]
    checks = {
        "eyes-alike": ramp(kinds, 1.5 * _KINDS_APART, _KINDS_APART, 0.4),
        "eyes-cover-alike": ramp(covered, 2 * _COVERED_APART, _COVERED_APART, 0.4),
        "eyes-of-one-manner": 1.0 if alone[0] == alone[1] else 0.7,
    }
    return lowered(left.judgement, checks), lowered(right.judgement, checks)


def _other(side: Side) -> Side:
    return Side.RIGHT if side is Side.LEFT else Side.LEFT


def looked_for(names: Sequence[str]) -> str:
    """The end of a message: what nearly closed an eye, or what a wink would be called."""
    if names:
        return f"{', '.join(names[:5])} close it, but with a smile or as a symbol"
    return "looked for ウィンク, ウィンク２, まばたき, blink and anything that moves lids"
