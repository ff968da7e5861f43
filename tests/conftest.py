"""What lies beside the repository in ../shared, where it lies there at all; the mark ``shared``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.shared import SHARED

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker has a core. Threads for all of them, in each worker, wait for one another: the same
    # tests take twice the time. Read when torch is imported, and by the processes that tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent

_SHARED_FIXTURES = {"real_models", "real_motions", "real_drawings", "oracles", "tha1_tensors"}


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests wait for browsers, processes and clocks."""
    return (os.cpu_count() or 1) + 1


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark ``shared`` what needs ../shared; ``-m "not shared"`` runs the rest."""
    if isinstance(item, pytest.Function) and _SHARED_FIXTURES & {*item.fixturenames}:
        item.add_marker("shared")


def _beside(name: str, what: str) -> Path:
    """A file or folder of ../shared; the test skips without it."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{what} not beside the repository (../shared/{name})")
    return path


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder of real models."""
    return _beside("models", "real models are")


@pytest.fixture(scope="session")
def real_motions() -> Path:
    """The folder of real VMD files."""
    return _beside("motions", "real motions are")


@pytest.fixture(scope="session")
def real_drawings() -> Path:
    """The folder of drawings."""
    return _beside("drawings", "drawings are")


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The folder of posed vertices made by independent software."""
    return _beside("oracle", "oracles are")


@pytest.fixture(scope="session")
def tha1_tensors() -> Path:
    """The list of the names and shapes in THA1's three files."""
    return _beside("spec/tha1_state_dict.txt", "THA1's list of tensors is")
