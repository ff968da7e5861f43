"""One PMX bone record: optional fields follow by flag."""

from __future__ import annotations

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


def read_bone(cursor: PmxCursor) -> Bone:
    """Read one bone; indices are as stored (-1 none), not yet checked."""
    index = cursor.header.bone_index
    name, name_english = cursor.text("a bone name"), cursor.text("a bone name")
    position = _vec3(cursor, "a bone position")
    parent = cursor.index(index, "a parent bone")
    layer, flags = cursor.unpack("iH", "a bone's layer and flags")
    tail: int | Vec3
    if flags & _TAIL_IS_BONE:
        tail = cursor.index(index, "a tail bone")
    else:
        tail = _vec3(cursor, "a tail offset")
    return Bone(
        name=name,
        name_english=name_english,
        position=position,
        parent=parent,
        layer=layer,
        after_physics=bool(flags & _AFTER_PHYSICS),
        rotatable=bool(flags & _ROTATABLE),
        movable=bool(flags & _MOVABLE),
        visible=bool(flags & _VISIBLE),
        tail=tail,
        # Keyword arguments are evaluated in this order, which is the file's.
        append=_append(cursor, flags),
        fixed_axis=_vec3(cursor, "a fixed axis") if flags & _FIXED_AXIS else None,
        local_axes=_local_axes(cursor) if flags & _LOCAL_AXES else None,
        external_parent=cursor.unpack("i", "a key")[0] if flags & _EXTERNAL_PARENT else None,
        ik=_ik(cursor) if flags & _IK else None,
    )


def _vec3(cursor: PmxCursor, what: str) -> Vec3:
    x, y, z = cursor.unpack("3f", what)
    return x, y, z


def _local_axes(cursor: PmxCursor) -> tuple[Vec3, Vec3]:
    return _vec3(cursor, "a local x axis"), _vec3(cursor, "a local z axis")


def _append(cursor: PmxCursor, flags: int) -> Append | None:
    if not flags & (_APPEND_ROTATION | _APPEND_TRANSLATION):
        return None
    return Append(
        bone=cursor.index(cursor.header.bone_index, "an append bone"),
        ratio=cursor.unpack("f", "an append ratio")[0],
        rotation=bool(flags & _APPEND_ROTATION),
        translation=bool(flags & _APPEND_TRANSLATION),
        local=bool(flags & _LOCAL_APPEND),
    )


def _ik(cursor: PmxCursor) -> Ik:
    effector = cursor.index(cursor.header.bone_index, "an IK effector")
    iterations, step_limit = cursor.unpack("if", "IK settings")
    links = tuple(_link(cursor) for _ in range(cursor.count(2, "IK links")))
    return Ik(effector, iterations, step_limit, links)


def _link(cursor: PmxCursor) -> IkLink:
    bone = cursor.index(cursor.header.bone_index, "an IK link")
    if not cursor.u8("an IK limit flag"):
        return IkLink(bone, None, None)
    return IkLink(bone, _vec3(cursor, "an IK limit"), _vec3(cursor, "an IK limit"))
