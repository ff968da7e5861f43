"""What changing pictures by chance costs beside a step of the networks of the preset live.

    python bench/bench_augmentation.py [ROUNDS]

Each stage takes steps on noise at the preset's sizes, in turns with every kind of change alone, all
of the preset's together, and reading and converting samples is left out. Prints milliseconds of
processor time a sample, the least of the rounds, and each kind's share of the morpher's step.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch

from train.data.augmentation import Augmentation, augmented
from train.data.batch import Batch
from train.plan.plan import stage_loss
from train.plan.presets import LIVE
from train.plan.stages import STAGES, build_network, run_stage

BATCH = 8
SAID = LIVE.augmentation
KINDS: Mapping[str, Augmentation] = {
    "place": Augmentation(SAID.scale, SAID.turn_radians, SAID.shift),
    "colour": replace(SAID, scale=0, turn_radians=0, shift=0, lines=0, blur=0, jpeg=0),
    "lines": Augmentation(lines=SAID.lines),
    "blur": Augmentation(blur=SAID.blur),
    "jpeg": Augmentation(jpeg=SAID.jpeg),
    "all of the preset's": SAID,
}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    torch.set_num_threads(1)  # threads that wait would be counted as work
    batch = _noise()
    works: dict[str, Callable[[], object]] = {
        f"step of {name}": _step(name, batch)
        for name in ("morpher", "rotator-L1", "combiner-L1-L1")
    }
    counter = iter(range(0, 1 << 40, BATCH))

    def changing(by: Augmentation) -> Callable[[], object]:
        def change() -> Batch:
            start = next(counter)
            return augmented(batch, by, 0, range(start, start + BATCH))

        return change

    works |= {name: changing(by) for name, by in KINDS.items()}
    least = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            work()
            least[name] = min(least[name], (time.process_time() - began) / BATCH)
    print(f"one thread, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    step = least["step of morpher"]
    for name, seconds in least.items():
        print(
            f"{name}: {seconds * 1e3:.2f} ms a sample, {seconds / step:.2f} of the morpher's step"
        )


def _noise() -> Batch:
    size = LIVE.network.size
    draw = torch.Generator().manual_seed(0)
    image = torch.rand(BATCH, 4, size, size, generator=draw) * 2 - 1
    target = image.clone()
    target[:, :, size // 3 : size // 2] *= 0.5
    return Batch(image, target, torch.rand(BATCH, 6, generator=draw), tuple(range(BATCH)))


def _step(name: str, batch: Batch) -> Callable[[], object]:
    stage = STAGES[name]
    network = build_network(stage.kind, LIVE.network, 0)
    rotator = None
    if stage.rotator:
        rotator = build_network("rotator", LIVE.network, 0).requires_grad_(False)
    optimizer = torch.optim.Adam(network.parameters())
    loss_of = stage_loss(LIVE.stages[name], None, 0)

    def step() -> None:
        outputs = run_stage(stage, network, rotator, batch.image, batch.pose).pictures
        optimizer.zero_grad()
        loss_of(batch.image, batch.target, outputs).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
