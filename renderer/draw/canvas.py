"""A posed mesh, a camera and a light -> a picture.

Antialiasing is ordered supersampling (2x2 samples a pixel by default): the same picture on every
device, and on software OpenGL faster than 4x MSAA, which is the most that offers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import moderngl
import numpy as np
import numpy.typing as npt
from pyrr import Matrix44

from contract.convention import MMD_TO_VIEW
from contract.errors import DeviceError
from contract.image import CHIN_FRACTION, DEFAULT_SIZE, SKULL_TOP_FRACTION, Stored
from contract.light import Light
from contract.origins import ORIGINS_SIDE
from contract.rig import HeadBox
from renderer.deform.deformer import PosedMesh
from renderer.draw.device import open_context
from renderer.draw.gpu_model import DrawList, DrawnModel, Frame
from renderer.draw.programs import Programs
from renderer.draw.tiles import Sent, Tiles
from renderer.draw.tracing import Tracing
from renderer.formats.model import F32

DEFAULT_SUPERSAMPLE = 2
EDGE_PIXELS_AT_DEFAULT_SIZE = 1.0
_LARGE_BLOCK = (32 << 20) - (64 << 10)  # bytes; glibc heeds none over 32 MiB


class Canvas:
    """An OpenGL context with a square target; one per process, released by ``release``.

    ``size``: picture side in pixels. ``supersample``: samples a pixel is this squared. ``device``:
    "auto", "software", or the number of an EGL device. ``tiles``: see ``Tiles``.

    Raises:
        DeviceError: no OpenGL, or a target larger than the device allows.
    """

    def __init__(
        self,
        size: int = DEFAULT_SIZE,
        device: str = "auto",
        supersample: int = DEFAULT_SUPERSAMPLE,
        tiles: int | None = None,
    ) -> None:
        self.size = size
        _keep_memory()
        self._context = open_context(device)
        self._require_target(size * supersample * (tiles or 1))
        self._tiles = Tiles(self._context, size, supersample, tiles)
        self._programs = Programs(self._context, self._tiles.picture_side, supersample)
        self._tracing: Tracing | None = None
        self._resolve = self._context.vertex_array(self._programs.resolve, [])

    @property
    def renderer_name(self) -> str:
        """The OpenGL renderer and version, as the driver says them."""
        info = self._context.info
        return f"{info['GL_RENDERER']} / {info['GL_VERSION']}"

    def _require_target(self, side: int) -> None:
        limit = int(self._context.info["GL_MAX_RENDERBUFFER_SIZE"])
        if side > limit:
            raise DeviceError(
                f"OpenGL: a target of {side} pixels a side exceeds this device's {limit}; "
                "lower --size or --supersample"
            )

    def upload(self, draw_list: DrawList) -> DrawnModel:
        """Put a model's faces and textures on the device."""
        return DrawnModel(self._context, self._programs, draw_list)

    def draw(self, drawn: DrawnModel, mesh: PosedMesh, camera: Camera, light: Light) -> Stored:
        """Draw one picture: (size, size, 4) uint8 in the stored form."""
        return next(self.draw_all(drawn, [(mesh, light)], camera))

    def draw_all(
        self, drawn: DrawnModel, views: Iterable[tuple[PosedMesh, Light]], camera: Camera
    ) -> Iterator[Stored]:
        """Draw a picture of each view, in order; more views than pictures may have been taken.

        Nothing else may be drawn with this canvas until the last one is given.
        """
        tiles, coming, sent = self._tiles, iter(views), deque[Sent]()
        try:
            while some := list(islice(coming, tiles.count)):
                self._begin()
                for tile, (mesh, light) in enumerate(some):
                    tiles.aim_at(tile)
                    self._draw(drawn, mesh, self._frame(camera, light))
                sent.append(tiles.send(len(some), self._resolve))
                if len(sent) > tiles.ahead:
                    yield from tiles.taken(sent.popleft())
            while sent:
                yield from tiles.taken(sent.popleft())
        finally:
            for unwanted in sent:
                tiles.let_go(unwanted)

    def trace(self, drawn: DrawnModel, mesh: PosedMesh, before: F32, camera: Camera) -> F32:
        """Where what each pixel of a picture shows was, were the vertices at ``before`` (V, 3).

        (T, T, 4): x, y and z in clip space, and 1; or 0 where nothing is shown.
        """
        if self._tracing is None:
            self._tracing = Tracing(self._context, self._programs, ORIGINS_SIDE)
        origins = camera.clip(before)
        return self._tracing.trace(drawn, mesh, origins, camera.by_columns())

    def _draw(self, drawn: DrawnModel, mesh: PosedMesh, frame: Frame) -> None:
        drawn.write(mesh)
        drawn.draw_surfaces(mesh.materials, frame)
        drawn.draw_edges(mesh.materials, frame)

    def _frame(self, camera: Camera, light: Light) -> Frame:
        """Outlines keep their share of the picture at any size."""
        return Frame(
            mmd_to_clip=camera.by_columns(),
            light=light,
            edge_width=EDGE_PIXELS_AT_DEFAULT_SIZE * 2 * camera.half_height / DEFAULT_SIZE,
        )

    def _begin(self) -> None:
        context = self._context
        self._tiles.begin()
        context.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND | moderngl.CULL_FACE)
        context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        context.depth_func = "<="
        # MMD's front faces run clockwise on the screen.
        context.front_face = "cw"

    def release(self) -> None:
        """Give the device's memory back."""
        self._context.release()


def _keep_memory() -> None:
    """Have glibc keep what one picture took for the next.

    It gives the end of its heap back after each, to take it anew page by page (up to a tenth of a
    picture's time on software OpenGL), until it has once seen a block as large as this go.
    """
    np.empty(_LARGE_BLOCK, np.uint8)


@dataclass(frozen=True)
class Camera:
    """Orthographic, looking straight at the character; a square of model units fills the picture.

    ``centre_x``, ``centre_y``, ``half_height``, ``depth``: model units; what lies within ``depth``
    of z = 0 is seen.
    """

    centre_x: float
    centre_y: float
    half_height: float
    depth: float

    def mmd_to_clip(self) -> npt.NDArray[np.float32]:
        """4x4, acts on column vectors: a point in MMD's numbers -> clip space."""
        # pyrr takes row vectors and floats only (integers silently give zeros).
        projection = Matrix44.orthogonal_projection(
            float(self.centre_x - self.half_height),
            float(self.centre_x + self.half_height),
            float(self.centre_y - self.half_height),
            float(self.centre_y + self.half_height),
            -float(self.depth),
            float(self.depth),
            dtype=np.float64,
        )
        return (np.asarray(projection).T @ MMD_TO_VIEW).astype(np.float32)

    def by_columns(self) -> tuple[float, ...]:
        """``mmd_to_clip`` as OpenGL takes it."""
        return tuple(self.mmd_to_clip().T.ravel().tolist())

    def clip(self, positions: F32) -> F32:
        """Where points (V, 3) in MMD's numbers are in clip space: (V, 3)."""
        matrix = self.mmd_to_clip()
        return positions @ matrix[:3, :3].T + matrix[:3, 3]


def frame_head(head: HeadBox, depth: float) -> Camera:
    """The camera that puts skull top and chin on the edges of the picture's middle half."""
    height = (head.skull_top_y - head.chin_y) / (CHIN_FRACTION - SKULL_TOP_FRACTION)
    centre_y = head.skull_top_y - height * (0.5 - SKULL_TOP_FRACTION)
    return Camera(head.centre_x, centre_y, height / 2, depth)
