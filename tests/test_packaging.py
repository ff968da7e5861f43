"""Every name resolves inside the repository, and every declared command exists."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_resolves_inside_the_repository(name: str) -> None:
    origin = importlib.import_module(name).__file__
    assert origin is not None
    assert Path(origin).parent == REPOSITORY / name


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_says_that_it_is_typed(name: str) -> None:
    assert (REPOSITORY / name / "py.typed").is_file()


@pytest.mark.parametrize("script", PROJECT["project"]["scripts"].values())
def test_a_console_script_points_at_a_callable(script: str) -> None:
    module, _, function = script.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_distribution_can_never_be_uploaded() -> None:
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    for requirement in PROJECT["project"]["dependencies"] + [r for extra in extras for r in extra]:
        of_ourselves = requirement.startswith("opentha[")
        bounded = re.search(r">=[\d.]+,<[\d.]+$|==[\d.]+$", requirement)
        assert of_ourselves or bounded, requirement


def test_the_shaders_lie_beside_the_code_that_loads_them() -> None:
    shaders = {path.name for path in (REPOSITORY / "renderer" / "draw" / "shaders").iterdir()}
    assert {"surface.vert", "surface.frag", "edge.vert", "edge.frag", "resolve.frag"} <= shaders
