"""Runs wrong inputs through what reads them, and keeps account of what came of them.

Every input is decided by its target, its number and what lies in the corpus: the inputs that were
answered in words that nobody had heard before, of which further ones are made. The corpus lies on
disk, so a campaign goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import time
import traceback
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from contract.errors import OpenthaError
from contract.files import write_bytes
from tests.conftest import REPOSITORY
from tests.support.fuzzing.mutation import pick
from tests.support.fuzzing.target import Seed
from tests.support.fuzzing.targets import TARGETS

READ_FOLDER = "read"
"""Of a work folder: where the input lies that is being read."""
SLOW_SECONDS = 20.0
LARGE_MB = 1000.0
_KEPT_SHARE = 0.5  # of inputs that are made of kept ones rather than of seeds
_MOST_KEPT = 400
_SAVED_EVERY = 500
_LONGEST_KEPT = 1 << 18


@dataclass
class Account:
    """What came of a target's inputs; of all that the corpus knows, faults by their kind.

    ``answers``: the kinds of words that inputs were refused with. ``seconds``: of the slowest.
    ``grew_mb``: how much the process' peak memory grew by the input that it grew most by.
    """

    inputs: int = 0
    read: int = 0
    answers: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    grew_mb: float = 0.0


class Campaign:
    """One target's inputs, in a corpus folder of its own."""

    def __init__(self, name: str, corpus: Path, work: Path) -> None:
        """``work``: an empty folder, for the files that are read."""
        self._target = TARGETS[name]
        self._name = name
        self._corpus = corpus / name
        self._kept = self._corpus / "kept"
        self._kept.mkdir(parents=True, exist_ok=True)
        seeds = work / "seeds"
        seeds.mkdir(parents=True)
        self._seeds = list(self._target.seeds(seeds))
        self._work = work / READ_FOLDER
        self._work.mkdir()
        self._target.prepare(self._work)
        self._sound = {path.name: path.read_bytes() for path in self._work.iterdir()}
        self._mutated = sorted(self._kept.iterdir())
        self.account = self._load()
        self._warm_up()

    def _warm_up(self) -> None:
        """Load all that reading takes, so that no input is blamed for that."""
        path = self._work / self._target.name
        for seed in self._seeds:
            path.write_bytes(seed.data)
            self._answer(path)

    def _load(self) -> Account:
        path = self._corpus / "account.json"
        return Account(**json.loads(path.read_bytes())) if path.exists() else Account()

    def save(self) -> None:
        """Write down how far it is."""
        text = json.dumps(asdict(self.account), indent=1, ensure_ascii=False)
        write_bytes(self._corpus / "account.json", text.encode("utf-8", "backslashreplace"))

    def run(self, count: int, until: float = float("inf")) -> None:
        """The next inputs, ``count`` of them or until that time on the monotonic clock."""
        for done in range(count):
            if time.monotonic() > until:
                break
            self.one()
            if done % _SAVED_EVERY == _SAVED_EVERY - 1:
                self.save()
        self.save()

    def one(self) -> None:
        """The next input."""
        data = self._input(self.account.inputs)
        self.account.inputs += 1
        path = self._work / self._target.name
        self._clear(path)
        path.write_bytes(data)
        # Of the processor, not of the clock: a machine that is busy makes no input slow.
        began, before = time.process_time(), _peak_mb()
        answer = self._answer(path)
        took, grew = time.process_time() - began, _peak_mb() - before
        self.account.seconds = max(self.account.seconds, round(took, 3))
        self.account.grew_mb = max(self.account.grew_mb, round(grew, 1))
        if answer is None:
            self.account.read += 1
        elif isinstance(answer, str) and answer not in self.account.answers:
            self.account.answers.append(answer)
            self._keep(data)
        if took > SLOW_SECONDS:
            self._blame(f"slow: over {SLOW_SECONDS:g} s", data, "")
        if grew > LARGE_MB:
            self._blame(f"large: over {LARGE_MB:g} MB", data, "")

    def _clear(self, path: Path) -> None:
        """Have the folder as it was prepared."""
        for name, data in self._sound.items():
            other = path.with_name(name)
            if other != path and other.read_bytes() != data:
                other.write_bytes(data)

    def _answer(self, path: Path) -> str | None:
        """The kind of words in which an input is refused; None where it is read."""
        try:
            self._target.read(path)
        except OpenthaError as error:
            if "\n" in str(error).strip():
                self._blame("words of several lines", path.read_bytes(), str(error))
            return _kind(f"{type(error).__name__} {getattr(error, 'code', '')} {error}", path)
        except Exception as error:  # the very thing that is looked for
            where = _place(error)
            text = "".join(traceback.format_exception(error))
            self._blame(f"{type(error).__name__} at {where}", path.read_bytes(), text)
            return f"fault {type(error).__name__} at {where}"
        return None

    def _input(self, number: int) -> bytes:
        rng = np.random.default_rng([zlib.crc32(self._name.encode()), number])
        seed: Seed = pick(rng, self._seeds)
        data = seed.data
        if self._mutated and rng.random() < _KEPT_SHARE:
            data = pick(rng, self._mutated).read_bytes()
        for mutate in (pick(rng, seed.mutators), seed.mutators[-1]):
            try:
                return mutate(rng, data)
            except Exception:  # what was kept may be too wrong for it
                continue
        return data

    def _keep(self, data: bytes) -> None:
        if len(data) > _LONGEST_KEPT or len(self._mutated) >= _MOST_KEPT:
            return
        path = self._kept / hashlib.sha256(data).hexdigest()[:24]
        path.write_bytes(data)
        self._mutated = sorted({*self._mutated, path})  # as a later run finds them

    def _blame(self, kind: str, data: bytes, text: str) -> None:
        first = kind not in self.account.faults
        self.account.faults[kind] = self.account.faults.get(kind, 0) + 1
        if first:
            name = re.sub(r"[^\w.-]+", "_", kind)[:100]
            folder = self._corpus / "faults"
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
            (folder / f"{name}.txt").write_text(text, "utf-8", "backslashreplace")


def run_in(name: str, corpus: Path, work: Path, count: int, until: float = float("inf")) -> Account:
    """So many inputs of a target; what is known of it then. ``work`` is emptied afterwards."""
    work.mkdir(parents=True)
    try:
        campaign = Campaign(name, corpus, work)
        campaign.run(count, until)
        return campaign.account
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _kind(text: str, path: Path) -> str:
    """Words without what differs from file to file: paths, numbers, names."""
    text = text.replace(str(path), "PATH").replace(str(path.parent), "FOLDER")
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "NAME", text)
    return re.sub(r"[-+]?\d[\d.e+-]*", "N", text)[:120]


def _place(error: BaseException) -> str:
    """The last line of ours that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if f.filename.startswith(str(REPOSITORY)) and ".venv" not in f.filename
    ]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _peak_mb() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource

    units = 1 << (20 if sys.platform == "darwin" else 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units
