"""Draws pictures for the review in a process of its own.

A strange model may crash or hang what draws it; then the process is replaced, and the page says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from contract.errors import DeviceError, ModelError
from contract.light import DEFAULT_LIGHT, Light
from contract.picture import png_bytes
from contract.pose import Pose
from contract.rig import Rig
from dataset.drawing.protocols import ModelRenderer, OpenedModel
from dataset.jobs.messages import (
    Message,
    ModelFailed,
    Ready,
    Report,
    Stopped,
    Work,
    failed,
    serve_jobs,
)
from dataset.jobs.process import WorkerProcess, start_process

PATIENCE_SECONDS = 20.0
_START_SECONDS = 120.0
_PIXELS = 384
OpenTools = Callable[[], "Tools"]
"""Opens what draws, in the process that draws; travels there by pickle."""


@dataclass(frozen=True)
class Tools:
    """``renderer`` draws; ``morph_names(path)`` reads the names of a model's morphs."""

    renderer: ModelRenderer
    morph_names: Callable[[Path], tuple[str, ...]]


def open_tools(device: str, models_folder: Path | None = None) -> Tools:
    """The tools of this project's renderer; ``DeviceError`` where there is no OpenGL.

    Textures may lie anywhere below the models folder; without one, below the model's own.
    """
    from dataset.drawing import rendering  # noqa: PLC0415  # only the process that draws needs OpenGL

    renderer = rendering.open_renderer(device, _PIXELS, models_folder)
    return Tools(renderer, rendering.morph_names)


@dataclass(frozen=True)
class Painting:
    """A picture to draw: the model at ``path``, rigged as annotated, in a pose under a light."""

    path: Path
    annotation: Rig
    pose: Pose
    light: Light = DEFAULT_LIGHT


class Painter:
    """One process at work; may be asked from several threads.

    Silent for ``patience`` seconds over a model, it is replaced.
    """

    def __init__(self, open_with: OpenTools, patience: float = PATIENCE_SECONDS) -> None:
        self._open_with, self._patience = open_with, patience
        self._lock = threading.Lock()
        self._worker: WorkerProcess | None = None

    def paint(self, painting: Painting) -> bytes:
        """The picture as PNG; ``ModelError`` or ``DeviceError`` when it cannot be had."""
        answer = self._ask(painting, painting.path)
        assert isinstance(answer, bytes)
        return answer

    def morph_names(self, path: Path) -> tuple[str, ...]:
        """The names of a model's morphs; ``ModelError`` when it cannot be read."""
        answer = self._ask(path, path)
        assert isinstance(answer, tuple)
        return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, question: Path | Painting, path: Path) -> object:
        with self._lock:
            connection = self._started().connection
            try:
                connection.send(question)
                if not connection.poll(self._patience):
                    self._end()
                    raise ModelError(f"{path.name}: nothing came for {self._patience:g} s")
                message: Message = connection.recv()
            except (EOFError, OSError) as error:
                self._end()
                raise ModelError(f"{path.name}: crashed what draws it", "worker-died") from error
        match message:
            case Answered(answer):
                return answer
            case ModelFailed():
                raise ModelError(message.message, message.code)
            case Stopped(fault):
                self.close()
                raise fault
        raise AssertionError(f"a painter says nothing like {message}")

    def _started(self) -> WorkerProcess:
        if self._worker:
            return self._worker
        self._worker = start_process(partial(run_painter, self._open_with), 1)
        # Starting takes seconds on a busy machine, which are no model's fault.
        try:
            came = self._worker.connection.poll(_START_SECONDS)
            message = self._worker.connection.recv() if came else None
        except (EOFError, OSError):
            message = None
        if isinstance(message, Ready):
            return self._worker
        self._end()
        if isinstance(message, Stopped):
            raise message.error
        raise DeviceError("drawing: its process did not start; see whether memory is short")

    def _end(self) -> None:
        if self._worker:
            self._worker.end()
        self._worker = None


@dataclass(frozen=True)
class Answered(Message):
    """What a question to the painter comes to."""

    answer: bytes | tuple[str, ...]


def run_painter(open_with: OpenTools, connection: Connection) -> None:
    """Answer each question; the model drawn last stays open."""

    def open_work() -> Work:
        at_hand = _ModelAtHand(open_with())
        return lambda question, report: _answer(at_hand, question, report)

    serve_jobs(connection, open_work)


def _answer(at_hand: _ModelAtHand, question: Path | Painting, report: Report) -> bool:
    try:
        report(Answered(at_hand.answer(question)))
    except Exception as error:  # whatever a strange model brings about costs its picture only
        report(failed(0, "draw", error))
    return True


class _ModelAtHand:
    """What draws, and the model on it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._opened: tuple[Path, Rig, OpenedModel] | None = None

    def answer(self, question: Path | Painting) -> bytes | tuple[str, ...]:
        if isinstance(question, Path):
            return self._tools.morph_names(question)
        opened = self._subject(question.path, question.annotation)
        return png_bytes(opened.draw(question.pose, question.light))

    def _subject(self, path: Path, annotation: Rig) -> OpenedModel:
        if self._opened:
            old_path, old, opened = self._opened
            if path == old_path and replace(annotation, drives=old.drives) == old:
                # Only other morphs, as when a person chooses among them: nothing is read again.
                return opened if annotation == old else opened.driven(annotation)
            self._opened = None
            opened.release()
        opened = self._tools.renderer.open(path, annotation)
        self._opened = path, annotation, opened
        return opened
