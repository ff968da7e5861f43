"""What the stages of the demo cost, and what keeping the rotator's pictures saves its combiners.

    python bench/bench_train.py [STEPS]

Each stage runs STEPS steps on drawn faces, with filters of VGG16's shapes but random values. Prints
samples a second, the median of rounds, and the minutes that all of the stage's samples take at that
pace. The combiners run twice, taking turns: with the rotator on the fly, and with its pictures
kept; making those, once through all samples, is not counted.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from tests.support.tiny_shards import write_shards
from train.data.batch import CPU
from train.data.order import Share
from train.data.samples import open_splits
from train.loss.vgg import Vgg16
from train.plan.presets import DEMO, PRESETS
from train.plan.stages import STAGES, Stage
from train.run.checkpoint import load_checkpoint
from train.run.loop import train_stage
from train.run.run import Run

ROUNDS = 3


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    threads, load = torch.get_num_threads(), os.getloadavg()[0]
    print(f"{steps} steps, {threads} threads, load {load:.1f} on {os.cpu_count()} cores")
    with TemporaryDirectory() as folder:
        fly, kept = open_runs(Path(folder), steps)
        total = sum(compare(fly, kept, stage) for stage in STAGES.values())
    print(f"all stages of the demo, rotators on the fly: {total / 60:.1f} minutes")


def open_runs(folder: Path, steps: int) -> tuple[Run, Run]:
    """Two runs, which differ in where combiners find the rotator's pictures."""
    upkeep = PRESETS["demo"][1]
    short = {
        name: replace(settings, samples=steps * settings.batch)
        for name, settings in DEMO.stages.items()
    }
    splits = open_splits(write_shards(folder / "shards", samples=32, size=DEMO.network.size))
    fly = Run(
        folder / "fly",
        replace(DEMO, stages=short),
        upkeep,
        splits.train,
        splits.validation,
        splits.train.fingerprint(),
        Vgg16(),
        CPU,
        Share(),
    )
    kept = replace(fly, folder=folder / "kept", upkeep=replace(upkeep, precompute=True))
    return fly, kept


def compare(fly: Run, kept: Run, stage: Stage) -> float:
    """Print a stage's pace; the seconds that its samples in the demo take."""
    runs = {"on the fly": fly, "kept": kept} if stage.rotator else {"": fly}
    if stage.rotator:
        (kept.folder / stage.rotator).mkdir(parents=True, exist_ok=True)
        rotator = fly.rolling(stage.rotator).read_bytes()
        kept.rolling(stage.rotator).write_bytes(rotator)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            run.rolling(stage.name).unlink(missing_ok=True)
            train_stage(run, stage, None)
            checkpoint = load_checkpoint(run.rolling(stage.name))
            samples = checkpoint.step * run.plan.stages[stage.name].batch
            seconds[name].append(checkpoint.seconds / samples)
    wanted = DEMO.stages[stage.name].samples
    for name, each in seconds.items():
        pace = median(each)
        label = f"{stage.name} {name}".strip()
        print(f"{label}: {1 / pace:.1f} samples/s, {wanted * pace / 60:.1f} minutes")
    return wanted * median(seconds[next(iter(runs))])


if __name__ == "__main__":
    main()
