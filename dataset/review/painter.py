"""Draws pictures for the review in a process of its own.

A strange model may crash or hang what draws it; then the process is replaced, and the page says so.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from contract.errors import DeviceError, ModelError, OpenthaError
from contract.light import DEFAULT_LIGHT, Light
from contract.pose import Pose
from contract.rig import Rig
from dataset.drawing.protocols import ModelRenderer, OpenedModel
from dataset.scan.scan_worker import png_bytes

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


def open_tools(device: str) -> Tools:
    """The tools of this project's renderer; ``DeviceError`` where there is no OpenGL."""
    from dataset.drawing import rendering  # noqa: PLC0415  # only the process that draws needs OpenGL

    renderer = rendering.open_renderer(device, _PIXELS)
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
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

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

    def _ask(self, question: object, path: Path) -> object:
        with self._lock:
            connection = self._connection or self._start()
            try:
                connection.send(question)
                if not connection.poll(self._patience):
                    raise ModelError(f"{path.name}: nothing came for {self._patience:g} s")
                answer: object = connection.recv()
            except (EOFError, OSError) as error:
                self._end()
                raise ModelError(f"{path.name}: crashed what draws it", "worker-died") from error
            except ModelError:
                self._end()
                raise
        if isinstance(answer, OpenthaError):
            raise answer
        return answer

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._open_with), daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        # Starting takes seconds on a busy machine, which are no model's fault.
        try:
            has_started = ours.poll(_START_SECONDS) and ours.recv()
        except (EOFError, OSError):
            has_started = False
        if not has_started:
            self._end()
            raise DeviceError("drawing: its process did not start; see whether memory is short")
        return ours

    def _end(self) -> None:
        if self._connection:
            self._connection.close()
        if self._process:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection, open_with: OpenTools) -> None:
    """Answer each question; the model drawn last stays open."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection.send(True)
    at_hand: _ModelAtHand | None = None
    while True:
        try:
            question: Any = connection.recv()
        except (EOFError, OSError):
            return
        try:
            at_hand = at_hand or _ModelAtHand(open_with())
            connection.send(at_hand.answer(question))
        except OpenthaError as error:
            connection.send(error)
        except Exception as error:  # whatever a strange model brings about costs its picture only
            connection.send(ModelError(f"{type(error).__name__}: {error!s:.200}"))


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
