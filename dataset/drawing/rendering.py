"""The only place of the data set that opens the renderer."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np

import renderer
from contract.errors import ModelError, TextureError
from contract.image import DEFAULT_SIZE, Stored
from contract.pose import FACE_AXES, REST, Pose
from contract.rig import HeadBox, MorphUse, Rig, Side
from dataset.catalog import annotation as annotation_module
from dataset.catalog import fingerprint as fingerprint_module
from dataset.catalog.annotation import Annotation, Drive
from dataset.catalog.catalog import Counts, Described
from dataset.catalog.fingerprint import fingerprint
from dataset.drawing.protocols import OpenedModel
from dataset.shards.picture_faults import picture_fault
from dataset.shards.records import HeadLines, ModelFacts, UsedMorph
from renderer.draw.canvas import Canvas, Shading
from renderer.draw.textures import find_texture
from renderer.fit.fit_rig import fit_rig
from renderer.fit.head_bones import carried_by
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait

_MAX_NAME = 200
_MAX_COMMENT = 4000


@cache
def annotator_version() -> str:
    """A hash of the code that reads, annotates and draws: rows made by other code are made anew."""
    folder = Path(renderer.__file__).parent
    files = sorted(path for path in folder.rglob("*.*") if path.suffix in {".py", ".vert", ".frag"})
    ours = [__file__, annotation_module.__file__, fingerprint_module.__file__]
    digest = hashlib.sha256()
    for path in [*files, *map(Path, ours)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class RendererScanner:
    """Looks at models with one OpenGL context."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def scan(self, path: Path) -> tuple[Described, Stored]:
        """All about a model, and its rest picture (256, 256, 4); ``ModelError`` on no use."""
        model = read_model(path)
        rig = fit_rig(model)
        portrait = Portrait(self._canvas, model, rig)
        try:
            picture = portrait.draw(REST)
        finally:
            portrait.release()
        if fault := picture_fault(picture, self._canvas.size, shows_rest=True):
            raise ModelError(f"{path.name}: {fault}", "unusable-picture")
        return describe(model, rig, picture), picture


def open_scanner(device: str) -> RendererScanner:
    """A scanner that draws with OpenGL; ``DeviceError`` where there is none."""
    return RendererScanner(Canvas(DEFAULT_SIZE, "phong", device))


def describe(model: MmdModel, rig: Rig, picture: Stored) -> Described:
    """What the catalogue keeps of a model."""
    head = model.faces[carried_by(model, rig.head_bone)[model.faces].all(axis=1)]
    corners = model.vertices.positions[head].astype(np.float64)
    height = rig.head_box.skull_top_y - rig.head_box.chin_y
    return Described(
        format=model.format,
        name=_name(model),
        comment=_comment(model),
        counts=Counts(
            len(model.vertices),
            len(model.faces),
            len(model.materials),
            len(model.bones),
            len(model.morphs),
            len(model.texture_paths),
        ),
        texture_paths=model.texture_paths,
        annotation=_annotation(model, rig),
        fingerprint=fingerprint(corners, height, picture),
    )


def morph_names(path: Path) -> tuple[str, ...]:
    """The names of a model's morphs, in the file's order; ``ModelError`` as ``read_model``."""
    return tuple(morph.name for morph in read_model(path).morphs)


def _name(model: MmdModel) -> str:
    return (model.name or model.name_english)[:_MAX_NAME]


def _comment(model: MmdModel) -> str:
    return (model.comment or model.comment_english)[:_MAX_COMMENT]


def _annotation(model: MmdModel, rig: Rig) -> Annotation:
    box = rig.head_box
    return Annotation(
        head_box=HeadLines(box.chin_y, box.skull_top_y, box.centre_x),
        head_bone=rig.head_bone,
        head_bone_name=model.bones[rig.head_bone].name,
        neck_bone=rig.neck_bone,
        neck_bone_name=model.bones[rig.neck_bone].name,
        split_x=rig.split_x,
        split_half_width=rig.split_half_width,
        drives={
            axis: tuple(
                Drive(use.morph, model.morphs[use.morph].name, use.weight, use.side.value)
                for use in rig.drives[axis]
            )
            for axis in FACE_AXES
        },
        confidence=rig.confidence.scores,
        doubtful=rig.confidence.doubtful,
        objections=rig.confidence.objections,
        evidence=rig.evidence,
    )


def rig_of(model: MmdModel, annotation: Annotation) -> Rig:
    """The rig that an annotation of this very file means.

    Raises:
        ModelError: code ``foreign-annotation``: it names a bone or a morph that is not there.
    """
    bones = annotation.head_bone, annotation.neck_bone
    morphs = [drive.morph for drives in annotation.drives.values() for drive in drives]
    if not _all_below(bones, len(model.bones)) or not _all_below(morphs, len(model.morphs)):
        raise ModelError(
            f"{model.path.name}: annotated with bones or morphs that it has not; scan again",
            "foreign-annotation",
        )
    box = annotation.head_box
    return Rig(
        HeadBox(box.chin_y, box.skull_top_y, box.centre_x),
        annotation.head_bone,
        annotation.neck_bone,
        {
            axis: tuple(MorphUse(d.morph, d.weight, Side(d.side)) for d in annotation.drives[axis])
            for axis in FACE_AXES
        },
        annotation.split_x,
        annotation.split_half_width,
        annotation.evidence,
    )


def _all_below(numbers: list[int] | tuple[int, ...], end: int) -> bool:
    return all(0 <= number < end for number in numbers)


class OpenGlRenderer:
    """The renderer of this project's renderer: one OpenGL context."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.renderer_name = canvas.renderer_name

    def open(self, path: Path, annotation: Annotation) -> OpenedModel:
        """Read, rig and upload a model; ``ModelError`` says what is wrong with it."""
        model = read_model(path)
        portrait = Portrait(self._canvas, model, rig_of(model, annotation))
        return _OpenedPortrait(model, annotation, portrait)


class _OpenedPortrait:
    """A portrait with what is known of its model."""

    def __init__(self, model: MmdModel, annotation: Annotation, portrait: Portrait) -> None:
        self._model = model
        self._portrait = portrait
        self.facts = _facts(model, annotation)

    def draw(self, pose: Pose, ambient: float) -> Stored:
        return self._portrait.draw(pose, ambient)

    def driven(self, annotation: Annotation) -> _OpenedPortrait:
        rig = rig_of(self._model, annotation)
        return _OpenedPortrait(self._model, annotation, self._portrait.driven(rig))

    def release(self) -> None:
        self._portrait.release()


def open_renderer(device: str, size: int, shading: str) -> OpenGlRenderer:
    """The renderer that draws with OpenGL; ``DeviceError`` where there is none."""
    return OpenGlRenderer(Canvas(size, cast(Shading, shading), device))


def _facts(model: MmdModel, annotation: Annotation) -> ModelFacts:
    return ModelFacts(
        name=_name(model),
        comment=_comment(model),
        head_box=annotation.head_box,
        morphs={
            axis: tuple(
                UsedMorph(model.morphs[drive.morph].name, drive.weight, drive.side)
                for drive in drives
            )
            for axis, drives in annotation.drives.items()
        },
        evidence=annotation.evidence,
    )


def texture_stamp(model_folder: Path, texture_paths: tuple[str, ...]) -> str:
    """Changes whenever one of a model's textures changes, appears or vanishes."""
    digest = hashlib.sha256()
    for reference in texture_paths:
        try:
            found = find_texture(model_folder, reference) if reference.strip() else None
            status = found.stat() if found else None
        except (TextureError, OSError):
            status = None
        digest.update(repr(status and (status.st_size, status.st_mtime_ns)).encode() + b"\0")
    return digest.hexdigest()[:16]
