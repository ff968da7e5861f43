"""What a batch in network form costs beside decoding the same pictures alone, on the same cores.

Decoding alone: read, checksum and decode each picture, and keep nothing. Ours: the same, converted
to network form and put into batches. Both with the same number of threads, interleaved; prints
pictures a second and their ratio. Give a folder of shards, else some are drawn first.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from characters.generate import write_character
from dataset.build import build, open_renderer
from dataset.configuration import Configuration
from dataset.pool import Crew
from dataset.progress import open_progress
from dataset.records import PictureName
from train.batch import SampleOrder, batches
from train.samples import SampleSet, open_samples

BATCH = 25
SAMPLES = 200
ROUNDS = 5
NAMES: tuple[PictureName, PictureName] = ("expression", "posed")


def main() -> None:
    with TemporaryDirectory() as folder:
        shards = Path(sys.argv[1]) if len(sys.argv) > 1 else _draw(Path(folder))
        samples = open_samples(shards)
        print(
            f"{len(samples)} samples of {samples.size} pixels; "
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        for threads in sorted({1, os.cpu_count() or 1}):
            compare(samples, threads)


def compare(samples: SampleSet, threads: int) -> None:
    numbers = SampleOrder(len(samples), 0).between(0, SAMPLES)

    def decode(number: int) -> None:
        samples.readers[samples.shard[number]].pictures(int(samples.row[number]), NAMES)

    def alone() -> None:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(decode, map(int, numbers)):
                pass

    def ours() -> None:
        positions = range(0, SAMPLES, BATCH)
        order = SampleOrder(len(samples), 0)
        for _ in batches(samples, order, NAMES, samples.size, positions, workers=threads):
            pass

    seconds: dict[str, list[float]] = {"decoding alone": [], "batches": []}
    for _ in range(ROUNDS):
        for name, work in zip(seconds, (alone, ours), strict=True):
            seconds[name].append(_time(work))
    best = {name: min(times) for name, times in seconds.items()}
    for name, time_taken in best.items():
        print(f"{threads} threads, {name}: {2 * SAMPLES / time_taken:.0f} pictures/s")
    print(f"{threads} threads, ratio: {best['decoding alone'] / best['batches']:.2f}")


def _time(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _draw(folder: Path) -> Path:
    for seed in range(4):
        write_character(folder / "models" / str(seed), seed=seed)
    wanted = Configuration(16, 0, 256, "phong", 0.5, 0.5, 1, "qoi", 0)
    with open_progress("samples") as progress:
        build(
            folder / "models",
            folder / "shards",
            wanted,
            Crew(1, 120.0),
            partial(open_renderer, "auto"),
            progress,
        )
    return folder / "shards"


if __name__ == "__main__":
    main()
