"""A few rounds of trouble, one of each sort; `make soak` runs them all, for twenty minutes."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.rounds.decisions import decisions
from tests.support.rounds.kinds import KINDS
from tests.support.rounds.reviews import reviews
from tests.support.rounds.rounds import Round
from tests.support.rounds.runs import no_survivors
from tests.support.rounds.trouble import interrupted, killed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.mark.parametrize(
    "one",
    [
        partial(killed, KINDS["build"]),
        partial(interrupted, KINDS["scan"]),
        partial(decisions, edits=15),
        partial(reviews, edits=5),
    ],
    ids=["build killed", "scan interrupted", "decisions at once", "reviews at once"],
)
def test_trouble_costs_nothing(one: Round, tmp_path: Path) -> None:
    with no_survivors():
        one(np.random.default_rng(7), tmp_path)
