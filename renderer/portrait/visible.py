"""Which triangles a head picture can ever show, so that the body below the frame is not drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from contract.pose import REST, Pose
from contract.rig import Rig
from renderer.deform.deformer import Deformer, bone_rotations, morph_uses
from renderer.draw.canvas import Camera
from renderer.formats.model import F32, I32, MmdModel, face_materials

# Between two sampled joint angles at most 15 degrees from each other a point leaves the box of its
# sampled places by less than r (1 - cos 7.5 degrees); normals and edges get the rest.
_ARC_SHARE = 0.01
_FRAME_SHARE = 0.05


@dataclass(frozen=True)
class VisiblePart:
    """``vertices``: ascending file indices (V',); ``faces`` index them; ``materials`` (F',)."""

    vertices: I32
    faces: I32
    materials: I32


def visible_part(model: MmdModel, rig: Rig, camera: Camera, deformer: Deformer) -> VisiblePart:
    """The triangles whose bounding box meets the frame in any pose; order is kept."""
    low, high = _reach(rig, deformer)
    arc = _ARC_SHARE * np.linalg.norm(
        model.vertices.positions - np.array(model.bones[rig.neck_bone].position), axis=1
    )
    margin = (arc + _FRAME_SHARE * camera.half_height)[:, None]
    low, high = low - margin, high + margin
    faces = model.faces
    centre = np.array([camera.centre_x, camera.centre_y])
    seen = (low[faces].min(axis=1) < centre + camera.half_height).all(axis=1)
    seen &= (high[faces].max(axis=1) > centre - camera.half_height).all(axis=1)
    materials = face_materials(model)
    seen &= materials >= 0
    vertices, packed = np.unique(faces[seen], return_inverse=True)
    return VisiblePart(
        vertices.astype(np.int32),
        packed.reshape(-1, 3).astype(np.int32),
        materials[seen],
    )


def _reach(rig: Rig, deformer: Deformer) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest x and y (V, 2) of every vertex over a grid of joint angles."""
    places: list[F32] = []
    for face in (REST, Pose(left_eye=1, right_eye=1, mouth=0)):
        morphed = deformer.morph(morph_uses(rig, face))
        places.append(morphed.positions)
    rest = deformer.morph(morph_uses(rig, REST))
    for head_x, head_y, neck_z in product((-1.0, 0.0, 1.0), repeat=3):
        pose = Pose(head_x, head_y, neck_z)
        places.append(deformer.places(rest, bone_rotations(rig, pose)))
    low, high = places[0].copy(), places[0].copy()
    for place in places[1:]:
        np.minimum(low, place, out=low)
        np.maximum(high, place, out=high)
    return low[:, :2].astype(np.float64), high[:, :2].astype(np.float64)
