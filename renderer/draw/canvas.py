"""A posed mesh, a camera and a light -> a picture.

Antialiasing is ordered supersampling (2x2 samples a pixel by default): the same picture on every
device, and on software OpenGL faster than 4x MSAA, which is the most that offers.
"""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np
import numpy.typing as npt
from pyrr import Matrix44

from contract.convention import MMD_TO_VIEW
from contract.errors import DeviceError
from contract.image import CHIN_FRACTION, DEFAULT_SIZE, SKULL_TOP_FRACTION, Stored
from contract.light import Light
from contract.rig import HeadBox
from renderer.deform.deformer import PosedMesh
from renderer.draw.device import open_context
from renderer.draw.gpu_model import DrawList, DrawnModel, Frame
from renderer.draw.programs import Programs

DEFAULT_SUPERSAMPLE = 2
EDGE_PIXELS_AT_DEFAULT_SIZE = 1.0
_LARGE_BLOCK = (32 << 20) - (64 << 10)  # bytes; glibc heeds none over 32 MiB


class Canvas:
    """An OpenGL context with a square target; one per process, released by ``release``.

    ``size``: picture side in pixels. ``supersample``: samples a pixel is this squared. ``device``:
    "auto", "software", or the number of an EGL device.

    Raises:
        DeviceError: no OpenGL, or a target larger than the device allows.
    """

    def __init__(
        self,
        size: int = DEFAULT_SIZE,
        device: str = "auto",
        supersample: int = DEFAULT_SUPERSAMPLE,
    ) -> None:
        self.size = size
        _keep_memory()
        self._context = open_context(device)
        self._require_target(size * supersample)
        self._make_targets(size * supersample)
        self._programs = Programs(self._context, size, supersample)
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

    def _make_targets(self, side: int) -> None:
        # Eight bits of a premultiplied colour are too few where alpha is low; software OpenGL
        # writes sixteen faster than half floats.
        self._samples = self._context.texture((side, side), 4, dtype="nu2")
        depth = self._context.depth_renderbuffer((side, side))
        self._sample_target = self._context.framebuffer([self._samples], depth)
        picture = self._context.renderbuffer((self.size, self.size), 4)
        self._picture_target = self._context.framebuffer([picture])

    def upload(self, draw_list: DrawList) -> DrawnModel:
        """Put a model's faces and textures on the device."""
        return DrawnModel(self._context, self._programs, draw_list)

    def draw(self, drawn: DrawnModel, mesh: PosedMesh, camera: Camera, light: Light) -> Stored:
        """Draw one picture: (size, size, 4) uint8 in the stored form."""
        frame = self._frame(camera, light)
        drawn.write(mesh)
        self._begin()
        drawn.draw_surfaces(mesh.materials, frame)
        drawn.draw_edges(mesh.materials, frame)
        return self._resolved()

    def _frame(self, camera: Camera, light: Light) -> Frame:
        """Outlines keep their share of the picture at any size."""
        return Frame(
            mmd_to_clip=tuple(camera.mmd_to_clip().T.ravel().tolist()),
            light=light,
            edge_width=EDGE_PIXELS_AT_DEFAULT_SIZE * 2 * camera.half_height / DEFAULT_SIZE,
        )

    def _begin(self) -> None:
        context = self._context
        self._sample_target.use()
        self._sample_target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        context.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND | moderngl.CULL_FACE)
        context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        context.depth_func = "<="
        # MMD's front faces run clockwise on the screen.
        context.front_face = "cw"

    def _resolved(self) -> Stored:
        self._picture_target.use()
        self._context.enable_only(moderngl.NOTHING)
        self._samples.use(0)
        self._resolve.render(moderngl.TRIANGLES, vertices=3)
        picture = np.empty((self.size, self.size, 4), np.uint8)
        self._picture_target.read_into(picture, components=4, alignment=1)
        return picture

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


def frame_head(head: HeadBox, depth: float) -> Camera:
    """The camera that puts skull top and chin on the edges of the picture's middle half."""
    height = (head.skull_top_y - head.chin_y) / (CHIN_FRACTION - SKULL_TOP_FRACTION)
    centre_y = head.skull_top_y - height * (0.5 - SKULL_TOP_FRACTION)
    return Camera(head.centre_x, centre_y, height / 2, depth)
