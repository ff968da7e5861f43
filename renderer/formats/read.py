"""Read any model file, and check what no single section can: indices between sections, numbers.

After ``read_model`` every index is -1 where "none" is allowed or else in range, every face index
belongs to exactly one material or to none, and every position, weight and offset is finite.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError, ModelError
from renderer.formats.model import (
    Append,
    Bone,
    BoneOffsets,
    GroupOffsets,
    Ik,
    ImpulseOffsets,
    Material,
    MaterialOffsets,
    MmdModel,
    Morph,
    MorphOffsets,
    UvOffsets,
    VertexOffsets,
    Vertices,
)
from renderer.formats.pmd import parse_pmd
from renderer.formats.pmx import parse_pmx

MODEL_SUFFIXES = (".pmx", ".pmd")
MAX_FILE_BYTES = 512 << 20


def read_model(path: Path) -> MmdModel:
    """Read a PMX or PMD file; what it is is told by its first bytes, not by its name.

    Raises:
        ModelError: code ``unreadable-file`` or ``file-too-large``.
        FormatError: codes ``not-a-model``, ``truncated-file``, ``malformed-file``,
            ``index-out-of-range``, ``non-finite-numbers``; file, section and, where a single
            record is at fault, its byte offset are in the message.
    """
    data = _read_bytes(path)
    if data[:3] == b"Pmd":
        return _checked(parse_pmd(data, path))
    if data[:4].upper() == b"PMX ":
        return _checked(parse_pmx(data, path))
    fault = "the first bytes are not those of PMX or PMD" if data else "the file is empty"
    raise FormatError(
        f"{path.name}: header, byte 0 of {len(data)}: {fault}; this is no model, get it again",
        "not-a-model" if data else "truncated-file",
    )


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ModelError(
                f"{path.name}: {size >> 20} MiB; models beyond {MAX_FILE_BYTES >> 20} MiB are not "
                "read",
                "file-too-large",
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path.name}: cannot be read ({error.strerror}); check the file and its permissions",
            "unreadable-file",
        ) from error


def _checked(model: MmdModel) -> MmdModel:
    name, vertex_count, bone_count = model.path.name, len(model.vertices), len(model.bones)
    _require_indices(name, "faces", model.faces, vertex_count, allow_none=False)
    _require_indices(name, "vertices (bones)", model.vertices.bone_indices, bone_count)
    for morph in model.morphs:
        _require_morph(model, morph)
    _require_face_count(model)
    return replace(
        model,
        vertices=_finite_vertices(name, model.vertices),
        materials=tuple(_checked_material(m, len(model.texture_paths)) for m in model.materials),
        bones=tuple(_checked_bone(name, bone, bone_count) for bone in model.bones),
    )


def _require_indices(
    file_name: str,
    section: str,
    indices: npt.NDArray[np.integer],
    count: int,
    *,
    allow_none: bool = True,
) -> None:
    low = -1 if allow_none else 0
    if indices.size and (indices.min() < low or indices.max() >= count):
        worst = int(indices.min()) if indices.min() < low else int(indices.max())
        raise FormatError(
            f"{file_name}: {section}: index {worst} points outside the {count} that exist; "
            "the file is corrupt",
            "index-out-of-range",
        )


def _require_finite(file_name: str, section: str, values: npt.NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise FormatError(
            f"{file_name}: {section}: there are numbers that are not finite; the file is corrupt",
            "non-finite-numbers",
        )


def _require_face_count(model: MmdModel) -> None:
    total = 0
    for material in model.materials:
        total += material.index_count
        if material.index_count < 0 or total > model.faces.size:
            raise FormatError(
                f"{model.path.name}: materials: {material.name!r} colours face indices up to "
                f"{total} of {model.faces.size}; the file is corrupt",
                "index-out-of-range",
            )


def _require_morph(model: MmdModel, morph: Morph) -> None:
    section = f"morph {morph.name!r}"
    targets, count = _morph_targets(model, morph.offsets)
    if targets is not None:
        _require_indices(model.path.name, section, targets, count)
    for field in fields(morph.offsets):
        values = getattr(morph.offsets, field.name)
        if isinstance(values, np.ndarray) and values.dtype == np.float32:
            _require_finite(model.path.name, section, values)


def _morph_targets(
    model: MmdModel, offsets: MorphOffsets
) -> tuple[npt.NDArray[np.int32] | None, int]:
    if isinstance(offsets, VertexOffsets | UvOffsets):
        return offsets.vertices, len(model.vertices)
    if isinstance(offsets, BoneOffsets):
        return offsets.bones, len(model.bones)
    if isinstance(offsets, GroupOffsets):
        return offsets.morphs, len(model.morphs)
    if isinstance(offsets, MaterialOffsets):
        return offsets.materials, len(model.materials)
    if isinstance(offsets, ImpulseOffsets):
        return offsets.rigid_bodies, model.skipped.rigid_bodies
    return None, 0


def _finite_vertices(file_name: str, vertices: Vertices) -> Vertices:
    """Positions and weights must be finite; a stray normal or uv is set to 0 instead."""
    for values in (vertices.positions, vertices.bone_weights, vertices.sdef_c, vertices.sdef_r0):
        _require_finite(file_name, "vertices", values)
    _require_finite(file_name, "vertices", vertices.sdef_r1)
    return replace(
        vertices,
        normals=_zero_where_not_finite(vertices.normals),
        uv=_zero_where_not_finite(vertices.uv),
        additional_uv=_zero_where_not_finite(vertices.additional_uv),
        edge_scales=_zero_where_not_finite(vertices.edge_scales),
    )


def _zero_where_not_finite(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _reference(index: int, count: int) -> int:
    """A reference to nothing that exists means none: real files hold such, and MMD loads them."""
    return index if 0 <= index < count else -1


def _checked_material(material: Material, texture_count: int) -> Material:
    return replace(
        material,
        texture=_reference(material.texture, texture_count),
        sphere_texture=_reference(material.sphere_texture, texture_count),
        toon_texture=_reference(material.toon_texture, texture_count),
        shared_toon=_reference(material.shared_toon, 10),
    )


def _checked_bone(file_name: str, bone: Bone, count: int) -> Bone:
    numbers = [*bone.position, *(bone.fixed_axis or ()), bone.append.ratio if bone.append else 0.0]
    _require_finite(file_name, f"bone {bone.name!r}", np.array(numbers, np.float32))
    return replace(
        bone,
        parent=_reference(bone.parent, count),
        tail=_reference(bone.tail, count) if isinstance(bone.tail, int) else bone.tail,
        append=_checked_append(bone.append, count),
        ik=_checked_ik(bone.ik, count),
    )


def _checked_append(append: Append | None, count: int) -> Append | None:
    return append if append and _reference(append.bone, count) >= 0 else None


def _checked_ik(ik: Ik | None, count: int) -> Ik | None:
    if ik is None or _reference(ik.effector, count) < 0:
        return None
    return replace(ik, links=tuple(link for link in ik.links if 0 <= link.bone < count))
