"""A model on the device: its buffers, its textures, and the draw calls of its materials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import moderngl
import numpy as np

from contract.light import Light, Shading
from renderer.deform.deformer import PosedMesh
from renderer.deform.material_morphs import MaterialStates
from renderer.draw.device import is_software
from renderer.draw.lit_materials import LitMaterials, lit_materials
from renderer.draw.near_first import SurfaceOrder, near_first
from renderer.draw.programs import Programs, SurfaceKind, UniformValue
from renderer.draw.textures import Texture
from renderer.draw.toon_shades import STEPS, toon_shades
from renderer.formats.model import F32, I32, SphereMode

_WHITE = Texture(np.full((1, 1, 4), 255, np.uint8))
_MOST_FRAMES = 16  # whose draw calls are kept; a data set has few lights a model
_VECTOR_BYTES, _LASTING_BYTES = 12, 20  # position, normal | uv, uv1, edge scale


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
    """What is drawn of a model: V vertices, and faces that index them, in material order.

    ``rest`` (V, 3): where the vertices are at rest, in clip space, whose z grows away from us.
    """

    edge_scales: F32  # (V,)
    rest: F32
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


@dataclass(frozen=True)
class _Call:
    """A draw call that can be made for any pose."""

    array: moderngl.VertexArray
    maps: tuple[moderngl.Texture, ...]
    flags: int
    uniforms: tuple[tuple[moderngl.Uniform, bytes], ...]
    first_index: int
    index_count: int


@dataclass(frozen=True)
class _Calls:
    """All draw calls of some materials in a frame."""

    surfaces: Sequence[_Call]
    edges: Sequence[_Call]


class Parts(NamedTuple):
    """Buffers of positions, of uv (8 of ``_LASTING_BYTES``) and of faces; surfaces with their
    colour maps."""

    positions: moderngl.Buffer
    lasting: moderngl.Buffer
    indices: moderngl.Buffer
    surfaces: tuple[tuple[Surface, moderngl.Texture], ...]


class DrawnModel:
    """A model's buffers and textures on one context; ``release`` gives them back."""

    def __init__(self, context: moderngl.Context, programs: Programs, draw_list: DrawList) -> None:
        self._context = context
        self._draws_later = not is_software(context)
        self._programs = programs
        self._list = draw_list
        self._order = SurfaceOrder(
            [_faces(draw_list, s) for s in draw_list.surfaces], draw_list.rest
        )
        count = max(len(draw_list.edge_scales), 1)
        self._positions, self._normals = (
            context.buffer(reserve=count * _VECTOR_BYTES, dynamic=True) for _ in range(2)
        )
        self._lasting = context.buffer(reserve=count * _LASTING_BYTES, dynamic=True)
        self._indices = context.buffer(_index_bytes(draw_list) or bytes(12))
        self._written_uv: tuple[F32, F32] | None = None
        self._textures: dict[int, moderngl.Texture] = {}
        self._shades: dict[tuple[object, ...], moderngl.Texture] = {}
        self._maps = [self._upload_maps(surface) for surface in draw_list.surfaces]
        self._surface_arrays: dict[moderngl.Program, moderngl.VertexArray] = {}
        self._prepared_for: MaterialStates | None = None
        self._prepared: dict[Frame, _Calls] = {}
        self._edge_array = context.vertex_array(
            programs.edge,
            [
                (self._positions, "3f", "position"),
                (self._normals, "3f", "normal"),
                (self._lasting, "16x 1f", "edge_scale"),
            ],
            self._indices,
        )

    def _upload_maps(self, surface: Surface) -> tuple[moderngl.Texture, ...]:
        return (
            self._upload(surface.colour_map or _WHITE),
            self._upload(surface.sphere_map or _WHITE),
        )

    def _upload(self, source: Texture) -> moderngl.Texture:
        # ``self._list`` keeps the sources alive, so an id names one texture.
        key = id(source)
        if key not in self._textures:
            height, width, _ = source.pixels.shape
            pixels = np.ascontiguousarray(source.pixels).tobytes()
            texture = self._context.texture((width, height), 4, pixels)
            texture.filter = moderngl.LINEAR, moderngl.LINEAR
            if max(width, height) > 1:
                texture.build_mipmaps()
                # One level, not a mix of two: samples are mixed again in the picture's pixels.
                texture.filter = moderngl.LINEAR_MIPMAP_NEAREST, moderngl.LINEAR
            self._textures[key] = texture
        return self._textures[key]

    def _upload_shades(self, surface: Surface, lit: LitMaterials) -> moderngl.Texture:
        ramp, number = surface.toon_map or _WHITE, surface.material
        changes = (of[number].tobytes() for of in (lit.states.toon_multiply, lit.states.toon_add))
        key = id(ramp), lit.fill, *changes
        if key not in self._shades:
            shades = toon_shades(ramp, lit, number).tobytes()
            self._shades[key] = self._context.texture((STEPS, 1), 4, shades, dtype="f4")
            self._shades[key].filter = moderngl.NEAREST, moderngl.NEAREST
        return self._shades[key]

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
                [(self._positions, "3f", "position"), (self._normals, "3f", "normal"), lasting],
                self._indices,
            )
        return self._surface_arrays[program]

    def write(self, mesh: PosedMesh) -> None:
        """Send what changed of the mesh."""
        for buffer, vectors in ((self._positions, mesh.positions), (self._normals, mesh.normals)):
            if self._draws_later:
                buffer.orphan()  # new storage: the mesh before may still be drawn from the old
            buffer.write(np.ascontiguousarray(vectors, np.float32))
        written = self._written_uv
        if written and written[0] is mesh.uv and written[1] is mesh.additional_uv:
            return
        uv1 = mesh.additional_uv[:, 0, :2] if mesh.additional_uv.shape[1] else mesh.uv
        lasting = np.concatenate([mesh.uv, uv1, self._list.edge_scales[:, None]], axis=1)
        self._lasting.write(np.ascontiguousarray(lasting, np.float32))
        self._written_uv = mesh.uv, mesh.additional_uv

    def draw_surfaces(self, materials: MaterialStates, frame: Frame) -> None:
        """Draw all materials: as if in file order, for models are authored for that."""
        self._context.cull_face = "back"
        self._make(self._calls(materials, frame).surfaces)

    def draw_edges(self, materials: MaterialStates, frame: Frame) -> None:
        """Draw the outlines of the materials that have one, as inverted hulls."""
        self._context.cull_face = "front"
        self._make(self._calls(materials, frame).edges)

    def parts(self) -> Parts:
        """What to draw the mesh that was written last from, otherwise than as a picture."""
        surfaces = zip(self._list.surfaces, (maps[0] for maps in self._maps), strict=True)
        return Parts(self._positions, self._lasting, self._indices, tuple(surfaces))

    def _make(self, calls: Sequence[_Call]) -> None:
        flags, bound = -1, dict[int, moderngl.Texture]()
        for call in calls:
            for uniform, value in call.uniforms:
                uniform.write(value)
            for unit, texture in enumerate(call.maps):
                if bound.get(unit) is not texture:
                    texture.use(unit)
                    bound[unit] = texture
            if call.flags != flags:
                flags = call.flags
                self._context.enable_only(flags)
            call.array.render(moderngl.TRIANGLES, call.index_count, first=call.first_index)

    def _calls(self, materials: MaterialStates, frame: Frame) -> _Calls:
        """Worked out once: without material morphs all poses share their materials."""
        if self._prepared_for is not materials or (
            frame not in self._prepared and len(self._prepared) >= _MOST_FRAMES
        ):
            self._prepared_for, self._prepared = materials, {}
            self._release_shades()
        if frame not in self._prepared:
            lit, surfaces = lit_materials(materials, frame.light), self._list.surfaces
            kinds = [_kind(surface, lit, frame.light.shading) for surface in surfaces]
            drawn = [
                self._surface_call(number, kinds[number], lit, frame)
                for number in self._order.of([kind.opaque for kind in kinds])
                if materials.diffuse[surfaces[number].material, 3] > 0
            ]
            edges = [self._edge_call(surface, materials, frame) for surface in surfaces]
            self._prepared[frame] = _Calls(drawn, [call for call in edges if call])
        return self._prepared[frame]

    def _surface_call(
        self, number: int, kind: SurfaceKind, lit: LitMaterials, frame: Frame
    ) -> _Call:
        surface, maps = self._list.surfaces[number], self._maps[number]
        if kind.shading == "toon":
            maps = *maps, self._upload_shades(surface, lit)
        program = self._programs.surface(kind)
        # Blending at alpha 1 gives the same, and costs software OpenGL a look at the target.
        blend = moderngl.NOTHING if kind.opaque else moderngl.BLEND
        cull = moderngl.NOTHING if surface.double_sided else moderngl.CULL_FACE
        return _Call(
            self._surface_array(program),
            maps,
            moderngl.DEPTH_TEST | blend | cull,
            _uniforms(program, _surface_values(surface, lit, frame)),
            surface.first_index + (self._list.faces.size if kind.opaque else 0),
            surface.index_count,
        )

    def _edge_call(self, surface: Surface, materials: MaterialStates, frame: Frame) -> _Call | None:
        number = surface.material
        width = float(materials.edge_size[number]) * frame.edge_width
        alpha = float(materials.edge_color[number, 3] * materials.diffuse[number, 3])
        if not surface.draw_edge or width <= 0 or alpha <= 0:
            return None
        values: dict[str, UniformValue] = {
            "mmd_to_clip": frame.mmd_to_clip,
            "edge_width": width,
            "edge_color": np.clip([*materials.edge_color[number, :3], alpha], 0, 1),
        }
        blend = moderngl.NOTHING if alpha >= 1 else moderngl.BLEND
        return _Call(
            self._edge_array,
            (),
            moderngl.DEPTH_TEST | moderngl.CULL_FACE | blend,
            _uniforms(self._programs.edge, values),
            surface.first_index,
            surface.index_count,
        )

    def release(self) -> None:
        """Give this model's device memory back."""
        for texture in self._textures.values():
            texture.release()
        self._release_shades()
        for array in (*self._surface_arrays.values(), self._edge_array):
            array.release()
        for buffer in (self._positions, self._normals, self._lasting, self._indices):
            buffer.release()

    def _release_shades(self) -> None:
        for texture in self._shades.values():
            texture.release()
        self._shades.clear()


def _index_bytes(draw_list: DrawList) -> bytes:
    """The faces as they are in the file, and once more with the nearest of each surface first."""
    faces = draw_list.faces.astype(np.int32)
    sorted_faces = faces.copy()
    for surface in draw_list.surfaces:
        part = _faces(draw_list, surface)
        first = surface.first_index // 3
        sorted_faces[first : first + len(part)] = near_first(part, draw_list.rest[:, 2])
    return faces.tobytes() + sorted_faces.tobytes()


def _faces(draw_list: DrawList, surface: Surface) -> I32:
    first = surface.first_index // 3
    return draw_list.faces[first : first + surface.index_count // 3]


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


def _surface_values(surface: Surface, lit: LitMaterials, frame: Frame) -> dict[str, UniformValue]:
    number, states = surface.material, lit.states
    return {
        "mmd_to_clip": frame.mmd_to_clip,
        "ambient_light": frame.light.ambient,
        "colour": lit.colour[number],
        "opacity": float(states.diffuse[number, 3]),
        "highlight": lit.highlight[number],
        "specular_power": float(states.specular_power[number]),
        "colour_multiply": states.texture_multiply[number],
        "colour_add": states.texture_add[number],
        "sphere_multiply": states.sphere_multiply[number],
        "sphere_add": states.sphere_add[number],
    }


def _uniforms(
    program: moderngl.Program, values: Mapping[str, UniformValue]
) -> tuple[tuple[moderngl.Uniform, bytes], ...]:
    """Those that the compiler left in the program, with the bytes that they take."""
    found = ((program.get(name, None), value) for name, value in values.items())
    return tuple(
        (member, np.asarray(value, np.float32).tobytes())
        for member, value in found
        if isinstance(member, moderngl.Uniform)
    )
