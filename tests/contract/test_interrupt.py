"""Ctrl-C while a command loads, works, and clears up: each in a process that sends it to itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C is no signal")

_START = """
import os, signal, sys, time
import click
from contract.cli import ErrorLineGroup
from contract.interrupt import run_command

signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal

def interrupt(times=1):
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
"""
_LOADING = "run_command(lambda: interrupt())"
_WORKING = """
@click.group(cls=ErrorLineGroup)
def group(): pass

@group.command()
def work():
    try:
        interrupt()
    finally:
        interrupt({more})
        print("cleared up", flush=True)

run_command(lambda: group)
"""
_PARSING = """
@click.group(cls=ErrorLineGroup)
@click.option("--late", callback=lambda *_: interrupt())
def group(late): pass

@group.command()
def work(): pass

run_command(lambda: group)
"""
_LEAVING = """
@click.group(cls=ErrorLineGroup)
def group(): pass

@group.command()
def work(): interrupt()

class Late:
    def __init__(self): self.kill, self.process = os.kill, os.getpid()
    def __del__(self): self.kill(self.process, 2)

late = Late()
run_command(lambda: group)
"""
_OUTSIDE = "run_command(lambda: interrupt)"


@pytest.mark.parametrize(
    ("code", "clears_up"),
    [
        (_LOADING, False),
        (_PARSING, False),
        (_OUTSIDE, False),
        (_LEAVING, False),
        (_WORKING.format(more=0), True),
        (_WORKING.format(more=1), True),
        (_WORKING.format(more=2), False),  # the third is heard at once
    ],
)
def test_ctrl_c_gives_130_without_a_traceback(code: str, clears_up: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _START + code, "work"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 130, done
    assert done.stderr == "interrupted\n"
    assert ("cleared up" in done.stdout) == clears_up


def test_who_is_told_to_ignore_it_does() -> None:
    """As a process that ``nohup ... &`` started."""
    code = _START.replace("default_int_handler", "SIG_IGN") + "run_command(lambda: interrupt)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "command", ["renderer", "characters", "dataset", "models", "train", "animate"]
)
def test_every_command_starts_so(command: str) -> None:
    code = f"from {command}.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: ")
