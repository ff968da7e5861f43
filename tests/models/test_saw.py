"""A bundle says which models its training saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from models.base.config import NetworkConfig
from models.cli import main
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.networks.face_morpher import FaceMorpher

TRAINED, HELD_OUT = "ab" * 32, "cd" * 32
TINY = NetworkConfig(size=32, channels=2, max_channels=4, residual_blocks=1)


def _saved(folder: Path, saw: dict[str, tuple[str, ...]]) -> Path:
    save_bundle(folder, Bundle(FaceMorpher(TINY), saw=saw))
    return folder


def _ask(bundle: Path, sha256: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["show", str(bundle), "--saw", sha256])
    return done.exit_code, done.output


def test_what_was_seen_comes_back_and_is_answered(tmp_path: Path) -> None:
    saw = {"train": (TRAINED,), "validation": (), "test": (HELD_OUT,)}
    bundle = _saved(tmp_path / "b", saw)
    assert load_bundle(bundle).saw == saw
    yes = "yes: in the part train, which the networks were trained on\n"
    assert _ask(bundle, TRAINED) == _ask(bundle, TRAINED[:12].upper()) == (0, yes)
    assert _ask(bundle, HELD_OUT)[1].startswith("yes: in the part test, which the training was kep")
    assert _ask(bundle, "ef" * 32) == (0, "no: it is none of the 2 models of its data\n")


def test_a_bundle_that_does_not_know_says_so(tmp_path: Path) -> None:
    code, text = _ask(_saved(tmp_path / "b", {}), TRAINED)
    assert (code, text.count("\n")) == (1, 1)
    assert "does not say which models it saw" in text


@pytest.mark.parametrize("sha256", ["", "abc", "xy" * 32, "ab" * 33])
def test_what_is_no_hash_is_refused(sha256: str, tmp_path: Path) -> None:
    code, text = _ask(_saved(tmp_path / "b", {"train": (TRAINED,)}), sha256)
    assert (code, text.count("\n")) == (1, 1)
    assert "is no SHA-256" in text
