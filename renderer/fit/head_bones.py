"""Which bones are head and neck, and which vertices they carry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contract.errors import RigError
from renderer.fit.morph_names import (
    SURELY_CLOSING,
    blink_hint,
    is_eye,
    is_head,
    is_neck,
    mouth_rank,
)
from renderer.formats.model import Bone, MmdModel, VertexOffsets

_FEW = 0.02  # of the face's vertices: what hangs on another bone may be a tooth or a tear
_BELOW_FACE = 0.1  # of the height from the lowest moving point of the face to the top of the head
# Of the same height: so far up reaches most of what hangs on a head bone itself (from 0.59 in 25
# models), and not what hangs on a neck bone (up to 0.16).
_TOP_SHARE = 0.9
_REACHES_UP = 0.35

Flags = npt.NDArray[np.bool_]


def dominant_bones(model: MmdModel) -> npt.NDArray[np.int32]:
    """The bone with the greatest weight of each vertex (V,); -1 for none."""
    vertices = model.vertices
    rows = np.arange(len(vertices))
    bones: npt.NDArray[np.int32] = vertices.bone_indices[rows, vertices.bone_weights.argmax(axis=1)]
    return bones


def carried_by(model: MmdModel, root: int) -> Flags:
    """Whether each vertex (V,) hangs mainly on a bone or on one below it."""
    below: dict[int, bool] = {-1: False, root: True}
    for bone in range(len(model.bones)):
        climbed = []
        ancestor = bone
        while ancestor not in below:
            climbed.append(ancestor)
            ancestor = model.bones[ancestor].parent
        below.update(dict.fromkeys(climbed, below[ancestor]))
    flags = np.array([below[bone] for bone in range(len(model.bones))] + [False])
    return flags[dominant_bones(model)]


def find_head_bone(model: MmdModel) -> tuple[int, str]:
    """The head bone and why: by name, the one that carries most; else what the eyes hang on; else
    what carries all that blinks and speaks.

    Raises:
        RigError: code ``no-head-bone``.
    """
    named = [
        index
        for index, bone in enumerate(model.bones)
        if is_head(bone.name) or is_head(bone.name_english)
    ]
    exact = [index for index in named if model.bones[index].name == "頭"]
    if named:
        best = max(exact or named, key=lambda index: int(carried_by(model, index).sum()))
        return best, f"head-bone:name:{model.bones[best].name}"
    parents = {bone.parent for bone in model.bones if _is_eye(bone) and bone.parent >= 0}
    if len(parents) == 1:
        parent = parents.pop()
        return parent, f"head-bone:parent-of-eyes:{model.bones[parent].name}"
    if (bone := _carrying_the_face(model)) >= 0:
        return bone, f"head-bone:carries-the-face:{model.bones[bone].name}"
    raise RigError(
        f"{model.path.name}: no bone is called 頭 or head; name one so to use this model",
        "no-head-bone",
    )


def _carrying_the_face(model: MmdModel) -> int:
    """The bone that carries what morphs called blink or open mouth move, or the highest above it
    that carries more of the head by itself; -1 for none."""
    face = _blinking_and_speaking(model)
    dominant = dominant_bones(model)
    carriers, counts = np.unique(dominant[face], return_counts=True)
    main: list[int] = carriers[(carriers >= 0) & (counts > _FEW * len(face))].tolist()
    if not main:
        return -1
    chains = [[bone, *_above(model, bone)] for bone in main]
    shared = [bone for bone in chains[0] if all(bone in chain for chain in chains)]
    if not shared:
        return -1
    heights = model.vertices.positions[:, 1]
    low = float(heights[face].min())
    height = float(heights[carried_by(model, shared[0])].max()) - low

    def lies_in_head(bone: int) -> bool:
        own = heights[dominant == bone]
        return (
            model.bones[bone].position[1] > low - _BELOW_FACE * height
            and len(own) > 0
            and float(np.quantile(own, _TOP_SHARE)) > low + _REACHES_UP * height
        )

    return next((bone for bone in reversed(shared) if lies_in_head(bone)), shared[0])


def _blinking_and_speaking(model: MmdModel) -> npt.NDArray[np.int32]:
    """The vertices that morphs called blink or open mouth move."""
    moved = [np.empty(0, np.int32)]
    for morph in model.morphs:
        offsets = morph.offsets
        if isinstance(offsets, VertexOffsets) and (
            blink_hint(morph.name) >= SURELY_CLOSING or mouth_rank(morph.name) is not None
        ):
            moved.append(offsets.vertices[np.abs(offsets.offsets).sum(axis=1) > 0])
    return np.unique(np.concatenate(moved))


def _above(model: MmdModel, bone: int) -> list[int]:
    """The bones above one, the nearest first."""
    above = []
    while (bone := model.bones[bone].parent) >= 0:
        above.append(bone)
    return above


def find_neck_bone(model: MmdModel, head: int) -> tuple[int, str]:
    """The neck bone above the head and why: by name, else the head's parent.

    Raises:
        RigError: code ``no-neck-bone``: nothing is above the head.
    """
    above = _above(model, head)
    for index in above:
        if is_neck(model.bones[index].name) or is_neck(model.bones[index].name_english):
            return index, f"neck-bone:name:{model.bones[index].name}"
    if above:
        return above[0], f"neck-bone:parent-of-head:{model.bones[above[0]].name}"
    raise RigError(
        f"{model.path.name}: the head bone hangs on nothing; give it a parent called 首",
        "no-neck-bone",
    )


def eye_bones(model: MmdModel) -> list[int]:
    """Bones of single eyes: called so, or taking their rotation from 両目."""
    both = {index for index, bone in enumerate(model.bones) if bone.name == "両目"}
    return [
        index
        for index, bone in enumerate(model.bones)
        if _is_eye(bone) or (bone.append is not None and bone.append.bone in both)
    ]


def _is_eye(bone: Bone) -> bool:
    return is_eye(bone.name) or is_eye(bone.name_english)
