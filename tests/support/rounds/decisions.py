"""People who decide at once: whatever one was told is kept is kept."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from contract.errors import InputError
from dataset.catalog.corrections import OVERRIDES_NAME, load_corrections
from tests.conftest import REPOSITORY
from tests.support.rounds.runs import PATIENCE_SECONDS, FoundError, Rng, require

_EDITOR = f"""
import os, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
import numpy as np
from dataset.catalog.corrections import Correction, keep_correction

overrides, said, number = Path(sys.argv[1]), open(sys.argv[2], "ab", buffering=0), int(sys.argv[3])
rng = np.random.default_rng(number)
for step in range(int(sys.argv[4])):
    sha = f"{{number}}{{rng.integers(4)}}".ljust(64, "0")
    decision = ("accept", "reject")[rng.integers(2)]
    said.write(f"begun {{sha}} {{decision}}\\n".encode())
    keep_correction(overrides, Correction(sha, f"{{number}}.pmx", decision), adding=True)
    said.write(f"kept {{sha}} {{decision}}\\n".encode())
"""


def decisions(rng: Rng, folder: Path, edits: int = 40) -> None:
    """People who decide at once about models of one catalogue, some of them killed, while others
    read: whatever one was told is kept is kept."""
    overrides, script = folder / OVERRIDES_NAME, folder / "editor.py"
    script.write_text(_EDITOR)
    said = [folder / f"{number}.said" for number in range(4)]
    words = [[str(script), str(overrides), str(said[n]), str(n), str(edits)] for n in range(4)]
    editors = [subprocess.Popen([sys.executable, *one], cwd=REPOSITORY) for one in words]
    patience = time.monotonic() + PATIENCE_SECONDS
    victims = set(rng.choice(4, 2, replace=False).tolist())
    dies = {n: time.monotonic() + rng.uniform(0.3, 2.5) for n in victims}
    while any(editor.poll() is None for editor in editors):
        require(time.monotonic() < patience, "editors wait for one another for ever")
        try:
            load_corrections(overrides)
        except InputError as error:
            raise FoundError(f"who reads meanwhile sees: {error}") from error
        for number in [n for n, at in dies.items() if time.monotonic() > at]:
            editors[number].kill()
            del dies[number]
        time.sleep(0.01)
    for number, editor in enumerate(editors):
        editor.wait()
        require(number in victims or editor.returncode == 0, f"editor {number} failed")
    require_kept(overrides, [_lines(path) for path in said])


def require_kept(overrides: Path, said: Sequence[Iterable[str]]) -> None:
    """Of each editor's lines, "begun SHA DECISION" and "kept SHA DECISION", the last word on each
    model that was said to be kept is kept."""
    kept = load_corrections(overrides)
    for lines in said:
        allowed: dict[str, set[str]] = {}
        for verb, sha, decision in map(str.split, lines):
            if verb == "kept":
                allowed[sha] = {decision}
            else:  # it may have been killed before it was told
                allowed.setdefault(sha, {""}).add(decision)
        for sha, decisions_made in allowed.items():
            found = kept[sha].decision if sha in kept else ""
            require(found in decisions_made, f"{sha[:2]}: {found}, not {decisions_made}")


def _lines(path: Path) -> Sequence[str]:
    return path.read_text().splitlines() if path.exists() else []
