"""Models of a few vertices and bones, put together by hand, for exact oracles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from renderer.deform.quaternion import Quat
from renderer.formats.model import (
    Append,
    Bone,
    BoneOffsets,
    GroupOffsets,
    Ik,
    Material,
    MmdModel,
    Morph,
    MorphOffsets,
    SkippedCounts,
    SphereMode,
    UvOffsets,
    Vec3,
    VertexOffsets,
    Vertices,
    WeightType,
)

HALF = math.sqrt(0.5)
QUARTER_X: Quat = (HALF, 0.0, 0.0, HALF)
QUARTER_Y: Quat = (0.0, HALF, 0.0, HALF)
QUARTER_Z: Quat = (0.0, 0.0, HALF, HALF)

Influence = tuple[tuple[int, ...], tuple[float, ...]]


def bone(
    position: Vec3 = (0.0, 0.0, 0.0),
    parent: int = -1,
    *,
    name: str = "",
    layer: int = 0,
    after_physics: bool = False,
    append: Append | None = None,
    fixed_axis: Vec3 | None = None,
    ik: Ik | None = None,
) -> Bone:
    return Bone(
        name=name,
        name_english="",
        position=position,
        parent=parent,
        layer=layer,
        after_physics=after_physics,
        rotatable=True,
        movable=True,
        visible=True,
        tail=-1,
        append=append,
        fixed_axis=fixed_axis,
        local_axes=None,
        external_parent=None,
        ik=ik,
    )


def vertices(
    positions: Sequence[Vec3],
    influences: Sequence[Influence] | None = None,
    kind: WeightType = WeightType.BDEF4,
    sdef: Sequence[tuple[Vec3, Vec3, Vec3]] = (),
) -> Vertices:
    """Vertices on the given bones (all on bone 0 without influences); normals look at -z."""
    count = len(positions)
    bones = np.full((count, 4), -1, np.int32)
    weights = np.zeros((count, 4), np.float32)
    for row, (names, shares) in enumerate(influences or [((0,), (1.0,))] * count):
        bones[row, : len(names)] = names
        weights[row, : len(shares)] = shares
    constants = np.array(sdef, np.float32).reshape(-1, 3, 3)
    return Vertices(
        positions=np.array(positions, np.float32).reshape(-1, 3),
        normals=np.tile(np.array([0, 0, -1], np.float32), (count, 1)),
        uv=np.zeros((count, 2), np.float32),
        additional_uv=np.zeros((count, 1, 4), np.float32),
        weight_types=np.full(count, kind, np.uint8),
        bone_indices=bones,
        bone_weights=weights,
        sdef_vertices=np.arange(len(constants), dtype=np.int32),
        sdef_c=constants[:, 0],
        sdef_r0=constants[:, 1],
        sdef_r1=constants[:, 2],
        edge_scales=np.ones(count, np.float32),
    )


def material(alpha: float = 1.0, index_count: int = 0) -> Material:
    return Material(
        name="",
        name_english="",
        diffuse=(0.5, 0.5, 0.5, alpha),
        specular=(0.2, 0.2, 0.2),
        specular_power=5.0,
        ambient=(0.4, 0.4, 0.4),
        double_sided=False,
        draw_edge=True,
        edge_color=(0.0, 0.0, 0.0, 1.0),
        edge_size=1.0,
        texture=-1,
        sphere_texture=-1,
        sphere_mode=SphereMode.NONE,
        toon_texture=-1,
        shared_toon=-1,
        first_index=0,
        index_count=index_count,
    )


def model(
    mesh: Vertices,
    bones: Sequence[Bone],
    morphs: Sequence[Morph] = (),
    materials: Sequence[Material] = (),
    file_format: Literal["pmx", "pmd"] = "pmx",
) -> MmdModel:
    return MmdModel(
        path=Path("hand.pmx"),
        format=file_format,
        version=2.1,
        name="hand",
        name_english="",
        comment="",
        comment_english="",
        vertices=mesh,
        faces=np.empty((0, 3), np.int32),
        texture_paths=(),
        materials=tuple(materials),
        bones=tuple(bones),
        morphs=tuple(morphs),
        skipped=SkippedCounts(),
        trailing_bytes=0,
    )


def morph(name: str, offsets: MorphOffsets) -> Morph:
    return Morph(name, "", 4, offsets)


def vertex_offsets(offsets: dict[int, Vec3]) -> VertexOffsets:
    return VertexOffsets(
        np.array(list(offsets), np.int32), np.array(list(offsets.values()), np.float32)
    )


def uv_offsets(channel: int, offsets: dict[int, tuple[float, float, float, float]]) -> UvOffsets:
    return UvOffsets(
        channel, np.array(list(offsets), np.int32), np.array(list(offsets.values()), np.float32)
    )


def bone_offsets(bone_index: int, move: Vec3, rotation: Quat) -> BoneOffsets:
    return BoneOffsets(
        np.array([bone_index], np.int32),
        np.array([move], np.float32),
        np.array([rotation], np.float32),
    )


def group(entries: Sequence[tuple[int, float]], *, flip: bool = False) -> GroupOffsets:
    return GroupOffsets(
        np.array([morph_index for morph_index, _ in entries], np.int32),
        np.array([factor for _, factor in entries], np.float32),
        flip,
    )
