"""A whole character, ready to be written: arrays in MMD's units and records in file order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from characters.base.rigging import BoneSpec, Vec3
from characters.design.spec import Colour

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class MaterialSpec:
    """One material; file names are relative to the model's folder, "" for none.

    ``sphere_mode``: 0 none, 1 multiply, 2 add.
    """

    name: str
    english: str
    diffuse: tuple[float, float, float, float]
    specular: Colour
    specular_power: float
    ambient: Colour
    texture: str
    toon: str
    double_sided: bool = False
    edge: bool = False
    edge_colour: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    edge_size: float = 1.0
    sphere: str = ""
    sphere_mode: int = 0


@dataclass(frozen=True)
class MorphSpec:
    """One morph: vertex offsets, ``group``: factors on other morphs, or ``bones``: translations.

    Morphs and bones are given by their index.

    ``panel``: 1 brows, 2 eyes, 3 mouth, 4 other.
    """

    name: str
    english: str
    panel: int
    vertices: I32
    offsets: F32
    group: tuple[tuple[int, float], ...] = ()
    bones: tuple[tuple[int, Vec3], ...] = ()


@dataclass(frozen=True)
class Model:
    """V vertices, F triangles in material order, in MMD's units (left-handed, facing -z)."""

    name: str
    english: str
    comment: str
    comment_english: str
    positions: F32
    normals: F32
    uv: F32
    bone_indices: I32  # (V, 2)
    weights: F32  # (V,)
    edge_scales: F32
    faces: I32
    face_counts: tuple[int, ...]  # triangles of each material
    materials: tuple[MaterialSpec, ...]
    bones: tuple[BoneSpec, ...]
    morphs: tuple[MorphSpec, ...]
