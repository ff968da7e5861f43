"""Whether pictures need anything of a model that reading had to mend."""

from __future__ import annotations

from collections.abc import Iterable, Set

from contract.errors import FormatError
from contract.rig import Rig
from renderer.deform.skeleton import Skeleton
from renderer.formats.model import BoneOffsets, GroupOffsets, MendedKind, MmdModel
from renderer.portrait.visible import VisiblePart


def require_sound(model: MmdModel, rig: Rig, part: VisiblePart, skeleton: Skeleton) -> None:
    """Raise where the pictures of a rig are not those that the file means.

    ``part`` is what they can show, ``skeleton`` what moves it.

    Raises:
        FormatError: the code is the mend's; the message names the model and the record.
    """
    if not any(mend.of for mend in model.mends):
        return
    morphs = _drawn_morphs(model, rig)
    turned = {rig.head_bone, rig.neck_bone} | _moved_bones(model, morphs)
    needed: dict[MendedKind, Set[int]] = {
        "material": set(part.materials.tolist()),
        "bone": skeleton.needed | turned,
        "joint": skeleton.turning | turned,
        "morph": morphs,
    }
    for mend in model.mends:
        if mend.of and mend.of[1] in needed[mend.of[0]]:
            raise FormatError(
                f"{model.path.name}: {mend.text}, but its pictures need it; get the file again",
                mend.code,
            )


def _drawn_morphs(model: MmdModel, rig: Rig) -> set[int]:
    """The morphs that drive the face, with those that they name."""
    found: set[int] = set()
    waiting = [use.morph for uses in rig.drives.values() for use in uses]
    while waiting:
        morph = waiting.pop()
        if morph in found or morph < 0:
            continue
        found.add(morph)
        offsets = model.morphs[morph].offsets
        if isinstance(offsets, GroupOffsets):
            waiting += offsets.morphs.tolist()
    return found


def _moved_bones(model: MmdModel, morphs: Iterable[int]) -> set[int]:
    offsets = (model.morphs[morph].offsets for morph in morphs)
    return {bone for o in offsets if isinstance(o, BoneOffsets) for bone in o.bones.tolist()}
