"""The OpenGL of a graphics card: is it there, does it draw what the software draws, how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import qoi

from bench.gpu.outcome import Outcome, judged
from bench.gpu.scale import Scale
from characters.files.generate import write_character
from contract.image import Stored
from contract.light import SHADINGS, Light
from contract.pose import AXES, REST, Pose, pose_from_vector
from renderer.draw.canvas import Canvas
from renderer.draw.device import report_devices
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait

NEAR = 2  # of 255
SHARE = 0.999


def doctor() -> list[Outcome]:
    """Whether an OpenGL device is a graphics card."""
    reports = report_devices()
    cards = [report.renderer for report in reports if not report.software]
    said = cards[0] if cards else f"only {reports[0].renderer}: install the card's driver with EGL"
    listed = [f"{one.number}: {one.renderer} / {one.version}" for one in reports]
    return [judged("doctor", bool(cards), said, {"devices": listed})]


@dataclass(frozen=True)
class Drawn:
    """Pictures by one OpenGL, and how many it drew a second with one process, encoding included."""

    opengl: str
    pictures: tuple[Stored, ...]
    a_second: float


def pictures(opengl: str, scale: Scale, folder: Path) -> list[Outcome]:
    """What the OpenGL device called ``opengl`` draws, beside what the software draws."""
    models = [read_model(write_character(folder / str(n), n)) for n in range(scale.characters)]
    theirs, ours = (draw(models, device, scale) for device in (opengl, "software"))
    alone = draw(models, opengl, scale, tiles=1)
    return [agreement(theirs, ours), pace(theirs, ours), together(theirs, alone)]


def draw(models: Sequence[MmdModel], device: str, scale: Scale, tiles: int | None = None) -> Drawn:
    """Each model at rest, then each pose and its expression, in both shadings by turns."""
    canvas = Canvas(scale.size, device, tiles=tiles)
    drawn: list[Stored] = []
    seconds = 0.0
    for model in models:
        portrait = Portrait(canvas, model, fit_rig(model), strict_textures=False)
        drawn.append(portrait.draw(REST))  # by which all is warm
        began = time.perf_counter()
        for picture in portrait.draw_all(_views(scale.poses)):
            drawn.append(picture)
            qoi.encode(picture)
        seconds += time.perf_counter() - began
        portrait.release()
    name = canvas.renderer_name
    canvas.release()
    return Drawn(name, tuple(drawn), 2 * scale.poses * len(models) / seconds)


def _views(count: int) -> Iterator[tuple[Pose, Light]]:
    for number, pose in enumerate(_poses(count)):
        light = Light(0.5 + 0.1 * (number % 7), SHADINGS[number % len(SHADINGS)])
        yield pose.face_only(), light
        yield pose, light


def _poses(count: int) -> list[Pose]:
    rng = np.random.default_rng(0)
    low, high = ([getattr(axis, end) for axis in AXES] for end in ("low", "high"))
    return [pose_from_vector(rng.uniform(low, high)) for _ in range(count)]


def agreement(theirs: Drawn, ours: Drawn) -> Outcome:
    """In every picture nearly all pixels must be nearly the same."""
    shares, apart = [], []
    for one, other in zip(theirs.pictures, ours.pictures, strict=True):
        difference = np.abs(one.astype(np.int16) - other).max(axis=2)
        shares.append(float((difference <= NEAR).mean()))
        apart.append(int(difference.max()))
    said = (
        f"in the worst of {len(shares)} pictures {100 * min(shares):.3f} % of pixels lie within "
        f"{NEAR}/255 of the software renderer's, the furthest {max(apart)}/255 off"
    )
    numbers = {
        "opengl": theirs.opengl,
        "beside": ours.opengl,
        "shares": shares,
        "largest_differences": apart,
    }
    return judged("pictures", min(shares) >= SHARE, said, numbers)


def pace(theirs: Drawn, ours: Drawn) -> Outcome:
    """How many times as fast as the software, one process each, in the same run."""
    ratio = theirs.a_second / ours.a_second
    said = (
        f"{theirs.a_second:.0f} a second with one process, "
        f"{ratio:.2f} times the software renderer's {ours.a_second:.0f}"
    )
    numbers = {"a_second": theirs.a_second, "software_a_second": ours.a_second, "ratio": ratio}
    return Outcome("pictures a second", "passed", said, numbers)


def together(theirs: Drawn, alone: Drawn) -> Outcome:
    """What drawing pictures beside one another, and reading them later, gains on this device."""
    ratio = theirs.a_second / alone.a_second
    said = (
        f"{theirs.a_second:.0f} a second, {ratio:.2f} times the {alone.a_second:.0f} of pictures "
        "drawn and read one by one"
    )
    numbers = {"a_second": theirs.a_second, "alone_a_second": alone.a_second, "ratio": ratio}
    return Outcome("several pictures at once", "passed", said, numbers)
