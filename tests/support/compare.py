"""Comparing our records with pymeshio's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

xyz = attrgetter("x", "y", "z")
xyzw = attrgetter("x", "y", "z", "w")
rgb = attrgetter("r", "g", "b")
rgba = attrgetter("r", "g", "b", "a")


def sound_files(folder: Path, suffix: str) -> list[Path]:
    """The model files under ``folder`` that are meant to be read."""
    return [path for path in sorted(folder.rglob(f"*{suffix}")) if path.parent.name != "broken"]


def same(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> None:
    """Equal numbers, as float32; the shapes of empty arrays do not count."""
    left, right = np.asarray(ours, np.float32), np.asarray(theirs, np.float32)
    assert left.size == right.size
    if left.size:
        np.testing.assert_array_equal(left, right)


def column(of: Callable[[Any], Any], records: Iterable[Any]) -> list[Any]:
    """One field of every record."""
    return [of(record) for record in records]
