"""Models to measure on: those that are given, else real ones, else generated ones."""

from __future__ import annotations

import sys
from pathlib import Path

from characters.files.generate import write_character
from tests.support.shared import SHARED

_GENE = SHARED / "models" / "mmdagent-ex" / "Gene" / "Gene_light.pmx"


def given_model() -> Path | None:
    """The model that the command line names first, else a real one where there is one."""
    if sys.argv[1:]:
        return Path(sys.argv[1])
    return _GENE if _GENE.is_file() else None


def some_model(scratch: Path) -> Path:
    """The same; where there is none, one that is generated in ``scratch``."""
    return given_model() or write_character(scratch / "generated", seed=1)


def some_models(scratch: Path) -> Path:
    """The folder of models that the command line names first, else real or generated ones."""
    if sys.argv[1:]:
        return Path(sys.argv[1])
    return SHARED / "models" if (SHARED / "models").is_dir() else generated_models(scratch, 8)


def generated_models(scratch: Path, count: int) -> Path:
    """A folder of this many characters."""
    for seed in range(count):
        write_character(scratch / "generated" / str(seed), seed)
    return scratch / "generated"
