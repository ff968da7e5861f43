"""A studio without OpenGL: its models are text files that say how they behave.

The first word of a model file: ``ok``; ``refuse`` (a ``RigError`` on opening); ``explode`` (an
exception nobody expects; ``open-explode``: on opening); ``crash`` (kills its process);
``kill-parent`` (kills the one that started its process, as when a whole machine goes down;
``open-kill-parent``: on opening);
``hang``; ``empty`` (shows nothing); ``wide`` (a ``ModelError`` when the mouth opens beyond 0.8).
The rest of the file is its name.
"""

from __future__ import annotations

import base64
import os
import signal
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from contract.errors import ModelError, RigError, TextureError
from contract.image import Stored
from contract.light import Light
from contract.origins import ORIGINS_SIDE, SEEN, Origins
from contract.pose import FACE_AXES, Pose
from contract.rig import NAME_ONLY, HeadBox, MorphUse, Rig
from dataset.catalog.catalog import Counts, Described, Fault
from dataset.catalog.choose import PlannedModel, Selection
from dataset.catalog.fingerprint import Fingerprint
from dataset.catalog.provenance import hash_models
from dataset.catalog.quarantine import Refusal
from dataset.scan.walk import list_models
from dataset.shards.records import ModelFacts

RENDERER_NAME = "tiny studio"
# Seconds a picture takes, so that a test can interrupt a run in the middle.
SLOWNESS = "TINY_STUDIO_SECONDS"


def tiny_facts(name: str) -> ModelFacts:
    return ModelFacts(
        name=name,
        comment="",
        head_box=HeadBox(16.5, 19.25, 0.0),
        morphs={axis: (MorphUse(NAME_ONLY, 1.0, name=f"morph of {axis}"),) for axis in FACE_AXES},
        evidence=("tiny",),
    )


def tiny_picture(name: str, pose: Pose, light: Light, size: int) -> Stored:
    """A block as opaque as the ambient light allows, in the colours of name and pose; inverted
    where it is shaded as toon."""
    picture = np.zeros((size, size, 4), np.uint8)
    body = picture[size // 8 :, size // 4 : size - size // 4]
    body[..., 0] = np.arange(body.shape[1]) * 3 + zlib.crc32(name.encode()) % 100
    body[..., 1] = round(100 + 60 * pose.head_x + 30 * pose.head_y + 10 * pose.neck_z)
    body[..., 2] = round(100 + 60 * pose.left_eye + 30 * pose.right_eye + 10 * pose.mouth)
    if light.shading == "toon":
        body[..., :3] = 255 - body[..., :3]
    body[..., 3] = round(255 * min(light.ambient, 1.5) / 1.5)
    return picture


def tiny_origins(pose: Pose) -> Origins:
    """What head_y shifts to the right comes from the left."""
    shape = ORIGINS_SIDE, ORIGINS_SIDE
    places = np.zeros((*shape, 2), np.int16)
    places[..., 0] = round(-1000 * pose.head_y)
    return Origins(places, np.full(shape, SEEN, np.uint8))


@dataclass(frozen=True)
class TinySubject:
    behaviour: str
    facts: ModelFacts
    size: int

    def draw(self, pose: Pose, light: Light) -> Stored:
        time.sleep(float(os.environ.get(SLOWNESS, "0")))
        match self.behaviour:
            case "explode":
                raise ZeroDivisionError("exploded")
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "kill-parent":
                kill_parent()
            case "hang":
                time.sleep(1000)
            case "empty":
                return np.zeros((self.size, self.size, 4), np.uint8)
            case "wide" if pose.mouth > 0.8 and pose.mouth < 1:
                raise ModelError("the mouth is too wide", "too-wide")
        return tiny_picture(self.facts.name, pose, light, self.size)

    def draw_all(self, views: Iterable[tuple[Pose, Light]]) -> Iterator[Stored]:
        return (self.draw(pose, light) for pose, light in views)

    def trace(self, pose: Pose) -> Origins:
        return tiny_origins(pose)

    def driven(self, annotation: Rig) -> TinySubject:
        return self

    def release(self) -> None:
        pass


@dataclass(frozen=True)
class TinyRenderer:
    size: int
    renderer_name: str = RENDERER_NAME

    def open(self, path: Path, annotation: Rig) -> TinySubject:
        behaviour, _, name = path.read_text("utf-8").partition(" ")
        if behaviour == "drawn-killed-once":
            be_killed_once(path)
        if behaviour == "open-kill-parent":
            kill_parent()
        if behaviour == "open-explode":
            raise LookupError("exploded on opening")
        if behaviour == "refuse":
            raise RigError(f"{path.name}: no head bone", "no-head-bone")
        facts = replace(tiny_facts(name), head_box=annotation.head_box)
        return TinySubject(behaviour, facts, self.size)


def kill_parent() -> None:
    """End the process that started this one, and with it this one."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)


def be_killed_once(path: Path) -> None:
    """As if memory ran out by something else: the first process that is here dies."""
    mark = path.with_suffix(".died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def tiny_annotation(**changes: Any) -> Rig:  # noqa: ANN401  # any field's value
    annotation = Rig(
        head_box=HeadBox(16.5, 19.25, 0.0),
        head_bone=1,
        head_bone_name="頭",
        neck_bone=0,
        neck_bone_name="首",
        split_x=0.0,
        split_half_width=0.1,
        drives={axis: (MorphUse(0, 1.0, name=f"morph of {axis}"),) for axis in FACE_AXES},
        confidence={"chin": 1.0, "mouth": 1.0},
        doubtful=(),
        evidence=("tiny",),
    )
    return replace(annotation, **changes)


def select_all(folder: Path) -> Selection:
    """Every model of a folder, undoubted; copies once."""
    models: dict[str, PlannedModel] = {}
    duplicates: dict[str, str] = {}
    refused: dict[str, Refusal] = {}
    listing = list_models(folder)
    for path, found in hash_models(folder, listing.models).items():
        if isinstance(found, ModelError):
            refused[path] = Refusal("", found.code, str(found), "hash")
        elif found in models:
            duplicates[path] = models[found].path
        else:
            models[found] = PlannedModel(path, found, tiny_annotation())
    return Selection(
        tuple(models.values()), duplicates, {}, refused, listing.archives, listing.links
    )


class TinyScanner:
    """Looks at the same files; those whose first word is ``doubtful`` are not sure of the chin.

    Files of one name look the same, whatever their first word. A ``textured`` one uses the
    face.png beside it; one that is called ``strictly`` needs it. Of an ``undriven`` one no morph
    opens the mouth.
    """

    def scan(self, path: Path) -> tuple[Described, Stored]:
        time.sleep(float(os.environ.get(SLOWNESS, "0")))
        behaviour, _, name = path.read_text("utf-8").partition(" ")
        match behaviour:
            case "refuse":
                raise RigError(f"{path.name}: no head bone", "no-head-bone")
            case "textured" if name == "strictly" and not (path.parent / "face.png").exists():
                raise TextureError(f"{path.name}: no face.png", "texture-missing")
            case "open-explode":
                raise LookupError("exploded on opening")
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "killed-once":
                be_killed_once(path)
            case "hang":
                time.sleep(1000)
        doubts = {"confidence": {"chin": 0.2}, "doubtful": ("chin",), "objections": ("chin:x=0.2",)}
        annotation = tiny_annotation(**(doubts if behaviour == "doubtful" else {}))
        texture_paths = ("face.png",) if behaviour == "textured" else ()
        picture = np.zeros((256, 256, 4), np.uint8)
        picture[64:192, 64:192] = 255
        described = replace(tiny_described(name), annotation=annotation)
        if behaviour == "undriven":
            described = without(described, "mouth")
        textures = path.with_name("face.png")
        look = textures.read_text("utf-8") if texture_paths and textures.exists() else ""
        return replace(described, texture_paths=texture_paths, textures=look), picture


def tiny_described(name: str) -> Described:
    """What is found out about a model called ``name``."""
    return Described(
        format="pmx",
        name=name,
        comment="",
        counts=Counts(3, 1, 1, 2, 3, 0),
        texture_paths=(),
        annotation=tiny_annotation(),
        fingerprint=tiny_fingerprint(name),
    )


def without(described: Described, *missing: str) -> Described:
    """The draft that lacks these."""
    rig = described.annotation
    drives = {axis: () if axis in missing else uses for axis, uses in rig.drives.items()}
    scores = {**rig.confidence, **dict.fromkeys(missing, 0.0)}
    doubtful = (*rig.doubtful, *missing)
    return replace(
        described,
        annotation=replace(rig, drives=drives, confidence=scores, doubtful=doubtful),
        missing={what: Fault(f"no-{what}", f"m.pmx: no {what}") for what in missing},
    )


def tiny_fingerprint(name: str) -> Fingerprint:
    """A fingerprint of its own for each name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))

    def text(kind: str, count: int) -> str:
        return base64.b64encode(rng.integers(0, 255, count).astype(kind).tobytes()).decode()

    return Fingerprint(text("<u4", 128), text("<u4", 128), text("u1", 512), text("u1", 216))


def open_tiny_scanner(_device: str = "auto", models_folder: Path | None = None) -> TinyScanner:
    """Stands in for ``dataset.drawing.rendering.open_scanner``."""
    return TinyScanner()


def open_tiny_renderer(size: int) -> TinyRenderer:
    return TinyRenderer(size)


def open_killed_once(mark: Path, size: int) -> TinyRenderer:
    """The first process that opens it dies of it, as if memory ran out just then."""
    be_killed_once(mark)
    return open_tiny_renderer(size)


def open_tiny_device(_device: str, size: int, models_folder: Path | None = None) -> TinyRenderer:
    """Stands in for ``dataset.drawing.rendering.open_renderer``."""
    return open_tiny_renderer(size)
