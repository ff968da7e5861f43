"""Which tests are marked ``shared``: all that need ../shared, and no other."""

from __future__ import annotations

import ast
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
    for path in sorted({*tests.rglob("*.py")} - {tests / "conftest.py", Path(__file__)}):
        texts = {node.value for node in _constants(path) if isinstance(node.value, str)}
        assert not {text for text in texts if "shared" in Path(text).parts}, path


def _constants(path: Path) -> list[ast.Constant]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node for node in nodes if isinstance(node, ast.Constant)]
