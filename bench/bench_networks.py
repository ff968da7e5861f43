"""How much faster the networks train and run than a plain transcription, at full size, in one run.

    python bench/bench_networks.py [--rounds 3] [--threads 0] [--compiled]

Plain: tests/support/plain_networks.py, eager, float32, torch's default memory format and Adam as
it comes. Ours: the options in turn. A training step is forward, L1, backward and Adam on one
picture of 256 pixels; inference is one picture. Rounds alternate between all rows, and ratios are
of medians.
Exit code 1 when the options that ``models.base.execution.fastest`` chooses miss the bar.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from models.base.config import PAPER
from models.base.execution import Execution, fastest
from models.files.tha1 import names
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator
from tests.support.plain_networks import PLAIN
from tests.support.timing import alternating
from train.loss.losses import l1_loss

BAR = 1.2
CPU = torch.device("cpu")
KINDS = (FaceMorpher, FaceRotator, Combiner)


@dataclass(frozen=True)
class Row:
    """One way to run a network; ``execution`` None is the plain transcription."""

    name: str
    execution: Execution | None


ROWS = (
    Row("plain", None),
    Row("float32", Execution()),
    Row("float32 channels_last", Execution(channels_last=True)),
    Row("bfloat16", Execution(precision="bfloat16")),
    Row("bfloat16 channels_last", Execution(channels_last=True, precision="bfloat16")),
)
COMPILED = (
    Row("float32 compiled", Execution(compiled=True)),
    Row("bfloat16 compiled", Execution(precision="bfloat16", compiled=True)),
)


def main(rounds: int, threads: int, compiled: bool) -> int:
    if threads:
        torch.set_num_threads(threads)
    rows = ROWS + (COMPILED if compiled else ())
    chosen = next(row for row in rows if row.execution == fastest(CPU))
    console = Console(width=100)
    console.print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load of the machine "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; fastest() says: {chosen.name}"
    )
    worst = float("inf")
    for kind in KINDS:
        steps, pictures = measure(kind, rows, rounds)
        console.print(table(kind.__name__, rows, steps, pictures))
        worst = min(worst, *(times["plain"] / times[chosen.name] for times in (steps, pictures)))
    met = worst >= BAR
    console.print(
        f"least ratio of {chosen.name}: {worst:.2f}, bar {BAR}: {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


Kind = type[FaceMorpher] | type[FaceRotator] | type[Combiner]


def measure(kind: Kind, rows: tuple[Row, ...], rounds: int) -> tuple[dict[str, float], ...]:
    """(seconds a training step, seconds a picture) by row; medians."""
    works = {}
    for row in rows:
        works["step", row.name], works["picture", row.name] = exercise(kind, row)
    seconds = alternating(works, rounds, warm_up=1)
    del works
    gc.collect()
    return tuple(
        {row.name: median(seconds[what, row.name]) for row in rows} for what in ("step", "picture")
    )


def exercise(kind: Kind, row: Row) -> tuple[Callable[[], None], Callable[[], None]]:
    """(one training step, one picture) of one way to run a network; all start alike."""
    ours = kind(PAPER, torch.Generator().manual_seed(0))
    execution = row.execution or Execution()
    network: nn.Module = ours
    if row.execution is None:
        network = PLAIN[kind.__name__]()
        network.load_state_dict({theirs: ours.state_dict()[own] for theirs, own in names(ours)})
    execution.prepare(network)
    inputs, target = sample(kind, execution)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=1e-4, betas=(0.5, 0.999), fused=row.execution is not None
    )
    outputs = 2 if kind is FaceRotator else 1

    def step() -> None:
        optimizer.zero_grad()
        with execution.autocast(CPU):
            loss = l1_loss(target, *network(*inputs)[:outputs])
        torch.autograd.backward(loss)
        optimizer.step()

    @torch.inference_mode()
    def picture() -> None:
        with execution.autocast(CPU):
            network(*inputs)

    return step, picture


def sample(kind: Kind, execution: Execution) -> tuple[list[Tensor], Tensor]:
    """(inputs of a network, target): one picture of noise at 256 pixels."""
    draw = torch.Generator().manual_seed(1)
    shown = [torch.rand(1, 4, 256, 256, generator=draw) * 2 - 1 for _ in range(3)]
    if execution.channels_last:
        shown = [picture.to(memory_format=torch.channels_last) for picture in shown]
    pose = torch.rand(1, 3, generator=draw)
    return [*shown[: 2 if kind is Combiner else 1], pose], shown[2]


def table(
    title: str, rows: tuple[Row, ...], steps: dict[str, float], pictures: dict[str, float]
) -> Table:
    drawn = Table("", "step, s", "ratio", "picture, s", "ratio", title=title)
    for row in rows:
        step, picture = steps[row.name], pictures[row.name]
        drawn.add_row(
            row.name,
            f"{step:.3f}",
            f"{steps['plain'] / step:.2f}",
            f"{picture:.3f}",
            f"{pictures['plain'] / picture:.2f}",
        )
    return drawn


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Measurements a row; medians count.")
@click.option("--threads", default=0, help="Threads of torch; 0: its own choice.")
@click.option("--compiled", is_flag=True, help="Measure torch.compile too (minutes).")
def command(rounds: int, threads: int, compiled: bool) -> None:
    sys.exit(main(rounds, threads, compiled))


if __name__ == "__main__":
    command()
