"""All that needs a graphics card, in one command under ten minutes: `make gpu-check`.

    python bench/gpu_check.py [--device cuda] [--opengl auto] [-o gpu-check.json]

Prints a table, writes it with all numbers as JSON, and ends with 1 where a check failed. Each check
runs in a process of its own; what no time is left for is skipped, and that is said. `--device cpu`
goes through the same checks with tiny networks and few pictures, to try the checks themselves.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import torch
from rich.console import Console

from bench.gpu.cost import costs
from bench.gpu.exported import CARD, CPU, exported
from bench.gpu.learning import resume, stages, two_processes
from bench.gpu.outcome import Outcome, as_json, exit_code, table
from bench.gpu.pictures import doctor, pictures
from bench.gpu.process import Check, in_own_process
from bench.gpu.scale import TINY, WHOLE, Scale
from contract.files import write_bytes
from models.base.execution import Precision
from train.plan.stages import STAGES

BUDGET_SECONDS = 570.0
_LEAST_SECONDS = 10.0
_RESUMED: tuple[tuple[str, Precision], ...] = (("morpher", "float16"), ("rotator-L1", "float32"))
NEEDED = (
    "no graphics card that torch can use; `make gpu-check` needs an NVIDIA card with its driver "
    "(OpenGL through EGL included) and a torch with CUDA; --device cpu tries the checks themselves"
)


@dataclass(frozen=True)
class Named:
    """A check that may take so many seconds."""

    name: str
    run: Check
    seconds: float


def checks(device: torch.device, opengl: str, scale: Scale, folder: Path) -> Iterator[Named]:
    """In the order in which they are wanted, should the time not be enough."""

    def place(name: str) -> Path:
        made = folder / name
        made.mkdir()
        return made

    yield Named("doctor", doctor, 60)
    yield Named("pictures", partial(pictures, opengl, scale, place("pictures")), 120)
    yield Named("cost", partial(costs, device, scale), 180)
    yield Named("resume", partial(resumed, device, scale, place("resume")), 120)
    provider = CARD if device.type == "cuda" else CPU
    yield Named("ONNX", partial(exported, provider, scale, place("onnx")), 120)
    yield Named("two processes", partial(both, device, scale, place("two")), 120)
    for precision in ("bfloat16", "float16"):
        run = partial(stages, device, precision, scale.compiled, scale, place(precision))
        yield Named(f"stages, {precision}", run, 300)


def resumed(device: torch.device, scale: Scale, folder: Path) -> list[Outcome]:
    """Going on, in both kinds of arithmetic that differ in what is kept."""
    return [
        resume(device, STAGES[name], precision, scale, folder / name)
        for name, precision in _RESUMED
    ]


def both(device: torch.device, scale: Scale, folder: Path) -> list[Outcome]:
    """Two processes, as the only row of its check."""
    return [two_processes(device, scale, folder)]


def run_all(device: torch.device, opengl: str, scale: Scale, budget: float) -> list[Outcome]:
    """Every check, one after the other; those for which no time is left are skipped."""
    ends = time.monotonic() + budget
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for one in checks(device, opengl, scale, Path(folder)):
            left = ends - time.monotonic()
            if left < _LEAST_SECONDS:
                outcomes.append(Outcome(one.name, "skipped", "no time was left for it"))
                continue
            began = time.monotonic()
            outcomes += in_own_process(one.name, one.run, min(one.seconds, left))
            print(f"{one.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return outcomes


def machine(device: torch.device) -> Mapping[str, object]:
    """What the numbers are of."""
    cards = []
    if device.type == "cuda":
        cards = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
    return {
        "device": str(device),
        "cards": [f"{card.name}, {card.total_memory / 1e9:.0f} GB" for card in cards],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }


@click.command()
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda", show_default=True)
@click.option("--opengl", default="auto", show_default=True, help="As renderer still --device.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("gpu-check.json"))
def main(device: str, opengl: str, out: Path) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        print(f"error: {NEEDED}", file=sys.stderr)
        sys.exit(1)
    here = torch.device(device)
    outcomes = run_all(here, opengl, WHOLE if device == "cuda" else TINY, BUDGET_SECONDS)
    Console(width=None if sys.stdout.isatty() else 140).print(table(outcomes))
    write_bytes(out, as_json(machine(here), outcomes))
    print(f"wrote {out}")
    sys.exit(exit_code(outcomes))


if __name__ == "__main__":
    main()
