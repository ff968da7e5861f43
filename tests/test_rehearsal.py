"""The rehearsal of many models, with few."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.rehearsal import STEPS, Cost, Rehearsal, Wish, gather, growth, rehearse, table
from characters.files.generate import write_character
from contract.errors import InputError

STAND_INS = Wish(None, stand_ins=True, poses=2, size=16, workers=1)

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what processes take is read in /proc"
)


@on_linux
def test_stand_ins_go_through_every_command(tmp_path: Path) -> None:
    found = rehearse(6, STAND_INS, tmp_path)
    reviewed = "review: start", "review: first list", "review: a search"
    assert [*found.costs] == [*STEPS, *reviewed, "an epoch of the loader"]
    assert all(found.costs[step].work > 0 and found.costs[step].peak > 1 << 20 for step in STEPS)
    assert int(found.left["files beside it"]) >= 6
    pictures = sum(1 for _ in tmp_path.glob("out/*/*.h5"))
    assert found.left["shards"].startswith(f"{pictures}, ") and pictures >= 3


@on_linux
def test_a_step_that_fails_ends_the_rehearsal(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dataset.py scan: .*models"):
        rehearse(0, STAND_INS, tmp_path)  # no models: no folder


def test_characters_are_taken_of_all_sources(tmp_path: Path) -> None:
    for name in ("a/1", "a/2", "b/1", "b/2"):
        write_character(tmp_path / "of" / name, seed=len(name))
    wish = replace(STAND_INS, stand_ins=False, characters=tmp_path / "of")
    gather(tmp_path / "two", 2, wish)
    chosen = {path.parent.relative_to(tmp_path / "two").as_posix() for path in _models(tmp_path)}
    assert chosen == {"a/1", "b/1"}
    with pytest.raises(InputError, match="holds 4 characters, not 5"):
        gather(tmp_path / "five", 5, wish)


def _models(folder: Path) -> list[Path]:
    return sorted((folder / "two").rglob("model.pmx"))


def test_growth_is_the_power_of_the_number_of_models() -> None:
    def took(models: int, seconds: float) -> Rehearsal:
        return Rehearsal(models, {"scan": Cost(seconds, seconds, 0)}, {"catalogue": "1 MB"})

    few, many = took(100, 2.0), took(200, 8.0)
    assert growth(few, many, "scan") == pytest.approx(2.0)
    assert growth(few, took(400, 8.0), "scan") == pytest.approx(1.0)
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(table([few, many]))
    assert "2.00" in console.export_text()
