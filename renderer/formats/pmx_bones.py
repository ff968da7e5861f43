"""One PMX bone record: optional fields follow by flag."""

from __future__ import annotations

import math

from renderer.formats.checks import usable_append, usable_ik
from renderer.formats.model import Append, Bone, Ik, IkLink, Vec3
from renderer.formats.pmx_cursor import PmxCursor

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
