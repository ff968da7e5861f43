"""How sure a rig is of each of its answers, and what speaks against it.

Each answer is judged by several checks that can fail apart from one another; a check gives a factor
from 0 (speaks against it) to 1 (does not). The score is the product of the factors, so that one
strong objection or several weak ones make an answer doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contract.rig import ANSWERS, DOUBTFUL_BELOW


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
