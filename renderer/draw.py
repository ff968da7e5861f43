"""A posed mesh, a camera and a light -> a picture. The only file that imports moderngl.

Antialiasing is ordered supersampling (2x2 samples a pixel by default): the same picture on every
device, and on software OpenGL faster than 4x MSAA, which is the most that offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import moderngl
import numpy as np
import numpy.typing as npt

from contract.errors import DeviceError
from contract.image import DEFAULT_SIZE, Stored
from contract.space import MMD_TO_VIEW
from renderer.deform import MaterialStates, PosedMesh
from renderer.device import open_context
from renderer.formats.model import F32, I32, SphereMode
from renderer.textures import Texture
from renderer.view import Camera, Light

Shading = Literal["phong", "toon"]
SHADINGS: tuple[Shading, ...] = ("phong", "toon")

DEFAULT_SUPERSAMPLE = 2
EDGE_PIXELS_AT_DEFAULT_SIZE = 1.0
_SHADERS = Path(__file__).parent / "shaders"
_WHITE = Texture(np.full((1, 1, 4), 255, np.uint8))
# MMD's default light travels along (-0.5, -1, 0.5) in its own numbers.
_TOWARD_TOON_LIGHT = (MMD_TO_VIEW[:3, :3] @ [0.5, 1.0, -0.5]) / np.sqrt(1.5)


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
        shading: Shading = "phong",
        device: str = "auto",
        supersample: int = DEFAULT_SUPERSAMPLE,
    ) -> None:
        self.size = size
        self.shading = shading
        self.supersample = supersample
        self.context = open_context(device)
        limit = int(self.context.info["GL_MAX_RENDERBUFFER_SIZE"])
        if size * supersample > limit:
            raise DeviceError(
                f"OpenGL: {size} pixels at {supersample}x supersampling exceed this device's "
                f"limit of {limit}; lower --size"
            )
        self._make_targets(size * supersample)
        self.surface_program = self._program("surface")
        self.edge_program = self._program("edge")
        self._resolve = self.context.vertex_array(self._program("resolve"), [])
        self._set_constant_uniforms()

    @property
    def renderer_name(self) -> str:
        """The OpenGL renderer and version, as the driver says them."""
        info = self.context.info
        return f"{info['GL_RENDERER']} / {info['GL_VERSION']}"

    def _make_targets(self, side: int) -> None:
        # Half floats: eight bits of a premultiplied colour are too few where alpha is low.
        self._samples = self.context.texture((side, side), 4, dtype="f2")
        depth = self.context.depth_renderbuffer((side, side))
        self._sample_target = self.context.framebuffer([self._samples], depth)
        picture = self.context.renderbuffer((self.size, self.size), 4)
        self._picture_target = self.context.framebuffer([picture])

    def _program(self, name: str) -> moderngl.Program:
        return self.context.program(
            vertex_shader=(_SHADERS / f"{name}.vert").read_text("utf-8"),
            fragment_shader=(_SHADERS / f"{name}.frag").read_text("utf-8"),
        )

    def _set_constant_uniforms(self) -> None:
        units = {"colour_map": 0, "sphere_map": 1, "toon_map": 2}
        for name, unit in units.items():
            self.surface_program[name] = unit
        self.surface_program["toon"] = self.shading == "toon"
        self.surface_program["toward_toon_light"] = tuple(_TOWARD_TOON_LIGHT)
        self.edge_program["clip_per_pixel"] = 2.0 / self.size
        self._resolve.program["factor"] = self.supersample
        self._resolve.program["size"] = self.size

    @cached_property
    def edge_pixels(self) -> float:
        """Width in pixels of an edge of size 1: outlines keep their share of the picture."""
        return EDGE_PIXELS_AT_DEFAULT_SIZE * self.size / DEFAULT_SIZE

    def upload(self, draw_list: DrawList) -> DrawnModel:
        """Put a model's faces and textures on the device."""
        return DrawnModel(self, draw_list)

    def draw(self, drawn: DrawnModel, mesh: PosedMesh, camera: Camera, light: Light) -> Stored:
        """Draw one picture: (size, size, 4) uint8 in the stored form."""
        drawn.write(mesh)
        self._begin(camera, light)
        drawn.draw_surfaces(mesh.materials)
        drawn.draw_edges(mesh.materials, self.edge_pixels)
        return self._resolved()

    def _begin(self, camera: Camera, light: Light) -> None:
        context = self.context
        self._sample_target.use()
        self._sample_target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        context.enable_only(moderngl.DEPTH_TEST | moderngl.BLEND | moderngl.CULL_FACE)
        context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        context.depth_func = "<="
        # MMD's front faces run clockwise on the screen.
        context.front_face = "cw"
        mmd_to_clip = camera.mmd_to_clip().T.tobytes()
        self.surface_program["mmd_to_clip"].write(mmd_to_clip)
        self.edge_program["mmd_to_clip"].write(mmd_to_clip)
        self.surface_program["ambient_light"] = light.ambient
        self.surface_program["directional_light"] = light.directional

    def _resolved(self) -> Stored:
        self._picture_target.use()
        self.context.enable_only(moderngl.NOTHING)
        self._samples.use(0)
        self._resolve.render(moderngl.TRIANGLES, vertices=3)
        picture = np.empty((self.size, self.size, 4), np.uint8)
        self._picture_target.read_into(picture, components=4, alignment=1)
        return picture

    def release(self) -> None:
        """Give the device's memory back."""
        self.context.release()


class DrawnModel:
    """A model's buffers and textures on a ``Canvas``'s device."""

    def __init__(self, canvas: Canvas, draw_list: DrawList) -> None:
        self._canvas = canvas
        self._surfaces = draw_list.surfaces
        self._edge_scales = draw_list.edge_scales
        context = canvas.context
        count = len(draw_list.edge_scales)
        self._moving = context.buffer(reserve=max(count, 1) * 24, dynamic=True)
        self._lasting = context.buffer(reserve=max(count, 1) * 20, dynamic=True)
        self._indices = context.buffer(draw_list.faces.astype(np.int32).tobytes() or bytes(12))
        self._written_uv: F32 | None = None
        self._written_additional_uv: F32 | None = None
        self._surface_array = context.vertex_array(
            canvas.surface_program,
            [
                (self._moving, "3f 3f", "position", "normal"),
                (self._lasting, "2f 2f 4x", "uv", "uv1"),
            ],
            self._indices,
        )
        self._edge_array = context.vertex_array(
            canvas.edge_program,
            [
                (self._moving, "3f 3f", "position", "normal"),
                (self._lasting, "16x 1f", "edge_scale"),
            ],
            self._indices,
        )
        self._textures: dict[int, moderngl.Texture] = {}
        self._maps = [self._upload_maps(surface) for surface in draw_list.surfaces]

    def _upload_maps(self, surface: Surface) -> tuple[moderngl.Texture, ...]:
        return (
            self._texture(surface.colour_map, repeat=True),
            self._texture(surface.sphere_map, repeat=True),
            self._texture(surface.toon_map, repeat=False),
        )

    def _texture(self, source: Texture | None, *, repeat: bool) -> moderngl.Texture:
        source = source or _WHITE
        if id(source) not in self._textures:
            height, width, _ = source.pixels.shape
            pixels = np.ascontiguousarray(source.pixels)
            texture = self._canvas.context.texture((width, height), 4, pixels.tobytes())
            texture.build_mipmaps()
            texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
            texture.repeat_x = texture.repeat_y = repeat
            self._textures[id(source)] = texture
        return self._textures[id(source)]

    def write(self, mesh: PosedMesh) -> None:
        """Send what changed of the mesh."""
        moving = np.concatenate([mesh.positions, mesh.normals], axis=1)
        self._moving.write(np.ascontiguousarray(moving, np.float32))
        same_uv = mesh.uv is self._written_uv
        if same_uv and mesh.additional_uv is self._written_additional_uv:
            return
        uv1 = mesh.additional_uv[:, 0, :2] if mesh.additional_uv.shape[1] else mesh.uv
        lasting = np.concatenate([mesh.uv, uv1, self._edge_scales[:, None]], axis=1)
        self._lasting.write(np.ascontiguousarray(lasting, np.float32))
        self._written_uv, self._written_additional_uv = mesh.uv, mesh.additional_uv

    def draw_surfaces(self, materials: MaterialStates) -> None:
        """Draw all materials in file order; models are authored for that order."""
        program, context = self._canvas.surface_program, self._canvas.context
        context.cull_face = "back"
        for surface, maps in zip(self._surfaces, self._maps, strict=True):
            number = surface.material
            if materials.diffuse[number, 3] <= 0:
                continue
            for unit, texture in enumerate(maps):
                texture.use(unit)
            _set_material(program, materials, number)
            has_sphere = surface.sphere_map is not None
            program["sphere_mode"] = int(surface.sphere_mode) if has_sphere else 0
            if surface.double_sided:
                context.disable(moderngl.CULL_FACE)
            else:
                context.enable(moderngl.CULL_FACE)
            self._surface_array.render(
                moderngl.TRIANGLES, surface.index_count, first=surface.first_index
            )

    def draw_edges(self, materials: MaterialStates, edge_pixels: float) -> None:
        """Draw the outlines of the materials that have one, as inverted hulls."""
        program, context = self._canvas.edge_program, self._canvas.context
        context.enable(moderngl.CULL_FACE)
        context.cull_face = "front"
        for surface in self._surfaces:
            number = surface.material
            size = float(materials.edge_size[number]) * edge_pixels
            alpha = float(materials.edge_color[number, 3] * materials.diffuse[number, 3])
            if not surface.draw_edge or size <= 0 or alpha <= 0:
                continue
            program["edge_pixels"] = size
            program["edge_color"] = (*_unit(materials.edge_color[number, :3]), min(alpha, 1.0))
            self._edge_array.render(
                moderngl.TRIANGLES, surface.index_count, first=surface.first_index
            )

    def release(self) -> None:
        """Give this model's device memory back."""
        for texture in self._textures.values():
            texture.release()
        for resource in (self._surface_array, self._edge_array):
            resource.release()
        for buffer in (self._moving, self._lasting, self._indices):
            buffer.release()


def _unit(values: npt.NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.clip(values, 0, 1))


def _set_material(program: moderngl.Program, materials: MaterialStates, number: int) -> None:
    program["diffuse"] = tuple(map(float, materials.diffuse[number]))
    program["ambient"] = tuple(map(float, materials.ambient[number]))
    program["specular"] = tuple(map(float, materials.specular[number]))
    program["specular_power"] = float(materials.specular_power[number])
    program["colour_multiply"] = tuple(map(float, materials.texture_multiply[number]))
    program["colour_add"] = tuple(map(float, materials.texture_add[number]))
    program["sphere_multiply"] = tuple(map(float, materials.sphere_multiply[number]))
    program["sphere_add"] = tuple(map(float, materials.sphere_add[number]))
    program["toon_multiply"] = tuple(map(float, materials.toon_multiply[number]))
    program["toon_add"] = tuple(map(float, materials.toon_add[number]))
