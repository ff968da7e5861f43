"""Commands whose output cannot be written, or that were started without: each in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="of Unix")

_COMMAND = """
import os, sys
import click
from contract.cli import ErrorLineGroup
from contract.interrupt import run_command
from contract.progress import open_progress

@click.group(cls=ErrorLineGroup)
def group(): pass

@group.command()
@click.argument("path")
def work(path):
    with open(path, "w") as file, open_progress("steps") as progress:
        os.write(2, b"a library's warning")
        progress.note("at work")
        file.write("whole")
        file.flush()
        click.echo("done")

run_command(lambda: group)
"""


def _run(
    words: list[str], prepare: Callable[[], None] | None = None, **streams: object
) -> tuple[int, str]:
    """The exit code, and what is said on stderr where that is there."""
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *words],
        cwd=REPOSITORY,
        text=True,
        check=False,
        preexec_fn=prepare,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams),  # type: ignore[call-overload]
    )
    return done.returncode, done.stderr or ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")  # noqa: PTH110
@pytest.mark.parametrize("help_too", [False, True])
def test_output_that_cannot_be_written_is_one_line(help_too: bool, tmp_path: Path) -> None:
    words = ["work", "--help"] if help_too else ["work", str(tmp_path / "file")]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        code, said = _run(words, stdout=full)
    assert code == 1
    assert said.splitlines()[-1].startswith("error: the output: No space left")
    assert "Traceback" not in said


@pytest.mark.parametrize("closed", [(2,), (1, 2), (0, 1, 2)])
def test_who_is_started_without_streams_works_and_warnings_go_into_no_file(
    closed: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    code, _ = _run(["work", str(path)], partial(_close, closed))
    assert code == 0
    assert path.read_text() == "whole"


def _close(numbers: tuple[int, ...]) -> None:
    for number in numbers:
        os.close(number)
