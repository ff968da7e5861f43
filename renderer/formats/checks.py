"""References from one section into another, and all numbers: what no single section can check.

Real files refer to things that do not exist, and MMD loads them: such a reference means none. Only
where no model can be drawn without the target (a face's vertex, a vertex's bone, a morph's target)
is the file refused; the fault names the file, the section, the byte at which that section starts,
and the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from renderer.formats.cursor import Cursor
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
    MorphOffsets,
    Vertices,
)

_MAX_IK_ITERATIONS = 255  # MMD's own limit, by the PMX description; files claim up to 2^31 - 1


def reference(index: int, count: int) -> int:
    """``index`` if there is such an entry among ``count``, else -1."""
    return index if 0 <= index < count else -1


def parent_reference(parent: int, bone: int, bone_count: int) -> int:
    """The parent of bone number ``bone``; some exporters say a root is its own parent."""
    return -1 if parent == bone else reference(parent, bone_count)


def usable_append(append: Append, bone_count: int) -> Append | None:
    """``append``, or ``None`` when its source bone does not exist."""
    return append if 0 <= append.bone < bone_count else None


def usable_ik(ik: Ik, bone_count: int) -> Ik | None:
    """``ik`` without links to nowhere and with MMD's iterations; ``None`` without an effector."""
    if not 0 <= ik.effector < bone_count:
        return None
    return replace(
        ik,
        iterations=min(max(ik.iterations, 0), _MAX_IK_ITERATIONS),
        links=tuple(link for link in ik.links if 0 <= link.bone < bone_count),
    )


def check_model(model: MmdModel, cursor: Cursor) -> None:
    """Raise a ``FormatError`` unless every index and number of ``model`` can be used as it is.

    Stray normals and texture coordinates that are not finite are set to 0 instead. All arrays are
    read-only afterwards. ``cursor`` is the one that read the model.
    """
    _check_vertices(cursor, model.vertices, len(model.bones))
    _require_indices(cursor, "faces", "", model.faces, len(model.vertices), allow_none=False)
    _check_materials(cursor, model.materials, model.faces.size)
    for number, bone in enumerate(model.bones):
        _require_finite(cursor, "bones", f"bone {number} {bone.name!r}: ", _bone_numbers(bone))
    _check_parents(cursor, model.bones)
    for number, morph in enumerate(model.morphs):
        _check_morph(cursor, f"morph {number} {morph.name!r}: ", model, morph.offsets)
    for record in (model, model.vertices, *(morph.offsets for morph in model.morphs)):
        for array in _arrays(record):
            array.flags.writeable = False


def _arrays(record: object) -> Iterator[npt.NDArray[np.generic]]:
    return (value for value in vars(record).values() if isinstance(value, np.ndarray))


def _require_indices(
    cursor: Cursor,
    section: str,
    record: str,
    indices: npt.NDArray[np.int32],
    count: int,
    *,
    allow_none: bool = True,
) -> None:
    low = -1 if allow_none else 0
    if not indices.size or (low <= indices.min() and indices.max() < count):
        return
    worst = int(indices.min()) if indices.min() < low else int(indices.max())
    raise cursor.fault_in(
        section,
        f"{record}index {worst} points outside the {count} that exist; the file is corrupt",
        "index-out-of-range",
    )


def _require_finite(cursor: Cursor, section: str, record: str, values: npt.ArrayLike) -> None:
    if not np.isfinite(values).all():
        raise cursor.fault_in(
            section,
            f"{record}there are numbers that are not finite; the file is corrupt",
            "non-finite-numbers",
        )


def _check_vertices(cursor: Cursor, vertices: Vertices, bone_count: int) -> None:
    _require_indices(cursor, "vertices", "a bone ", vertices.bone_indices, bone_count)
    for values in (
        vertices.positions,
        vertices.bone_weights,
        vertices.sdef_c,
        vertices.sdef_r0,
        vertices.sdef_r1,
    ):
        _require_finite(cursor, "vertices", "", values)
    for values in (vertices.normals, vertices.uv, vertices.additional_uv, vertices.edge_scales):
        np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _check_materials(cursor: Cursor, materials: tuple[Material, ...], index_count: int) -> None:
    total = 0
    for number, material in enumerate(materials):
        record = f"material {number} {material.name!r}"
        _require_finite(cursor, "materials", f"{record}: ", _material_numbers(material))
        total += material.index_count
        if material.index_count < 0 or material.index_count % 3 or total > index_count:
            raise cursor.fault_in(
                "materials",
                f"{record} colours {material.index_count} face indices up to {total} of "
                f"{index_count}, in whole triangles; the file is corrupt",
                "index-out-of-range",
            )


def _material_numbers(material: Material) -> tuple[float, ...]:
    return (
        *material.diffuse,
        *material.specular,
        material.specular_power,
        *material.ambient,
        *material.edge_color,
        material.edge_size,
    )


def _bone_numbers(bone: Bone) -> list[float]:
    numbers = [*bone.position, *(bone.fixed_axis or ())]
    if bone.append:
        numbers.append(bone.append.ratio)
    if bone.ik:
        numbers.append(bone.ik.step_limit_radians)
        for link in bone.ik.links:
            numbers += (*(link.low_radians or ()), *(link.high_radians or ()))
    return numbers


def _check_parents(cursor: Cursor, bones: tuple[Bone, ...]) -> None:
    """Every bone must have a root, or whoever climbs to it never ends."""
    rooted = {-1}
    for number in range(len(bones)):
        path: set[int] = set()
        ancestor = number
        while ancestor not in rooted:
            if ancestor in path:
                raise cursor.fault_in(
                    "bones",
                    f"bone {ancestor} {bones[ancestor].name!r} is its own ancestor; the file is "
                    "corrupt",
                    "malformed-file",
                )
            path.add(ancestor)
            ancestor = bones[ancestor].parent
        rooted |= path


def _check_morph(cursor: Cursor, record: str, model: MmdModel, offsets: MorphOffsets) -> None:
    for values in _arrays(offsets):
        if values.dtype == np.float32:
            _require_finite(cursor, "morphs", record, values)
    if isinstance(offsets, GroupOffsets):
        _require_indices(cursor, "morphs", record, offsets.morphs, len(model.morphs))
    elif isinstance(offsets, BoneOffsets):
        _require_indices(cursor, "morphs", record, offsets.bones, len(model.bones))
    elif isinstance(offsets, MaterialOffsets):
        _require_indices(cursor, "morphs", record, offsets.materials, len(model.materials))
    elif isinstance(offsets, ImpulseOffsets):
        rigid_bodies = model.skipped.rigid_bodies
        _require_indices(cursor, "morphs", record, offsets.rigid_bodies, rigid_bodies)
    else:
        count = len(model.vertices)
        _require_indices(cursor, "morphs", record, offsets.vertices, count, allow_none=False)
