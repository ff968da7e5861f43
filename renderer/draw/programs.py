"""The GLSL programs of one context, compiled in the variants that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import moderngl
import numpy as np
import numpy.typing as npt

from contract.convention import MMD_TO_VIEW
from contract.light import Shading
from renderer.draw.toon_shades import STEPS
from renderer.formats.model import SphereMode

_GLSL_VERSION = "#version 330 core\n"
_SHADERS = Path(__file__).parent / "shaders"
# MMD's default light travels along (-0.5, -1, 0.5) in its own numbers.
_TOWARD_TOON_LIGHT = (MMD_TO_VIEW[:3, :3] @ [0.5, 1.0, -0.5]) / np.sqrt(1.5)
_TOWARD_VIEWER = np.array([0.0, 0.0, 1.0])
_HALFWAY = _TOWARD_TOON_LIGHT + _TOWARD_VIEWER

UniformValue = int | float | tuple[float, ...] | npt.NDArray[np.float32]


def set_uniform(program: moderngl.Program, name: str, value: UniformValue) -> None:
    """Set a uniform, unless the compiler dropped it from this variant because nothing uses it."""
    member = program.get(name, None)
    if isinstance(member, moderngl.Uniform):
        member.value = value if isinstance(value, int | float) else tuple(map(float, value))


class SurfaceKind(NamedTuple):
    """What decides which program draws a surface; ``surface.frag`` says what each means."""

    shading: Shading
    sphere_mode: SphereMode
    opaque: bool
    power: int
    retouched: bool


class Programs:
    """Surface programs by kind, that of outlines, and that which makes the picture of samples.

    ``size``: the picture's side in pixels; ``supersample``: samples a side of a pixel.
    """

    def __init__(self, context: moderngl.Context, size: int, supersample: int) -> None:
        self._context = context
        self._surfaces: dict[SurfaceKind, moderngl.Program] = {}
        self.edge = self._compile("edge")
        self.resolve = self._compile("resolve", FACTOR=supersample, SIZE=size)

    def surface(self, kind: SurfaceKind) -> moderngl.Program:
        """The surface program of this kind, compiled when first asked for."""
        if kind not in self._surfaces:
            program = self._surfaces[kind] = self._compile(
                "surface",
                TOON=int(kind.shading == "toon"),
                SPHERE_MODE=int(kind.sphere_mode),
                OPAQUE=int(kind.opaque),
                POWER=kind.power,
                RETOUCHED=int(kind.retouched),
                TOON_STEPS=STEPS,
            )
            for unit, name in enumerate(("colour_map", "sphere_map", "toon_shades")):
                set_uniform(program, name, unit)
            set_uniform(program, "toward_toon_light", tuple(_TOWARD_TOON_LIGHT))
            set_uniform(program, "toon_halfway", tuple(_HALFWAY / np.linalg.norm(_HALFWAY)))
        return self._surfaces[kind]

    def origin(self) -> moderngl.Program:
        """That of origins, compiled anew: few canvases trace any."""
        return self._compile("origin")

    def _compile(self, name: str, **defines: int) -> moderngl.Program:
        lines = "".join(f"#define {key} {value}\n" for key, value in defines.items())
        return self._context.program(
            vertex_shader=_GLSL_VERSION + (_SHADERS / f"{name}.vert").read_text("utf-8"),
            fragment_shader=_GLSL_VERSION + lines + (_SHADERS / f"{name}.frag").read_text("utf-8"),
        )
