"""A model on the device: its buffers, its textures, and the draw calls of its materials."""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np

from contract.light import Light, Shading
from renderer.deform.deformer import PosedMesh
from renderer.deform.material_morphs import MaterialStates
from renderer.draw.lit_materials import LitMaterials, lit_materials
from renderer.draw.programs import Programs, SurfaceKind, set_uniform
from renderer.draw.textures import Texture
from renderer.formats.model import F32, I32, SphereMode

_WHITE = Texture(np.full((1, 1, 4), 255, np.uint8))
_MOVING_BYTES, _LASTING_BYTES = 24, 20  # position, normal | uv, uv1, edge scale


@dataclass(frozen=True)
class Surface:
    """The drawn part of one material: face indices ``first_index`` .. + ``index_count``."""

    material: int
    first_index: int
    index_count: int
    double_sided: bool
    draw_edge: bool
    sphere_mode: SphereMode
    colour_map: Texture | None
    sphere_map: Texture | None
    toon_map: Texture | None


@dataclass(frozen=True)
class DrawList:
    """What is drawn of a model: V vertices, and faces that index them, in material order."""

    edge_scales: F32  # (V,)
    faces: I32  # (F, 3)
    surfaces: tuple[Surface, ...]


@dataclass(frozen=True)
class Frame:
    """What all draw calls of one picture share.

    ``mmd_to_clip`` is 4x4, column by column; ``edge_width``, model units, is that of edge size 1.
    """

    mmd_to_clip: tuple[float, ...]
    light: Light
    edge_width: float


class DrawnModel:
    """A model's buffers and textures on one context; ``release`` gives them back."""

    def __init__(self, context: moderngl.Context, programs: Programs, draw_list: DrawList) -> None:
        self._context = context
        self._programs = programs
        self._list = draw_list
        count = max(len(draw_list.edge_scales), 1)
        self._moving = context.buffer(reserve=count * _MOVING_BYTES, dynamic=True)
        self._lasting = context.buffer(reserve=count * _LASTING_BYTES, dynamic=True)
        self._indices = context.buffer(draw_list.faces.astype(np.int32).tobytes() or bytes(12))
        self._written_uv: tuple[F32, F32] | None = None
        self._textures: dict[tuple[int, bool], moderngl.Texture] = {}
        self._maps = [self._upload_maps(surface) for surface in draw_list.surfaces]
        self._surface_arrays: dict[moderngl.Program, moderngl.VertexArray] = {}
        self._edge_array = context.vertex_array(
            programs.edge,
            [
                (self._moving, "3f 3f", "position", "normal"),
                (self._lasting, "16x 1f", "edge_scale"),
            ],
            self._indices,
        )

    def _upload_maps(self, surface: Surface) -> tuple[moderngl.Texture, ...]:
        return (
            self._upload(surface.colour_map or _WHITE, is_ramp=False),
            self._upload(surface.sphere_map or _WHITE, is_ramp=False),
            self._upload(surface.toon_map or _WHITE, is_ramp=True),
        )

    def _upload(self, source: Texture, *, is_ramp: bool) -> moderngl.Texture:
        # ``self._list`` keeps the sources alive, so an id names one texture.
        key = id(source), is_ramp
        if key not in self._textures:
            height, width, _ = source.pixels.shape
            pixels = np.ascontiguousarray(source.pixels).tobytes()
            texture = self._context.texture((width, height), 4, pixels)
            texture.filter = moderngl.LINEAR, moderngl.LINEAR
            # A ramp is smooth as it is, and levels of detail cost software OpenGL two samples more.
            if not is_ramp and max(width, height) > 1:
                texture.build_mipmaps()
                # One level, not a mix of two: samples are mixed again in the picture's pixels.
                texture.filter = moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR
            texture.repeat_x = texture.repeat_y = not is_ramp
            self._textures[key] = texture
        return self._textures[key]

    def _surface_array(self, program: moderngl.Program) -> moderngl.VertexArray:
        if program not in self._surface_arrays:
            uses_uv1 = "uv1" in program
            lasting = (
                (self._lasting, "2f 2f 4x", "uv", "uv1")
                if uses_uv1
                else (self._lasting, "2f 12x", "uv")
            )
            self._surface_arrays[program] = self._context.vertex_array(
                program,
                [(self._moving, "3f 3f", "position", "normal"), lasting],
                self._indices,
            )
        return self._surface_arrays[program]

    def write(self, mesh: PosedMesh) -> None:
        """Send what changed of the mesh."""
        moving = np.concatenate([mesh.positions, mesh.normals], axis=1)
        self._moving.write(np.ascontiguousarray(moving, np.float32))
        written = self._written_uv
        if written and written[0] is mesh.uv and written[1] is mesh.additional_uv:
            return
        uv1 = mesh.additional_uv[:, 0, :2] if mesh.additional_uv.shape[1] else mesh.uv
        lasting = np.concatenate([mesh.uv, uv1, self._list.edge_scales[:, None]], axis=1)
        self._lasting.write(np.ascontiguousarray(lasting, np.float32))
        self._written_uv = mesh.uv, mesh.additional_uv

    def draw_surfaces(self, materials: MaterialStates, frame: Frame) -> None:
        """Draw all materials in file order; models are authored for that order."""
        context = self._context
        context.cull_face = "back"
        lit = lit_materials(materials, frame.light)
        for surface, maps in zip(self._list.surfaces, self._maps, strict=True):
            if materials.diffuse[surface.material, 3] <= 0:
                continue
            kind = _kind(surface, lit, frame.light.shading)
            program = self._programs.surface(kind)
            _set_frame(program, frame)
            _set_material(program, lit, surface.material, kind)
            set_uniform(program, "toon_lit", _lit_end(surface.toon_map or _WHITE))
            for unit, texture in enumerate(maps):
                texture.use(unit)
            # Blending at alpha 1 gives the same, and costs software OpenGL a look at the target.
            _switch(context, moderngl.BLEND, not kind.opaque)
            _switch(context, moderngl.CULL_FACE, not surface.double_sided)
            self._surface_array(program).render(
                moderngl.TRIANGLES, surface.index_count, first=surface.first_index
            )

    def draw_edges(self, materials: MaterialStates, frame: Frame) -> None:
        """Draw the outlines of the materials that have one, as inverted hulls."""
        program = self._programs.edge
        program["mmd_to_clip"] = frame.mmd_to_clip
        self._context.enable(moderngl.CULL_FACE)
        self._context.cull_face = "front"
        for surface in self._list.surfaces:
            number = surface.material
            width = float(materials.edge_size[number]) * frame.edge_width
            alpha = float(materials.edge_color[number, 3] * materials.diffuse[number, 3])
            if not surface.draw_edge or width <= 0 or alpha <= 0:
                continue
            colour = np.clip([*materials.edge_color[number, :3], alpha], 0, 1)
            _switch(self._context, moderngl.BLEND, alpha < 1)
            program["edge_width"] = width
            program["edge_color"] = tuple(colour)
            self._edge_array.render(
                moderngl.TRIANGLES, surface.index_count, first=surface.first_index
            )

    def release(self) -> None:
        """Give this model's device memory back."""
        for texture in self._textures.values():
            texture.release()
        for array in (*self._surface_arrays.values(), self._edge_array):
            array.release()
        for buffer in (self._moving, self._lasting, self._indices):
            buffer.release()


def _switch(context: moderngl.Context, flag: int, on: bool) -> None:
    (context.enable if on else context.disable)(flag)


def _kind(surface: Surface, lit: LitMaterials, shading: Shading) -> SurfaceKind:
    """Material morphs included; opaque where every pixel has alpha 1."""
    number = surface.material
    opaque = surface.colour_map is None or surface.colour_map.opaque
    return SurfaceKind(
        shading,
        surface.sphere_mode,
        opaque and not lit.lets_through[number],
        int(lit.power[number]),
        bool(lit.retouched[number]),
    )


def _lit_end(ramp: Texture) -> F32:
    """The straight colour (4,) of a toon map's lit end, 0 to 1."""
    red, green, blue, alpha = ramp.pixels[0, ramp.pixels.shape[1] // 2] / np.float32(255)
    share = max(alpha, 1 / 1024)
    return np.array([red / share, green / share, blue / share, alpha], np.float32)


def _set_frame(program: moderngl.Program, frame: Frame) -> None:
    program["mmd_to_clip"] = frame.mmd_to_clip
    set_uniform(program, "ambient_light", frame.light.ambient)


def _set_material(
    program: moderngl.Program, lit: LitMaterials, number: int, kind: SurfaceKind
) -> None:
    set_uniform(program, "colour", lit.colour[number])
    set_uniform(program, "opacity", float(lit.states.diffuse[number, 3]))
    set_uniform(program, "fill", lit.fill)
    if kind.power:
        set_uniform(program, "highlight", lit.highlight[number])
        set_uniform(program, "specular_power", float(lit.states.specular_power[number]))
    if kind.retouched:
        for name, values in (
            ("colour_multiply", lit.states.texture_multiply),
            ("colour_add", lit.states.texture_add),
            ("sphere_multiply", lit.states.sphere_multiply),
            ("sphere_add", lit.states.sphere_add),
            ("toon_multiply", lit.states.toon_multiply),
            ("toon_add", lit.states.toon_add),
        ):
            set_uniform(program, name, values[number])
