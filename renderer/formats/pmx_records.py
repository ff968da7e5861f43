"""The records of a PMX file that are read one by one: a bone, a material, a morph."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from renderer.formats.checks import usable_append, usable_ik
from renderer.formats.model import (
    Append,
    Bone,
    BoneOffsets,
    GroupOffsets,
    Ik,
    IkLink,
    ImpulseOffsets,
    Material,
    MaterialOffsets,
    Morph,
    MorphOffsets,
    SphereMode,
    UvOffsets,
    Vec3,
    VertexOffsets,
)
from renderer.formats.pmx_cursor import PmxCursor, PmxHeader, unsigned_beyond

_TAIL_IS_BONE = 0x0001
_ROTATABLE = 0x0002
_MOVABLE = 0x0004
_VISIBLE = 0x0008
_IK = 0x0020
_LOCAL_APPEND = 0x0080
_APPEND_ROTATION = 0x0100
_APPEND_TRANSLATION = 0x0200
_FIXED_AXIS = 0x0400
_LOCAL_AXES = 0x0800
_AFTER_PHYSICS = 0x1000
_EXTERNAL_PARENT = 0x2000
_SHARED_TOONS = 10
_GROUP, _VERTEX, _BONE, _UV, _UV4, _MATERIAL, _FLIP, _IMPULSE = 0, 1, 2, 3, 7, 8, 9, 10


def read_bone(cursor: PmxCursor, number: int, bone_count: int) -> Bone:
    """Read bone ``number`` of ``bone_count``; references to nothing become none."""
    index = cursor.header.bone_index
    name, name_english = cursor.text("a bone name"), cursor.text("a bone name")
    x, y, z, parent, layer, flags = cursor.unpack(f"3f{index}iH", "a bone")
    tail: int | Vec3
    if flags & _TAIL_IS_BONE:
        tail = cursor.reference(index, cursor.index(index, "a tail bone"), bone_count)
    else:
        tail = _hint(cursor, "a tail offset")
    return Bone(
        name=name,
        name_english=name_english,
        position=(x, y, z),
        # Some exporters say a root is its own parent.
        parent=-1 if parent == number else cursor.reference(index, parent, bone_count),
        layer=layer,
        after_physics=bool(flags & _AFTER_PHYSICS),
        rotatable=bool(flags & _ROTATABLE),
        movable=bool(flags & _MOVABLE),
        visible=bool(flags & _VISIBLE),
        tail=tail,
        # Keyword arguments are evaluated in this order, which is the file's.
        append=_append(cursor, flags, bone_count),
        fixed_axis=_fixed_axis(cursor) if flags & _FIXED_AXIS else None,
        local_axes=_local_axes(cursor) if flags & _LOCAL_AXES else None,
        external_parent=cursor.index("i", "a key") if flags & _EXTERNAL_PARENT else None,
        ik=_ik(cursor, bone_count) if flags & _IK else None,
    )


def _vec3(cursor: PmxCursor, what: str) -> Vec3:
    x, y, z = cursor.unpack("3f", what)
    return x, y, z


def _hint(cursor: PmxCursor, what: str) -> Vec3:
    """A vector that only editors draw: worth no refusal where it is not finite."""
    vector = _vec3(cursor, what)
    return vector if all(map(math.isfinite, vector)) else (0.0, 0.0, 0.0)


def _fixed_axis(cursor: PmxCursor) -> Vec3 | None:
    """An axis of no length fixes nothing."""
    axis = _vec3(cursor, "a fixed axis")
    return axis if any(axis) else None


def _local_axes(cursor: PmxCursor) -> tuple[Vec3, Vec3]:
    return _hint(cursor, "a local x axis"), _hint(cursor, "a local z axis")


def _append(cursor: PmxCursor, flags: int, bone_count: int) -> Append | None:
    if not flags & (_APPEND_ROTATION | _APPEND_TRANSLATION):
        return None
    letter = cursor.header.bone_index
    bone, ratio = cursor.unpack(f"{letter}f", "an append")
    append = Append(
        cursor.reference(letter, bone, bone_count),
        ratio,
        rotation=bool(flags & _APPEND_ROTATION),
        translation=bool(flags & _APPEND_TRANSLATION),
        local=bool(flags & _LOCAL_APPEND),
    )
    return usable_append(append, bone_count)


def _ik(cursor: PmxCursor, bone_count: int) -> Ik | None:
    letter = cursor.header.bone_index
    effector, iterations, step_limit = cursor.unpack(f"{letter}if", "an IK chain")
    links = tuple(_link(cursor, bone_count) for _ in range(cursor.few(2, "IK links")))
    effector = cursor.reference(letter, effector, bone_count)
    return usable_ik(Ik(effector, iterations, step_limit, links), bone_count)


def _link(cursor: PmxCursor, bone_count: int) -> IkLink:
    bone, limited = cursor.unpack(f"{cursor.header.bone_index}B", "an IK link")
    bone = cursor.reference(cursor.header.bone_index, bone, bone_count)
    if not limited:
        return IkLink(bone, None, None)
    return IkLink(bone, _vec3(cursor, "an IK limit"), _vec3(cursor, "an IK limit"))


def read_material(cursor: PmxCursor, first_index: int, texture_count: int) -> Material:
    """Read one material; references to nothing, and modes that do not exist, become none."""
    texture_index = cursor.header.texture_index
    name, name_english = cursor.text("a material name"), cursor.text("a material name")
    colours = cursor.unpack("4f3ff3fB4ff", "a material's colours")
    flags = int(colours[11])
    texture, sphere, sphere_mode, toon_mode = cursor.unpack(
        f"2{texture_index}BB", "a material's textures"
    )
    if sphere_mode > SphereMode.SUB_TEXTURE:
        cursor.mend(f"material {name!r}: sphere mode {sphere_mode}; known are 0-3, left out")
        sphere_mode = SphereMode.NONE
    toon = cursor.index(_toon_letter(cursor, toon_mode), "a toon index")
    if toon_mode > 1:
        cursor.mend(f"material {name!r}: toon mode {toon_mode}; known are 0-1, its toon left out")
        toon, toon_mode = -1, 1
    cursor.text("a material memo")
    index_count = cursor.index("i", "a material's number of face indices")
    return Material(
        name=name,
        name_english=name_english,
        diffuse=colours[0:4],
        specular=colours[4:7],
        specular_power=colours[7],
        ambient=colours[8:11],
        double_sided=bool(flags & 0x01),
        draw_edge=bool(flags & 0x10),
        edge_color=colours[12:16],
        edge_size=colours[16],
        texture=cursor.reference(texture_index, texture, texture_count),
        sphere_texture=cursor.reference(texture_index, sphere, texture_count),
        sphere_mode=SphereMode(sphere_mode),
        toon_texture=-1 if toon_mode else cursor.reference(texture_index, toon, texture_count),
        shared_toon=toon if toon_mode and 0 <= toon < _SHARED_TOONS else -1,
        first_index=first_index,
        index_count=index_count,
    )


def _toon_letter(cursor: PmxCursor, mode: int) -> str:
    """How a toon is stored: in a byte where it is shared (mode 1), as a texture's index (mode 0).

    Other modes do not say; then what follows must make sense: a memo and a number of face indices.
    """
    own = cursor.header.texture_index
    if mode <= 1:
        return "b" if mode else own
    return "b" if _memo_follows(cursor.data, cursor.offset + 1) else own


def _memo_follows(data: bytes, offset: int) -> bool:
    try:
        (size,) = struct.unpack_from("<i", data, offset)
        (index_count,) = struct.unpack_from("<i", data, offset + 4 + max(size, 0))
    except struct.error:
        return False
    return bool(size >= 0 and index_count >= 0 and index_count % 3 == 0)


@dataclass(frozen=True)
class TargetCounts:
    """How many morphs, bones and materials a file has."""

    morphs: int
    bones: int
    materials: int


def read_morph(cursor: PmxCursor, counts: TargetCounts) -> Morph:
    """Read one morph; target indices are not yet checked."""
    name, name_english = cursor.text("a morph name"), cursor.text("a morph name")
    panel, kind = cursor.unpack("BB", "a morph's panel and type")
    if kind > _IMPULSE:
        raise cursor.fault(
            f"morph {name!r} has type {kind}; known are 0-10 (the file is corrupt)",
            offset=cursor.offset - 1,
        )
    dtype = _record_dtype(cursor.header, kind)
    count = cursor.count(dtype.itemsize, "morph offsets")
    offsets = _offsets(kind, cursor.array(dtype, count, "offsets"))
    return Morph(name, name_english, panel, _meant(offsets, cursor.header, counts))


def _meant(offsets: MorphOffsets, header: PmxHeader, counts: TargetCounts) -> MorphOffsets:
    """The offsets, their targets as a writer meant them that took indices for unsigned."""
    match offsets:
        case GroupOffsets():
            meant = unsigned_beyond(header.morph_index, offsets.morphs, counts.morphs)
            return replace(offsets, morphs=meant)
        case BoneOffsets():
            meant = unsigned_beyond(header.bone_index, offsets.bones, counts.bones)
            return replace(offsets, bones=meant)
        case MaterialOffsets():
            meant = unsigned_beyond(header.material_index, offsets.materials, counts.materials)
            return replace(offsets, materials=meant)
    return offsets


@cache
def _record_dtype(header: PmxHeader, kind: int) -> np.dtype[Any]:
    if kind in (_GROUP, _FLIP):
        return np.dtype([("target", f"<{header.morph_index}"), ("factor", "<f4")])
    if kind == _VERTEX:
        return np.dtype([("target", f"<{header.vertex_index}"), ("offset", "<f4", 3)])
    if kind == _BONE:
        return np.dtype(
            [
                ("target", f"<{header.bone_index}"),
                ("translation", "<f4", 3),
                ("rotation", "<f4", 4),
            ]
        )
    if _UV <= kind <= _UV4:
        return np.dtype([("target", f"<{header.vertex_index}"), ("offset", "<f4", 4)])
    if kind == _MATERIAL:
        return np.dtype(
            [
                ("target", f"<{header.material_index}"),
                ("operation", "u1"),
                ("diffuse", "<f4", 4),
                ("specular", "<f4", 3),
                ("specular_power", "<f4"),
                ("ambient", "<f4", 3),
                ("edge_color", "<f4", 4),
                ("edge_size", "<f4"),
                ("texture", "<f4", 4),
                ("sphere", "<f4", 4),
                ("toon", "<f4", 4),
            ]
        )
    return np.dtype(
        [
            ("target", f"<{header.rigid_body_index}"),
            ("local", "u1"),
            ("velocity", "<f4", 3),
            ("torque", "<f4", 3),
        ]
    )


def _offsets(kind: int, records: npt.NDArray[Any]) -> MorphOffsets:
    # Copies, so that the arrays are aligned and do not keep the file's bytes alive.
    column = {name: records[name].copy() for name in records.dtype.names or ()}
    target = column["target"].astype(np.int32)
    if kind in (_GROUP, _FLIP):
        return GroupOffsets(target, column["factor"], flip=kind == _FLIP)
    if kind == _VERTEX:
        return VertexOffsets(target, column["offset"])
    if kind == _BONE:
        return BoneOffsets(target, column["translation"], column["rotation"])
    if _UV <= kind <= _UV4:
        return UvOffsets(kind - _UV, target, column["offset"])
    if kind == _IMPULSE:
        return ImpulseOffsets(
            target, column["local"].astype(np.bool_), column["velocity"], column["torque"]
        )
    return MaterialOffsets(
        target,
        column["operation"] == 1,
        column["diffuse"],
        column["specular"],
        column["specular_power"],
        column["ambient"],
        column["edge_color"],
        column["edge_size"],
        column["texture"],
        column["sphere"],
        column["toon"],
    )
