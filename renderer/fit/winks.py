"""Which morphs close each eye with a normal wink: geometry decides, names only lean.

In order: a morph that closes this eye alone; one that closes the other too, of which this side is
taken; what is called a blink, whatever line its lids make; smiling ones only where they are
allowed; at last, what is called a closing and moves lids without being seen to hide the iris.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.rig import MorphUse, Side
from renderer.fit.blinks import BOTH, UNMOVED, Blink, BlinkProbe
from renderer.fit.confidence import Judgement, judged, lowered, ramp
from renderer.fit.face import Change, Face
from renderer.fit.morph_names import SURELY_CLOSING, blink_hint
from renderer.formats.model import ImpulseOffsets, MaterialOffsets, MmdModel, UvOffsets

CLOSED = 0.75
"""Share of what the best morph hides of the iris: from here on an eye counts as closed."""
_OTHER_OPEN, _OTHER_STILL = 0.2, 0.25
_STRAY_COST, _POPPED_COST = 4.0, 3.0
_MAX_POPPED = 0.15
_COVERS = 0.5  # of the iris: what leaves more in sight closes nothing
_CLOSING_HINT = 0.5  # of names that are believed where no eye is seen to close
_NAMED_ENOUGH, _STRANGER = 0.5, -0.5  # hint and likeness of one-eyed winks beside a sound blink
_KINDS_APART, _COVERED_APART = 4.0, 0.3  # of the two eyes, beyond which one is seldom right
# Factors: a name alone is believed; the wink smiles; less than the whole morph is used.
_UNSEEN, _SMILE, _PASSING = 0.3, 0.3, 0.8
_MOVED = 0.3  # of half an eye's height
_STILL_KINDS = {MaterialOffsets: "material", UvOffsets: "UV", ImpulseOffsets: "impulse"}
_Kind = Literal["normal", "named", "smile", "name-unverified"]


@dataclass(frozen=True)
class Wink:
    """The choice for one eye: ``use`` is a whole morph or one side of it; and why."""

    use: MorphUse
    evidence: str
    blink: Blink
    judgement: Judgement
    seen_to_close: bool = True


class WinkProbe:
    """Collects what morphs do to both eyes, then chooses."""

    def __init__(self, face: Face) -> None:
        self._model: MmdModel = face.model
        self._probe = BlinkProbe(face)
        self._blinks: tuple[Blink, ...] = ()

    def add(self, change: Change) -> None:
        """Note a morph."""
        self._probe.add(change)

    def choose(self, side: Side, *, allow_smile: bool) -> Wink | None:
        """The best wink for the LEFT or RIGHT eye, or ``None``."""
        self._blinks = self._probe.found()
        one, both = self._closers(side)
        choices: list[tuple[list[Blink], _Kind]] = [
            ([blink for blink in one if not self._is_stranger(blink, both, side)], "normal"),
            (both, "normal"),
            (one, "normal"),
            (one, "named"),
            (both, "named"),
        ]
        if allow_smile:
            choices += [(one, "smile"), (both, "smile")]
        for blinks, kind in choices:
            fitting = [blink for blink in blinks if _is_of(blink, side, kind)]
            if fitting:
                best = max(fitting, key=lambda blink: self._score(blink, side, kind))
                return self._wink(best, side, kind, whole=best in one)
        return self._believed(side)

    def names_of_closers(self, side: Side) -> list[str]:
        """The morphs that close the eye in some way, for messages."""
        one, both = self._closers(side)
        return [self._model.morphs[blink.morph].name for blink in one + both]

    @staticmethod
    def _is_stranger(blink: Blink, both: Sequence[Blink], side: Side) -> bool:
        """Whether a one-eyed wink is neither named so nor like the sound blink that there is."""
        sound = any(_is_of(other, side, "named") for other in both)
        known = blink.hint >= _NAMED_ENOUGH or blink.like[BOTH.index(side)] > _STRANGER
        return sound and not known

    def _closers(self, side: Side) -> tuple[list[Blink], list[Blink]]:
        """Morphs that close the eye alone, and those that do something to the other too."""
        one: list[Blink] = []
        both: list[Blink] = []
        for blink in self._blinks:
            covers = not 0 <= blink.closing(side).covered < _COVERS
            if covers and self._closed(blink, side) >= CLOSED and self._is_lid(blink, side):
                (one if self._leaves_alone(blink, side) else both).append(blink)
        return one, both

    def _leaves_alone(self, blink: Blink, side: Side) -> bool:
        """Whether the other eye stays as it is: of what moves it, only one side may be used."""
        moved = blink.moved[BOTH.index(side)], blink.moved[BOTH.index(_other(side))]
        still = moved[1] < max(UNMOVED, _OTHER_STILL * moved[0])
        return still and self._closed(blink, _other(side)) < _OTHER_OPEN

    def _believed(self, side: Side) -> Wink | None:
        """What is called a closing and moves things at this eye, rather at this eye alone."""
        place, other = BOTH.index(side), BOTH.index(_other(side))
        one, both = self._closers(side)  # none of these is a normal one
        unseen = [blink for blink in self._blinks if blink not in one and blink not in both]
        named = [b for b in unseen if b.hint >= _CLOSING_HINT and b.moved[place] >= _MOVED]
        if not named:
            return None
        alone = [blink for blink in named if blink.moved[other] < UNMOVED]
        best = max(alone or named, key=lambda blink: blink.hint)
        return self._wink(best, side, "name-unverified", whole=bool(alone))

    @staticmethod
    def _is_lid(blink: Blink, side: Side) -> bool:
        """Whether the iris is hidden by lids, not by something that pops out of the head."""
        return blink.closing(side).popped <= _MAX_POPPED

    def _closed(self, blink: Blink, side: Side) -> float:
        """How much of the iris it hides, compared with the most that lids ever hide."""
        most = max(
            (b.closing(side).hidden for b in self._blinks if self._is_lid(b, side)), default=0
        )
        return blink.closing(side).hidden / most if most else 0.0

    def _score(self, blink: Blink, side: Side, kind: _Kind) -> float:
        closing = blink.closing(side)
        return (
            (-1 if kind == "smile" else 1) * blink.kind(side)
            + self._closed(blink, side)
            - _STRAY_COST * blink.stray
            - _POPPED_COST * closing.popped
        )

    def _wink(self, blink: Blink, side: Side, kind: _Kind, *, whole: bool) -> Wink:
        closing = blink.closing(side)
        name = self._model.morphs[blink.morph].name
        weight = 1.0 if kind == "name-unverified" else self._probe.weight(blink, side)
        return Wink(
            MorphUse(blink.morph, weight, Side.WHOLE if whole else side),
            f"{side.value}_eye:{'one-eyed' if whole else 'half'}:{kind}:{name}"
            f":closed={self._closed(blink, side):.2f}:kind={blink.kind(side):+.1f}"
            f":bulge={closing.bulge:+.2f}:from_above={closing.from_above:.2f}"
            f":covered={closing.covered:.2f}",
            blink,
            lowered(
                self._judgement(blink, side, kind, whole),
                {"runs-past": 1.0 if weight == 1 else _PASSING},
            ),
            kind != "name-unverified",
        )

    def _judgement(self, blink: Blink, side: Side, kind: _Kind, whole: bool) -> Judgement:
        """What speaks against the choice; each check looks at something else."""
        certain = blink.kind(side) * (-1 if kind == "smile" else 1)
        sure = blink.hint >= SURELY_CLOSING and kind != "name-unverified"
        return judged(
            {
                "seen-to-close": _UNSEEN if kind == "name-unverified" else 1.0,
                "normal": _SMILE if kind == "smile" else 1.0,
                "closed": ramp(self._closed(blink, side), 0.6, 0.75, 0.4),
                "covered": self._covers(blink, side),
                "curve": ramp(certain, 0.0, 1.5, 0.6 if sure else 0.3),
                "curve-without-name": ramp(certain - blink.hint, -2.0, 0.0, 0.85 if sure else 0.6),
                "lids-only": ramp(blink.stray, 0.5, 0.2, 0.4),
                "from-the-head": ramp(blink.closing(side).popped, _MAX_POPPED, 0.0, 0.6),
                "other-eye-open": self._leaves_open(blink, side) if whole else 1.0,
            }
        )

    def _covers(self, blink: Blink, side: Side) -> float:
        covered = blink.closing(side).covered
        if covered < 0:  # no iris is known: only a name can tell closing from narrowing
            return 1.0 if blink.hint >= SURELY_CLOSING else 0.7
        return ramp(covered, 0.65, 0.9)

    def _leaves_open(self, blink: Blink, side: Side) -> float:
        return ramp(self._closed(blink, _other(side)), _OTHER_OPEN, _OTHER_OPEN / 2, 0.5)


def _is_of(blink: Blink, side: Side, kind: _Kind) -> bool:
    if kind == "named":
        return blink.hint >= SURELY_CLOSING
    return (blink.kind(side) > 0) == (kind == "normal")


def agreeing(left: Wink, right: Wink) -> tuple[Judgement, Judgement]:
    """The judgements of both eyes, lowered where their choices are not of one manner.

    Faces are drawn alike on both sides, so where one eye closes otherwise than the other, one of
    the two morphs is likely another expression.
    """
    closings = left.blink.closing(Side.LEFT), right.blink.closing(Side.RIGHT)
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


def looked_for(closers: Sequence[str], model: MmdModel) -> str:
    """The end of a message: what cannot close an eye, what nearly did, or what to look for."""
    still = [
        f"{morph.name} is a {_STILL_KINDS[type(morph.offsets)]} morph, which moves no lids"
        for morph in model.morphs
        if blink_hint(morph.name) == SURELY_CLOSING and type(morph.offsets) in _STILL_KINDS
    ]
    if still:
        return "; ".join(still[:3])
    if closers:
        return f"{', '.join(closers[:5])} close it, but with a smile or as a symbol"
    return "looked for ウィンク, ウィンク２, まばたき, blink and anything that moves lids"
