"""Three rounds of trouble, one of each sort; `make soak` runs them for twenty minutes."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.rounds import Round, decisions, interrupted, killed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.mark.parametrize(
    "one",
    [partial(killed, "build"), partial(interrupted, "scan"), partial(decisions, edits=15)],
    ids=["build killed", "scan interrupted", "decisions at once"],
)
def test_trouble_costs_nothing(one: Round, tmp_path: Path) -> None:
    one(np.random.default_rng(7), tmp_path)
