"""PMX 2.0 and 2.1, whole: every section is read or skipped record by record.

Source: the PMX 2.0/2.1 format description ("PMX仕様.txt" of PMX Editor); sections below are in file
order. Index sizes are 1, 2 or 4 bytes; vertex indices are unsigned at 1 and 2 bytes, all others
signed with -1 for none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from struct import calcsize

import numpy as np

from contract.errors import FormatError
from renderer.formats.cursor import MOST_INDICES
from renderer.formats.model import (
    I32,
    Bone,
    Material,
    MmdModel,
    Morph,
    SkippedCounts,
    Vertices,
)
from renderer.formats.pmx_cursor import PmxCursor, unsigned_beyond
from renderer.formats.pmx_records import TargetCounts, read_bone, read_material, read_morph
from renderer.formats.pmx_vertices import read_vertices


def parse_pmx(cursor: PmxCursor, path: Path) -> MmdModel:
    """Parse what follows the PMX header.

    ``FormatError`` with section and byte offset when the bytes are not PMX; indices between
    sections are checked by ``read_model``, not here.
    """
    name, name_english = cursor.text("the name"), cursor.text("the english name")
    comment, comment_english = cursor.text("the comment"), cursor.text("the english comment")
    vertices = _vertices(cursor)
    faces = _faces(cursor)
    texture_paths = _texture_paths(cursor)
    materials = _materials(cursor, len(texture_paths))
    bones = _bones(cursor)
    morphs = _morphs(cursor, len(bones), len(materials))
    skipped = _skip_the_rest(cursor)
    return MmdModel(
        path,
        "pmx",
        cursor.header.version,
        name,
        name_english,
        comment,
        comment_english,
        _with_bones(cursor, vertices, len(bones)),
        faces,
        texture_paths,
        materials,
        bones,
        morphs,
        skipped,
        trailing_bytes=cursor.remaining,
    )


def _vertices(cursor: PmxCursor) -> Vertices:
    cursor.enter("vertices")
    return read_vertices(cursor)


def _faces(cursor: PmxCursor) -> I32:
    cursor.enter("faces")
    dtype = np.dtype(f"<{cursor.header.vertex_index}")
    count = cursor.few(dtype.itemsize, "face indices", most=MOST_INDICES)
    if count % 3:
        raise cursor.fault(
            f"{count} face indices are not whole triangles; the file is corrupt",
            offset=cursor.offset - 4,
        )
    return cursor.array(dtype, count, "the faces").astype(np.int32).reshape(-1, 3)


def _texture_paths(cursor: PmxCursor) -> tuple[str, ...]:
    cursor.enter("textures")
    count = cursor.few(4, "textures")
    return tuple(cursor.text("a texture path") for _ in range(count))


def _materials(cursor: PmxCursor, texture_count: int) -> tuple[Material, ...]:
    cursor.enter("materials")
    materials: list[Material] = []
    first_index = 0
    for _ in range(cursor.few(86, "materials")):
        material = read_material(cursor, first_index, texture_count)
        first_index += material.index_count
        materials.append(material)
    return tuple(materials)


def _bones(cursor: PmxCursor) -> tuple[Bone, ...]:
    cursor.enter("bones")
    count = cursor.few(28, "bones")
    return tuple(read_bone(cursor, number, count) for number in range(count))


def _with_bones(cursor: PmxCursor, vertices: Vertices, count: int) -> Vertices:
    """The vertices, once it is known how many bones there are."""
    meant = unsigned_beyond(cursor.header.bone_index, vertices.bone_indices, count)
    return replace(vertices, bone_indices=meant)


def _morphs(cursor: PmxCursor, bones: int, materials: int) -> tuple[Morph, ...]:
    cursor.enter("morphs")
    count = cursor.few(14, "morphs")
    counts = TargetCounts(count, bones, materials)
    return tuple(read_morph(cursor, counts) for _ in range(count))


def _skip_the_rest(cursor: PmxCursor) -> SkippedCounts:
    """What no picture needs: wherever it goes wrong, nothing is lost but the rest of it."""
    counts: list[int] = []
    try:
        for skip in (_skip_display_frames, _skip_rigid_bodies, _skip_joints, _skip_soft_bodies):
            start = cursor.offset
            counts.append(skip(cursor))
    except FormatError as fault:
        cursor.passed_over(fault)
        cursor.offset = start
    return SkippedCounts(*counts)


def _skip_display_frames(cursor: PmxCursor) -> int:
    cursor.enter("display frames")
    count = cursor.few(13, "display frames")
    for _ in range(count):
        cursor.skip_names()
        cursor.skip(1, "a display frame's flag")
        for _ in range(cursor.few(2, "display frame entries")):
            is_morph = cursor.u8("a display frame entry")
            header = cursor.header
            cursor.index(header.morph_index if is_morph else header.bone_index, "an entry's index")
    return count


def _skip_rigid_bodies(cursor: PmxCursor) -> int:
    size = calcsize(cursor.header.bone_index) + 61
    return _skip_records(cursor, "rigid bodies", "a rigid body", size)


def _skip_joints(cursor: PmxCursor) -> int:
    size = 1 + 2 * calcsize(cursor.header.rigid_body_index) + 96
    return _skip_records(cursor, "joints", "a joint", size)


def _skip_records(cursor: PmxCursor, section: str, one: str, size: int) -> int:
    """Names, then as many bytes in every record."""
    cursor.enter(section)
    count = cursor.few(8 + size, section)
    for _ in range(count):
        cursor.skip_names()
        cursor.skip(size, one)
    return count


def _skip_soft_bodies(cursor: PmxCursor) -> int:
    """Soft bodies exist from 2.1 on; bytes after a 2.0 file's joints belong to nobody."""
    cursor.enter("soft bodies")
    header = cursor.header
    if header.version < 2.1 or not cursor.remaining:
        return 0
    vertex, rigid_body = calcsize(header.vertex_index), calcsize(header.rigid_body_index)
    # shape, group, mask, flags, 2 counts, mass, margin, aero model; 12 config, 6 cluster,
    # 4 iteration and 3 material numbers.
    size = 1 + calcsize(header.material_index) + 4 + 20 + 4 * (12 + 6 + 4 + 3)
    count = cursor.few(8 + size, "soft bodies")
    for _ in range(count):
        cursor.skip_names()
        cursor.skip(size, "a soft body")
        anchor = rigid_body + vertex + 1
        cursor.skip(anchor * cursor.count(anchor, "anchors"), "anchors")
        cursor.skip(vertex * cursor.count(vertex, "pins"), "pins")
    return count
