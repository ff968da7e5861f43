"""From a folder of models to verified shards; the only place that opens the renderer.

Running the same command again continues: finished shards are verified and kept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from contract.errors import InputError
from contract.image import Stored
from contract.pose import FACE_AXES, Pose
from dataset.configuration import Configuration
from dataset.ledger import BuildSummary, Ledger
from dataset.plan import settle_plan
from dataset.pool import Crew, Pool
from dataset.progress import Progress
from dataset.records import HeadLines, ModelFacts, UsedMorph
from dataset.studio import OpenStudio, Subject
from dataset.walk import list_models
from dataset.worker import WorkerSetup
from renderer.draw import Canvas, Shading
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from renderer.portrait import Portrait
from renderer.rig import Rig, fit_rig

TEMPORARY_FILES = ".*.tmp"
_MAX_NAME = 200
_MAX_COMMENT = 4000


def build(
    models_folder: Path,
    out: Path,
    wanted: Configuration,
    crew: Crew,
    open_studio: OpenStudio,
    progress: Progress,
) -> BuildSummary:
    """Draw ``wanted.poses`` samples of each model below a folder into shards in ``out``.

    Raises:
        InputError: no models; ``out`` holds something else, is in use by another run, or cannot
            be written; or every model is quarantined.
        DeviceError: there is no OpenGL.
    """
    listing = list_models(models_folder)
    with _only_run(out):
        plan = settle_plan(models_folder, listing, out, wanted)
        ledger = Ledger(plan, out, progress)
        setup = WorkerSetup(models_folder, plan.configuration, open_studio)
        ledger.announce()
        try:
            ledger.keep_finished()
            # More than once when a model fails that is in shards already finished.
            while numbers := ledger.unmade():
                Pool(setup, crew, ledger.job_of, ledger.hear).run(numbers)
        except KeyboardInterrupt:
            progress.note(f"stopped with {ledger.finished()}; the same command continues")
            raise
        finally:
            _remove_leftovers(out)
        return ledger.summary()


@contextmanager
def _only_run(out: Path) -> Iterator[None]:
    """Inside, no other run writes to ``out``, and nothing half-written lies there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"{out}: cannot be used as a folder ({error.strerror})") from error
    try:
        _lock(handle, out)
        _remove_leftovers(out)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, out: Path) -> None:
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{out}: another run is writing there; wait for its end") from error


def _remove_leftovers(out: Path) -> None:
    for path in out.glob(TEMPORARY_FILES):
        path.unlink(missing_ok=True)


class RendererStudio:
    """The studio of this project's renderer: one OpenGL context."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.renderer_name = canvas.renderer_name

    def open(self, path: Path) -> Subject:
        """Read, rig and upload a model; ``ModelError`` says what is wrong with it."""
        model = read_model(path)
        rig = fit_rig(model)
        return _Sitter(Portrait(self._canvas, model, rig), _facts(model, rig))


class _Sitter:
    """A portrait with what is known of its model."""

    def __init__(self, portrait: Portrait, facts: ModelFacts) -> None:
        self._portrait = portrait
        self.facts = facts

    def draw(self, pose: Pose, ambient: float) -> Stored:
        return self._portrait.draw(pose, ambient)

    def release(self) -> None:
        self._portrait.release()


def open_renderer(device: str, configuration: Configuration) -> RendererStudio:
    """The studio that draws with OpenGL; ``DeviceError`` where there is none."""
    shading = cast(Shading, configuration.shading)
    return RendererStudio(Canvas(configuration.size, shading, device))


def _facts(model: MmdModel, rig: Rig) -> ModelFacts:
    box = rig.head_box
    morphs = {
        axis: tuple(
            UsedMorph(model.morphs[use.morph].name, use.weight, use.side.value)
            for use in rig.drives[axis]
        )
        for axis in FACE_AXES
    }
    return ModelFacts(
        name=(model.name or model.name_english)[:_MAX_NAME],
        comment=(model.comment or model.comment_english)[:_MAX_COMMENT],
        head_box=HeadLines(box.chin_y, box.skull_top_y, box.centre_x),
        morphs=morphs,
        evidence=rig.evidence,
    )
