"""Which morphs close each eye with a normal wink: geometry decides, names only lean.

In order: a morph that closes this eye alone; one that closes both, of which this side is taken; and
smiling ones only where they are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renderer.face import Change, Face
from renderer.formats.model import MmdModel
from renderer.lids import Closing, LidProbe
from renderer.morph_names import NOT_A_BLINK, blink_hint
from renderer.morph_use import MorphUse, Side

CLOSED = 0.75
"""Share of what the best morph hides of the iris: from here on an eye counts as closed."""
_OTHER_OPEN = 0.2
_BULGE_UNIT, _ABOVE_MIDDLE, _ABOVE_UNIT = 0.15, 0.7, 0.1
_STRAY_COST, _POPPED_COST = 4.0, 3.0
_MAX_POPPED = 0.15
_CHEEKS = 0.55  # below the eyes, in distances between them: moves down there are not of lids
_BOTH = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True)
class Blink:
    """What a morph does to the eyes (left, right).

    ``stray`` is the share of its moves that lie below the eyes. ``hint`` is its name's, see
    ``morph_names.blink_hint``.
    """

    morph: int
    closings: tuple[Closing, Closing]
    stray: float
    hint: float

    def kind(self, side: Side) -> float:
        """How normal (+) or smiling (-) the closed eye looks, its name included."""
        closing = self.closings[_BOTH.index(side)]
        bulge = np.clip(closing.bulge / _BULGE_UNIT, -2, 2)
        above = np.clip((closing.from_above - _ABOVE_MIDDLE) / _ABOVE_UNIT, -2, 2)
        return float(bulge + above) + self.hint


@dataclass(frozen=True)
class Wink:
    """The choice for one eye: ``smiling`` or normal, ``use`` whole or one side of both eyes."""

    use: MorphUse
    smiling: bool
    evidence: str


class WinkProbe:
    """Collects what morphs do to both eyes, then chooses."""

    def __init__(self, face: Face) -> None:
        self._model: MmdModel = face.model
        self._probes = (LidProbe(face, face.eyes.left), LidProbe(face, face.eyes.right))
        self._low = face.positions[:, 1] < face.eyes.y - _CHEEKS * face.eyes.spacing
        self._blinks: list[Blink] = []

    def add(self, change: Change) -> None:
        """Note a morph."""
        left, right = (probe.closing(change) for probe in self._probes)
        if left.hidden or right.hidden:
            size = np.abs(change.moves).sum(axis=1)
            stray = float(size[self._low].sum() / size.sum())
            hint = blink_hint(self._model.morphs[change.morph].name)
            self._blinks.append(Blink(change.morph, (left, right), stray, hint))

    def choose(self, side: Side, *, allow_smile: bool) -> Wink | None:
        """The best wink for the LEFT or RIGHT eye, or ``None``."""
        one, both = self._closers(side)
        choices = [(one, False), (both, False)]
        if allow_smile:
            choices += [(one, True), (both, True)]
        for blinks, smiling in choices:
            fitting = [b for b in blinks if (b.kind(side) <= 0) == smiling]
            if fitting:
                best = max(fitting, key=lambda blink: self._score(blink, side, smiling))
                return self._wink(best, side, smiling, whole=blinks is one)
        return None

    def names_of_closers(self, side: Side) -> list[str]:
        """The morphs that close the eye in some way, for messages."""
        one, both = self._closers(side)
        return [self._model.morphs[blink.morph].name for blink in one + both]

    def _closers(self, side: Side) -> tuple[list[Blink], list[Blink]]:
        """Morphs that close the eye alone, and with the other."""
        one, both = [], []
        for blink in self._blinks:
            here = self._closed(blink, side)
            there = self._closed(blink, Side.RIGHT if side is Side.LEFT else Side.LEFT)
            popped = blink.closings[_BOTH.index(side)].popped
            if here < CLOSED or popped > _MAX_POPPED or blink.hint == NOT_A_BLINK:
                continue
            if there < _OTHER_OPEN:
                one.append(blink)
            elif there >= CLOSED:
                both.append(blink)
        return one, both

    def _closed(self, blink: Blink, side: Side) -> float:
        """How much of the iris it hides, compared with the most that lids ever hide."""
        place = _BOTH.index(side)
        most = max(
            (
                other.closings[place].hidden
                for other in self._blinks
                if other.closings[place].popped <= _MAX_POPPED and other.hint != NOT_A_BLINK
            ),
            default=0,
        )
        return blink.closings[place].hidden / most if most else 0.0

    def _score(self, blink: Blink, side: Side, smiling: bool) -> float:
        closing = blink.closings[_BOTH.index(side)]
        kind = blink.kind(side)
        return (
            (-kind if smiling else kind)
            + 2 * self._closed(blink, side)
            - _STRAY_COST * blink.stray
            - _POPPED_COST * closing.popped
        )

    def _wink(self, blink: Blink, side: Side, smiling: bool, *, whole: bool) -> Wink:
        closing = blink.closings[_BOTH.index(side)]
        name = self._model.morphs[blink.morph].name
        kind = "smile" if smiling else "normal"
        return Wink(
            MorphUse(blink.morph, 1.0, Side.WHOLE if whole else side),
            smiling,
            f"{side.value}_eye:{'one-eyed' if whole else 'half-of-both'}:{kind}:{name}"
            f":closed={self._closed(blink, side):.2f}:kind={blink.kind(side):+.1f}"
            f":bulge={closing.bulge:+.2f}:from_above={closing.from_above:.2f}",
        )


def looked_for(names: Sequence[str]) -> str:
    """The end of a message: what nearly closed an eye, or what a wink would be called."""
    if names:
        return f"{', '.join(names[:5])} close it, but with a smile or as a symbol"
    return "looked for ウィンク, ウィンク２, まばたき, blink and anything that moves lids"
