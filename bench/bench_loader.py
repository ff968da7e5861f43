"""What batches cost beside decoding the same pictures alone, on the same cores.

Decoding alone: the codec turns bytes that lie in memory into a picture, and keeps nothing. Reading
alone: each picture is read from its shard and checked first. Batches: the same, put into batches,
as training takes them. In network form: batches, each converted where training converts it too,
here on the CPU. All with the same number of threads, interleaved; prints pictures a second, and
their ratio to decoding alone. Give a folder of shards, else some are drawn first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from contract.progress import open_progress
from dataset.build.build import build
from dataset.build.configuration import Configuration
from dataset.catalog.choose import Wish, choose
from dataset.drawing.rendering import open_renderer, open_scanner
from dataset.jobs.pool import Crew
from dataset.scan.scan import open_catalog
from dataset.shards.codec import decode
from dataset.shards.records import PictureName
from tests.support.some_models import generated_models
from tests.support.timing import alternating
from train.data.order import SampleOrder, batches
from train.data.samples import SampleSet, open_samples

BATCH = 25
SAMPLES = 2000
ROUNDS = 9
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
    codec, size, cpu = samples.readers[0].header.codec, samples.size, torch.device("cpu")
    order, positions = SampleOrder(len(samples), 0), range(0, SAMPLES, BATCH)
    frames = [
        (reader, int(reader.samples[int(samples.row[number])][name]))
        for number in order.between(0, SAMPLES)
        for reader in [samples.readers[samples.shard[number]]]
        for name in NAMES
    ]
    encoded = [reader.encoded_frame(frame) for reader, frame in frames]

    def decoding() -> None:
        _in_threads(threads, lambda data: decode(data, codec, size), encoded)

    def reading() -> None:
        _in_threads(threads, lambda frame: frame[0].frame(frame[1]), frames)

    def loading() -> None:
        for _ in batches(samples, order, NAMES, positions, workers=threads):
            pass

    def converting() -> None:
        for batch in batches(samples, order, NAMES, positions, workers=threads):
            batch.to_network(cpu, size)

    works = {
        "decoding alone": decoding,
        "reading alone": reading,
        "batches": loading,
        "in network form": converting,
    }
    best = {name: min(times) for name, times in alternating(works, ROUNDS).items()}
    for name, time_taken in best.items():
        print(
            f"{threads} threads, {name}: {len(frames) / time_taken:.0f} pictures/s, "
            f"ratio {best['decoding alone'] / time_taken:.2f}"
        )


def _in_threads(threads: int, work: Callable[[Any], object], items: Sequence[Any]) -> None:
    """In pieces as large as batches, so that handing out work costs what it costs there."""
    pieces = [items[i : i + 2 * BATCH] for i in range(0, len(items), 2 * BATCH)]

    def do(piece: Sequence[Any]) -> None:
        for item in piece:
            work(item)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(do, pieces):
            pass


def _draw(folder: Path) -> Path:
    models = generated_models(folder, 4)
    wanted = Configuration(16, 0, 256, "phong", 0.5, 0.5, 1, "qoi", 0)
    with open_progress("samples") as progress:
        crew = Crew(1, 120.0)
        scanner = partial(open_scanner, "auto")
        catalog, corrections = open_catalog(models, folder / "shards", crew, scanner, progress)
        selection = choose(catalog, corrections, Wish(include_doubtful=True))
        studio = partial(open_renderer, "auto")
        build(models, selection, folder / "shards", wanted, crew, studio, progress)
    return folder / "shards"


if __name__ == "__main__":
    main()
