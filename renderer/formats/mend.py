"""What a file has wrong without any picture needing it: dropped, and noted as a ``Mend``.

Where a picture may need it after all, depending on what is drawn, the mend names the record, and
whoever draws refuses the model if it does: see ``renderer.portrait.shown_faults``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from renderer.formats.cursor import Cursor
from renderer.formats.model import (
    Bone,
    BoneOffsets,
    GroupOffsets,
    IkLink,
    ImpulseOffsets,
    Material,
    MaterialOffsets,
    Mend,
    MendedKind,
    MmdModel,
    Morph,
    MorphOffsets,
    Vec3,
    Vertices,
)

_NOT_FINITE = "there are numbers that are not finite"

Flags = npt.NDArray[np.bool_]
_Record = TypeVar("_Record", Material, Bone, Morph)


@dataclass(frozen=True)
class _Fault:
    """What is wrong with a record, and as what a picture may need it, see ``Mend.of``."""

    what: str
    needed_as: MendedKind | None = None
    code: str = "non-finite-numbers"


def mended(model: MmdModel, cursor: Cursor) -> MmdModel:
    """``model`` without what no picture needs and no stage could use; ``mends`` says what went.

    Afterwards every morph entry leads somewhere, every bone has a root, every number of materials,
    bones and morphs is finite, and vertices that no face uses hang on nothing.
    """
    counts = _Counts(model)
    bones = tuple(_each(cursor, "bone", model.bones, _mended_bone))
    return replace(
        model,
        vertices=_mended_vertices(cursor, model),
        materials=tuple(_each(cursor, "material", model.materials, _mended_material)),
        bones=_without_loops(cursor, bones),
        morphs=tuple(_each(cursor, "morph", model.morphs, counts.mended_morph)),
        mends=tuple(cursor.mends),
    )


def _each(
    cursor: Cursor,
    kind: str,
    records: Iterable[_Record],
    mend: Callable[[_Record], tuple[_Record, _Fault | None]],
) -> Iterable[_Record]:
    """The records as ``mend`` leaves them."""
    for number, record in enumerate(records):
        sound, fault = mend(record)
        if fault:
            of = (fault.needed_as, number) if fault.needed_as else None
            text = f"{kind} {number} {record.name!r}: {fault.what}"
            cursor.mends.append(Mend(text, of, fault.code))
        yield sound


def _mended_material(material: Material) -> tuple[Material, _Fault | None]:
    """Without an outline whose numbers are not finite; other colours that are not become black."""
    edge = *material.edge_color, material.edge_size
    colours = (
        *material.diffuse,
        *material.specular,
        material.specular_power,
        *material.ambient,
    )
    if _finite(edge) and _finite(colours):
        return material, None
    if not _finite(edge):
        material = replace(
            material, draw_edge=False, edge_color=(0.0, 0.0, 0.0, 0.0), edge_size=0.0
        )
    if _finite(colours):
        return material, _Fault("its outline has numbers that are not finite, left out")
    material = replace(
        material,
        diffuse=(*_vec3(material.diffuse[:3]), _number(material.diffuse[3])),
        specular=_vec3(material.specular),
        specular_power=_number(material.specular_power),
        ambient=_vec3(material.ambient),
    )
    return material, _Fault(_NOT_FINITE, "material")


def _mended_bone(bone: Bone) -> tuple[Bone, _Fault | None]:
    """Without limits and axes that are not finite; another place or share may be needed."""
    what: list[str] = []
    if bone.ik and not math.isfinite(bone.ik.step_limit_radians):
        bone, what = replace(bone, ik=None), ["IK"]
    elif bone.ik and not all(_finite(_limits(link)) for link in bone.ik.links):
        links = tuple(
            link if _finite(_limits(link)) else replace(link, low_radians=None, high_radians=None)
            for link in bone.ik.links
        )
        bone, what = replace(bone, ik=replace(bone.ik, links=links)), ["IK limits"]
    if bone.fixed_axis and not _finite(bone.fixed_axis):
        bone, what = replace(bone, fixed_axis=None), [*what, "fixed axis"]
    share = bone.append.ratio if bone.append else 0.0
    if _finite((*bone.position, share)):
        left_out = f"its {' and '.join(what)} of numbers that are not finite, left out"
        return bone, _Fault(left_out) if what else None
    if math.isfinite(share):
        return replace(bone, position=_vec3(bone.position)), _Fault(_NOT_FINITE, "joint")
    bone = replace(bone, position=_vec3(bone.position), append=None)
    return bone, _Fault(_NOT_FINITE, "bone")


def _limits(link: IkLink) -> tuple[float, ...]:
    return (*(link.low_radians or ()), *(link.high_radians or ()))


def _finite(numbers: Iterable[float]) -> bool:
    return all(map(math.isfinite, numbers))


def _number(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _vec3(numbers: Vec3) -> Vec3:
    x, y, z = map(_number, numbers)
    return x, y, z


def _without_loops(cursor: Cursor, bones: tuple[Bone, ...]) -> tuple[Bone, ...]:
    """Every bone with a root, or whoever climbs to it never ends: loops are taken apart."""
    looping: set[int] = set()
    rooted = {-1}
    for number in range(len(bones)):
        path: list[int] = []
        climbed: set[int] = set()
        ancestor = number
        while ancestor not in rooted and ancestor not in climbed:
            path.append(ancestor)
            climbed.add(ancestor)
            ancestor = bones[ancestor].parent
        if ancestor in climbed:
            looping.update(path[path.index(ancestor) :])
        rooted |= climbed
    for number in sorted(looping):
        text = f"bone {number} {bones[number].name!r}: it is its own ancestor, its parent left out"
        cursor.mends.append(Mend(text, ("bone", number), "malformed-file"))
    return tuple(
        replace(bone, parent=-1) if number in looping else bone for number, bone in enumerate(bones)
    )


def _mended_vertices(cursor: Cursor, model: MmdModel) -> Vertices:
    """Stray normals, texture coordinates and outlines at 0; what no face uses off its bones."""
    vertices, bone_count = model.vertices, len(model.bones)
    strays = 0
    for values in (vertices.normals, vertices.uv, vertices.additional_uv, vertices.edge_scales):
        if not np.isfinite(values).all():
            strays += int((~np.isfinite(values)).sum())
            np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    if strays:
        text = f"vertices: {strays} numbers of normals, texture coordinates or outlines not finite"
        cursor.mends.append(Mend(f"{text}, taken for 0"))
    bones, weights = vertices.bone_indices, vertices.bone_weights
    astray: Flags = np.asarray((bones < -1) | (bones >= bone_count))
    if astray.any():
        bones[astray & (weights == 0)] = -1
        astray &= weights != 0
    broken: Flags = np.asarray(astray.any(axis=1))
    for values in (vertices.positions, weights):
        if not np.isfinite(values).all():
            broken |= np.asarray(~np.isfinite(values).all(axis=1))
    for values in (vertices.sdef_c, vertices.sdef_r0, vertices.sdef_r1):
        if not np.isfinite(values).all():
            broken[vertices.sdef_vertices[~np.isfinite(values).all(axis=1)]] = True
    if broken.any():
        _empty_unused(cursor, model, broken)
    return vertices


def _empty_unused(cursor: Cursor, model: MmdModel, broken: Flags) -> None:
    """Take the vertices at fault off their bones where no face uses them."""
    vertices = model.vertices
    used = np.zeros(len(vertices), np.bool_)
    faces = model.faces
    used[faces[(faces >= 0) & (faces < len(vertices))]] = True
    unused = broken & ~used
    if not unused.any():
        return
    vertices.positions[unused] = 0
    vertices.bone_weights[unused] = 0
    vertices.bone_indices[unused] = -1
    of_unused = unused[vertices.sdef_vertices]
    for values in (vertices.sdef_c, vertices.sdef_r0, vertices.sdef_r1):
        values[of_unused] = 0
    count = int(unused.sum())
    cursor.mends.append(Mend(f"vertices: {count} that no face uses are broken, left out"))


class _Counts:
    """How many records of each kind morphs may lead to."""

    def __init__(self, model: MmdModel) -> None:
        self._vertices = len(model.vertices)
        self._bones = len(model.bones)
        self._materials = len(model.materials)
        self._morphs = len(model.morphs)

    def mended_morph(self, morph: Morph) -> tuple[Morph, _Fault | None]:
        """Without the entries that lead nowhere or hold numbers that are not finite."""
        offsets = morph.offsets
        if isinstance(offsets, ImpulseOffsets):
            return replace(morph, offsets=_without_targets(offsets)), None
        astray = ~self._lead_somewhere(offsets)
        broken = np.zeros(len(astray), np.bool_)
        for values in vars(offsets).values():
            if isinstance(values, np.ndarray) and values.dtype == np.float32:
                finite = np.isfinite(values)
                if not finite.all():
                    broken |= ~finite.reshape(len(astray), -1).all(axis=1)
        strays, brokens = int(astray.sum()), int((broken & ~astray).sum())
        if not strays + brokens:
            return morph, None
        what = f"{strays} of {len(astray)} entries lead nowhere" if strays else ""
        if brokens:
            numbers = f"{brokens} of {len(astray)} entries have numbers that are not finite"
            what = f"{what}, {numbers}" if what else numbers
        code = "index-out-of-range" if strays else "non-finite-numbers"
        sound = replace(morph, offsets=_without(offsets, astray | broken))
        return sound, _Fault(f"{what}, left out", "morph", code)

    def _lead_somewhere(self, offsets: MorphOffsets) -> Flags:
        match offsets:
            case GroupOffsets():
                targets, low, count = offsets.morphs, -1, self._morphs
            case BoneOffsets():
                targets, low, count = offsets.bones, -1, self._bones
            case MaterialOffsets():
                targets, low, count = offsets.materials, -1, self._materials
            case ImpulseOffsets():
                targets, low, count = offsets.rigid_bodies, -1, 0
            case _:
                targets, low, count = offsets.vertices, 0, self._vertices
        flags: Flags = (targets >= low) & (targets < count)
        return flags


def _without(offsets: MorphOffsets, dropped: Flags) -> MorphOffsets:
    if isinstance(offsets, GroupOffsets):
        # The place of an entry counts in a flip morph, so it stays and leads nowhere.
        morphs, factors = offsets.morphs.copy(), offsets.factors.copy()
        morphs[dropped], factors[dropped] = -1, 0
        return replace(offsets, morphs=morphs, factors=factors)
    kept = {
        name: values[~dropped]
        for name, values in vars(offsets).items()
        if isinstance(values, np.ndarray)
    }
    return replace(offsets, **kept)  # type: ignore[arg-type]  # its own arrays, shorter


def _without_targets(offsets: ImpulseOffsets) -> ImpulseOffsets:
    """Forces on bodies, which nothing here has: their numbers are worth no note."""
    return replace(
        offsets,
        rigid_bodies=np.full_like(offsets.rigid_bodies, -1),
        velocities=np.nan_to_num(offsets.velocities, posinf=0.0, neginf=0.0),
        torques=np.nan_to_num(offsets.torques, posinf=0.0, neginf=0.0),
    )
