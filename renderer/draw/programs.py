"""The GLSL programs of one context, compiled in the variants that are asked for."""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import numpy.typing as npt

from contract.convention import MMD_TO_VIEW
from contract.light import Shading
from renderer.formats.model import SphereMode

_GLSL_VERSION = "#version 330 core\n"
_SHADERS = Path(__file__).parent / "shaders"
# MMD's default light travels along (-0.5, -1, 0.5) in its own numbers.
_TOWARD_TOON_LIGHT = (MMD_TO_VIEW[:3, :3] @ [0.5, 1.0, -0.5]) / np.sqrt(1.5)

UniformValue = int | float | tuple[float, ...] | npt.NDArray[np.float32]


def set_uniform(program: moderngl.Program, name: str, value: UniformValue) -> None:
    """Set a uniform, unless the compiler dropped it from this variant because nothing uses it."""
    member = program.get(name, None)
    if isinstance(member, moderngl.Uniform):
        member.value = value if isinstance(value, int | float) else tuple(map(float, value))


class Programs:
    """Surface programs (by shading, sphere mode, opacity, highlight), edge and resolve."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._surfaces: dict[tuple[Shading, SphereMode, bool, bool], moderngl.Program] = {}
        self.edge = self._compile("edge")
        self.resolve = self._compile("resolve")

    def surface(
        self, shading: Shading, sphere_mode: SphereMode, opaque: bool, shines: bool
    ) -> moderngl.Program:
        """The surface program for these, compiled when first asked for."""
        key = shading, sphere_mode, opaque, shines
        if key not in self._surfaces:
            self._surfaces[key] = self._compile(
                "surface",
                TOON=int(shading == "toon"),
                SPHERE_MODE=int(sphere_mode),
                OPAQUE=int(opaque),
                SHINES=int(shines),
            )
            for unit, name in enumerate(("colour_map", "sphere_map", "toon_map")):
                set_uniform(self._surfaces[key], name, unit)
            set_uniform(self._surfaces[key], "toward_toon_light", tuple(_TOWARD_TOON_LIGHT))
        return self._surfaces[key]

    def _compile(self, name: str, **defines: int) -> moderngl.Program:
        lines = "".join(f"#define {key} {value}\n" for key, value in defines.items())
        return self._context.program(
            vertex_shader=_GLSL_VERSION + (_SHADERS / f"{name}.vert").read_text("utf-8"),
            fragment_shader=_GLSL_VERSION + lines + (_SHADERS / f"{name}.frag").read_text("utf-8"),
        )
