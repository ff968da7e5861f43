"""What Windows and macOS lack is not asked for: every module imports, and a small run works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataset.catalog import catalog as catalog_module
from dataset.catalog.catalog import Catalog, CatalogRow, load_catalog, save_catalog
from tests.conftest import REPOSITORY
from tests.support.tiny_builds import write_models

# Runs in workers too, which import the main script again before anything of ours.
LACKING = f"""
import multiprocessing.popen_spawn_posix, os, signal, subprocess, sys

def end(process):
    if process.returncode is None:
        os.kill(process.pid, 9)

multiprocessing.popen_spawn_posix.Popen.kill = end  # Windows has a call of its own
for module in ("fcntl", "pwd", "grp", "resource", "termios", "syslog"):
    sys.modules[module] = None
for holder, names in (
    (signal, ("SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGTSTP")),
    (os, ("O_DIRECTORY", "O_NOFOLLOW", "sched_getaffinity", "mkfifo", "killpg", "setsid", "fork")),
):
    for name in names:
        if hasattr(holder, name):
            delattr(holder, name)
sys.path.insert(0, {str(REPOSITORY)!r})
"""
IMPORT_ALL = """
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
COMMAND = """
import dataset.commands.main, dataset.drawing.rendering
from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner

if __name__ == "__main__":
    dataset.drawing.rendering.open_renderer = open_tiny_device
    dataset.drawing.rendering.open_scanner = open_tiny_scanner
    dataset.commands.main.main()
"""


def lacking(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(LACKING + code, "utf-8")
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("package", ["contract", "web", "renderer", "characters", "dataset"])
def test_every_module_imports(package: str, tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for path in sorted((REPOSITORY / package).rglob("*.py"))
    ]
    done = lacking(tmp_path, IMPORT_ALL, *modules)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["models", "train", "animate"])
def test_every_module_of_those_with_torch_imports(package: str, tmp_path: Path) -> None:
    test_every_module_imports(package, tmp_path)


def test_a_small_run(tmp_path: Path) -> None:
    """A worker that dies is missed and replaced there too."""
    models = write_models(tmp_path / "models", {"a/x": "ok", "b/y": "ok", "c/z": "explode"})
    out = str(tmp_path / "out")
    scan = lacking(tmp_path, COMMAND, "scan", str(models), "-o", f"{out}/catalog.jsonl")
    assert (scan.returncode, "3 ok" in scan.stdout) == (0, True), scan.stderr
    options = ("--poses", "2", "--size", "64", "--workers", "2", "--shading", "phong")
    build = lacking(tmp_path, COMMAND, "build", f"{out}/catalog.jsonl", "-o", out, *options)
    assert build.returncode == 0, build.stderr
    assert "2 models" in build.stdout
    assert "1 model quarantined" in build.stdout
    for command in ("verify", "inspect"):
        done = lacking(tmp_path, COMMAND, command, out)
        assert done.returncode == 0, done.stderr


def test_a_console_without_the_letters_of_a_name(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", {"ミク/ミク": "ok", "レン/レン": "ok"})
    script = tmp_path / "script.py"
    script.write_text(LACKING + COMMAND, "utf-8")
    done = subprocess.run(
        [sys.executable, str(script), "scan", str(models), "-o", str(tmp_path / "c.jsonl")],
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_models_on_another_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(_folder: Path, _start: Path) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", relpath)
    models = tmp_path / "models"
    models.mkdir()
    save_catalog(tmp_path / "c.jsonl", Catalog(models, "one", (), (), ()))
    monkeypatch.undo()
    assert load_catalog(tmp_path / "c.jsonl").models_folder == models.resolve()


@pytest.mark.parametrize("path", ["a\\x5c..\\x5c..\\x5csecret.pmx", "C:secret.pmx", "a.pmx:stream"])
def test_a_strangers_catalogue_cannot_leave_its_folders_on_windows(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = CatalogRow(path, "0" * 64, "", "refused", code="x")
    catalog_module._checked(row)  # a name like any other here
    monkeypatch.setattr("os.name", "nt")
    with pytest.raises(ValueError, match="leaves the models folder"):
        catalog_module._checked(row)


@pytest.mark.parametrize("path", ["a\\x2f..\\x2f..\\x2fsecret.pmx", "\\x2e\\x2e/secret.pmx"])
def test_an_escape_says_no_other_letter(path: str, tmp_path: Path) -> None:
    from contract.text import place

    assert place(tmp_path, path) == tmp_path / path
