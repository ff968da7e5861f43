"""Wrong inputs for whatever reads strangers' files, for as long as one likes.

    python bench/fuzz.py [SECONDS [CORPUS [TARGET ...]]]

The corpus folder is kept: the next run goes on where this one stopped. Each target works in a
process of its own, in turns; one that dies is a fault like others. Ends with 1 where there is any;
the inputs lie in CORPUS/TARGET/faults.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.support.fuzzing.campaign import READ_FOLDER, Account  # noqa: E402
from tests.support.fuzzing.targets import TARGETS  # noqa: E402

TURN_SECONDS = 60.0
"""Of a target whose share is 1."""


def main() -> int:
    seconds = float(sys.argv[1]) if sys.argv[1:] else 600.0
    corpus = Path(sys.argv[2] if sys.argv[2:] else ".fuzz").resolve()
    names = sys.argv[3:] or list(TARGETS)
    corpus.mkdir(parents=True, exist_ok=True)
    before = {name: _account(corpus, name) for name in names}
    ends, turn = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        name = names[turn % len(names)]
        turn += 1
        wanted = min(
            TURN_SECONDS * min(2.0, max(0.5, TARGETS[name].share)), ends - time.monotonic()
        )
        _take_a_turn(name, corpus, wanted)
    return _report(corpus, before)


def _take_a_turn(name: str, corpus: Path, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        words = [name, str(corpus), str(work), str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.fuzzing", *words],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            _keep_death(name, corpus, work, done)


def _keep_death(
    name: str, corpus: Path, work: Path, done: subprocess.CompletedProcess[str]
) -> None:
    """What the process was reading when it died."""
    kind = f"process ended with {done.returncode}"
    folder = corpus / name / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / kind.replace(" ", "_")
    reading = work / READ_FOLDER / TARGETS[name].name
    if reading.exists():
        shutil.copy(reading, target)
    target.with_name(f"{target.name}.txt").write_text(done.stderr[-4000:], "utf-8")
    path, account = corpus / name / "account.json", _account(corpus, name)
    account.faults[kind] = account.faults.get(kind, 0) + 1
    account.inputs += 1  # not the same one again
    path.write_text(json.dumps(vars(account), indent=1), "utf-8")


def _account(corpus: Path, name: str) -> Account:
    path = corpus / name / "account.json"
    return Account(**json.loads(path.read_bytes())) if path.exists() else Account()


def _report(corpus: Path, before: dict[str, Account]) -> int:
    print(
        f"{'target':14}{'inputs':>10}{'now':>9}{'read':>9}{'answers':>9}{'slowest':>10}"
        f"{'grew':>9}{'faults':>8}"
    )
    total, now, faults = 0, 0, 0
    for name, earlier in before.items():
        account = _account(corpus, name)
        total, now = total + account.inputs, now + account.inputs - earlier.inputs
        faults += len(account.faults)
        print(
            f"{name:14}{account.inputs:10}{account.inputs - earlier.inputs:9}{account.read:9}"
            f"{len(account.answers):9}{account.seconds:8.2f} s{account.grew_mb:6.0f} MB"
            f"{len(account.faults):8}"
        )
        for kind, count in account.faults.items():
            print(f"    {count} x {kind}")
    print(f"{'all':14}{total:10}{now:9}{faults:47} kinds of faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
