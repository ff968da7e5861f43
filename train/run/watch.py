"""What a run shows: progress, a log, TensorBoard, and pictures of held-out samples."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import numpy as np
from torch import nn
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter

from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.picture import png_bytes
from contract.progress import LOG_SECONDS, Progress, open_progress
from contract.records import append_line
from contract.text import clock, time_left
from train.data.batch import Batch, load_batch
from train.measure.grid import draw_grid, look
from train.plan.stages import Stage
from train.run.run import Run
from train.run.trainee import Trainee

GRID_SAMPLES = 8
LOG_FILE = "log.txt"
HISTORY_FILE = "history.jsonl"
BOARD_FOLDER = "tensorboard"
_MOST_BYTES = 1 << 30


class Watch:
    """Shows the stages of one run, one after the other. Only the first process makes one."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        with _writing(folder / BOARD_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
            self._board = SummaryWriter(str(folder / BOARD_FOLDER))
        self._logged = 0.0

    def note(self, text: str) -> None:
        """One line that stays, on the terminal and in the log."""
        self._progress.note(text)
        self._log(text)

    def _log(self, text: str) -> None:
        path = self._folder / LOG_FILE
        with _writing(path), path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def begin(self, run: Run, stage: Stage, trainee: Trainee, rotator: nn.Module | None) -> None:
        """A stage starts, or goes on."""
        self._run, self._stage, self._rotator = run, stage, rotator
        self._settings = run.plan.stages[stage.name]
        self._first = trainee.step
        self._started = self._logged = time.monotonic()
        self._fixed = _held_out(run, stage)
        where = f"goes on at step {trainee.step}" if trainee.step else "starts"
        self.note(f"{stage.name}: {where} of {self._settings.steps} steps")

    def report(self, trainee: Trainee, loss: float) -> None:
        """How far the stage is: the bar or a line, the log, TensorBoard's curves."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        done, last = trainee.step - self._first, self._settings.steps
        pace = done * self._settings.batch / seconds
        samples = trainee.step * self._settings.batch
        for name, value in (("loss", loss), ("samples_per_second", pace)):
            self._scalar(name, value, samples)
        mean = loss if trainee.loss is None else trainee.loss
        left = time_left(done, last - self._first, seconds)
        detail = f"{self._stage.name}: loss {mean:.4f}, {pace:.1f} samples/s, {left}"
        self._progress.show(trainee.step, last, detail)
        if trainee.step == last or time.monotonic() - self._logged > LOG_SECONDS:
            self._logged = time.monotonic()
            self._log(f"{trainee.step} of {last} steps, {detail}")

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
        with _writing(self._folder / BOARD_FOLDER):
            self._board.add_image(place, sheet, samples, dataformats="HWC")
        grid = self._folder / self._stage.name / f"grid-{samples:09d}.png"
        write_bytes(grid, png_bytes(sheet))
        row = {"stage": self._stage.name, "samples": samples, "held_out_mse": errors}
        row |= {"copying_mse": copying, "loss": trainee.loss, "seconds": trainee.seconds}
        append_line(self._folder / HISTORY_FILE, row, self.note)
        ratios = ", ".join(f"{name} {error / copying:.3f}" for name, error in errors.items())
        self.note(
            f"{self._stage.name}: after {samples} samples, MSE on held-out ones over that of "
            f"copying: {ratios}"
        )

    def _scalar(self, name: str, value: float, samples: int) -> None:
        with _writing(self._folder / BOARD_FOLDER):
            self._board.add_scalar(f"{self._stage.name}/{name}", value, samples)

    def end(self, trainee: Trainee) -> None:
        """The stage is over, or left."""
        took, loss = clock(trainee.seconds), math.nan if trainee.loss is None else trainee.loss
        self.note(f"{self._stage.name}: {trainee.step} steps done in {took}, loss {loss:.4f}")
        with _writing(self._folder / BOARD_FOLDER):
            self._board.flush()

    def close(self) -> None:
        """Flush what can be."""
        with suppress(OSError):  # what could not be written was told of when it was
            self._board.close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free space, or mend its permissions, "
            "and run the same command again: it goes on from the last checkpoint"
        ) from error
    except UnicodeError as error:
        raise InputError(
            f"{path}: its name is no UTF-8, which TensorBoard needs; give another folder"
        ) from error


def _held_out(run: Run, stage: Stage) -> Batch:
    """The same samples in every stage and run: spread evenly over the held-out set."""
    count = min(GRID_SAMPLES, len(run.held_out))
    numbers = np.linspace(0, len(run.held_out) - 1, count).astype(np.int64)
    size = run.plan.network.size
    return load_batch(run.held_out, numbers, stage.pictures, size, run.device)


@contextmanager
def open_watch(folder: Path, stream: TextIO | None = None) -> Iterator[Watch]:
    """A bar where ``stream`` (stderr) is a terminal, plain lines elsewhere."""
    with open_progress("steps", stream) as progress, _without_tracebacks_of_writers():
        watch = Watch(folder, progress)
        try:
            yield watch
        finally:
            watch.close()


@contextmanager
def _without_tracebacks_of_writers() -> Iterator[None]:
    """Inside, a thread that cannot write is silent: TensorBoard's tells whoever next gives it
    something to write."""
    usual = threading.excepthook

    def hook(failed: threading.ExceptHookArgs) -> None:
        if not isinstance(failed.exc_value, OSError):
            usual(failed)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = usual


def read_history(folder: Path) -> list[dict[str, object]]:
    """What was measured of a run, oldest first; none where nothing was.

    A line that a killed run left half is left out; it may be one that is being written just now.

    Raises:
        InputError: the file cannot be read.
    """
    path, rows = folder / HISTORY_FILE, []
    lines = read_file(path, _MOST_BYTES).split(b"\n") if path.exists() else []
    for line in lines:
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, dict) and isinstance(row.get("stage"), str):
                rows.append(row)
    return rows
