"""PMX 2.0 bytes of a character (format: "PMX仕様.txt" 2.0, section by section)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from characters.base.character_model import MaterialSpec, Model, MorphSpec
from characters.base.rigging import BoneSpec

_TAIL_IS_BONE, _ROTATES, _MOVES, _VISIBLE, _OPERABLE = 0x01, 0x02, 0x04, 0x08, 0x10
_IK, _APPEND_ROTATION = 0x20, 0x100
_DOUBLE_SIDED, _GROUND_SHADOW, _SELF_SHADOW, _RECEIVES, _EDGE = 0x01, 0x02, 0x04, 0x08, 0x10


def _text(value: str) -> bytes:
    data = value.encode("utf-16-le")
    return struct.pack("<i", len(data)) + data


def _index_size(count: int, unsigned: bool) -> int:
    one, two = (256, 65536) if unsigned else (128, 32768)
    return 1 if count < one else 2 if count < two else 4


class _Indices:
    """The number types of this file's indices."""

    def __init__(self, model: Model, textures: Sequence[str]) -> None:
        self.vertex = _index_size(len(model.positions), unsigned=True)
        self.texture = _index_size(len(textures), unsigned=False)
        self.material = _index_size(len(model.materials), unsigned=False)
        self.bone = _index_size(len(model.bones), unsigned=False)
        self.morph = _index_size(len(model.morphs), unsigned=False)

    def sizes(self) -> bytes:
        """The header's six index sizes; rigid bodies there are none of."""
        return bytes([self.vertex, self.texture, self.material, self.bone, self.morph, 1])


def _signed(size: int) -> str:
    return {1: "<i1", 2: "<i2", 4: "<i4"}[size]


def _vertex_type(size: int) -> str:
    return {1: "<u1", 2: "<u2", 4: "<i4"}[size]


def _pack(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=True)


def pmx_bytes(model: Model) -> bytes:
    """The whole file."""
    textures = texture_list(model.materials)
    indices = _Indices(model, textures)
    bone_number = {bone.name: k for k, bone in enumerate(model.bones)}
    parts = [
        b"PMX " + struct.pack("<fBBB", 2.0, 8, 0, 0) + indices.sizes(),
        *map(_text, (model.name, model.english, model.comment, model.comment_english)),
        _vertices(model, indices),
        struct.pack("<i", model.faces.size),
        model.faces.astype(_vertex_type(indices.vertex)).tobytes(),
        struct.pack("<i", len(textures)),
        *map(_text, textures),
        struct.pack("<i", len(model.materials)),
        *(
            _material(material, count, textures, indices)
            for material, count in zip(model.materials, model.face_counts, strict=True)
        ),
        struct.pack("<i", len(model.bones)),
        *(_bone(bone, bone_number, indices) for bone in model.bones),
        struct.pack("<i", len(model.morphs)),
        *(_morph(morph, indices) for morph in model.morphs),
        _frames(model, indices),
        struct.pack("<ii", 0, 0),  # rigid bodies, joints
    ]
    return b"".join(parts)


def texture_list(materials: Sequence[MaterialSpec]) -> list[str]:
    """Every file that a material names, once, in order."""
    names = [name for m in materials for name in (m.texture, m.sphere, m.toon) if name]
    return list(dict.fromkeys(names))


def _vertices(model: Model, indices: _Indices) -> bytes:
    """BDEF1 records where one bone has all the weight, BDEF2 elsewhere, in runs."""
    single = model.weights >= 1
    edges = np.flatnonzero(np.diff(single)) + 1
    bounds = [0, *edges.tolist(), len(single)]
    runs = [
        _run(model, slice(low, high), bool(single[low]), indices) for low, high in pairwise(bounds)
    ]
    return struct.pack("<i", len(single)) + b"".join(runs)


def _run(model: Model, rows: slice, single: bool, indices: _Indices) -> bytes:
    bone = _signed(indices.bone)
    middle: list[tuple[str, str]] = (
        [("bone0", bone)] if single else [("bone0", bone), ("bone1", bone), ("weight", "<f4")]
    )
    layout = np.dtype([("floats", "<f4", (8,)), ("kind", "u1"), *middle, ("edge", "<f4")])
    record: npt.NDArray[np.void] = np.zeros(rows.stop - rows.start, layout)
    record["floats"][:, :3] = model.positions[rows]
    record["floats"][:, 3:6] = model.normals[rows]
    record["floats"][:, 6:] = model.uv[rows]
    record["kind"] = 0 if single else 1
    record["bone0"] = model.bone_indices[rows, 0]
    if not single:
        record["bone1"] = model.bone_indices[rows, 1]
        record["weight"] = model.weights[rows]
    record["edge"] = model.edge_scales[rows]
    return record.tobytes()


def _material(
    material: MaterialSpec, triangles: int, textures: Sequence[str], indices: _Indices
) -> bytes:
    def texture(name: str) -> bytes:
        return _pack(textures.index(name) if name else -1, indices.texture)

    flags = _GROUND_SHADOW | _SELF_SHADOW | _RECEIVES
    flags |= _DOUBLE_SIDED * material.double_sided | _EDGE * material.edge
    return b"".join(
        [
            _text(material.name),
            _text(material.english),
            struct.pack("<4f", *material.diffuse),
            struct.pack("<3ff", *material.specular, material.specular_power),
            struct.pack("<3f", *material.ambient),
            struct.pack("<B4ff", flags, *material.edge_colour, material.edge_size),
            texture(material.texture),
            texture(material.sphere),
            struct.pack("<BB", material.sphere_mode, 0),
            texture(material.toon),
            _text(""),
            struct.pack("<i", 3 * triangles),
        ]
    )


def _bone(bone: BoneSpec, number: dict[str, int], indices: _Indices) -> bytes:
    def pack(name: str) -> bytes:
        return _pack(number[name] if name else -1, indices.bone)

    flags = _ROTATES | _VISIBLE | _OPERABLE
    flags |= _TAIL_IS_BONE * bool(bone.tail) | _MOVES * (bone.kind in ("move", "ik"))
    flags |= _IK * (bone.kind == "ik") | _APPEND_ROTATION * bool(bone.follow)
    parts = [
        _text(bone.name),
        _text(bone.english),
        struct.pack("<3f", *bone.position),
        pack(bone.parent),
        struct.pack("<iH", 1 if bone.follow else 0, flags),
        pack(bone.tail) if bone.tail else struct.pack("<3f", 0.0, 0.0, 0.0),
    ]
    if bone.follow:
        parts += [pack(bone.follow), struct.pack("<f", 1.0)]
    if bone.kind == "ik":
        parts += [pack(bone.ik_target), struct.pack("<ifi", 40, 2.0, len(bone.ik_chain))]
        for link in bone.ik_chain:
            knee = link.endswith("ひざ")
            parts += [pack(link), struct.pack("<B", knee)]
            if knee:
                parts.append(struct.pack("<6f", -np.pi, 0.0, 0.0, -0.0087, 0.0, 0.0))
    return b"".join(parts)


def _morph(morph: MorphSpec, indices: _Indices) -> bytes:
    head = _text(morph.name) + _text(morph.english)
    if morph.group:
        items = b"".join(
            _pack(index, indices.morph) + struct.pack("<f", share) for index, share in morph.group
        )
        return head + struct.pack("<BBi", morph.panel, 0, len(morph.group)) + items
    if morph.bones:
        turn = (0.0, 0.0, 0.0, 1.0)
        items = b"".join(
            _pack(index, indices.bone) + struct.pack("<7f", *move, *turn)
            for index, move in morph.bones
        )
        return head + struct.pack("<BBi", morph.panel, 2, len(morph.bones)) + items
    layout = np.dtype([("vertex", _vertex_type(indices.vertex)), ("offset", "<f4", (3,))])
    record: npt.NDArray[np.void] = np.zeros(len(morph.vertices), layout)
    record["vertex"] = morph.vertices
    record["offset"] = morph.offsets
    return head + struct.pack("<BBi", morph.panel, 1, len(record)) + record.tobytes()


def _frames(model: Model, indices: _Indices) -> bytes:
    """The display frames: Root, 表情, and all other bones."""

    def frame(name: str, english: str, special: int, items: list[bytes]) -> bytes:
        return (
            _text(name) + _text(english) + struct.pack("<Bi", special, len(items)) + b"".join(items)
        )

    bones = [b"\0" + _pack(k, indices.bone) for k in range(len(model.bones))]
    morphs = [b"\1" + _pack(k, indices.morph) for k in range(len(model.morphs))]
    return b"".join(
        [
            struct.pack("<i", 3),
            frame("Root", "Root", 1, bones[:1]),
            frame("表情", "Exp", 1, morphs),
            frame("体", "Body", 0, bones[1:]),
        ]
    )
