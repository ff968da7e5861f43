"""How near ``dataset build`` comes to what the same OpenGL and the codec can do at all.

    python bench/limit.py [FOLDER OF MODELS]

Two limits, in seconds of processor a picture, for the poses that the build draws. OpenGL: the bare
triangles of surfaces and outlines, of meshes posed beforehand, in one colour, without textures or
light, into the cheapest target that gives the same picture, and their mean read back: as many
samples, of sixteen bits a channel (with eight, a fifth of a head's pixels differ by a step). Codec:
pictures drawn beforehand, checked, encoded and written as a shard. Ours: making the shard, from the
model's file on. Prints ours as a share of the slower limit; exit code 1 where it is under ``BAR``.
Models as in ``bench_render.py``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import moderngl

from bench.bench_render import CONFIGURATION, folders, shard_of, sized
from contract.image import Stored
from contract.light import DEFAULT_LIGHT, Light
from contract.origins import Origins
from contract.pose import Pose
from contract.rig import Rig
from contract.text import place
from dataset.build.build_worker import WorkerSetup
from dataset.build.sampling import draw_sample
from dataset.catalog.choose import PlannedModel
from dataset.drawing.protocols import OpenedModel
from dataset.drawing.rendering import OpenGlRenderer
from dataset.shards.records import ModelFacts
from renderer.deform.deformer import PosedMesh
from renderer.draw.canvas import Canvas
from renderer.draw.gpu_model import DrawnModel
from renderer.formats.read import read_model
from renderer.portrait.portrait import Portrait

BAR = 0.6
ROUNDS = 3
_VERTEX = """#version 330 core
uniform mat4 mmd_to_clip;
in vec3 position;
void main() { gl_Position = mmd_to_clip * vec4(position, 1.0); }
"""
_FRAGMENT = """#version 330 core
out vec4 colour;
void main() { colour = vec4(1.0); }
"""


@dataclass(frozen=True)
class Limits:
    """Seconds of processor a picture."""

    triangles: float
    codec: float
    ours: float

    @property
    def share(self) -> float:
        """Of what the slower limit allows, how much ours comes to."""
        return max(self.triangles, self.codec) / self.ours


def main() -> int:
    os.environ.setdefault("LP_NUM_THREADS", "1")  # as a worker of several has it
    shares: list[float] = []
    with TemporaryDirectory() as name:
        for folder in folders(Path(name)):
            canvas = Canvas(CONFIGURATION.size)
            print(f"{folder.name}: ms a picture, of one core; {canvas.renderer_name}")
            print(
                f"{'':20}{'bare triangles':>16}{'codec alone':>14}{'ours':>8}  share of the slower"
            )
            for size, model in sized(folder).items():
                found = limits(folder, model, canvas, Path(name))
                times = (
                    f"{found.triangles * 1e3:16.2f}{found.codec * 1e3:14.2f}{found.ours * 1e3:8.2f}"
                )
                print(f"{size:20}{times}  {found.share:.0%}")
                shares.append(found.share)
    print(f"the least share is {min(shares):.0%}, the bar {BAR:.0%}")
    return 0 if min(shares) >= BAR else 1


def limits(folder: Path, model: PlannedModel, canvas: Canvas, scratch: Path) -> Limits:
    """Both limits and ours for one model, each the least of some interleaved rounds."""
    path = scratch / "limit.h5"
    renderer = OpenGlRenderer(canvas, folder)
    setup = WorkerSetup(folder, CONFIGURATION, lambda _: renderer)
    bare = BareTriangles(canvas, folder, model)
    album = Album(renderer, bare.pictures())
    works: dict[str, Callable[[], int]] = {
        "triangles": bare.draw_all,
        "codec": partial(
            shard_of, model, replace(setup, open_renderer=lambda _: album), album, path
        ),
        "ours": partial(shard_of, model, setup, renderer, path),
    }
    for work in works.values():
        work()
    rounds = [{name: _a_picture(work) for name, work in works.items()} for _ in range(ROUNDS)]
    return Limits(**{name: min(one[name] for one in rounds) for name in works})


def _a_picture(work: Callable[[], int]) -> float:
    start = time.process_time()
    pictures = work()
    return (time.process_time() - start) / pictures


class BareTriangles:
    """What a model's pictures consist of, and nothing else, for the poses of its build."""

    def __init__(self, canvas: Canvas, folder: Path, model: PlannedModel) -> None:
        self._canvas, self._context = canvas, canvas._context
        read = read_model(place(folder, model.path))
        self._portrait = Portrait(canvas, read, model.annotation, folder, strict_textures=False)
        self._meshes = [self._portrait._posed(pose, DEFAULT_LIGHT) for pose in poses(model)]
        self._program = self._context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        drawn = self._portrait._drawn
        self._array = self._context.vertex_array(
            self._program, [(drawn._positions, "3f", "position")], drawn._indices
        )

    def pictures(self) -> list[Stored]:
        """The real pictures of these poses."""
        portrait = self._portrait
        return [
            self._canvas.draw(portrait._drawn, mesh, portrait._camera, DEFAULT_LIGHT)
            for mesh in self._meshes
        ]

    def draw_all(self) -> int:
        """Draw them all; how many there are."""
        for mesh in self._meshes:
            self._draw(self._portrait._drawn, mesh)
        return len(self._meshes)

    def _draw(self, drawn: DrawnModel, mesh: PosedMesh) -> None:
        frame = self._canvas._frame(self._portrait._camera, DEFAULT_LIGHT)
        drawn.write(mesh)
        self._canvas._begin()
        self._canvas._tiles.aim_at(0)
        self._context.disable(moderngl.BLEND)
        self._context.cull_face = "back"
        self._program["mmd_to_clip"] = frame.mmd_to_clip
        for surface in drawn._list.surfaces:
            if mesh.materials.diffuse[surface.material, 3] <= 0:
                continue
            switch = self._context.disable if surface.double_sided else self._context.enable
            switch(moderngl.CULL_FACE)
            self._array.render(moderngl.TRIANGLES, surface.index_count, first=surface.first_index)
        drawn.draw_edges(mesh.materials, frame)
        tiles = self._canvas._tiles
        tiles.taken(tiles.send(1, self._canvas._resolve))


def poses(model: PlannedModel) -> Iterator[Pose]:
    """The poses that the pictures of a model's build show, rest apart."""
    for index in range(CONFIGURATION.poses):
        pose = draw_sample(CONFIGURATION.seed, model.sha256, index, 1).pose
        yield pose.face_only()
        yield pose


class Album:
    """A renderer that shows pictures drawn before."""

    def __init__(self, renderer: OpenGlRenderer, pictures: list[Stored]) -> None:
        self._renderer, self._pictures = renderer, pictures
        self._facts: ModelFacts | None = None
        self.renderer_name = renderer.renderer_name

    def open(self, path: Path, rig: Rig) -> OpenedModel:
        if self._facts is None:
            opened = self._renderer.open(path, rig)
            self._facts = opened.facts
            opened.release()
        return _OpenedAlbum(self._facts, self._pictures)


class _OpenedAlbum:
    def __init__(self, facts: ModelFacts, pictures: list[Stored]) -> None:
        self.facts = facts
        self._next = cycle(pictures)

    def draw(self, _pose: Pose, _light: Light) -> Stored:
        return next(self._next)

    def draw_all(self, views: Iterable[tuple[Pose, Light]]) -> Iterator[Stored]:
        return (self.draw(pose, light) for pose, light in views)

    def trace(self, _pose: Pose) -> Origins:
        raise ValueError("an album holds pictures only: draw it without origins")

    def driven(self, _rig: Rig) -> _OpenedAlbum:
        return self

    def release(self) -> None:
        """There is nothing to give back."""


if __name__ == "__main__":
    sys.exit(main())
