"""How sure a rig is of each of its answers, and what speaks against it.

Each answer is judged by several checks that can fail apart from one another; a check gives a factor
from 0 (speaks against it) to 1 (does not). The score is the product of the factors, so that one
strong objection or several weak ones make an answer doubtful. Objections are said in words, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contract.rig import ANSWERS, DOUBTFUL_BELOW

_WORDS: Mapping[str, str] = {
    "not-found": "it was not found; give it",
    "seen-to-close": "the lids were not seen to close over the iris; the name alone says so",
    "normal": "the closed eye smiles",
    "closed": "another morph closes the eye further",
    "covered": "a part of the iris stays in sight",
    "curve": "the closed lids curve neither down nor up",
    "curve-without-name": "only the name says that the wink is a normal one",
    "lids-only": "it moves more of the face than the lids",
    "from-the-head": "something comes out of the head",
    "other-eye-open": "it closes the other eye a little, too",
    "runs-past": "the whole morph moves the lids past each other; less of it closes the eye",
    "eyes-alike": "the two eyes close in different ways",
    "eyes-cover-alike": "one eye is covered less than the other",
    "eyes-of-one-manner": "one eye has a wink of its own, the other half of a blink",
    "seen-to-open": "the lips were not seen to part; the name alone says so",
    "name": "the name is not that of an open mouth",
    "opening": "the mouth hardly opens",
    "against-widest": "another morph opens the mouth much wider",
    "mouth-only": "it moves more of the face than the mouth",
    "sharp": "the chin is blunt: where it ends is not clear",
    "below-eyes": "the chin is unusually near to the eyes, or far from them",
    "profile": "no chin was seen in the profile; it is guessed from eyes and lips",
    "below-lips": "the chin is unusually near to the lips, or far from them",
    "seen": "no skull was seen under the hair; its top is guessed",
    "no-headgear": "something lies over the skull",
    "crown-of-hair": "what lies on top may not be hair",
    "one-dome": "a second dome, as of a hat, stands over the first",
    "crown-as-fringe": "the crown may be a hood",
    "proportions": "the proportions are unusual",
    "level": "the eyes are not level over the head",
    "turned": "the head is turned",
    "tilted": "the head is tilted",
    "nodding": "the head looks up or down",
    "off-centre": "the face is not over the head bone",
    "eyes-hidden": "an eye is hidden",
    "no-face-texture": "the face has no texture",
    "face-white": "a texture of the face, or of much of the head, is missing; it is white",
    "shown-white": "a texture is missing; what it should colour is white",
}


@dataclass(frozen=True)
class Found:
    """A height (model units), why it was chosen, and the checks on it (``judged``)."""

    y: float
    evidence: str
    checks: Mapping[str, float]


@dataclass(frozen=True)
class Judgement:
    """One answer's ``score`` in [0, 1] and the checks that lowered it: ``check=factor``."""

    score: float = 1.0
    objections: tuple[str, ...] = ()


UNQUESTIONED = Judgement()
NOT_FOUND = Judgement(0.0, ("not-found=0.00",))
"""Of an answer that a person has to give."""


def judged(factors: Mapping[str, float]) -> Judgement:
    """The judgement that checks with these factors in [0, 1] come to."""
    score = 1.0
    for factor in factors.values():
        score *= factor
    return Judgement(
        score, tuple(f"{check}={factor:.2f}" for check, factor in factors.items() if factor < 0.995)
    )


def lowered(judgement: Judgement, factors: Mapping[str, float]) -> Judgement:
    """The judgement with the factors of further checks."""
    more = judged(factors)
    return Judgement(judgement.score * more.score, judgement.objections + more.objections)


def objections_of(judgements: Mapping[str, Judgement]) -> tuple[str, ...]:
    """All objections as ``answer:check=factor``, in the order of ``contract.rig.ANSWERS``."""
    return tuple(
        f"{answer}:{objection}" for answer in ANSWERS for objection in judgements[answer].objections
    )


def doubtful_of(judgements: Mapping[str, Judgement]) -> tuple[str, ...]:
    """The answers whose score asks for a person's eye."""
    return tuple(answer for answer in ANSWERS if judgements[answer].score < DOUBTFUL_BELOW)


def ramp(value: float, bad: float, good: float, floor: float = 0.0) -> float:
    """``floor`` at ``bad`` and beyond, 1 at ``good`` and beyond, straight between."""
    share = (value - bad) / (good - bad)
    return floor + (1 - floor) * min(max(share, 0.0), 1.0)


def in_words(objection: str) -> str:
    """``answer:check=factor`` as a sentence; as it is if unknown."""
    answer, _, rest = objection.partition(":")
    check, _, factor = rest.partition("=")
    if check not in _WORDS:
        return objection
    return f"{answer.replace('_', ' ')}: {_WORDS[check]} ({factor})"
