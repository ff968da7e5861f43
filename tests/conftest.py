"""Where real models and oracles lie, when they lie there at all."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def real_models() -> Path:
    """The folder of real models; tests that need it skip without it."""
    folder = SHARED / "models"
    if not folder.is_dir():
        pytest.skip("real models are not beside the repository (../shared/models)")
    return folder


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The folder of posed vertices made by independent software; skip without it."""
    folder = SHARED / "oracle"
    if not folder.is_dir():
        pytest.skip("oracles are not beside the repository (../shared/oracle)")
    return folder
