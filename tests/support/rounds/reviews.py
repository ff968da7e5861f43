"""Two reviews of one catalogue, on whose pages people decide, while it is scanned again and again
and one of the reviews is killed."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from dataset.catalog.catalog import load_catalog
from dataset.catalog.corrections import load_corrections, overrides_of
from tests.support.rounds.decisions import require_kept
from tests.support.rounds.kinds import CATALOG_NAME, KINDS, MODELS, in_peace, scanned
from tests.support.rounds.runs import DATASET, PATIENCE_SECONDS, FoundError, Rng, Run, require

_EDITORS = 4  # each of models of their own, half of them on each page


class _Page:
    """A review's page, that of the next review once this one is gone."""

    def __init__(self, folder: Path, catalog: Path) -> None:
        self._folder, self._catalog = folder, catalog
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        words = ["review", self._catalog, "--no-browser"]
        self.run = Run(DATASET, words, self._folder)
        self.address = self.run.address()

    def kill(self) -> None:
        """And open another."""
        self.run.signal_all(signal.SIGKILL)
        self.run.end()
        with self._lock:
            self._start()

    def decide(self, sha256: str, decision: str) -> bool:
        """Whether the page says that it is kept; False where nothing answers."""
        with self._lock:
            address = self.address
        connection = HTTPConnection(address, timeout=PATIENCE_SECONDS)
        own = {"Origin": f"http://{address}", "Content-Type": "application/json"}
        body = json.dumps({"decision": decision})
        try:
            connection.request("PATCH", f"/api/models/{sha256}/correction", body, own)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        require(answer.status == 200, f"no decision: {answer.status}: {text[:200]!r}")
        return True


def _edit(page: _Page, mine: list[str], rng: Rng, edits: int, said: list[str]) -> None:
    """Until so many decisions were kept."""
    kept, patience = 0, time.monotonic() + PATIENCE_SECONDS
    while kept < edits:
        require(time.monotonic() < patience, "a page does not answer for ever")
        word = f"{rng.choice(mine)} {rng.choice(['accept', 'reject'])}"
        said.append(f"begun {word}")
        if page.decide(*word.split()):
            said.append(f"kept {word}")
            kept += 1
        else:
            time.sleep(0.05)


def reviews(rng: Rng, folder: Path, edits: int = 50) -> None:
    """Of four people, ``edits`` decisions each."""
    scan = KINDS["scan"]
    models, out = scan.give(folder), folder / "out"
    catalog = out / CATALOG_NAME
    code, errors = scan.start(folder, models, out, slowness=0).end()
    require(code == 0, errors)
    shas = sorted(row.sha256 for row in load_catalog(catalog).rows)
    pages = [_Page(folder, catalog) for _ in range(2)]
    said: list[list[str]] = [[] for _ in range(_EDITORS)]
    share = MODELS // _EDITORS
    work = [
        partial(
            _edit,
            pages[number % 2],
            shas[number * share : (number + 1) * share],
            np.random.default_rng(rng.integers(1 << 32)),
            edits,
            said[number],
        )
        for number in range(_EDITORS)
    ]
    _beside(work, lambda: _trouble(rng, folder, models, out, pages))
    require_kept(overrides_of(catalog), said)
    require(scanned(out) == in_peace(scan, models), "another catalogue than in peace")
    for page in pages:
        page.run.signal_all(signal.SIGINT)
        code, errors = page.run.end()
        require(code == 130, f"exit code {code} on Ctrl-C: {errors[-2000:]}")


def _trouble(rng: Rng, folder: Path, models: Path, out: Path, pages: list[_Page]) -> None:
    """A scan, who reads, and a kill."""
    scanning = KINDS["scan"].start(folder, models, out)
    time.sleep(rng.uniform(0, 1.0))
    pages[int(rng.integers(2))].kill()
    while scanning.process.poll() is None:
        load_catalog(out / CATALOG_NAME)
        load_corrections(overrides_of(out / CATALOG_NAME))
        time.sleep(0.02)
    code, errors = scanning.end()
    require(code == 0, errors)


def _beside(work: Sequence[Callable[[], None]], more: Callable[[], None]) -> None:
    """Each in a thread, and one more here; raises what any of them raises."""
    faults: list[BaseException] = []

    def kept(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=kept, args=[one]) for one in work]
    for thread in threads:
        thread.start()
    kept(more)
    for thread in threads:
        thread.join()
    if faults:
        raise FoundError(str(faults[0])) from faults[0]
