"""The only place of the data set that opens the renderer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from isal.isal_zlib import crc32

import contract
import renderer
from contract.errors import ModelError, TextureError
from contract.image import DEFAULT_SIZE, Stored, picture_fault
from contract.light import Light
from contract.origins import Origins
from contract.pose import REST, Pose
from contract.rig import NAME_ONLY, Rig
from contract.text import place, printable
from dataset.catalog import fingerprint as fingerprint_module
from dataset.catalog.catalog import TEXTURES, Counts, Described, Fault
from dataset.catalog.fingerprint import fingerprint
from dataset.drawing.protocols import OpenedModel
from dataset.shards.records import ModelFacts
from renderer.draw.canvas import Canvas
from renderer.draw.find_texture import find_texture
from renderer.fit import confidence
from renderer.fit.fit_rig import draft_rig
from renderer.fit.head_bones import carried_by
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait

_MAX_NAME = 200
_MAX_COMMENT = 4000
_MAX_NOTES, _MAX_NOTE = 20, 300
_WHITE_PARTS, _WHITE_FACE = 0.3, 0.0  # how sure ``TEXTURES`` is


@cache
def annotator_version() -> str:
    """A hash of the code that reads, annotates, draws and judges: what other code found is found
    anew."""
    digest = hashlib.sha256()
    for path in annotating_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def annotating_files() -> list[Path]:
    """The files whose code decides what is found out about a model."""
    ours, theirs = Path(contract.__file__).parent, Path(renderer.__file__).parent
    files = [
        *ours.glob("*.py"),
        *(path for path in theirs.rglob("*.*") if path.suffix in {".py", ".vert", ".frag"}),
        Path(fingerprint_module.__file__ or ""),
        Path(__file__),
    ]
    return sorted(path for path in files if path != theirs / "cli.py")


class RendererScanner:
    """Looks at models with one OpenGL context."""

    def __init__(self, canvas: Canvas, models_folder: Path | None) -> None:
        self._canvas = canvas
        self._models_folder = models_folder

    def scan(self, path: Path) -> tuple[Described, Stored]:
        """All about a model, if only as a draft, and its rest picture (256, 256, 4).

        Raises:
            ModelError: nothing that a person could give makes it of use.
        """
        model = read_model(path)
        draft = draft_rig(model)
        portrait, white_face = self._portrait(model, draft.rig)
        try:
            picture = portrait.draw(REST)
        finally:
            portrait.release()
        faults: dict[str, ModelError] = {**draft.faults}
        rig = draft.rig
        if white_face:
            faults[TEXTURES] = white_face
            rig = _doubting_textures(rig, "face-white", _WHITE_FACE)
        elif portrait.colour_missing:
            rig = _doubting_textures(rig, "shown-white", _WHITE_PARTS)
        unusable = picture_fault(picture, self._canvas.size, shows_rest=True)
        if unusable and not faults:
            raise ModelError(f"{path.name}: {unusable}", "unusable-picture")
        notes = (*(mend.text for mend in model.mends), *portrait.texture_faults)
        described = replace(
            describe(model, rig, picture),
            notes=_notes(notes),
            textures=_checksum(portrait.texture_files),
            missing={what: Fault(one.code, printable(str(one))) for what, one in faults.items()},
        )
        return (_seen_white(described) if white_face else described), picture

    def _portrait(self, model: MmdModel, rig: Rig) -> tuple[Portrait, TextureError | None]:
        """The portrait, and why it shows a face without its texture, if it does."""
        try:
            return Portrait(self._canvas, model, rig, self._models_folder), None
        except TextureError as error:
            folder = self._models_folder
            return Portrait(self._canvas, model, rig, folder, strict_textures=False), error


def open_scanner(device: str, models_folder: Path | None = None) -> RendererScanner:
    """A scanner that draws with OpenGL; ``DeviceError`` where there is none.

    Textures may lie anywhere below the models folder; without one, below the model's own.
    """
    return RendererScanner(Canvas(DEFAULT_SIZE, device), models_folder)


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
        annotation=rig,
        fingerprint=fingerprint(corners, height, picture),
    )


def _doubting_textures(rig: Rig, check: str, score: float) -> Rig:
    """The rig of a model whose pictures show something white that should have a texture."""
    return replace(
        rig,
        confidence={**rig.confidence, TEXTURES: score},
        doubtful=(*rig.doubtful, TEXTURES),
        objections=(*rig.objections, f"{TEXTURES}:{check}={score:.2f}"),
    )


def _seen_white(described: Described) -> Described:
    """Faces without texture look alike: only the mesh tells of copies."""
    return replace(described, fingerprint=replace(described.fingerprint, structure="", colours=""))


def _is_wanted_white(rig: Rig) -> bool:
    """Whether a person saw that textures are missing, and wants the pictures as they are."""
    return TEXTURES in rig.confidence and TEXTURES not in rig.doubtful


def _checksum(files: Mapping[int, Path]) -> str:
    """Of the contents of textures, by number; not proof against a forger, nor need it be."""
    check = 0
    for number, path in sorted(files.items()):
        check = crc32(repr(number).encode() + b"\0" + path.read_bytes(), check)
    return f"{check:08x}"


def _notes(texts: Sequence[str]) -> tuple[str, ...]:
    """A stranger's file may have anything wrong, and much of it: the first of each is told."""
    lines = [printable(text)[:_MAX_NOTE] for text in texts[:_MAX_NOTES]]
    if len(texts) > _MAX_NOTES:
        lines.append(f"and {len(texts) - _MAX_NOTES} more like these")
    return tuple(lines)


def in_words(objection: str) -> str:
    """One of a rig's objections (``answer:check=factor``) as a sentence for people."""
    return confidence.in_words(objection)


def morph_names(path: Path) -> tuple[str, ...]:
    """The names of a model's morphs, in the file's order; ``ModelError`` as ``read_model``."""
    return tuple(morph.name for morph in read_model(path).morphs)


def texture_references(path: Path) -> tuple[str, ...]:
    """The textures that a model's file refers to; none of a file that cannot be read."""
    try:
        return read_model(path).texture_paths
    except ModelError:
        return ()


def _name(model: MmdModel) -> str:
    return (model.name or model.name_english)[:_MAX_NAME]


def _comment(model: MmdModel) -> str:
    return (model.comment or model.comment_english)[:_MAX_COMMENT]


def require_rig_of(model: MmdModel, rig: Rig) -> None:
    """Raise unless a rig can be of this very file.

    Raises:
        ModelError: code ``foreign-annotation``: it names a bone or a morph that is not there.
    """
    bones = rig.head_bone, rig.neck_bone
    morphs = [use.morph for uses in rig.drives.values() for use in uses]
    if not _all_below(bones, len(model.bones)) or not _all_below(morphs, len(model.morphs)):
        raise ModelError(
            f"{model.path.name}: annotated with bones or morphs that it has not; scan again",
            "foreign-annotation",
        )


def _all_below(numbers: list[int] | tuple[int, ...], end: int) -> bool:
    return all(0 <= number < end for number in numbers)


class OpenGlRenderer:
    """This project's renderer: one OpenGL context."""

    def __init__(self, canvas: Canvas, models_folder: Path | None) -> None:
        self._canvas = canvas
        self._models_folder = models_folder
        self.renderer_name = canvas.renderer_name

    def open(self, path: Path, rig: Rig) -> OpenedModel:
        """Read and upload a model that is rigged so; ``ModelError`` says what is wrong with it."""
        model = read_model(path)
        require_rig_of(model, rig)
        strict = not _is_wanted_white(rig)
        portrait = Portrait(self._canvas, model, rig, self._models_folder, strict_textures=strict)
        return _OpenedPortrait(model, rig, portrait)


class _OpenedPortrait:
    """A portrait with what is known of its model."""

    def __init__(self, model: MmdModel, rig: Rig, portrait: Portrait) -> None:
        self._model = model
        self._portrait = portrait
        self.facts = _facts(model, rig)

    def draw(self, pose: Pose, light: Light) -> Stored:
        return self._portrait.draw(pose, light)

    def draw_all(self, views: Iterable[tuple[Pose, Light]]) -> Iterator[Stored]:
        return self._portrait.draw_all(views)

    def trace(self, pose: Pose) -> Origins:
        return self._portrait.trace(pose)

    def driven(self, rig: Rig) -> _OpenedPortrait:
        require_rig_of(self._model, rig)
        return _OpenedPortrait(self._model, rig, self._portrait.driven(rig))

    def release(self) -> None:
        self._portrait.release()


def open_renderer(device: str, size: int, models_folder: Path | None = None) -> OpenGlRenderer:
    """The renderer that draws with OpenGL; ``DeviceError`` where there is none.

    Textures may lie anywhere below the models folder; without one, below the model's own.
    """
    return OpenGlRenderer(Canvas(size, device), models_folder)


def _facts(model: MmdModel, rig: Rig) -> ModelFacts:
    return ModelFacts(
        name=_name(model),
        comment=_comment(model),
        head_box=rig.head_box,
        morphs={
            axis: tuple(
                replace(use, morph=NAME_ONLY, name=model.morphs[use.morph].name) for use in uses
            )
            for axis, uses in rig.drives.items()
        },
        evidence=rig.evidence,
    )


def texture_stamp(models_folder: Path, path: str, texture_paths: tuple[str, ...]) -> str:
    """Changes whenever one of the textures of the model at ``path`` below the models folder
    changes, appears or vanishes."""
    digest = hashlib.sha256()
    folder = place(models_folder, path).parent
    for reference in texture_paths:
        try:
            found = find_texture(folder, reference, models_folder)
            status = found.stat()
        except (TextureError, OSError):
            status = None
        digest.update(repr(status and (status.st_size, status.st_mtime_ns)).encode() + b"\0")
    return digest.hexdigest()[:16]
