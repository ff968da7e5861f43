"""Imports flow one way, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ALLOWED = {
    "contract": {"contract"},
    "web": {"contract", "web"},
    "renderer": {"contract", "renderer"},
    "characters": {"contract", "characters"},
    "dataset": {"contract", "web", "dataset", "renderer"},
    "models": {"contract", "models"},
    "train": {"contract", "models", "dataset", "train"},
    "animate": {"contract", "web", "models", "renderer", "animate"},
}
# Inside a package a folder (or a file beside the folders) imports only what stands left of it.
STACKS = {
    "renderer": ["formats", "deform", "fit", "draw", "portrait", "cli", "start"],
    "characters": ["design", "base", "shape", "texture", "files", "cli", "start"],
    "dataset": [
        "shards",
        "jobs",
        "catalog",
        "drawing",
        "sheets",
        "scan",
        "unpack",
        "build",
        "forecast",
        "curate",
        "review",
        "commands",
        "start",
    ],
    "models": ["base", "networks", "system", "files", "cli", "start"],
    "train": ["fields", "data", "loss", "plan", "measure", "run", "cli", "start"],
    "animate": [
        "media_file",
        "sound",
        "drawing",
        "motion",
        "pose",
        "track",
        "listen",
        "serve",
        "commands",
        "start",
    ],
}
# Imports between packages that only these places may make: (package, imported) -> prefixes.
ONLY_FROM = {
    ("dataset", "renderer"): ("dataset/drawing/rendering.py",),
    ("animate", "renderer"): ("animate/motion/vmd_motion.py",),
}
# Of another package only this folder: (package, imported) -> folder.
ONLY_INTO = {("train", "dataset"): "dataset.shards"}
ONLY_HERE = {
    "moderngl": {
        f"renderer/draw/{name}.py"
        for name in ("device", "canvas", "gpu_model", "programs", "tiles", "tracing")
    },
    "h5py": {"dataset/shards/shard_file.py"},
    "pyrr": {"renderer/draw/canvas.py"},
    "distributed": {"dataset/jobs/scheduler.py", "dataset/jobs/errand.py"},
}
LONGEST_FILE, LONGEST_FUNCTION = 350, 50
MAY_IMPORT_TORCH = {"models", "train", "animate"}
CONTRACT_LIBRARIES = {"numpy", "click", "rich", "filelock"}
# Pictures are wanted by five packages; who imports none of these files needs no Pillow.
CONTRACT_PILLOW = {"contract/picture.py", "contract/sheet.py"}


def _sources(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def _modules() -> set[str]:
    return {_module(path) for package in ALLOWED for path in _sources(package)}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@cache
def _imported(path: Path) -> frozenset[str]:
    """Full names of all imports anywhere in a file; ``from a import b`` gives a and a.b."""
    found: set[str] = set()
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {module, *(f"{module}.{name.name}" for name in node.names)}
    return frozenset(found)


def _libraries(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imported(path)}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    for path in _sources(package):
        ours = _libraries(path) & set(ALLOWED)
        assert ours <= ALLOWED[package], path
        relative = path.relative_to(REPOSITORY).as_posix()
        for other in ours - {package}:
            homes = ONLY_FROM.get((package, other))
            assert homes is None or relative.startswith(homes), (relative, other)
            folder = ONLY_INTO.get((package, other), other)
            inner = {name for name in _imported(path) if name.split(".")[0] == other}
            assert all(f"{name}.".startswith(f"{folder}.") for name in inner), (relative, inner)


@pytest.mark.parametrize("package", STACKS)
def test_a_folder_imports_only_folders_to_its_left(package: str) -> None:
    stack = STACKS[package]
    for path in _sources(package):
        own = path.relative_to(REPOSITORY / package).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        assert own in stack, f"{path}: {own} stands nowhere in the stack of {package}"
        for name in _imported(path):
            parts = name.split(".")
            if parts[0] == package and len(parts) > 1:
                assert parts[1] in stack[: stack.index(own) + 1], (path, name)


@pytest.mark.parametrize("package", ALLOWED)
def test_no_modules_of_a_package_import_each_other_in_a_circle(package: str) -> None:
    modules = _modules()
    edges = {_module(path): _imported(path) & modules for path in _sources(package)}
    while edges:
        leaves = {name for name, targets in edges.items() if not targets & set(edges) - {name}}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {name: targets for name, targets in edges.items() if name not in leaves}


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_heavy_library_is_imported_in_its_home_only(library: str) -> None:
    users = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ALLOWED
        for path in _sources(package)
        if library in _libraries(path)
    }
    assert users == ONLY_HERE[library]


@pytest.mark.parametrize("package", ALLOWED)
def test_torch_is_imported_by_networks_and_trainer_only(package: str) -> None:
    users = [path for path in _sources(package) if "torch" in _libraries(path)]
    assert not users or package in MAY_IMPORT_TORCH, users


def test_the_contract_needs_only_small_libraries() -> None:
    for path in _sources("contract"):
        outside = _libraries(path) - sys.stdlib_module_names - {"contract"}
        draws = path.relative_to(REPOSITORY).as_posix() in CONTRACT_PILLOW
        assert outside <= CONTRACT_LIBRARIES | ({"PIL"} if draws else set()), path


@pytest.mark.parametrize("package", ALLOWED)
def test_an_init_file_holds_a_docstring_and_nothing_else(package: str) -> None:
    for path in (REPOSITORY / package).rglob("__init__.py"):
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("dataset.shards.shard", {"torch", "moderngl", "renderer"}),
        ("train.cli", {"moderngl", "renderer"}),
        ("animate.commands.main", {"torch"}),
        ("animate.pose.onnx_networks", {"torch"}),
        ("animate.serve.server", {"torch"}),
        ("animate.listen.listener", {"cv2", "torch"}),
        ("models.files.onnx_record", {"torch"}),
    ],
)
def test_importing_a_module_does_not_load_what_it_does_without(
    module: str, absent: set[str]
) -> None:
    code = f"import sys, {module}; print(*{absent} & {{*sys.modules}})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_no_test_imports_another() -> None:
    """What several tests need lies in tests/support."""
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        ours = {name for name in _imported(path) if name.startswith("tests.")}
        allowed = ("tests.support", "tests.conftest")
        assert all(name.startswith(allowed) for name in ours), path


def test_every_module_of_ours_that_is_imported_is_there() -> None:
    """Within functions too, and by what only long runs use."""
    ours = (*ALLOWED, "tests", "bench")
    for path in (path for folder in ours for path in _sources(folder)):
        for node in _nodes(path):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ours:
                place = REPOSITORY.joinpath(*(node.module or "").split("."))
                assert place.is_dir() or place.with_suffix(".py").is_file(), (path, node.module)


def test_files_and_functions_stay_of_a_size_that_a_reader_keeps_in_mind() -> None:
    sources = [path for folder in (*ALLOWED, "tests", "bench") for path in _sources(folder)]
    for path in (*sources, *REPOSITORY.glob("*.py")):
        assert path.read_text("utf-8").count("\n") <= LONGEST_FILE, path
        for node in _nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= LONGEST_FUNCTION, (path, node.name)
