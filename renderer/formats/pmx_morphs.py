"""One PMX morph record of any of the eleven types; offsets are read as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from renderer.formats.model import (
    BoneOffsets,
    GroupOffsets,
    ImpulseOffsets,
    MaterialOffsets,
    Morph,
    MorphOffsets,
    UvOffsets,
    VertexOffsets,
)
from renderer.formats.pmx_cursor import PmxCursor, PmxHeader, unsigned_beyond

_GROUP, _VERTEX, _BONE, _UV, _UV4, _MATERIAL, _FLIP, _IMPULSE = 0, 1, 2, 3, 7, 8, 9, 10


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
