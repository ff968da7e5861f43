"""A studio without OpenGL: its models are text files that say how they behave.

The first word of a model file: ``ok``; ``refuse`` (a ``RigError`` on opening); ``explode`` (an
exception nobody expects; ``open-explode``: on opening); ``crash`` (kills its process); ``hang``;
``empty`` (shows nothing); ``wide`` (a ``ModelError`` when the mouth opens beyond 0.8). The rest
of the file is its name.
"""

from __future__ import annotations

import os
import signal
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract.errors import ModelError, RigError
from contract.image import Stored
from contract.pose import FACE_AXES, Pose
from dataset.configuration import Configuration
from dataset.records import HeadLines, ModelFacts, UsedMorph

RENDERER_NAME = "tiny studio"
# Seconds a picture takes, so that a test can interrupt a run in the middle.
SLOWNESS = "TINY_STUDIO_SECONDS"


def tiny_facts(name: str) -> ModelFacts:
    return ModelFacts(
        name=name,
        comment="",
        head_box=HeadLines(16.5, 19.25, 0.0),
        morphs={axis: (UsedMorph(f"morph of {axis}", 1.0, "whole"),) for axis in FACE_AXES},
        evidence=("tiny",),
    )


def tiny_picture(name: str, pose: Pose, ambient: float, size: int) -> Stored:
    """A block as wide as the ambient light allows, in the colours of name and pose."""
    picture = np.zeros((size, size, 4), np.uint8)
    body = picture[size // 8 :, size // 4 : size - size // 4]
    body[..., 0] = np.arange(body.shape[1]) * 3 + zlib.crc32(name.encode()) % 100
    body[..., 1] = round(100 + 60 * pose.head_x + 30 * pose.head_y + 10 * pose.neck_z)
    body[..., 2] = round(100 + 60 * pose.left_eye + 30 * pose.right_eye + 10 * pose.mouth)
    body[..., 3] = round(255 * min(ambient, 1.5) / 1.5)
    return picture


@dataclass(frozen=True)
class TinySubject:
    behaviour: str
    facts: ModelFacts
    size: int

    def draw(self, pose: Pose, ambient: float) -> Stored:
        time.sleep(float(os.environ.get(SLOWNESS, "0")))
        match self.behaviour:
            case "explode":
                raise ZeroDivisionError("exploded")
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                time.sleep(1000)
            case "empty":
                return np.zeros((self.size, self.size, 4), np.uint8)
            case "wide" if pose.mouth > 0.8 and pose.mouth < 1:
                raise ModelError("the mouth is too wide", "too-wide")
        return tiny_picture(self.facts.name, pose, ambient, self.size)

    def release(self) -> None:
        pass


@dataclass(frozen=True)
class TinyStudio:
    size: int
    renderer_name: str = RENDERER_NAME

    def open(self, path: Path) -> TinySubject:
        behaviour, _, name = path.read_text("utf-8").partition(" ")
        if behaviour == "open-explode":
            raise LookupError("exploded on opening")
        if behaviour == "refuse":
            raise RigError(f"{path.name}: no head bone", "no-head-bone")
        return TinySubject(behaviour, tiny_facts(name), self.size)


def open_tiny_studio(configuration: Configuration) -> TinyStudio:
    return TinyStudio(configuration.size)


def open_tiny_device(_device: str, configuration: Configuration) -> TinyStudio:
    """Stands in for ``dataset.build.open_renderer``."""
    return open_tiny_studio(configuration)
