"""Two at once where one does the work, or both do."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.support.rounds.kinds import (
    CATALOG_NAME,
    KINDS,
    Kind,
    built,
    in_peace,
    require_no_halves,
    require_the_same,
    scanned,
)
from tests.support.rounds.runs import Rng, require

_BUSY = "another run is writing there"


def not_alone(kind: Kind, rng: Rng, folder: Path) -> None:
    """Two at once into one folder: one does it, and the other says that it is being done."""
    given, out = kind.give(folder), folder / "out"
    first = kind.start(folder, given, out)
    time.sleep(rng.uniform(0, 0.5))
    second = kind.start(folder, given, out)
    ends = [first.end(), second.end()]
    require(any(code == 0 for code, _ in ends), f"neither ended well: {ends}")
    for code, errors in ends:
        require(code == 0 or (code == 1 and _BUSY in errors), f"exit code {code}: {errors[-2000:]}")
    require_the_same(kind, folder, given, out)


def build_while_scanning(rng: Rng, folder: Path) -> None:
    """A build of a catalogue, or of the folder into the catalogue's, while that is written anew;
    the scan is killed sometimes."""
    scan, build = KINDS["scan"], KINDS["build"]
    models, out = scan.give(folder), folder / "out"
    code, errors = scan.start(folder, models, out, slowness=0).end()
    require(code == 0, errors)
    given = models if rng.random() < 0.3 else out / CATALOG_NAME
    scanning = scan.start(folder, models, out)
    time.sleep(rng.uniform(0, 1.0))
    building = build.start(folder, given, out)
    if rng.random() < 0.4:
        time.sleep(rng.uniform(0, 1.5))
        scanning.signal_all(signal.SIGKILL)
        scanning.end()
    else:
        _require_done_or_busy(*scanning.end())
    _require_done_or_busy(*building.end())
    for kind, asked in ((scan, models), (build, given)):
        code, errors = kind.start(folder, asked, out, slowness=0).end()
        require(code == 0, f"did not go on: {errors[-2000:]}")
    require(scanned(out) == in_peace(scan, models), "another catalogue than in peace")
    require(built(out) == in_peace(build, models), "other shards than in peace")
    require_no_halves(out)


def _require_done_or_busy(code: int, errors: str) -> None:
    busy = code == 1 and _BUSY in errors
    require(code == 0 or busy, f"exit code {code}: {errors[-2000:]}")
