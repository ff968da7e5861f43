"""Quads before the camera: small targets whose bytes are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from contract.image import Stored
from contract.light import DEFAULT_LIGHT, Light
from renderer.deform.deformer import PosedMesh
from renderer.deform.material_morphs import MaterialStates
from renderer.draw.canvas import Camera, Canvas
from renderer.draw.gpu_model import DrawList, DrawnModel, Surface
from renderer.draw.textures import Texture
from renderer.formats.model import SphereMode

SIZE = 4
UNIT_CAMERA = Camera(0.0, 0.0, 1.0, 10.0)  # the picture shows x and y in [-1, 1]
TOWARD_VIEWER = (0.0, 0.0, -1.0)  # in MMD's numbers
_TRIANGLES = ((0, 1, 2), (0, 2, 3))


def quad(
    left: float, right: float, bottom: float, top: float, z: float = 0.0
) -> tuple[list[tuple[float, float, float]], list[tuple[float, float]]]:
    """A rectangle whose front (clockwise on the screen) looks at the viewer; uv (0, 0) top left."""
    corners = [(left, top, z), (right, top, z), (right, bottom, z), (left, bottom, z)]
    return corners, [(0, 0), (1, 0), (1, 1), (0, 1)]


FULL = quad(-1, 1, -1, 1)


def plain_materials(*colours: tuple[float, float, float, float], **changes: Any) -> MaterialStates:  # noqa: ANN401
    """Materials whose colour in MMD is exactly this: ambient + diffuse x 154/255; no specular."""
    diffuse = np.array(colours, np.float32)
    count = len(diffuse)
    ones, zeros = np.ones((count, 4), np.float32), np.zeros((count, 4), np.float32)
    states = MaterialStates(
        diffuse=diffuse,
        specular=np.zeros((count, 3), np.float32),
        specular_power=np.zeros(count, np.float32),
        ambient=diffuse[:, :3] * np.float32(101 / 255),
        edge_color=np.tile(np.array([0, 0, 0, 1], np.float32), (count, 1)),
        edge_size=np.ones(count, np.float32),
        texture_multiply=ones,
        texture_add=zeros,
        sphere_multiply=ones,
        sphere_add=zeros,
        toon_multiply=ones,
        toon_add=zeros,
    )
    return replace(states, **changes)


def plain_surface(number: int = 0, **changes: Any) -> Surface:  # noqa: ANN401
    plain = Surface(number, number * 6, 6, False, False, SphereMode.NONE, None, None, None)
    return replace(plain, **changes)


Quads = list[tuple[list[tuple[float, float, float]], list[tuple[float, float]]]]


def upload_quads(
    canvas: Canvas,
    quads: Quads,
    materials: MaterialStates,
    surfaces: list[Surface] | None = None,
    normal: tuple[float, float, float] = TOWARD_VIEWER,
    sub_uv: tuple[float, float] | None = None,
) -> tuple[DrawnModel, PosedMesh]:
    positions = np.array([corner for quad in quads for corner in quad[0]], np.float32)
    count = len(positions)
    faces = np.array([[4 * q + i for i in t] for q in range(len(quads)) for t in _TRIANGLES])
    drawn = canvas.upload(
        DrawList(
            np.ones(count, np.float32),
            UNIT_CAMERA.clip(positions),
            faces.astype(np.int32),
            tuple(surfaces or [plain_surface(q) for q in range(len(quads))]),
        )
    )
    uv1 = np.zeros((count, 0 if sub_uv is None else 1, 4), np.float32)
    if sub_uv is not None:
        uv1[:, 0, :2] = sub_uv
    mesh = PosedMesh(
        positions=positions,
        normals=np.tile(np.array(normal, np.float32), (count, 1)),
        uv=np.array([at for quad in quads for at in quad[1]], np.float32),
        additional_uv=uv1,
        materials=materials,
    )
    return drawn, mesh


def draw_quads(
    canvas: Canvas,
    quads: Quads,
    materials: MaterialStates,
    surfaces: list[Surface] | None = None,
    normal: tuple[float, float, float] = TOWARD_VIEWER,
    light: Light = DEFAULT_LIGHT,
    sub_uv: tuple[float, float] | None = None,
) -> Stored:
    drawn, mesh = upload_quads(canvas, quads, materials, surfaces, normal, sub_uv)
    picture = canvas.draw(drawn, mesh, UNIT_CAMERA, light)
    drawn.release()
    return picture


def texture_of(rows: list[list[list[int]]]) -> Texture:
    return Texture(np.array(rows, np.uint8))
