"""Characters changed so that their annotation must change, or must not, or must be doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from renderer.fit.head_bones import carried_by
from renderer.formats.model import F32, GroupOffsets, MmdModel, Morph, VertexOffsets, Vertices

F64 = npt.NDArray[np.float64]
Mesh = tuple[F64, npt.NDArray[np.int32]]
NOTHING = VertexOffsets(np.empty(0, np.int32), np.empty((0, 3), np.float32))


def head_of(model: MmdModel) -> int:
    return next(index for index, bone in enumerate(model.bones) if bone.name == "頭")


def moved(model: MmdModel, scale: float, offset: tuple[float, float, float]) -> MmdModel:
    """The model at another size and place."""
    by = np.array(offset, np.float32)
    mesh = model.vertices

    def placed(points: F32) -> F32:
        return np.asarray(points * np.float32(scale) + by, np.float32)

    bones = []
    for bone in model.bones:
        x, y, z = (scale * p + float(o) for p, o in zip(bone.position, by, strict=True))
        bones.append(replace(bone, position=(x, y, z)))
    return replace(
        model,
        vertices=replace(mesh, positions=placed(mesh.positions)),
        bones=tuple(bones),
        morphs=tuple(
            replace(m, offsets=replace(m.offsets, offsets=m.offsets.offsets * np.float32(scale)))
            if isinstance(m.offsets, VertexOffsets)
            else m
            for m in model.morphs
        ),
    )


def scaled_morphs(model: MmdModel, morphs: set[int], factor: float) -> MmdModel:
    """The vertex morphs among these move less far."""

    def scaled(index: int, morph: Morph) -> Morph:
        if index not in morphs or not isinstance(morph.offsets, VertexOffsets):
            return morph
        shorter = morph.offsets.offsets * np.float32(factor)
        return replace(morph, offsets=replace(morph.offsets, offsets=shorter))

    return replace(model, morphs=tuple(scaled(k, m) for k, m in enumerate(model.morphs)))


def with_exchanged_names(model: MmdModel, a: int, b: int) -> MmdModel:
    """Two morphs under each other's names."""
    morphs = list(model.morphs)
    morphs[a] = replace(morphs[a], name=model.morphs[b].name)
    morphs[b] = replace(morphs[b], name=model.morphs[a].name)
    return replace(model, morphs=tuple(morphs))


def with_empty_originals(model: MmdModel, morphs: set[int]) -> tuple[MmdModel, dict[int, int]]:
    """These morphs do nothing any more; copies at the end do. Also returns where the copies are."""
    copies = {index: len(model.morphs) + k for k, index in enumerate(sorted(morphs))}
    emptied = tuple(
        replace(morph, offsets=NOTHING) if index in morphs else morph
        for index, morph in enumerate(model.morphs)
    )
    return replace(model, morphs=emptied + tuple(model.morphs[k] for k in copies)), copies


def with_head_turned(model: MmdModel, axis: int, degrees: float) -> MmdModel:
    """At rest the head and its morphs are turned about an axis through the head bone."""
    first, second = (k for k in range(3) if k != axis)
    angle = np.radians(degrees)
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    head = head_of(model)
    pivot = np.array(model.bones[head].position)
    on_head = carried_by(model, head)
    positions = model.vertices.positions.copy()
    positions[on_head] = (positions[on_head] - pivot) @ turn.T + pivot
    morphs = tuple(
        replace(
            morph,
            offsets=replace(
                morph.offsets, offsets=(morph.offsets.offsets @ turn.T).astype(np.float32)
            ),
        )
        if isinstance(morph.offsets, VertexOffsets)
        else morph
        for morph in model.morphs
    )
    return replace(model, vertices=replace(model.vertices, positions=positions), morphs=morphs)


def grid_mesh(points: F64) -> Mesh:
    """Triangles between neighbours of a grid of points (n, m, 3)."""
    n, m = points.shape[:2]
    index = np.arange(n * m).reshape(n, m)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)])
    return points.reshape(-1, 3), triangles.reshape(-1, 3).astype(np.int32)


def dome(centre: F64, radii: F64, low: float) -> Mesh:
    """An ellipsoid from ``low`` (-1 bottom .. 1 top) up."""
    polar = np.linspace(np.arcsin(low), np.pi / 2, 20)[:, None]
    around = np.linspace(0, 2 * np.pi, 33)
    directions = np.stack(
        np.broadcast_arrays(
            np.cos(polar) * np.sin(around), np.sin(polar), np.cos(polar) * np.cos(around)
        ),
        axis=-1,
    )
    return grid_mesh(centre + radii * directions)


def with_part(model: MmdModel, part: Mesh) -> MmdModel:
    """The part, of a material of its own, hangs on the head."""
    points, triangles = part
    old = model.vertices
    count = len(points)
    grown = {
        name: np.concatenate([array, np.repeat(array[:1], count, axis=0)])
        for name in Vertices.__dataclass_fields__
        if not name.startswith("sdef") and len(array := getattr(old, name)) == len(old)
    }
    grown["positions"][-count:] = points
    grown["weight_types"][-count:] = 0
    grown["bone_indices"][-count:] = (head_of(model), -1, -1, -1)
    grown["bone_weights"][-count:] = (1, 0, 0, 0)
    material = replace(model.materials[0], first_index=model.faces.size, index_count=triangles.size)
    return replace(
        model,
        vertices=replace(old, **grown),
        faces=np.concatenate([model.faces, triangles + np.int32(len(old))]),
        materials=(*model.materials, material),
    )


def head_extent(model: MmdModel, low: float, high: float) -> tuple[F64, F64]:
    """Least and greatest corner of what the head carries between two heights."""
    points = model.vertices.positions[carried_by(model, head_of(model))].astype(np.float64)
    points = points[(points[:, 1] > low) & (points[:, 1] < high)]
    return np.percentile(points, 2, axis=0), np.percentile(points, 98, axis=0)


def with_irises_pushed(
    model: MmdModel, morphs: set[int], irises: npt.NDArray[np.bool_]
) -> MmdModel:
    """These morphs push the irises (V,) and their surroundings back as well."""
    back = np.float32(0.02 * np.ptp(model.vertices.positions[irises, 0]))
    about = np.flatnonzero(irises).astype(np.int32)

    def pushing(index: int, morph: Morph) -> Morph:
        if index not in morphs or not isinstance(morph.offsets, VertexOffsets):
            return morph
        pushed = np.tile(np.array([0, 0, back], np.float32), (len(about), 1))
        kept = ~np.isin(morph.offsets.vertices, about)
        return replace(
            morph,
            offsets=VertexOffsets(
                np.concatenate([morph.offsets.vertices[kept], about]),
                np.concatenate([morph.offsets.offsets[kept], pushed]),
            ),
        )

    return replace(model, morphs=tuple(pushing(k, m) for k, m in enumerate(model.morphs)))


def with_morphs_as_groups(model: MmdModel, morphs: set[int]) -> MmdModel:
    """These morphs become groups of two nameless ones, each of half of their vertices."""
    changed, added = list(model.morphs), list[Morph]()
    for index in sorted(morphs):
        offsets = model.morphs[index].offsets
        if not isinstance(offsets, VertexOffsets):
            continue
        first = len(model.morphs) + len(added)
        even = np.arange(len(offsets.vertices)) % 2 == 0
        added += [
            replace(
                model.morphs[index],
                name=f"part{first + k}",
                panel=0,
                offsets=VertexOffsets(offsets.vertices[half], offsets.offsets[half]),
            )
            for k, half in enumerate((even, ~even))
        ]
        entries = np.array([first, first + 1], np.int32)
        group = GroupOffsets(entries, np.ones(2, np.float32), False)
        changed[index] = replace(model.morphs[index], offsets=group)
    return replace(model, morphs=(*changed, *added))


def without_eye_bones(model: MmdModel) -> MmdModel:
    """No bone tells where the eyes are."""
    bones = tuple(
        replace(bone, name=bone.name.replace("目", "々"), name_english="", append=None)
        for bone in model.bones
    )
    return replace(model, bones=bones)
