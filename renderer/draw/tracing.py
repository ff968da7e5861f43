"""Where what each pixel of a picture shows lies in another picture of the same model.

The posed mesh is drawn with the other one's positions for colours, one sample a pixel: what is in
front says where it comes from.
"""

from __future__ import annotations

import moderngl
import numpy as np

from renderer.deform.deformer import PosedMesh
from renderer.draw.gpu_model import DrawnModel
from renderer.draw.programs import Programs
from renderer.formats.model import F32

_CHANNELS = 4


class Tracing:
    """A target of ``side`` pixels a side for origins, on one context."""

    def __init__(self, context: moderngl.Context, programs: Programs, side: int) -> None:
        self.side = side
        self._context = context
        self._program = programs.origin
        self._texture = context.texture((side, side), _CHANNELS, dtype="f4")
        depth = context.depth_renderbuffer((side, side))
        self._target = context.framebuffer([self._texture], depth)

    def trace(
        self,
        drawn: DrawnModel,
        mesh: PosedMesh,
        origins: F32,
        mmd_to_clip: tuple[float, ...],
    ) -> F32:
        """What each pixel of the mesh's picture shows: x, y and z of its origin, and 1; else 0.

        origins: (V, 3), where the mesh's vertices come from, in clip space. Returns
        (side, side, 4), the first row on top.
        """
        self._target.use()
        self._target.viewport = (0, 0, self.side, self.side)
        self._target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        self._context.depth_func = "<="
        self._context.front_face = "cw"
        drawn.write(mesh)
        drawn.draw_origins(mesh.materials, origins, self._program, mmd_to_clip)
        pixels = np.frombuffer(self._target.read(components=_CHANNELS, dtype="f4"), np.float32)
        return pixels.reshape(self.side, self.side, _CHANNELS)[::-1]
