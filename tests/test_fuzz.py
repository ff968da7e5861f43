"""Three thousand wrong inputs, the same ones every time; `make fuzz` runs as many as one likes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contract.errors import InputError
from tests.support.fuzzing.campaign import run_in
from tests.support.fuzzing.mutation import anywhere
from tests.support.fuzzing.target import Seed, Target
from tests.support.fuzzing.targets import TARGETS

INPUTS = 3000
_SHARES = sum(target.share for target in TARGETS.values())


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", TARGETS)
def test_wrong_inputs_are_refused_in_words(name: str, tmp_path: Path) -> None:
    count = max(3, round(INPUTS * TARGETS[name].share / _SHARES))
    account = run_in(name, tmp_path / "corpus", tmp_path / "work", count)
    assert account.inputs == count
    assert account.faults == {}, list((tmp_path / "corpus").rglob("faults/*.txt"))
    assert account.answers or account.read


def _of_glass(path: Path) -> None:
    """Reads like a parser that nobody bounded."""
    data = path.read_bytes()
    if b"\xff" in data:
        raise ZeroDivisionError(f"{path}: {len(data)} bytes")
    if len(data) > 10:
        raise InputError(f"{path}: {len(data)} bytes are too many")


def test_a_campaign_finds_what_is_there_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass = Target("a", lambda _: [Seed(b"glass", (anywhere,))], _of_glass)
    monkeypatch.setitem(TARGETS, "glass", glass)  # type: ignore[arg-type]
    corpus = tmp_path / "corpus"
    first = run_in("glass", corpus, tmp_path / "work", 200)
    (kind,) = first.faults
    assert kind.startswith("ZeroDivisionError at test_fuzz.py:")
    kept, text = sorted((corpus / "glass" / "faults").iterdir())
    assert b"\xff" in kept.read_bytes()
    assert "in _of_glass" in text.read_text("utf-8")
    assert {answer.partition(" ")[0] for answer in first.answers} == {"InputError", "fault"}
    again = run_in("glass", corpus, tmp_path / "work", 100)
    assert again.inputs == 300
    whole = run_in("glass", tmp_path / "other", tmp_path / "work", 300)
    assert again == replace(whole, seconds=again.seconds, grew_mb=again.grew_mb)
