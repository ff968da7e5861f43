"""What keeping account of many models takes: scan, split, plan, build, review and loading, by size.

    python bench/rehearsal.py [--models 500 --models 2000 ...] [--characters DIR | --stand-ins]

For each number of models a folder of so many characters (generated, or of DIR) goes through every
command of the data set at tiny pictures and few poses. Prints for each step the processor's
seconds, the clock's, and the largest process' memory, and how fast the seconds grow from the last
number of models but one to the last: 1 is as fast as the models, 2 as their square. `--stand-ins`
takes files of some bytes and a studio without OpenGL in their place: what is left is the keeping of
account, and 8,000 models take minutes.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from contract.errors import InputError
from contract.text import counted
from tests.support.timing import seconds_of
from tests.support.tiny_builds import COMMAND, write_models

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = 40
STEPS = (
    "scan",
    "scan again",
    "group",
    "split",
    "plan",
    "build",
    "build again",
    "inspect",
    "verify",
)
_GROUP = """
import sys
from pathlib import Path
from dataset.catalog.catalog import load_catalog
from dataset.catalog.duplicates import with_groups
with_groups(load_catalog(Path(sys.argv[1])).rows)
"""
_EPOCH = """
import sys
from pathlib import Path
from train.data.order import SampleOrder, batches
from train.data.samples import open_splits
samples = open_splits(Path(sys.argv[1])).train
positions = range(0, len(samples), 25)
for _ in batches(samples, SampleOrder(len(samples), 0), ("expression", "posed"), positions):
    pass
"""


@dataclass(frozen=True)
class Cost:
    """Of a step: seconds of processors, children's too, and of the clock; bytes of memory."""

    work: float
    clock: float
    peak: int


@dataclass(frozen=True)
class Wish:
    """How models are had and drawn."""

    characters: Path | None
    stand_ins: bool
    poses: int
    size: int
    workers: int


@dataclass(frozen=True)
class Rehearsal:
    """One number of models: what each step took, and what lies on disk after them."""

    models: int
    costs: Mapping[str, Cost]
    left: Mapping[str, str]


def rehearse(count: int, wish: Wish, folder: Path) -> Rehearsal:
    """Take so many models through everything; ``InputError`` where a step fails."""
    models, out = folder / "models", folder / "out"
    gather(models, count, wish)
    dataset = [str(BIN / "dataset")]
    if wish.stand_ins:
        shim = folder / "dataset.py"
        shim.write_text(COMMAND)
        dataset = [sys.executable, str(shim)]
    catalog, python = out / "catalog.jsonl", [sys.executable, "-c"]
    drawn = f"--poses {wish.poses} --size {wish.size} --workers {wish.workers}"
    drawn += f" --split {out}/split.json"
    scan = f"scan {models} -o {catalog} --workers {wish.workers}"
    build = f"build {catalog} -o {out} {drawn}"
    commands: dict[str, list[str]] = {
        "scan": [*dataset, *shlex.split(scan)],
        "scan again": [*dataset, *shlex.split(scan)],
        "group": [*python, _GROUP, str(catalog)],
        "split": [*dataset, *shlex.split(f"split {catalog} --poses {wish.poses}")],
        "plan": [*dataset, *shlex.split(f"plan {catalog} {drawn}")],
        "build": [*dataset, *shlex.split(build)],
        "build again": [*dataset, *shlex.split(build)],
        "inspect": [*dataset, "inspect", str(out / "train")],
        "verify": [
            *dataset,
            "verify",
            *(str(out / part) for part in ("train", "validation", "test")),
        ],
    }
    costs = {name: _run(commands[name]) for name in STEPS}
    costs |= _review([*dataset, "review", str(catalog), "--no-browser"])
    costs["an epoch of the loader"] = _run([*python, _EPOCH, str(out)])
    return Rehearsal(count, costs, _left(catalog, out))


def gather(models: Path, count: int, wish: Wish) -> None:
    """A folder of so many models, of several sources."""
    if wish.stand_ins:
        write_models(models, {f"s{n % SOURCES:02d}/c{n}/m{n}": "ok" for n in range(count)})
        return
    if wish.characters is None:
        command = f"generate -n {count} --franchises {min(SOURCES, count)} -o"
        _run([str(BIN / "characters"), *shlex.split(command), str(models)])
        return
    found = sorted(path.parent for path in wish.characters.rglob("model.pm[dx]"))
    if len(found) < count:
        raise InputError(f"{wish.characters}: holds {len(found)} characters, not {count}")
    step = len(found) / count  # of all sources, as far as it goes
    for character in (found[int(n * step)] for n in range(count)):
        shutil.copytree(character, models / character.relative_to(wish.characters))


def _run(command: Sequence[str]) -> Cost:
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = (said.read().decode().strip().splitlines() or ["nothing was said"])[-1]
            raise InputError(f"{' '.join(command[:3])}: {last:.300}")
    return _cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss)


def _cost(work: float, clock: float, kibibytes: int) -> Cost:
    return Cost(work, clock, kibibytes << 10)


def _review(command: Sequence[str]) -> dict[str, Cost]:
    """The page's start, the first list it asks for, and a search for one model."""
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            address = re.search(r"http://\S+", process.stdout.readline())
            if not address:
                raise InputError("review: says no address")
            costs = {"review: start": _cost(_worked(process.pid), time.monotonic() - began, 0)}
            for name, query in (("first list", {}), ("a search", {"search": "m7"})):
                asked = urllib.parse.urljoin(
                    address[0], f"/api/models?{urllib.parse.urlencode(query)}"
                )
                before = _worked(process.pid)
                clock = seconds_of(partial(_read, asked))
                costs[f"review: {name}"] = _cost(
                    _worked(process.pid) - before, clock, _peak(process.pid)
                )
        finally:
            process.send_signal(signal.SIGINT)
    return costs


def _read(address: str) -> bytes:
    with urllib.request.urlopen(address) as answer:
        data: bytes = answer.read()
    return data


def _worked(pid: int) -> float:
    """Seconds of processors that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def _left(catalog: Path, out: Path) -> dict[str, str]:
    cache = catalog.with_name(catalog.name + ".cache")
    shards = list(out.rglob("*.h5"))
    return {
        "catalogue": f"{catalog.stat().st_size / 1e6:.1f} MB",
        "files beside it": f"{sum(1 for _ in cache.iterdir()):,}",
        "plans": f"{sum(p.stat().st_size for p in out.rglob('plan.json')) / 1e6:.1f} MB",
        "shards": f"{len(shards):,}, {sum(p.stat().st_size for p in shards) / 1e6:.1f} MB",
    }


def growth(few: Rehearsal, many: Rehearsal, step: str) -> float:
    """The power of the number of models that the seconds of processors grow with."""
    more = many.costs[step].work / max(few.costs[step].work, 0.01)
    return math.log(max(more, 0.01)) / math.log(many.models / few.models)


def table(found: Sequence[Rehearsal]) -> Table:
    """A row for each step, three columns for each number of models."""
    drawn = Table("step", *(counted(one.models, "model") for one in found), "growth")
    for step in found[0].costs:
        costs = [one.costs[step] for one in found]
        cells = [f"{c.work:.1f} s ({c.clock:.1f}), {c.peak / 1e6:.0f} MB" for c in costs]
        grows = f"{growth(found[-2], found[-1], step):.2f}" if len(found) > 1 else ""
        drawn.add_row(step, *cells, grows)
    for what in found[0].left:
        drawn.add_row(what, *(one.left[what] for one in found), "")
    return drawn


@click.command()
@click.option("--models", "counts", type=int, multiple=True, default=(500, 2000, 8000))
@click.option("--characters", type=click.Path(path_type=Path, exists=True), help="Take these.")
@click.option("--stand-ins", is_flag=True, help="No characters: the keeping of account alone.")
@click.option("--poses", default=4, show_default=True)
@click.option("--size", default=32, show_default=True)
@click.option("--workers", default=0, show_default=True)
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write all numbers.")
def main(
    counts: tuple[int, ...],
    characters: Path | None,
    stand_ins: bool,
    poses: int,
    size: int,
    workers: int,
    as_json: Path | None,
) -> None:
    wish = Wish(characters, stand_ins, poses, size, workers)
    found: list[Rehearsal] = []
    for count in sorted(counts):
        with tempfile.TemporaryDirectory() as folder:
            found.append(rehearse(count, wish, Path(folder)))
        Console(width=None if sys.stdout.isatty() else 40 + 32 * len(found)).print(table(found))
        if as_json:
            costs = {one.models: {k: vars(c) for k, c in one.costs.items()} for one in found}
            as_json.write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
