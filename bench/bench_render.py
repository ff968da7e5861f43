"""Where the time of a picture goes, by stage and size of model; pictures a second by workers.

    python bench/bench_render.py [FOLDER OF MODELS]

Without a folder: generated characters, and the models of ../shared where they are. Of each folder
the smallest, the middle and the largest model that can be rigged. A shard of each is made as a
worker of ``dataset build`` makes it, its stages timed in seconds of processor, which hardly change
when the machine does something else. Waiting for OpenGL after each stage, so that work counts where
it was asked for, costs a little itself; the last rows have the same shard without.

Then ``dataset build`` draws all of them with 1, 2 .. workers, one a core: pictures a second of the
clock, once all workers draw.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from bench.stopwatch import REST, Stopwatch
from contract.cores import count_cores
from contract.errors import ModelError
from contract.text import place
from dataset.build import build_worker
from dataset.build.build import build
from dataset.build.build_worker import ShardJob, WorkerSetup, make_shard
from dataset.build.configuration import Configuration
from dataset.build.plan import ShardPart
from dataset.catalog.choose import PlannedModel, Selection
from dataset.catalog.provenance import hash_model
from dataset.drawing import rendering
from dataset.drawing.protocols import ModelRenderer
from dataset.drawing.rendering import OpenGlRenderer, open_renderer
from dataset.jobs.messages import Message, ModelFailed
from dataset.jobs.pool import Crew
from dataset.scan.walk import list_models
from dataset.shards import shard as shard_module
from dataset.shards.shard import ShardReader
from dataset.shards.shard_file import FrameFile
from renderer.deform.deformer import Deformer
from renderer.draw.canvas import Canvas
from renderer.draw.gpu_model import DrawnModel
from renderer.draw.tiles import Tiles
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from renderer.portrait import portrait as portrait_module
from tests.support.shared import SHARED
from tests.support.some_models import generated_models

POSES = 64
ROUNDS = 2
GENERATED = 6
PATIENCE_SECONDS = 600.0
CONFIGURATION = Configuration(POSES, shading="mixed", samples_per_shard=POSES // 2)

_OPENING = ("parse", "decode textures", "upload", "prepare")
_STAGES = (
    (build_worker, "hash_model", "parse", False),
    (rendering, "read_model", "parse", False),
    (portrait_module, "load_texture", "decode textures", False),
    (Canvas, "upload", "upload", True),
    (OpenGlRenderer, "open", "prepare", False),
    (Deformer, "morph", "morph", False),
    (Deformer, "skin", "skin", False),
    (DrawnModel, "write", "send pose", True),
    (DrawnModel, "draw_surfaces", "surfaces", True),
    (DrawnModel, "draw_edges", "outlines", True),
    (Tiles, "send", "resolve, read back", False),
    (Tiles, "taken", "resolve, read back", False),
    (build_worker, "picture_fault", "check picture", False),
    (shard_module, "encode", "encode", False),
    (FrameFile, "append", "write", False),
    (shard_module, "write_file", "write", False),
)


def main() -> None:
    os.environ.setdefault("LP_NUM_THREADS", "1")  # as a worker of several has it
    with TemporaryDirectory() as name:
        for folder in folders(Path(name)):
            look_at(folder, Path(name))


def look_at(folder: Path, scratch: Path) -> None:
    """Both tables for a folder of models."""
    models = sized(folder)
    setup = WorkerSetup(folder, CONFIGURATION, partial(open_renderer, "auto", models_folder=folder))
    renderer = open_renderer("auto", CONFIGURATION.size, folder)
    print(f"{folder.name}: {POSES} poses a model, {renderer.renderer_name}")
    show([shares(model, setup, renderer, scratch) for model in models.values()], models)
    for workers in range(1, count_cores() + 1):
        with TemporaryDirectory(dir=scratch) as out:
            rate = build_rate(setup, list(models.values()), Path(out), workers)
        print(f"{workers} workers: {rate:6.1f} pictures/s of the clock, {rate / workers:.1f} each")


def folders(scratch: Path) -> Iterator[Path]:
    """The folder that the command line names, or those that there are."""
    if sys.argv[1:]:
        yield Path(sys.argv[1])
        return
    yield generated_models(scratch, GENERATED)
    if (SHARED / "models").is_dir():
        yield SHARED / "models"


def sized(folder: Path) -> dict[str, PlannedModel]:
    """The smallest, the middle and the largest model, by a line that says how large."""
    found: list[tuple[int, PlannedModel]] = []
    for path in list_models(folder).models:
        try:
            found.append(planned(folder, path))
        except ModelError:
            continue
    found.sort(key=lambda one: one[0])
    chosen = {n: found[n] for n in (0, len(found) // 2, len(found) - 1)}
    return {f"{count:,} vertices": model for count, model in chosen.values()}


def planned(folder: Path, path: str) -> tuple[int, PlannedModel]:
    """A model to be drawn, with its number of vertices; ``ModelError`` where it is of no use."""
    file = place(folder, path)
    model = read_model(file)
    return len(model.vertices), PlannedModel(path, hash_model(file), fit_rig(model))


def shares(
    model: PlannedModel, setup: WorkerSetup, renderer: OpenGlRenderer, scratch: Path
) -> Mapping[str, float]:
    """Seconds of processor a picture by stage, in the fastest of some rounds; ``whole``: of the
    same without a look at the stages."""
    draw = partial(shard_of, model, setup, renderer, scratch / "stages.h5")
    rounds: list[dict[str, float]] = []
    draw()
    for _ in range(ROUNDS):
        start = time.process_time()
        pictures = draw()
        whole = (time.process_time() - start) / pictures
        with watched(renderer) as watch:
            draw()
            watch.stop()
        stages = {name: seconds / pictures for name, seconds in watch.seconds.items()}
        rounds.append({**stages, "whole": whole})
    return min(rounds, key=lambda one: one["whole"])


def shard_of(model: PlannedModel, setup: WorkerSetup, renderer: ModelRenderer, path: Path) -> int:
    """Make a shard of a model; how many pictures it holds."""

    def report(message: Message) -> None:
        if isinstance(message, ModelFailed):
            raise SystemExit(message.message)

    job = ShardJob(0, {0: model}, path, (ShardPart(0, 0, setup.configuration.poses),))
    make_shard(job, setup, renderer, report)
    with ShardReader(path) as reader:
        return len(reader.frame_bytes)


@contextmanager
def watched(renderer: OpenGlRenderer) -> Iterator[Stopwatch]:
    """Inside, the stages of making a shard with this renderer are timed."""
    finish = renderer._canvas._context.finish
    with ExitStack() as stack:
        watch = Stopwatch(closed=_OPENING)
        for owner, name, stage, on_device in _STAGES:
            timed = watch.timed(stage, getattr(owner, name), finish if on_device else None)
            stack.enter_context(patch.object(owner, name, timed))
        yield watch


def show(columns: Sequence[Mapping[str, float]], names: Mapping[str, PlannedModel]) -> None:
    """Milliseconds a picture of each stage, and its share; the same without a look at stages."""
    print(f"{'ms a picture, of one core':28}" + "".join(f"{name:>20}" for name in names))
    sums = [sum(column.values()) - column["whole"] for column in columns]
    for stage in (*dict.fromkeys(stage for _, _, stage, _ in _STAGES), REST):
        cells = [
            f"{column.get(stage, 0) * 1e3:12.2f} {column.get(stage, 0) / total:6.1%}"
            for column, total in zip(columns, sums, strict=True)
        ]
        print(f"{stage:28}" + "".join(cells))
    print(f"{'all':28}" + "".join(f"{total * 1e3:12.2f}       " for total in sums))
    wholes = [column["whole"] for column in columns]
    print(f"{'all, stages not looked at':28}" + "".join(f"{w * 1e3:12.2f}       " for w in wholes))
    print(f"{'pictures/s, two idle cores':28}" + "".join(f"{2 / w:12.1f}       " for w in wholes))


def build_rate(
    setup: WorkerSetup, models: Sequence[PlannedModel], out: Path, workers: int
) -> float:
    """Pictures a second of the clock by ``dataset build``, once all workers draw."""
    progress = _Marks()
    selection = Selection(tuple(models), {}, {}, {}, (), ())
    crew = Crew(workers, PATIENCE_SECONDS)
    folder, wanted = setup.models_folder, setup.configuration
    build(folder, selection, out, wanted, crew, setup.open_renderer, progress)
    frames = 0
    for path in out.glob("*.h5"):
        with ShardReader(path) as reader:
            frames += len(reader.frame_bytes)
    marks = [mark for mark in progress.marks if mark[1] >= workers]
    (began, before), (ended, after) = marks[0], marks[-1]
    return frames * (after - before) / (POSES * len(models)) / (ended - began)


class _Marks:
    """Notes when how many samples are done."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, int]] = []

    def note(self, text: str) -> None:
        """Nothing that is said matters here."""

    def show(self, done: int, total: int, detail: str) -> None:
        self.marks.append((time.perf_counter(), done))


if __name__ == "__main__":
    main()
