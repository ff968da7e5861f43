"""Rounds of trouble for build, scan, train, animate, serve and review: kills, Ctrl-C, full disks,
two at once. One table; ends with 1 where a round found something.

    python bench/soak.py [SECONDS [KIND ...] [xROUNDS] [SEED]]

Each kind has ROUNDS rounds at least (x25: 25; one unless given), and more while SECONDS last. Each
round says its seed; `python bench/soak.py 0 KIND SEED` runs that one again, as far as timing lets
it. Where no disk may be mounted, those rounds are left out, and that is said.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.support.rounds.rounds import ROUNDS  # noqa: E402
from tests.support.rounds.runs import no_survivors  # noqa: E402
from tests.support.rounds.trouble import has_small_disks  # noqa: E402

DISK = "on a full disk"


@dataclass
class Tally:
    """Of one kind of round."""

    rounds: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


def main() -> int:
    seconds = float(sys.argv[1]) if sys.argv[1:] else 1200.0
    counts = [int(word[1:]) for word in sys.argv[2:] if re.fullmatch("x[0-9]+", word)]
    wanted = [word for word in sys.argv[2:] if not re.fullmatch("x?[0-9]+", word)]
    seeds = [int(word) for word in sys.argv[2:] if word.isdecimal()]
    kinds = [kind for kind in ROUNDS if not wanted or any(word in kind for word in wanted)]
    with tempfile.TemporaryDirectory() as scratch:
        if not has_small_disks(Path(scratch)):
            kinds = [kind for kind in kinds if DISK not in kind]
            print("no disk may be mounted here: rounds on full disks are left out")
    tallies = {kind: Tally() for kind in kinds}
    ends = time.monotonic() + seconds
    first = int(time.time()) if not seeds else seeds[0]
    rounds = ((number, kind) for number in itertools.count() for kind in kinds)
    for number, kind in rounds:
        if number >= max(counts, default=1) and time.monotonic() > ends:
            break
        _one(kind, first + number, tallies[kind])
    return _report(tallies)


def _one(kind: str, seed: int, tally: Tally) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            with no_survivors():
                ROUNDS[kind](np.random.default_rng(seed), Path(folder))
        except Exception as error:  # whatever a round found
            tally.faults.append(f"seed {seed}: {type(error).__name__}: {error}")
            print(f"{kind}, {tally.faults[-1]}", flush=True)
    took = time.monotonic() - began
    tally.rounds += 1
    tally.seconds += took
    tally.slowest = max(tally.slowest, took)


def _report(tallies: dict[str, Tally]) -> int:
    print(f"{'rounds':24}{'run':>6}{'sound':>8}{'mean':>10}{'slowest':>10}")
    for kind, tally in tallies.items():
        sound = tally.rounds - len(tally.faults)
        mean = tally.seconds / max(tally.rounds, 1)
        print(f"{kind:24}{tally.rounds:6}{sound:8}{mean:8.1f} s{tally.slowest:8.1f} s")
    return 1 if any(tally.faults for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
