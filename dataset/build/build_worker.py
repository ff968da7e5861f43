"""A worker process: makes one shard after the other, and says what it does.

It reports each model's start, each sample and each fault, so that its supervisor knows which
model it was when nothing comes any more.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from contract.errors import ModelError
from contract.image import Stored, picture_fault
from contract.light import Light
from contract.pose import REST, Pose
from contract.text import place, printable, shown_path
from dataset.build.configuration import Configuration
from dataset.build.plan import ShardPart
from dataset.build.sampling import (
    SampleDraw,
    draw_light_levels,
    draw_light_shadings,
    draw_sample,
    light_generator,
)
from dataset.catalog.choose import PlannedModel
from dataset.catalog.elsewhere import CHANGED
from dataset.catalog.provenance import find_terms, hash_model, source_of
from dataset.drawing.protocols import ModelRenderer, OpenedModel, OpenRenderer
from dataset.jobs.messages import (
    Job,
    JobDone,
    ModelDone,
    ModelDrawn,
    ModelFailed,
    ModelStarted,
    ModelStep,
    Report,
    Work,
    failed,
    serve_jobs,
)
from dataset.shards.origins import encode_origins
from dataset.shards.records import ModelFacts, ModelRow
from dataset.shards.schema import ShardHeader
from dataset.shards.shard import ShardWriter


@dataclass(frozen=True)
class WorkerSetup:
    """What all shards of a run share."""

    models_folder: Path
    configuration: Configuration
    open_renderer: OpenRenderer


def run_worker(setup: WorkerSetup, connection: Connection) -> None:
    """Make the shard of each ``ShardJob`` received, until None comes."""

    def open_work() -> Work:
        renderer = setup.open_renderer(setup.configuration.size)
        return lambda job, report: make_shard(job, setup, renderer, report)

    serve_jobs(connection, open_work)


def make_shard(job: ShardJob, setup: WorkerSetup, renderer: ModelRenderer, report: Report) -> bool:
    """Draw and write one shard; False when this process is not to be trusted any more."""
    made: list[ShardPart] = []
    with ShardWriter(job.path, _header(job, setup.configuration, renderer)) as writer:
        for part in job.parts:
            report(ModelStarted(part.model))
            fault = _draw_part(part, job.models[part.model], setup, renderer, writer, report)
            report(fault or ModelDone())
            if fault is None:
                made.append(part)
            elif fault.worker_ends:
                return False
        writer.finish()
    report(ShardMade(tuple(made)))
    return True


def _header(job: ShardJob, configuration: Configuration, renderer: ModelRenderer) -> ShardHeader:
    return ShardHeader(
        shading=configuration.shading,
        size=configuration.size,
        ambient_low=configuration.ambient_low,
        ambient_high=configuration.ambient_high,
        codec=configuration.codec,
        number=job.number,
        seed=configuration.seed,
        sampling_version=configuration.sampling_version,
        configuration_hash=configuration.hash(),
        generator=configuration.generator,
        gl_renderer=renderer.renderer_name,
    )


def _draw_part(
    part: ShardPart,
    model: PlannedModel,
    setup: WorkerSetup,
    renderer: ModelRenderer,
    writer: ShardWriter,
    report: Report,
) -> ModelFailed | None:
    """Draw one model's part into the shard; what came of it when it failed."""
    stage: ModelStep = "open"
    try:
        opened = _open_unchanged(renderer, setup.models_folder, model)
        stage = "draw"
        try:
            row = _model_row(part, model, setup, opened.facts)
            with writer.model(row):
                draw_samples(
                    row,
                    opened,
                    setup.configuration,
                    writer,
                    lambda pictures: report(SampleDrawn(part.model, pictures)),
                )
        finally:
            opened.release()
    except Exception as error:  # whatever a strange model brings about costs that model only
        return failed(part.model, stage, error)
    return None


def _open_unchanged(
    renderer: ModelRenderer, models_folder: Path, model: PlannedModel
) -> OpenedModel:
    path = place(models_folder, model.path)
    if hash_model(path) != model.sha256:
        raise ModelError(
            f"{path.name}: its bytes changed since the run was planned; restore the file, or "
            "build into another folder",
            CHANGED,
        )
    return renderer.open(path, model.annotation)


def _model_row(
    part: ShardPart, model: PlannedModel, setup: WorkerSetup, facts: ModelFacts
) -> ModelRow:
    configuration = setup.configuration
    seed, sha256 = configuration.seed, model.sha256
    levels = draw_light_levels(light_generator(seed, sha256), configuration.light)
    return ModelRow(
        sha256=sha256,
        path=shown_path(model.path),
        source=printable(source_of(model.path)),
        licence=find_terms(setup.models_folder, model.path),
        facts=facts,
        seed=seed,
        light_levels=tuple(map(float, levels)),
        first_index=part.first,
        samples=part.count,
        light_shadings=draw_light_shadings(seed, sha256, len(levels), configuration.shading),
    )


def draw_samples(
    row: ModelRow,
    opened: OpenedModel,
    configuration: Configuration,
    writer: ShardWriter,
    drawn: Callable[[int], None],
) -> None:
    """Draw the samples of a row: each light's rest picture where it is first used.

    ``drawn`` is told after each sample how many pictures it took. ``ModelError`` on a picture
    that is none.
    """

    wanted = list(_wanted(row, configuration))
    # What is traced between two samples waits for the pictures before it.
    groups = [[one] for one in wanted] if configuration.origins else [wanted]
    pictures = chain.from_iterable(map(partial(_pictures_of, opened), groups))

    def add_next(pose: Pose) -> int:
        picture = next(pictures)
        if fault := picture_fault(picture, configuration.size, shows_rest=pose == REST):
            raise ModelError(f"{row.path}: {fault}", "unusable-picture")
        return writer.add_frame(picture)

    rest_frames: dict[int, int] = {}
    for one in wanted:
        before = writer.frame_count
        *rest, expression, posed = map(add_next, one.poses)
        for frame in rest:
            rest_frames[one.sample.light] = frame
        frames = rest_frames[one.sample.light], expression, posed
        pictures_drawn, origins = writer.frame_count - before, None
        if configuration.origins:
            traced = opened.trace(one.sample.pose)
            origins = writer.add_encoded_frame(encode_origins(traced))
        writer.add_sample(one.sample.pose, one.index, one.sample.light, frames, origins)
        drawn(pictures_drawn)


def _pictures_of(opened: OpenedModel, samples: Sequence[_Wanted]) -> Iterator[Stored]:
    return opened.draw_all((pose, one.light) for one in samples for pose in one.poses)


@dataclass(frozen=True)
class _Wanted:
    """Sample ``index`` of a row, and the poses of its pictures, in this light, in order: rest where
    the light is first used, the expression, the pose."""

    index: int
    sample: SampleDraw
    light: Light
    poses: tuple[Pose, ...]


def _wanted(row: ModelRow, configuration: Configuration) -> Iterator[_Wanted]:
    seen: set[int] = set()
    for index in range(row.first_index, row.first_index + row.samples):
        sample = draw_sample(row.seed, row.sha256, index, len(row.light_levels))
        rest = () if sample.light in seen else (REST,)
        seen.add(sample.light)
        light = row.light(sample.light, configuration.shading)
        yield _Wanted(index, sample, light, (*rest, sample.pose.face_only(), sample.pose))


@dataclass(frozen=True)
class ShardJob(Job):
    """One shard to make; ``models`` holds those that ``parts`` names."""

    models: Mapping[int, PlannedModel]
    path: Path
    parts: tuple[ShardPart, ...]

    def without(self, models: Container[int]) -> Self | None:
        """The same shard without some models; None when none is left."""
        parts = tuple(part for part in self.parts if part.model not in models)
        return replace(self, parts=parts) if parts else None

    def writing_to(self, folder: Path) -> Self:
        """The same shard in another folder."""
        return replace(self, path=folder / self.path.name)


@dataclass(frozen=True)
class SampleDrawn(ModelDrawn):
    """One more sample is done; it took so many pictures."""

    pictures: int


@dataclass(frozen=True)
class ShardMade(JobDone):
    """A shard of ``parts`` is on disk, or none where ``parts`` is empty."""

    parts: tuple[ShardPart, ...]
