"""Imports flow one way, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ALLOWED = {
    "contract": {"contract"},
    "renderer": {"contract", "renderer"},
    "characters": {"contract", "characters"},
    "dataset": {"contract", "dataset", "renderer"},
    "models": {"contract", "models"},
    "train": {"contract", "models", "dataset", "train"},
    "animate": {"contract", "models", "renderer", "animate"},
}
MAY_IMPORT_RENDERER = {"dataset/rendering.py", "animate/vmd_motion.py"}
ONLY_HERE = {
    "moderngl": {
        f"renderer/draw/{name}.py" for name in ("device", "canvas", "gpu_model", "programs")
    },
    "h5py": {"dataset/shard_file.py"},
    "pyrr": {"renderer/draw/view.py"},
}
MAY_IMPORT_TORCH = {"models", "train", "animate"}
CONTRACT_LIBRARIES = {"numpy", "click"}


def _sources(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def _imported(path: Path) -> set[str]:
    """Top-level names of all absolute imports anywhere in a file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    for path in _sources(package):
        ours = _imported(path) & set(ALLOWED)
        assert ours <= ALLOWED[package], path
        relative = path.relative_to(REPOSITORY).as_posix()
        if package in {"dataset", "animate"} and "renderer" in ours:
            assert relative in MAY_IMPORT_RENDERER


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_heavy_library_is_imported_in_its_home_only(library: str) -> None:
    users = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ALLOWED
        for path in _sources(package)
        if library in _imported(path)
    }
    assert users == ONLY_HERE[library]


@pytest.mark.parametrize("package", ALLOWED)
def test_torch_is_imported_by_networks_and_trainer_only(package: str) -> None:
    users = [path for path in _sources(package) if "torch" in _imported(path)]
    assert not users or package in MAY_IMPORT_TORCH, users


def test_the_contract_needs_only_numpy_and_click() -> None:
    for path in _sources("contract"):
        outside = _imported(path) - sys.stdlib_module_names - {"contract"}
        assert outside <= CONTRACT_LIBRARIES, path


@pytest.mark.parametrize("package", ALLOWED)
def test_an_init_file_holds_a_docstring_and_nothing_else(package: str) -> None:
    for path in (REPOSITORY / package).rglob("__init__.py"):
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


@pytest.mark.parametrize("absent", ["torch", "moderngl", "renderer"])
def test_reading_a_shard_loads_neither_torch_nor_opengl(absent: str) -> None:
    code = f"import sys, dataset.shard; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
