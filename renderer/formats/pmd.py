"""PMD, whole, read into the same records as PMX.

Source: the PMD format description ("PMD.txt" of PMD Editor). Text is cp932 in fixed fields cut at
the first NUL. Everything from the display lists on may be missing in old files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError
from renderer.formats.checks import usable_ik
from renderer.formats.cursor import MOST_INDICES, MOST_RECORDS, MOST_VERTICES, Cursor
from renderer.formats.model import (
    I32,
    Ik,
    IkLink,
    MmdModel,
    Morph,
    SkippedCounts,
    VertexOffsets,
    Vertices,
    WeightType,
)
from renderer.formats.pmd_records import (
    BONE_RECORD,
    MATERIAL_RECORD,
    Records,
    decode,
    to_bones,
    to_materials,
)

_VERTEX_RECORD = np.dtype(
    [
        ("position", "<f4", 3),
        ("normal", "<f4", 3),
        ("uv", "<f4", 2),
        ("bones", "<u2", 2),
        ("weight_percent", "u1"),
        ("no_edge", "u1"),
    ]
)
_MORPH_RECORD = np.dtype([("target", "<u4"), ("offset", "<f4", 3)])
_RIGID_BODY_BYTES, _JOINT_BYTES = 83, 124
_PMD_STEP_LIMIT_UNIT_RADIANS = 4.0
_BASE = 0
_MMD_TOONS = tuple(f"toon{number:02d}.bmp" for number in range(1, 11))


@dataclass(frozen=True)
class _English:
    """The English texts; empty ones where the file has none."""

    name: str
    comment: str
    bones: tuple[str, ...]
    morphs: tuple[str, ...]


@dataclass(frozen=True)
class _Rest:
    """What follows the morphs."""

    english: _English
    toon_names: tuple[str, ...]
    skipped: SkippedCounts


def parse_pmd(cursor: Cursor, path: Path) -> MmdModel:
    """Parse a whole PMD file.

    ``FormatError`` with section and byte offset where the bytes are not PMD; indices between
    sections are checked by ``read_model``, not here.
    """
    if cursor.raw(3, "the signature") != b"Pmd":
        raise cursor.fault("no PMD signature; this is not a PMD file", "not-a-model", 0)
    (version,) = cursor.unpack("f", "the version")
    if not math.isfinite(version):
        raise cursor.fault(f"PMD version {version:g}; 1.0 is known", offset=3)
    name, comment = _text(cursor, 20, "the name"), _text(cursor, 256, "the comment")
    vertices = _vertices(cursor)
    faces = _faces(cursor)
    material_records = _section(cursor, "materials", MATERIAL_RECORD, "I")
    bone_records = _section(cursor, "bones", BONE_RECORD, "H")
    iks = _iks(cursor, bone_records)
    morphs = _morphs(cursor)
    rest = _rest(cursor, len(bone_records), len(morphs))
    english = rest.english
    texture_paths, materials = to_materials(material_records, rest.toon_names)
    return MmdModel(
        path,
        "pmd",
        float(version),
        name,
        english.name,
        comment,
        english.comment,
        vertices,
        faces,
        texture_paths,
        materials,
        to_bones(bone_records, english.bones, iks),
        tuple(
            replace(morph, name_english=text)
            for morph, text in zip(morphs, english.morphs, strict=True)
        ),
        rest.skipped,
        trailing_bytes=cursor.remaining,
    )


def _rest(cursor: Cursor, bones: int, morphs: int) -> _Rest:
    """Where what follows the morphs goes wrong, that part and all after it is as if it were absent:
    a picture needs none of it but the toons' names, and those only where they are not MMD's."""
    english = _English("", "", ("",) * bones, ("",) * morphs)
    toon_names = _MMD_TOONS
    frames = rigid_bodies = joints = 0
    start = cursor.offset
    try:
        frames, frame_names = _skip_display_lists(cursor)
        start = cursor.offset
        english = _english(cursor, bones, morphs, frame_names)
        start = cursor.offset
        toon_names = _toon_names(cursor)
        start = cursor.offset
        rigid_bodies = _skip_records(cursor, "rigid bodies", _RIGID_BODY_BYTES)
        start = cursor.offset
        joints = _skip_records(cursor, "joints", _JOINT_BYTES)
    except FormatError as fault:
        cursor.passed_over(fault)
        cursor.offset = start
    return _Rest(english, toon_names, SkippedCounts(frames, rigid_bodies, joints))


def _text(cursor: Cursor, size: int, what: str) -> str:
    return decode(cursor.raw(size, what))


def _section(
    cursor: Cursor,
    section: str,
    record: np.dtype[Any],
    count_layout: str,
    most: int = MOST_RECORDS,
) -> Records:
    cursor.enter(section)
    count = cursor.few(record.itemsize, section, count_layout, most)
    return cursor.array(record, count, section)


def _vertices(cursor: Cursor) -> Vertices:
    records = _section(cursor, "vertices", _VERTEX_RECORD, "I", MOST_VERTICES)
    count = len(records)
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = records["weight_percent"] / np.float32(100)
    weights[:, 1] = 1 - weights[:, 0]
    bones = np.full((count, 4), -1, np.int32)
    bones[:, :2] = records["bones"].astype(np.int16)
    return Vertices(
        positions=records["position"].copy(),
        normals=records["normal"].copy(),
        uv=records["uv"].copy(),
        additional_uv=np.empty((count, 0, 4), np.float32),
        weight_types=np.full(count, WeightType.BDEF2, np.uint8),
        bone_indices=bones,
        bone_weights=weights,
        sdef_vertices=np.empty(0, np.int32),
        sdef_c=np.empty((0, 3), np.float32),
        sdef_r0=np.empty((0, 3), np.float32),
        sdef_r1=np.empty((0, 3), np.float32),
        edge_scales=np.where(records["no_edge"] == 0, 1, 0).astype(np.float32),
    )


def _faces(cursor: Cursor) -> I32:
    indices = _section(cursor, "faces", np.dtype("<u2"), "I", MOST_INDICES)
    if len(indices) % 3:
        raise cursor.fault(
            f"{len(indices)} face indices are not whole triangles; the file is corrupt",
            offset=cursor.section_starts["faces"],
        )
    return indices.astype(np.int32).reshape(-1, 3)


def _iks(cursor: Cursor, bone_records: Records) -> dict[int, Ik]:
    """Usable IK chains by the bone that owns them; the first counts where it owns several."""
    cursor.enter("IK chains")
    iks: dict[int, Ik] = {}
    for _ in range(cursor.count(11, "IK chains", "H")):
        owner, effector, length, iterations, step_limit = cursor.unpack("HHBHf", "an IK chain")
        bones = cursor.array("<u2", length, "IK links")
        links = tuple(_ik_link(int(bone), bone_records) for bone in bones)
        ik = Ik(effector, iterations, step_limit * _PMD_STEP_LIMIT_UNIT_RADIANS, links)
        if usable := usable_ik(ik, len(bone_records)):
            iks.setdefault(owner, usable)
    return iks


def _ik_link(bone: int, bone_records: Records) -> IkLink:
    """Knees bend backward about x only; PMD says so by name instead of by limits."""
    if bone < len(bone_records) and "ひざ" in decode(bone_records[bone]["name"].tobytes()):
        return IkLink(bone, (-math.pi, 0.0, 0.0), (-math.radians(0.5), 0.0, 0.0))
    return IkLink(bone, None, None)


def _morphs(cursor: Cursor) -> tuple[Morph, ...]:
    """All morphs but "base", whose vertex list the others' indices point into."""
    cursor.enter("morphs")
    base: I32 | None = None
    morphs: list[Morph] = []
    for _ in range(cursor.count(25, "morphs", "H")):
        name = _text(cursor, 20, "a morph name")
        count, panel = cursor.unpack("IB", "a morph's size and panel")
        records = cursor.array(_MORPH_RECORD, count, f"morph {name!r}")
        if panel == _BASE and base is None:
            base = records["target"].astype(np.int32)
            continue
        vertices = _vertices_of(records["target"], base)
        morphs.append(Morph(name, "", panel, VertexOffsets(vertices, records["offset"].copy())))
    return tuple(morphs)


def _vertices_of(places: npt.NDArray[np.uint32], base: I32 | None) -> I32:
    """The vertices that stand at ``places`` of the base morph; -1 where there is no such place."""
    listed = np.append(np.empty(0, np.int32) if base is None else base, np.int32(-1))
    vertices: I32 = listed[np.minimum(places, len(listed) - 1)]
    return vertices


def _skip_display_lists(cursor: Cursor) -> tuple[int, int]:
    """Skip the lists of the user interface; returns (frames, names of bone frames)."""
    cursor.enter("display lists")
    if not cursor.remaining:
        return 0, 0
    cursor.skip(2 * cursor.count(2, "displayed morphs", "B"), "displayed morphs")
    names = cursor.count(50, "display frame names", "B")
    cursor.skip(50 * names, "display frame names")
    cursor.skip(3 * cursor.count(3, "displayed bones", "I"), "displayed bones")
    return names + 1, names


def _english(cursor: Cursor, bones: int, morphs: int, frame_names: int) -> _English:
    cursor.enter("english texts")
    if not cursor.remaining or not cursor.u8("the english flag"):
        return _English("", "", ("",) * bones, ("",) * morphs)
    english = _English(
        _text(cursor, 20, "the english name"),
        _text(cursor, 256, "the english comment"),
        tuple(_text(cursor, 20, "an english bone name") for _ in range(bones)),
        tuple(_text(cursor, 20, "an english morph name") for _ in range(morphs)),
    )
    cursor.skip(50 * frame_names, "english display frame names")
    return english


def _toon_names(cursor: Cursor) -> tuple[str, ...]:
    cursor.enter("toon textures")
    if not cursor.remaining:
        return _MMD_TOONS
    return tuple(_text(cursor, 100, "a toon texture name") for _ in range(10))


def _skip_records(cursor: Cursor, section: str, size: int) -> int:
    cursor.enter(section)
    if not cursor.remaining:
        return 0
    count = cursor.count(size, section, "I")
    cursor.skip(size * count, section)
    return count
