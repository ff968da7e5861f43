"""Three thousand wrong inputs, the same ones every time; `make fuzz` runs as many as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fuzzing.campaign import run_in
from tests.support.fuzzing.targets import TARGETS

INPUTS = 3000
_SHARES = sum(target.share for target in TARGETS.values())


@pytest.mark.parametrize("name", TARGETS)
def test_wrong_inputs_are_refused_in_words(name: str, tmp_path: Path) -> None:
    count = max(3, round(INPUTS * TARGETS[name].share / _SHARES))
    account = run_in(name, tmp_path / "corpus", tmp_path / "work", count)
    assert account.inputs == count
    assert account.faults == {}, list((tmp_path / "corpus").rglob("faults/*.txt"))
    assert account.answers or account.read
