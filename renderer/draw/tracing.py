"""Where what each pixel of a picture shows lies in another picture of the same model.

The posed mesh is drawn with the other one's positions for colours, one sample a pixel: what is in
front says where it comes from.
"""

from __future__ import annotations

import moderngl
import numpy as np

from renderer.deform.deformer import PosedMesh
from renderer.deform.material_morphs import MaterialStates
from renderer.draw.gpu_model import DrawnModel, Parts
from renderer.draw.programs import Programs
from renderer.formats.model import F32

_CHANNELS = 4


class Tracing:
    """A target of ``side`` pixels a side for origins, on one context."""

    def __init__(self, context: moderngl.Context, programs: Programs, side: int) -> None:
        self.side = side
        self._context = context
        self._program = programs.origin()
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
        self._program["mmd_to_clip"] = mmd_to_clip
        self._draw(drawn.parts(), mesh.materials, origins)
        pixels = np.frombuffer(self._target.read(components=_CHANNELS, dtype="f4"), np.float32)
        return pixels.reshape(self.side, self.side, _CHANNELS)[::-1]

    def _draw(self, parts: Parts, materials: MaterialStates, origins: F32) -> None:
        context, program = self._context, self._program
        buffer = context.buffer(np.ascontiguousarray(origins, np.float32).tobytes() or bytes(12))
        array = context.vertex_array(
            program,
            [
                (parts.positions, "3f", "position"),
                (parts.lasting, "2f 12x", "uv"),
                (buffer, "3f", "origin"),
            ],
            parts.indices,
        )
        context.cull_face = "back"
        for surface, colour_map in parts.surfaces:
            if (opacity := float(materials.diffuse[surface.material, 3])) > 0:
                program["opacity"] = opacity
                colour_map.use(0)
                cull = moderngl.NOTHING if surface.double_sided else moderngl.CULL_FACE
                context.enable_only(moderngl.DEPTH_TEST | cull)
                count, first = surface.index_count, surface.first_index
                array.render(moderngl.TRIANGLES, count, first=first)
        array.release()
        buffer.release()
