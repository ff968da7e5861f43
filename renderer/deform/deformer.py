"""Pose a model: morphs, then bones, then skinning; all in the file's own coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from contract.pose import FACE_AXES, JOINT_RADIANS_AT_ONE, Pose
from contract.rig import MorphUse, Rig
from renderer.deform.material_morphs import MaterialStates, MaterialTable
from renderer.deform.morphs import MorphTable, SideSplit
from renderer.deform.posture import ORIGIN, plus
from renderer.deform.quaternion import IDENTITY, Quat, from_axis_angle, multiply, normalised
from renderer.deform.skeleton import BoneTransforms, Skeleton
from renderer.deform.skinning import Skin, unit_rows
from renderer.formats.model import F32, I32, MmdModel, UvOffsets, Vec3, Vertices

DEFAULT_SPLIT_HALF_WIDTH = 0.1
"""Model units; about the width of the bridge of a nose."""

_AT_REST: Mapping[int, Vec3] = {}


@dataclass(frozen=True)
class MorphedMesh:
    """A face's expression before any bone moves; arrays are shared and read-only.

    ``bone_translations`` and ``bone_rotations`` are what bone morphs ask of bones, by index.
    """

    positions: F32  # (V, 3)
    uv: F32  # (V, 2)
    additional_uv: F32  # (V, K, 4)
    materials: MaterialStates
    bone_translations: Mapping[int, Vec3]
    bone_rotations: Mapping[int, Quat]


@dataclass(frozen=True)
class PosedMesh:
    """A mesh ready to be drawn; arrays are shared and read-only, normals of unit length."""

    positions: F32  # (V, 3)
    normals: F32  # (V, 3)
    uv: F32  # (V, 2)
    additional_uv: F32  # (V, K, 4)
    materials: MaterialStates


class Deformer:
    """A model prepared for being posed thousands of times.

    ``vertices`` (ascending file indices) limits all that is computed and returned to these rows.
    ``split_x`` and ``split_half_width`` (model units) say where left- and right-sided uses of a
    morph meet. The mesh at rest is the file's; a leg IK may move legs even at rest, as in MMD.
    ``skeleton``: the bones that have a part in where these rows go.
    """

    def __init__(
        self,
        model: MmdModel,
        vertices: I32 | None = None,
        split_x: float = 0.0,
        split_half_width: float = DEFAULT_SPLIT_HALF_WIDTH,
    ) -> None:
        whole = model.vertices
        rows = np.arange(len(whole)) if vertices is None else vertices.astype(np.intp)
        mesh = whole if vertices is None else _chosen(whole, rows)
        row_of = np.full(len(whole), -1, np.intp)
        row_of[rows] = np.arange(len(rows))
        split = SideSplit(split_x, split_half_width)
        bone_x = np.array([bone.position[0] for bone in model.bones], np.float64)
        self._positions, self._uv = _frozen(mesh.positions), _frozen(mesh.uv)
        self._additional_uv = _frozen(mesh.additional_uv)
        self._normals = _frozen(unit_rows(mesh.normals))
        self._morphs = MorphTable(
            model.morphs, row_of, split.left_share(mesh.positions[:, 0]), split.left_share(bone_x)
        )
        self._materials = MaterialTable(model.materials)
        self._skin = Skin(mesh)
        self.skeleton = Skeleton(
            model.bones,
            parents_first=model.format == "pmd",
            wanted=np.unique(mesh.bone_indices).tolist(),
        )

    def with_normals(self, normals: F32) -> Deformer:
        """The same model with other normals at rest, one for each row of its mesh."""
        other = copy(self)
        other._normals = _frozen(unit_rows(normals))
        return other

    def morph(self, uses: Sequence[MorphUse]) -> MorphedMesh:
        """The expression that the uses come to; weights add up, in any order."""
        weights = self._morphs.resolve(uses)
        positions = self._positions.copy()
        self._morphs.add_vertices(positions, weights)
        uv, additional_uv = self._uv, self._additional_uv
        if self._morphs.any_of(UvOffsets, weights):
            uv, additional_uv = uv.copy(), additional_uv.copy()
            self._morphs.add_uvs(uv, additional_uv, weights)
        translations, rotations = self._morphs.bone_motions(weights)
        return MorphedMesh(
            _frozen(positions),
            _frozen(uv),
            _frozen(additional_uv),
            self._materials.morphed(self._morphs.material_changes(weights)),
            translations,
            rotations,
        )

    def skin(
        self,
        morphed: MorphedMesh,
        bone_rotations: Mapping[int, Iterable[float]],
        bone_translations: Mapping[int, Vec3] = _AT_REST,
    ) -> PosedMesh:
        """The expression with bones turned and moved, by index, on top of its bone morphs.

        Rotations are quaternions (x, y, z, w), translations model units.
        """
        positions, normals = self._skin.deform(
            morphed.positions,
            self._normals,
            self._transforms(morphed, bone_rotations, bone_translations),
        )
        return PosedMesh(
            _frozen(positions),
            _frozen(normals),
            morphed.uv,
            morphed.additional_uv,
            morphed.materials,
        )

    def places(self, morphed: MorphedMesh, bone_rotations: Mapping[int, Iterable[float]]) -> F32:
        """The positions of ``skin`` alone, (V, 3)."""
        return _frozen(
            self._skin.move(morphed.positions, self._transforms(morphed, bone_rotations, _AT_REST))
        )

    def _transforms(
        self,
        morphed: MorphedMesh,
        bone_rotations: Mapping[int, Iterable[float]],
        bone_translations: Mapping[int, Vec3],
    ) -> BoneTransforms:
        rotations = dict(morphed.bone_rotations)
        for bone, rotation in bone_rotations.items():
            turned = normalised([float(number) for number in rotation])
            rotations[bone] = multiply(turned, rotations.get(bone, IDENTITY))
        translations = dict(morphed.bone_translations)
        for bone, translation in bone_translations.items():
            translations[bone] = plus(translation, translations.get(bone, ORIGIN))
        return self.skeleton.pose(rotations, translations)


def morph_uses(rig: Rig, pose: Pose) -> tuple[MorphUse, ...]:
    """The morphs of a pose's eyes and mouth, weighted; those of weight 0 are left out."""
    return tuple(
        replace(use, weight=use.weight * value)
        for axis in FACE_AXES
        for use in rig.drives[axis]
        if (value := getattr(pose, axis)) != 0
    )


def bone_rotations(rig: Rig, pose: Pose) -> Mapping[int, Quat]:
    """Rotations of head and neck bone, in MMD's numbers; empty with the head at rest.

    The head first tilts about its own x, then turns about y: a turned head nods toward where it
    looks. All three positive directions are MMD's own.
    """
    rotations: dict[int, Quat] = {}
    if pose.head_x or pose.head_y:
        tilt = from_axis_angle((1.0, 0.0, 0.0), pose.head_x * JOINT_RADIANS_AT_ONE)
        turn = from_axis_angle((0.0, 1.0, 0.0), pose.head_y * JOINT_RADIANS_AT_ONE)
        rotations[rig.head_bone] = multiply(turn, tilt)
    if pose.neck_z:
        rotations[rig.neck_bone] = from_axis_angle(
            (0.0, 0.0, 1.0), pose.neck_z * JOINT_RADIANS_AT_ONE
        )
    return rotations


def _frozen(array: F32) -> F32:
    """A read-only view, so that meshes can share arrays."""
    view = array.view()
    view.setflags(write=False)
    return view


def _chosen(vertices: Vertices, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Vertices:
    """The given rows of the vertices."""
    place = np.full(len(vertices), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    sdef = place[vertices.sdef_vertices]
    kept = sdef >= 0
    return replace(
        vertices,
        positions=vertices.positions[rows],
        normals=vertices.normals[rows],
        uv=vertices.uv[rows],
        additional_uv=vertices.additional_uv[rows],
        weight_types=vertices.weight_types[rows],
        bone_indices=vertices.bone_indices[rows],
        bone_weights=vertices.bone_weights[rows],
        sdef_vertices=sdef[kept],
        sdef_c=vertices.sdef_c[kept],
        sdef_r0=vertices.sdef_r0[kept],
        sdef_r1=vertices.sdef_r1[kept],
        edge_scales=vertices.edge_scales[rows],
    )
