"""PMD's materials and bones, said in PMX's words.

Source: "PMD.txt" of PMD Editor; bone types 5 and 9, sphere naming and the toon list as MMD itself
treats them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
import numpy.typing as npt

from renderer.formats.checks import parent_reference, reference, usable_append
from renderer.formats.model import Append, Bone, Ik, Material, SphereMode, Vec3

Records = npt.NDArray[Any]

MATERIAL_RECORD = np.dtype(
    [
        ("diffuse", "<f4", 4),
        ("power", "<f4"),
        ("specular", "<f4", 3),
        ("ambient", "<f4", 3),
        ("toon", "u1"),
        ("edge", "u1"),
        ("index_count", "<u4"),
        ("texture", "V20"),
    ]
)
BONE_RECORD = np.dtype(
    [
        ("name", "V20"),
        ("parent", "<u2"),
        ("tail", "<u2"),
        ("type", "u1"),
        ("ik", "<u2"),
        ("position", "<f4", 3),
    ]
)
_MOVABLE_TYPES = (1, 2)
_HIDDEN_TYPES = (6, 7)
_ROTATION_FROM_IK_FIELD, _TWIST, _ROTATION_FROM_TAIL = 5, 8, 9
_SPHERE_SUFFIXES = {".sph": SphereMode.MULTIPLY, ".spa": SphereMode.ADD}


def decode(field: bytes) -> str:
    """A fixed cp932 field up to its first NUL; cut-off characters become replacement ones."""
    return field.split(b"\0", 1)[0].decode("cp932", errors="replace")


def to_materials(
    records: Records, toon_names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Material, ...]]:
    """Texture paths (the ten toons first) and materials of ``MATERIAL_RECORD`` records."""
    textures: dict[str, int] = {}  # path: index
    materials: list[Material] = []
    first_index = 0
    for number, record in enumerate(records):
        material = _material(record, number, first_index, toon_names, textures)
        first_index += material.index_count
        materials.append(material)
    return (*toon_names, *textures), tuple(materials)


def _material(
    record: Any,  # noqa: ANN401  # a numpy void
    number: int,
    first_index: int,
    toon_names: Sequence[str],
    textures: dict[str, int],
) -> Material:
    texture, sphere, sphere_mode = _split_texture_field(decode(record["texture"].tobytes()))
    toon = int(record["toon"])
    toon_name = toon_names[toon] if toon < len(toon_names) else ""
    alpha = float(record["diffuse"][3])
    r, g, b = map(float, record["diffuse"][:3])
    return Material(
        name=f"material {number}",
        name_english="",
        diffuse=(r, g, b, alpha),
        specular=_vec3(record["specular"]),
        specular_power=float(record["power"]),
        ambient=_vec3(record["ambient"]),
        double_sided=alpha < 1,
        draw_edge=bool(record["edge"]),
        edge_color=(0.0, 0.0, 0.0, 1.0),
        edge_size=1.0,
        texture=_add(textures, texture, len(toon_names)),
        sphere_texture=_add(textures, sphere, len(toon_names)),
        sphere_mode=sphere_mode,
        toon_texture=toon if toon_name else -1,
        shared_toon=_shared_toon(toon_name),
        first_index=first_index,
        index_count=int(record["index_count"]),
    )


def _vec3(values: npt.NDArray[np.float32]) -> Vec3:
    x, y, z = map(float, values)
    return x, y, z


def _split_texture_field(field: str) -> tuple[str, str, SphereMode]:
    """``a.bmp*b.spa`` in either order; a lone ``.sph`` or ``.spa`` is a sphere map."""
    texture, sphere, mode = "", "", SphereMode.NONE
    for part in field.split("*"):
        suffix = PureWindowsPath(part).suffix.lower()
        if suffix in _SPHERE_SUFFIXES:
            sphere, mode = part, _SPHERE_SUFFIXES[suffix]
        elif part:
            texture = part
    return texture, sphere, mode


def _add(textures: dict[str, int], path: str, first: int) -> int:
    """Index of ``path`` among the textures, added when new; -1 for the empty path."""
    return textures.setdefault(path, first + len(textures)) if path else -1


def _shared_toon(name: str) -> int:
    match = re.fullmatch(r"toon(0[1-9]|10)\.bmp", name.lower())
    return int(match.group(1)) - 1 if match else -1


def to_bones(records: Records, english: Sequence[str], iks: Mapping[int, Ik]) -> tuple[Bone, ...]:
    """Bones of ``BONE_RECORD`` records; bone types become appends and fixed axes."""
    return tuple(_bone(records, i, english[i], iks.get(i)) for i in range(len(records)))


def _bone(records: Records, number: int, english: str, ik: Ik | None) -> Bone:
    record = records[number]
    kind = int(record["type"])
    return Bone(
        name=decode(record["name"].tobytes()),
        name_english=english,
        position=_vec3(record["position"]),
        parent=parent_reference(int(record["parent"]), number, len(records)),
        layer=0,
        after_physics=False,
        rotatable=kind not in _HIDDEN_TYPES,
        movable=kind in _MOVABLE_TYPES,
        visible=kind not in _HIDDEN_TYPES,
        tail=reference(int(record["tail"]), len(records)) if record["tail"] else -1,
        append=_append(records, record, kind),
        fixed_axis=_twist_axis(records, number) if kind == _TWIST else None,
        local_axes=None,
        external_parent=None,
        ik=ik,
    )


def _append(records: Records, record: Any, kind: int) -> Append | None:  # noqa: ANN401  # a numpy void
    """Type 5 copies the rotation of the bone in its IK field, type 9 a percentage of its tail's."""
    if kind == _ROTATION_FROM_IK_FIELD:
        source, ratio = int(record["ik"]), 1.0
    elif kind == _ROTATION_FROM_TAIL:
        source, ratio = int(record["tail"]), int(record["ik"]) / 100
    else:
        return None
    append = Append(source, ratio, rotation=True, translation=False, local=False)
    return usable_append(append, len(records))


def _twist_axis(records: Records, number: int) -> Vec3 | None:
    """From the bone to its tail; ``None`` where there is no direction."""
    tail = reference(int(records[number]["tail"]), len(records))
    if tail < 0:
        return None
    start, end = _vec3(records[number]["position"]), _vec3(records[tail]["position"])
    length = math.dist(start, end)
    if not 0 < length < math.inf:
        return None
    x, y, z = ((b - a) / length for a, b in zip(start, end, strict=True))
    return x, y, z
