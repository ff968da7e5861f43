"""Which tests are marked ``shared``: all that need ../shared, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


def test_a_test_that_uses_real_models_is_marked(
    request: pytest.FixtureRequest, real_models: Path
) -> None:
    assert real_models.is_dir()
    assert request.node.get_closest_marker("shared")


def test_a_test_that_does_without_is_not_marked(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("shared")


def test_only_the_fixtures_reach_what_lies_beside_the_repository() -> None:
    """A path that is put together elsewhere would go unmarked."""
    tests = REPOSITORY / "tests"
    for path in sorted({*tests.rglob("test_*.py")} - {Path(__file__)}):
        text = path.read_text("utf-8")
        assert "support.shared" not in text and "REPOSITORY.parent" not in text, path
