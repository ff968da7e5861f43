"""Rounds of trouble: runs that are killed, interrupted, out of room or not alone, and what must be
left of them: the same bytes as of a run in peace, no half file, and no decision lost.

A round is given a generator of random numbers, which decides it but for the machine's own timing,
and an empty folder; it raises where something is not as it should be.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

from contract.errors import InputError
from dataset.catalog.corrections import OVERRIDES_NAME, load_corrections
from tests.conftest import REPOSITORY
from tests.support.tiny_builds import quarantine_rows, tables, write_models
from tests.support.tiny_renderer import SLOWNESS

Rng = np.random.Generator
Round = Callable[[Rng, Path], None]

PATIENCE_SECONDS = 300.0
_MODELS = 8
_BEGUN = "OPENTHA_ROUND_BEGUN"
_OPTIONS = "--poses 5 --seed 3 --size 16 --ambient 0.5..1.2 --light-levels 2 --samples-per-shard 10"

_DATASET = f"""
import os, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from contract.interrupt import run_command

def load():
    open(os.environ[{_BEGUN!r}], "w").close()
    import dataset.commands.main, dataset.drawing.rendering
    from tests.support.tiny_renderer import open_tiny_device, open_tiny_scanner
    dataset.drawing.rendering.open_renderer = open_tiny_device
    dataset.drawing.rendering.open_scanner = open_tiny_scanner
    return dataset.commands.main.main

if __name__ == "__main__":
    run_command(load)
"""
_TRAIN = (
    _DATASET.partition("    import dataset")[0]
    + """
    from train.cli import main
    return main

run_command(load)
"""
)
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


class FoundError(AssertionError):
    """What a round found."""


def require(is_sound: object, text: str) -> None:
    """Raise ``FoundError`` unless it is."""
    if not is_sound:
        raise FoundError(text)


# Runs.


class Run:
    """A command as a process of its own, with workers in its group."""

    def __init__(
        self,
        script: str,
        words: Sequence[object],
        folder: Path,
        *,
        slowness: float = 0.004,
        most_bytes: int = 0,
    ) -> None:
        self._begun = folder / f"begun-{time.monotonic_ns()}"
        path = folder / "command.py"
        path.write_text(script)
        own = {SLOWNESS: str(slowness), _BEGUN: str(self._begun), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(path), *map(str, words)],
            cwd=REPOSITORY,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=partial(_limit_files, most_bytes) if most_bytes else None,  # noqa: PLW1509
        )

    def wait_until_begun(self) -> None:
        """Until the command's own code runs."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not self._begun.exists() and self.process.poll() is None:
            require(time.monotonic() < patience, "a command never began")
            time.sleep(0.005)

    def kill_one_worker(self, rng: Rng) -> None:
        """As the out-of-memory killer does."""
        if children := _children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(int(rng.choice(children)), signal.SIGKILL)

    def signal_all(self, number: int) -> None:
        """As a terminal does, or a machine that is switched off."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """The exit code and what was said on stderr; there must be no traceback in it."""
        try:
            _, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal_all(signal.SIGKILL)
            raise FoundError("a command never ended") from None
        finally:
            self.signal_all(signal.SIGKILL)
        require("Traceback" not in errors, f"a traceback:\n{errors[-3000:]}")
        return self.process.returncode, errors


def _limit_files(most_bytes: int) -> None:
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def _children(process: int) -> list[int]:
    """Its worker processes (Linux alone tells)."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [child for child in map(int, text.split()) if b"spawn_main" in _command_of(child)]
    return []


def _command_of(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def _build(folder: Path, models: Path, out: Path, **options: float) -> Run:
    words = ["build", models, "-o", out, *_OPTIONS.split(), "--workers", 2]
    return Run(_DATASET, words, folder, **options)  # type: ignore[arg-type]


def _scan(folder: Path, models: Path, out: Path, **options: float) -> Run:
    words = ["scan", models, "-o", out / "catalog.jsonl", "--workers", 2]
    out.mkdir(exist_ok=True)
    return Run(_DATASET, words, folder, **options)  # type: ignore[arg-type]


def _train(folder: Path, shards: Path, out: Path, **options: float) -> Run:
    settings = (
        *("network.size=16", "network.channels=4", "network.max_channels=8"),
        *("network.residual_blocks=1", "all.batch=4", "all.samples=240"),
        *("upkeep.checkpoint_samples=16", "upkeep.log_samples=16", "upkeep.grid_samples=80"),
    )
    changes = [word for one in settings for word in ("--set", one)]
    words = ["all", shards, "-o", out, "--preset", "demo", "--stage", "morpher", *changes]
    return Run(_TRAIN, words, folder, **options)  # type: ignore[arg-type]


Start = Callable[..., Run]


def _built(out: Path) -> object:
    require(not quarantine_rows(out), f"models were blamed: {quarantine_rows(out)}")
    return tables(out)


def _scanned(out: Path) -> object:
    lines = (out / "catalog.jsonl").read_bytes().split(b"\n")
    require(len(lines) == _MODELS + 2, f"{len(lines) - 2} of {_MODELS} models are in the catalogue")
    return lines[1:]  # the first names the folder


def _trained(out: Path) -> object:
    from train.run.checkpoint import load_checkpoint  # loads torch

    checkpoint = load_checkpoint(out / "morpher" / "checkpoint.pt")
    return checkpoint.step, {k: v.numpy().tobytes() for k, v in checkpoint.network.items()}


def _in_peace(start: Start, given: Path, look: Callable[[Path], object]) -> object:
    """What a run leaves that nobody troubles; made once for all rounds that give the same."""
    key = look.__name__
    if key not in _PEACE:
        folder = given.parent / "peace"
        folder.mkdir()
        code, errors = start(folder, given, folder / "out", slowness=0).end()
        require(code == 0, errors)
        _PEACE[key] = look(folder / "out")
    return _PEACE[key]


_PEACE: dict[str, object] = {}


def _require_the_same(
    start: Start, look: Callable[[Path], object], folder: Path, given: Path, out: Path
) -> None:
    """Let the run go on undisturbed: it ends well, with what one in peace leaves."""
    code, errors = start(folder, given, out, slowness=0).end()
    require(code == 0, f"did not go on: {errors[-2000:]}")
    require(look(out) == _in_peace(start, given, look), "another result than in peace")
    half = list(out.rglob("*.tmp"))
    require(not half, f"half files are left: {half}")


# Rounds.


def _given(kind: str, folder: Path) -> Path:
    if kind == "train":
        from tests.support.tiny_shards import write_shards

        return write_shards(folder / "shards")
    return write_models(folder / "models", {f"m{n}": "ok" for n in range(_MODELS)})


_KINDS: Mapping[str, tuple[Start, Callable[[Path], object], float]] = {
    "build": (_build, _built, 2.0),
    "scan": (_scan, _scanned, 2.0),
    "train": (_train, _trained, 6.0),
}
"""How it is started, what is looked at, and the seconds within which trouble comes."""


def killed(kind: str, rng: Rng, folder: Path) -> None:
    """All of it, its supervisor, or one worker, up to three times."""
    start, look, seconds = _KINDS[kind]
    given, out = _given(kind, folder), folder / "out"
    for _ in range(int(rng.integers(1, 4))):
        run = start(folder, given, out)
        run.wait_until_begun()
        time.sleep(rng.uniform(0, seconds))
        how = str(rng.choice(["all", "supervisor", "worker"]))
        if how == "worker" and kind != "train":
            run.kill_one_worker(rng)
            code, errors = run.end()
            require(code == 0, f"one worker was killed, and all of it ended: {errors[-2000:]}")
        elif how == "supervisor":
            run.process.kill()
            run.process.wait()
            time.sleep(0.3)  # its workers see that it is gone
            run.end()
        else:
            run.signal_all(signal.SIGKILL)
            run.end()
    _require_the_same(start, look, folder, given, out)


def interrupted(kind: str, rng: Rng, folder: Path) -> None:
    """Ctrl-C, one to four times in quick succession, at any moment."""
    start, look, seconds = _KINDS[kind]
    given, out = _given(kind, folder), folder / "out"
    run = start(folder, given, out)
    run.wait_until_begun()
    time.sleep(rng.uniform(0, seconds) * rng.choice([0.1, 1.0]))
    for _ in range(int(rng.integers(1, 5))):
        run.signal_all(signal.SIGINT)
        time.sleep(rng.uniform(0, 0.2))
    code, errors = run.end()
    require(code in {0, 130}, f"exit code {code} on Ctrl-C: {errors[-2000:]}")
    _require_the_same(start, look, folder, given, out)


def out_of_room(kind: str, rng: Rng, folder: Path) -> None:
    """No file may become larger than so much; then there is room again."""
    start, look, _ = _KINDS[kind]
    given, out = _given(kind, folder), folder / "out"
    most = int(10 ** rng.uniform(2, 4.6 if kind != "train" else 5.3))
    code, errors = start(folder, given, out, slowness=0, most_bytes=most).end()
    require(code in {0, 1}, f"exit code {code} without room: {errors[-2000:]}")
    if code:
        last = errors.strip().splitlines()[-1]
        require(last.startswith("error: "), f"the last line is {last!r}")
    _require_the_same(start, look, folder, given, out)


def full_disk(kind: str, rng: Rng, folder: Path) -> None:
    """A disk of its own that is too small; then a larger one, with what was on the first."""
    start, look, _ = _KINDS[kind]
    given, out = _given(kind, folder), folder / "out"
    with small_disk(folder / "disk", int(10 ** rng.uniform(3.9, 5.2))) as disk:
        code, errors = start(folder, given, disk / "out", slowness=0).end()
        require(code in {0, 1}, f"exit code {code} on a full disk: {errors[-2000:]}")
        shutil.copytree(disk / "out", out, dirs_exist_ok=True)
    _require_the_same(start, look, folder, given, out)


def has_small_disks(folder: Path) -> bool:
    """Whether this process may mount one."""
    try:
        with small_disk(folder / "disk", 1 << 16):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of its own of so many bytes, in a new folder, while inside."""
    folder.mkdir()
    options = f"size={size}"
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
        folder.rmdir()


def not_alone(kind: str, rng: Rng, folder: Path) -> None:
    """Two at once into one folder: one does it, and the other says that it is being done."""
    start, look, _ = _KINDS[kind]
    given, out = _given(kind, folder), folder / "out"
    first = start(folder, given, out)
    time.sleep(rng.uniform(0, 0.5))
    second = start(folder, given, out)
    ends = [first.end(), second.end()]
    require(any(code == 0 for code, _ in ends), f"neither ended well: {ends}")
    for code, errors in ends:
        said = "another run is writing there" in errors
        require(code == 0 or (code == 1 and said), f"exit code {code}: {errors[-2000:]}")
    _require_the_same(start, look, folder, given, out)


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
    _require_kept(overrides, said)


def _require_kept(overrides: Path, said: Sequence[Path]) -> None:
    kept = load_corrections(overrides)
    for path in said:
        allowed: dict[str, set[str]] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            verb, sha, decision = line.split()
            if verb == "kept":
                allowed[sha] = {decision}
            else:  # it may have been killed before it was told
                allowed.setdefault(sha, {""}).add(decision)
        for sha, decisions_made in allowed.items():
            found = kept[sha].decision if sha in kept else ""
            require(found in decisions_made, f"{sha[:2]}: {found}, not {decisions_made}")


ROUNDS: Mapping[str, Round] = {
    **{f"{kind} killed": partial(killed, kind) for kind in _KINDS},
    **{f"{kind} interrupted": partial(interrupted, kind) for kind in _KINDS},
    **{f"{kind} out of room": partial(out_of_room, kind) for kind in _KINDS},
    **{f"{kind} on a full disk": partial(full_disk, kind) for kind in _KINDS},
    **{f"two {kind}s at once": partial(not_alone, kind) for kind in _KINDS},
    "decisions at once": decisions,
}
