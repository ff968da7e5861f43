"""PMD 1.0 bytes of a character, with the English and toon sections.

PMD has no layers, no groups, no shared toons by number: groups are flattened by the assembly,
names are cp932 of at most 20 bytes, and every morph's indices point into the "base" morph's list.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from characters.base.character_model import MaterialSpec, Model
from characters.base.rigging import BoneSpec

_NONE = 0xFFFF
_TURN, _MOVE, _IK, _IK_LINK, _FOLLOW, _IK_TARGET, _HIDDEN = 0, 1, 2, 4, 5, 6, 7
_VERTEX = np.dtype(
    [("floats", "<f4", (8,)), ("bones", "<u2", (2,)), ("weight", "u1"), ("no_edge", "u1")]
)
_MATERIAL_EDGE = 1
_THIN_EDGE = 0.45
TOONS = 10


def _name(value: str, size: int) -> bytes:
    """cp932, cut at a whole character, padded with zeros."""
    data = value.encode("cp932", "replace")[: size - 1]
    return data.decode("cp932", "ignore").encode("cp932").ljust(size, b"\0")


def pmd_bytes(model: Model) -> bytes:
    """The whole file."""
    toons = list(dict.fromkeys(m.toon for m in model.materials if m.toon))[:TOONS]
    number = {bone.name: k for k, bone in enumerate(model.bones)}
    used, skins = _skins(model)
    parts = [
        b"Pmd" + struct.pack("<f", 1.0) + _name(model.name, 20) + _name(model.comment, 256),
        _vertices(model),
        struct.pack("<I", model.faces.size) + model.faces.astype("<u2").tobytes(),
        struct.pack("<I", len(model.materials)),
        *(
            _material(material, count, toons)
            for material, count in zip(model.materials, model.face_counts, strict=True)
        ),
        struct.pack("<H", len(model.bones)),
        *(_bone(bone, number, model.bones) for bone in model.bones),
        _iks(model.bones, number),
        struct.pack("<H", len(skins)),
        *skins,
        _display(model, used),
        _english(model),
        *(_name(toon, 100) for toon in [*toons, *[""] * (TOONS - len(toons))]),
        struct.pack("<II", 0, 0),  # rigid bodies, joints
    ]
    return b"".join(parts)


def _vertices(model: Model) -> bytes:
    record: npt.NDArray[np.void] = np.zeros(len(model.positions), _VERTEX)
    record["floats"][:, :3] = model.positions
    record["floats"][:, 3:6] = model.normals
    record["floats"][:, 6:] = model.uv
    record["bones"] = model.bone_indices
    record["weight"] = np.rint(model.weights * 100)
    # PMD knows only with or without: thin outlines at the tips of locks go without.
    record["no_edge"] = model.edge_scales < _THIN_EDGE
    return struct.pack("<I", len(record)) + record.tobytes()


def _material(material: MaterialSpec, triangles: int, toons: Sequence[str]) -> bytes:
    texture = material.texture
    if material.sphere:
        texture = f"{texture}*{material.sphere}"
    return (
        struct.pack("<4f", *material.diffuse)
        + struct.pack("<f3f3f", material.specular_power, *material.specular, *material.ambient)
        + struct.pack(
            "<BBI",
            toons.index(material.toon) if material.toon else 0xFF,
            _MATERIAL_EDGE * material.edge,
            3 * triangles,
        )
        + _name(texture, 20)
    )


def _bone(bone: BoneSpec, number: dict[str, int], bones: Sequence[BoneSpec]) -> bytes:
    targets = {b.ik_target for b in bones if b.kind == "ik"}
    links = {link for b in bones if b.kind == "ik" for link in b.ik_chain}
    kind, ik = _TURN, 0
    if bone.kind == "move":
        kind = _MOVE
    elif bone.kind == "ik":
        kind = _IK
    elif bone.follow:
        kind, ik = _FOLLOW, number[bone.follow]
    elif bone.name in targets:
        kind = _IK_TARGET
    elif bone.name in links:
        kind = _IK_LINK
    tail = number[bone.tail] if bone.tail else 0
    parent = number[bone.parent] if bone.parent else _NONE
    return _name(bone.name, 20) + struct.pack("<HHBH3f", parent, tail, kind, ik, *bone.position)


def _iks(bones: Sequence[BoneSpec], number: dict[str, int]) -> bytes:
    chains = [bone for bone in bones if bone.kind == "ik"]
    parts = [struct.pack("<H", len(chains))]
    for bone in chains:
        links = [number[link] for link in bone.ik_chain]
        parts.append(
            struct.pack("<HHBHf", number[bone.name], number[bone.ik_target], len(links), 40, 0.5)
            + struct.pack(f"<{len(links)}H", *links)
        )
    return b"".join(parts)


_SKIN = np.dtype([("index", "<u4"), ("offset", "<f4", (3,))])


def _skins(model: Model) -> tuple[int, list[bytes]]:
    """The base morph and the others, whose indices point into the base's list."""
    touched = [morph.vertices for morph in model.morphs if len(morph.vertices)]
    base = np.unique(np.concatenate(touched)) if touched else np.zeros(0, np.int32)

    def skin(
        name: str, panel: int, index: npt.NDArray[np.int32], offset: npt.NDArray[np.float32]
    ) -> bytes:
        record: npt.NDArray[np.void] = np.zeros(len(index), _SKIN)
        record["index"] = index
        record["offset"] = offset
        return _name(name, 20) + struct.pack("<IB", len(record), panel) + record.tobytes()

    skins = [skin("base", 0, base.astype(np.int32), model.positions[base])]
    for morph in model.morphs:
        place = np.searchsorted(base, morph.vertices).astype(np.int32)
        skins.append(skin(morph.name, morph.panel, place, morph.offsets))
    return len(base), skins


def _display(model: Model, used: int) -> bytes:
    """Which morphs and bones the panels list."""
    morphs = range(1, len(model.morphs) + 1) if used else range(0)
    bones = range(1, len(model.bones))
    return b"".join(
        [
            struct.pack("<B", len(morphs)) + struct.pack(f"<{len(morphs)}H", *morphs),
            struct.pack("<B", 1) + _name("体\n", 50),
            struct.pack("<I", len(bones)),
            *(struct.pack("<HB", bone, 1) for bone in bones),
        ]
    )


def _english(model: Model) -> bytes:
    return b"".join(
        [
            struct.pack("<B", 1) + _name(model.english, 20) + _name(model.comment_english, 256),
            *(_name(bone.english, 20) for bone in model.bones),
            *(_name(morph.english, 20) for morph in model.morphs),
            _name("Body\n", 50),
        ]
    )
