"""What a run shows: progress, a log, TensorBoard, and pictures of held-out samples."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
import rich.progress
from rich.console import Console
from torch import nn
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter

from contract.files import write_bytes
from contract.png import png_bytes
from train.data.batch import Batch, load_batch
from train.measure.grid import draw_grid, look
from train.plan.stages import Stage
from train.run.run import Run
from train.run.trainee import Trainee

GRID_SAMPLES = 8
LOG_FILE = "log.txt"
HISTORY_FILE = "history.jsonl"
BOARD_FOLDER = "tensorboard"
_LOG_SECONDS = 15.0


class Watch:
    """Shows the stages of one run, one after the other. Only the first process makes one."""

    def __init__(self, folder: Path, bar: rich.progress.Progress | None, stream: TextIO) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._bar = bar
        self._stream = stream
        self._board = SummaryWriter(str(folder / BOARD_FOLDER))
        self._task: rich.progress.TaskID | None = None
        self._said = 0.0

    def note(self, text: str) -> None:
        """One line that stays, on the terminal and in the log."""
        if self._bar is None:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        else:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        self._log(text)

    def _log(self, text: str) -> None:
        with (self._folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def begin(self, run: Run, stage: Stage, trainee: Trainee, rotator: nn.Module | None) -> None:
        """A stage starts, or goes on."""
        self._run, self._stage, self._rotator = run, stage, rotator
        self._settings = run.plan.stages[stage.name]
        self._first = trainee.step
        self._started = self._said = time.monotonic()
        self._fixed = _held_out(run, stage)
        where = f"goes on at step {trainee.step}" if trainee.step else "starts"
        self.note(f"{stage.name}: {where} of {self._settings.steps} steps")
        if self._bar is not None:
            self._task = self._bar.add_task(
                stage.name, total=self._settings.steps, completed=trainee.step, detail=""
            )

    def report(self, trainee: Trainee, loss: float) -> None:
        """How far the stage is: the bar or a line, the log, TensorBoard's curves."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        steps = trainee.step - self._first
        pace = steps * self._settings.batch / seconds
        left = round((self._settings.steps - trainee.step) * seconds / max(steps, 1))
        samples = trainee.step * self._settings.batch
        for name, value in (("loss", loss), ("samples_per_second", pace)):
            self._scalar(name, value, samples)
        mean = loss if trainee.loss is None else trainee.loss
        detail = f"loss {mean:.4f}, {pace:.1f} samples/s, {_clock(left)} left"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=trainee.step, detail=detail)
        line = f"{self._stage.name}: step {trainee.step} of {self._settings.steps}, {detail}"
        if trainee.step == self._settings.steps or time.monotonic() - self._said > _LOG_SECONDS:
            self._said = time.monotonic()
            self._log(line) if self._bar is not None else self.note(line)

    def show_held_out(self, trainee: Trainee) -> None:
        """Draw the fixed held-out samples and measure them."""
        samples = trainee.step * self._settings.batch
        network = trainee.usable()
        seen = look(self._stage, network.eval(), self._rotator, self._fixed)
        network.train()
        target = self._fixed.target
        copying = max(float(functional.mse_loss(self._fixed.image, target)), 1e-12)
        errors = {k: float(functional.mse_loss(v, target)) for k, v in seen.outputs.items()}
        for name, error in errors.items():
            self._scalar(f"held_out_mse/{name}", error, samples)
            self._scalar(f"held_out_mse_over_copying/{name}", error / copying, samples)
        sheet = draw_grid(seen.columns, self._fixed.pose.cpu().numpy())
        place = f"{self._stage.name}/held_out"
        self._board.add_image(place, sheet, samples, dataformats="HWC")
        grid = self._folder / self._stage.name / f"grid-{samples:09d}.png"
        write_bytes(grid, png_bytes(sheet))
        row = {"stage": self._stage.name, "samples": samples, "held_out_mse": errors}
        row |= {"copying_mse": copying, "loss": trainee.loss, "seconds": trainee.seconds}
        with (self._folder / HISTORY_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        ratios = ", ".join(f"{name} {error / copying:.3f}" for name, error in errors.items())
        self.note(
            f"{self._stage.name}: after {samples} samples, MSE on held-out ones over that of "
            f"copying: {ratios}"
        )

    def _scalar(self, name: str, value: float, samples: int) -> None:
        self._board.add_scalar(f"{self._stage.name}/{name}", value, samples)

    def end(self, trainee: Trainee) -> None:
        """The stage is over, or left."""
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
        self._task = None
        self.note(f"{self._stage.name}: {trainee.step} steps done in {_clock(trainee.seconds)}")
        self._board.flush()

    def close(self) -> None:
        """Flush everything."""
        self._board.close()


def _held_out(run: Run, stage: Stage) -> Batch:
    """The same samples in every stage and run: spread evenly over the held-out set."""
    count = min(GRID_SAMPLES, len(run.held_out))
    numbers = np.linspace(0, len(run.held_out) - 1, count).astype(np.int64)
    size = run.plan.network.size
    return load_batch(run.held_out, numbers, stage.pictures, size, run.device)


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


@contextmanager
def open_watch(folder: Path, stream: TextIO | None = None) -> Iterator[Watch]:
    """A bar where ``stream`` (stderr) is a terminal, plain lines elsewhere."""
    stream = stream or sys.stderr
    bar = None
    if stream.isatty():
        bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn(
                "{task.completed} of {task.total} steps, {task.fields[detail]}"
            ),
            console=Console(file=stream),
            transient=True,
        )
        bar.start()
    watch = Watch(folder, bar, stream)
    try:
        yield watch
    finally:
        watch.close()
        if bar is not None:
            bar.stop()
