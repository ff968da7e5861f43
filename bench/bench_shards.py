"""What storing pictures costs, how fast loaders get them back, and whether a worker grows.

    OMP_NUM_THREADS=1 python bench/bench_shards.py [FOLDER OF MODELS]

Without a folder (or ../shared/models) it draws characters that it generates. Ratios come from
interleaved rounds of one run. Exit code 1 when a worker's memory grows by more than ``GROWTH_BAR``
over the last 80 of 100 models.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from contract.errors import ModelError
from contract.image import Stored
from contract.light import DEFAULT_LIGHT
from contract.text import place
from dataset.build.build_worker import ShardJob, WorkerSetup, make_shard
from dataset.build.configuration import Configuration
from dataset.build.plan import ShardPart
from dataset.build.sampling import draw_sample
from dataset.catalog.choose import PlannedModel
from dataset.catalog.provenance import hash_model
from dataset.drawing.protocols import OpenedModel
from dataset.drawing.rendering import OpenGlRenderer, open_renderer, open_scanner
from dataset.jobs.messages import Message, ModelFailed
from dataset.scan.walk import list_models
from dataset.shards.codec import CODECS, Codec, decode, encode
from dataset.shards.shard import ShardReader
from tests.support.some_models import some_models
from tests.support.timing import alternating

POSES = 24
FEW_POSES = 6
ROUNDS = 3
READS = 1000
MODELS = 100
GROWTH_BAR = 0.1


def main() -> int:
    with TemporaryDirectory() as name:
        scratch = Path(name)
        folder = some_models(scratch)
        configuration = Configuration(POSES)
        renderer = open_renderer("auto", configuration.size)
        models = usable(folder)
        print(f"{len(models)} models of {folder.name}, 256x256, {renderer.renderer_name}")
        first = folder / models[0].path, models[0].annotation
        compare_codecs(renderer.open(*first))
        compare_overlap(renderer.open(*first))
        setup = WorkerSetup(folder, configuration, partial(open_renderer, "auto"))
        measure_reading(make(scratch / "a.h5", models, setup, renderer))
        return 0 if memory_growth(scratch, models, setup, renderer) <= GROWTH_BAR else 1


def usable(folder: Path) -> list[PlannedModel]:
    models = []
    scanner = open_scanner("auto")
    for path in list_models(folder).models:
        try:
            annotation = scanner.scan(place(folder, path))[0].annotation
        except ModelError:
            continue
        models.append(PlannedModel(path, hash_model(place(folder, path)), annotation))
    return models


def draw_all(opened: OpenedModel, take: Callable[[Stored], object]) -> None:
    """The expression and the posed picture of every sample."""
    for index in range(POSES):
        pose = draw_sample(0, "", index, 1).pose
        take(opened.draw(pose.face_only(), DEFAULT_LIGHT))
        take(opened.draw(pose, DEFAULT_LIGHT))


def fastest(*tasks: Callable[[], object]) -> list[float]:
    """Seconds of each task: the least of several interleaved rounds."""
    works = {str(number): task for number, task in enumerate(tasks)}
    return [min(times) for times in alternating(works, ROUNDS).values()]


def compare_codecs(opened: OpenedModel) -> None:
    pictures: list[Stored] = []
    draw_all(opened, pictures.append)
    for codec in CODECS:
        encoded = encode_all(pictures, codec)
        writing, reading = fastest(
            partial(encode_all, pictures, codec),
            partial(decode_all, encoded, codec),
        )
        mean_bytes = sum(map(len, encoded)) / len(encoded)
        print(
            f"{codec:5} {mean_bytes / 1e3:6.1f} kB a picture, encoded in "
            f"{writing / len(pictures) * 1e3:.2f} ms, decoded in "
            f"{reading / len(pictures) * 1e3:.2f} ms"
        )


def encode_all(pictures: list[Stored], codec: Codec) -> list[bytes]:
    return [encode(picture, codec) for picture in pictures]


def decode_all(encoded: list[bytes], codec: Codec) -> list[Stored]:
    return [decode(data, codec, 256) for data in encoded]


def compare_overlap(opened: OpenedModel) -> None:
    """Does encoding in a thread of its own, while the next picture is drawn, pay?"""
    with ThreadPoolExecutor(1) as thread:

        def overlapped(codec: Codec) -> None:
            futures = []
            draw_all(opened, lambda picture: futures.append(thread.submit(encode, picture, codec)))
            for future in futures:
                future.result()

        for codec in CODECS:
            drawing, inline, threaded = fastest(
                lambda: draw_all(opened, len),
                partial(draw_all, opened, partial(encode, codec=codec)),
                partial(overlapped, codec),
            )
            print(
                f"drawing {2 * POSES / drawing:.1f} pictures/s; with {codec} in line "
                f"{2 * POSES / inline:.1f}, in a thread {2 * POSES / threaded:.1f}"
            )


def make(
    path: Path,
    models: list[PlannedModel],
    setup: WorkerSetup,
    renderer: OpenGlRenderer,
    poses: int = POSES,
) -> Path:
    parts = tuple(ShardPart(number, 0, poses) for number in range(len(models)))

    def report(message: Message) -> None:
        if isinstance(message, ModelFailed):
            raise SystemExit(message.message)

    make_shard(ShardJob(0, dict(enumerate(models)), path, parts), setup, renderer, report)
    return path


def measure_reading(path: Path) -> None:
    samples = len(ShardReader(path))
    one = READS / fastest(lambda: read_pairs(path, 0))[0]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(read_pairs, [(path, 0), (path, 1)])  # imports done
        two = 2 * READS / fastest(lambda: pool.starmap(read_pairs, [(path, 0), (path, 1)]))[0]
    print(f"random pairs of {samples} samples: {one:.0f} a second, {two:.0f} with two processes")


def read_pairs(path: Path, seed: int) -> None:
    """Two pictures of random samples, as a loader of the rotator's stage wants them."""
    reader = ShardReader(path)
    for i in np.random.default_rng(seed).integers(0, len(reader), READS):
        reader.pictures(int(i), ("expression", "posed"))


def memory_growth(
    scratch: Path, models: list[PlannedModel], setup: WorkerSetup, renderer: OpenGlRenderer
) -> float:
    """Resident memory of this process, as a worker, while it makes shards of 100 models."""
    many = list(islice(cycle(models), MODELS))
    sizes = []
    for first in range(0, MODELS, 20):
        make(scratch / "b.h5", many[first : first + 20], setup, renderer, FEW_POSES)
        sizes.append(resident_bytes() / 1e6)
    line = ", ".join(f"{size:.0f}" for size in sizes)
    growth = sizes[-1] / sizes[0] - 1
    print(f"resident MB after 20, 40, 60, 80 and 100 models: {line} ({growth:+.1%})")
    return growth


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    raise SystemExit(main())
