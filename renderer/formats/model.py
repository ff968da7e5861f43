"""What a PMX or PMD file says, as read-only records and arrays, in the file's own coordinates.

One type for both formats: PMD's differences (base-morph indirection, bone types, toon lists, sphere
naming) are resolved by its reader. Indices of -1 mean "none"; every other index is in range, which
the readers check, so later stages need not. All floats are finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
Vec3 = tuple[float, float, float]
Vec4 = tuple[float, float, float, float]


class WeightType(IntEnum):
    """How a vertex follows its bones (PMX "weight deform type")."""

    BDEF1 = 0
    BDEF2 = 1
    BDEF4 = 2
    SDEF = 3
    QDEF = 4


class SphereMode(IntEnum):
    """How a sphere map is combined with the colour."""

    NONE = 0
    MULTIPLY = 1
    ADD = 2
    SUB_TEXTURE = 3


@dataclass(frozen=True)
class Vertices:
    """Per-vertex arrays; V vertices.

    ``bone_indices`` (V, 4) and ``bone_weights`` (V, 4) are filled for every weight type: BDEF1 is
    (b, -1, -1, -1) with (1, 0, 0, 0); BDEF2 and SDEF have w1 = 1 - w0. BDEF4 and QDEF weights are
    as stored and may not sum to 1. The four sdef arrays have one row per entry of
    ``sdef_vertices``.
    """

    positions: F32  # (V, 3)
    normals: F32  # (V, 3)
    uv: F32  # (V, 2)
    additional_uv: F32  # (V, K, 4), K in 0..4
    weight_types: U8  # (V,)
    bone_indices: I32  # (V, 4)
    bone_weights: F32  # (V, 4)
    sdef_vertices: I32  # (S,)
    sdef_c: F32  # (S, 3)
    sdef_r0: F32  # (S, 3)
    sdef_r1: F32  # (S, 3)
    edge_scales: F32  # (V,)

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class Material:
    """One material; it colours ``index_count`` entries of the face list from ``first_index`` on.

    ``texture``, ``sphere_texture`` and ``toon_texture`` index ``MmdModel.texture_paths``;
    ``shared_toon`` 0..9 means toon01..toon10; it stands in where ``toon_texture`` is -1 or its
    file is not in the model's folder (PMD lists toon01.bmp ... among its own ten).
    """

    name: str
    name_english: str
    diffuse: Vec4
    specular: Vec3
    specular_power: float
    ambient: Vec3
    double_sided: bool
    draw_edge: bool
    edge_color: Vec4
    edge_size: float
    texture: int
    sphere_texture: int
    sphere_mode: SphereMode
    toon_texture: int
    shared_toon: int
    first_index: int
    index_count: int


@dataclass(frozen=True)
class Append:
    """付与: take a share of another bone's rotation and/or translation."""

    bone: int
    ratio: float
    rotation: bool
    translation: bool
    local: bool


@dataclass(frozen=True)
class IkLink:
    """A bone that an IK chain may turn; limits are per axis, in radians."""

    bone: int
    low_radians: Vec3 | None
    high_radians: Vec3 | None


@dataclass(frozen=True)
class Ik:
    """An IK chain: turns ``links`` (tip first) so that ``effector`` reaches the owning bone."""

    effector: int
    iterations: int
    step_limit_radians: float
    links: tuple[IkLink, ...]


@dataclass(frozen=True)
class Bone:
    """One bone; bones have no rest rotation. ``tail`` is a bone index or an offset."""

    name: str
    name_english: str
    position: Vec3
    parent: int
    layer: int
    after_physics: bool
    rotatable: bool
    movable: bool
    visible: bool
    tail: int | Vec3
    append: Append | None
    fixed_axis: Vec3 | None
    local_axes: tuple[Vec3, Vec3] | None
    external_parent: int | None
    ik: Ik | None


@dataclass(frozen=True)
class GroupOffsets:
    """Other morphs, each with a factor on this morph's weight; ``flip`` for PMX 2.1 flip morphs."""

    morphs: I32  # (N,)
    factors: F32  # (N,)
    flip: bool


@dataclass(frozen=True)
class VertexOffsets:
    """Translations of vertices."""

    vertices: I32  # (N,)
    offsets: F32  # (N, 3)


@dataclass(frozen=True)
class BoneOffsets:
    """Translations and rotations (quaternions x, y, z, w) of bones."""

    bones: I32  # (N,)
    translations: F32  # (N, 3)
    rotations: F32  # (N, 4)


@dataclass(frozen=True)
class UvOffsets:
    """Offsets of texture coordinates; ``channel`` 0 is uv (x, y used), 1..4 are additional uv."""

    channel: int
    vertices: I32  # (N,)
    offsets: F32  # (N, 4)


@dataclass(frozen=True)
class MaterialOffsets:
    """Changes of materials; material -1 means all. ``additive`` False multiplies."""

    materials: I32  # (N,)
    additive: npt.NDArray[np.bool_]  # (N,)
    diffuse: F32  # (N, 4)
    specular: F32  # (N, 3)
    specular_power: F32  # (N,)
    ambient: F32  # (N, 3)
    edge_color: F32  # (N, 4)
    edge_size: F32  # (N,)
    texture_factor: F32  # (N, 4)
    sphere_factor: F32  # (N, 4)
    toon_factor: F32  # (N, 4)


@dataclass(frozen=True)
class ImpulseOffsets:
    """Forces on rigid bodies; kept for completeness, posing ignores them."""

    rigid_bodies: I32  # (N,)
    local: npt.NDArray[np.bool_]  # (N,)
    velocities: F32  # (N, 3)
    torques: F32  # (N, 3)


MorphOffsets = (
    GroupOffsets | VertexOffsets | BoneOffsets | UvOffsets | MaterialOffsets | ImpulseOffsets
)


@dataclass(frozen=True)
class Morph:
    """One morph. ``panel``: 1 brows, 2 eyes, 3 mouth, 4 other, 0 hidden."""

    name: str
    name_english: str
    panel: int
    offsets: MorphOffsets


@dataclass(frozen=True)
class SkippedCounts:
    """How many records each skipped section holds."""

    display_frames: int = 0
    rigid_bodies: int = 0
    joints: int = 0
    soft_bodies: int = 0


MendedKind = Literal["material", "bone", "joint", "morph"]


@dataclass(frozen=True)
class Mend:
    """A fault that reading passed over by dropping what was wrong.

    ``of`` is the record that lost something, where a picture may need it: a model whose pictures do
    is refused with ``code``; of a ``joint``, a bone's place, they only do if that bone turns. None:
    no picture ever needs what was dropped.
    """

    text: str
    of: tuple[MendedKind, int] | None = None
    code: str = "malformed-file"


@dataclass(frozen=True)
class MmdModel:
    """A whole model. ``texture_paths`` are as written in the file, relative to ``path``'s folder.

    ``trailing_bytes`` counts what follows the last section that could be read; ``mends`` says what
    is not here as the file has it.
    """

    path: Path
    format: Literal["pmx", "pmd"]
    version: float
    name: str
    name_english: str
    comment: str
    comment_english: str
    vertices: Vertices
    faces: I32  # (F, 3)
    texture_paths: tuple[str, ...]
    materials: tuple[Material, ...]
    bones: tuple[Bone, ...]
    morphs: tuple[Morph, ...]
    skipped: SkippedCounts
    trailing_bytes: int
    mends: tuple[Mend, ...] = ()


def face_materials(model: MmdModel) -> I32:
    """Material number of every face (F,); -1 where none colours it, which is never drawn."""
    numbers = np.full(len(model.faces), -1, np.int32)
    for number, material in enumerate(model.materials):
        first = material.first_index // 3
        numbers[first : first + material.index_count // 3] = number
    return numbers
