"""What a model must tell before it can be posed: its head, and how its face realises the axes.

Names are hints; what decides is the geometry: the side of an eye is the sign of x of what moves,
the kind of a wink is the curve of the closed lids, the chin is a turn of the face's profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from contract.errors import RigError
from contract.pose import FACE_AXES
from contract.rig import ANSWERS, HeadBox, MorphUse, Rig, Side
from renderer.fit.chin import find_chin
from renderer.fit.confidence import (
    NOT_FOUND,
    UNQUESTIONED,
    Judgement,
    doubtful_of,
    judged,
    objections_of,
    ramp,
)
from renderer.fit.eyes import Eyes, eye_readings
from renderer.fit.face import Face, Index
from renderer.fit.head_bones import Flags, carried_by, find_head_bone, find_neck_bone
from renderer.fit.mouth_opening import MouthProbe
from renderer.fit.skull_top import connected_parts, find_skull_top
from renderer.fit.upright import judge_upright
from renderer.fit.winks import Wink, WinkProbe, agreeing, looked_for
from renderer.formats.model import MmdModel

_SPLIT_SHARE = 0.4  # of the way from the middle to the iris: less than to the corner of the eye
_BOTH_EYES = 4  # ``_Look.eyes_seen_to_close`` of two eyes that are
_GUESSED_SPLIT = 0.04  # of the head's height, where the eyes are unknown
# Of what the head carries above its bone: tufts, ears and hats are higher. On 18 real models the
# guess is off by 2 % of the head's height in the middle, by more than 20 % in one of 20.
_TOP_PERCENTILE, _CHIN_BELOW_BONE = 98.0, 0.05
_LIPS = 0.7  # below the eyes, in distances between them, where no morph parts the lips


def fit_rig(model: MmdModel, *, allow_smile: bool = False) -> Rig:
    """Find head, eyes, mouth and head box of a model.

    Eyes are closed by normal winks: one-eyed ones, else halves of a blink; with ``allow_smile``,
    by smiling ones where there is nothing better.

    Raises:
        RigError: codes ``empty-mesh``, ``no-head-bone``, ``no-neck-bone``, ``no-left-eye-morph``,
            ``no-right-eye-morph``, ``no-mouth-morph``.
    """
    draft = draft_rig(model, allow_smile=allow_smile)
    if draft.faults:
        raise next(iter(draft.faults.values()))
    return draft.rig


@dataclass(frozen=True)
class Draft:
    """A rig as far as it could be fitted, and why a person has to complete it, if so.

    ``faults``: by what has to be given (``contract.pose.FACE_AXES``, whose drives are empty then,
    and ``head_box``, which is a guess then), the gravest first.
    """

    rig: Rig
    faults: Mapping[str, RigError]


def draft_rig(model: MmdModel, *, allow_smile: bool = False) -> Draft:
    """As ``fit_rig``, but for what a person can give: morphs, and the head box.

    Raises:
        RigError: codes ``empty-mesh``, ``no-head-bone``, ``no-neck-bone``; ``no-left-eye-morph``
            where there are neither eyes nor a head that could be framed.
    """
    _require_mesh(model)
    head, head_why = find_head_bone(model)
    neck, neck_why = find_neck_bone(model, head)
    bones = _Bones(head, neck, (head_why, neck_why))
    seen = _look(model, head, allow_smile)
    return _faceless(model, bones) if seen is None else _with_face(model, bones, seen)


@dataclass(frozen=True)
class _Bones:
    head: int
    neck: int
    evidence: tuple[str, str]


def _with_face(model: MmdModel, bones: _Bones, seen: _Look) -> Draft:
    face, eyes, head = seen.face, seen.face.eyes, bones.head
    left, right, mouth = seen.left, seen.right, seen.mouths.choose()
    lips_y = eyes.y - _LIPS * eyes.spacing
    opened = np.empty(0, np.intp)
    if mouth:
        lips_y, opened = lips_y if mouth.lips_y is None else mouth.lips_y, mouth.faces
    seen_skin = np.concatenate([opened, face.faces_below(lips_y)])
    skin_paint = np.isin(face.materials, face.materials[seen_skin])
    skin = _joined(model, skin_paint, seen_skin)
    chin = find_chin(model, eyes, lips_y, skin)
    skull_top = find_skull_top(model, eyes, chin.y, carried_by(model, head), skin_paint)
    box = HeadBox(chin.y, skull_top.y, eyes.centre_x)
    left_judgement, right_judgement = _both_judged(left, right)
    judgements = {
        "left_eye": left_judgement,
        "right_eye": right_judgement,
        "mouth": mouth.judgement if mouth else NOT_FOUND,
        "chin": judged(chin.checks),
        "skull_top": judged(skull_top.checks),
        "centre_x": judged({"level": _level(model, head, eyes)}),
        "upright": judge_upright(face, head, box, lips_y, skin),
    }
    uses = {
        "left_eye": left.use if left else None,
        "right_eye": right.use if right else None,
        "mouth": mouth.use if mouth else None,
    }
    half_width = _SPLIT_SHARE * max(eyes.inner_gap / 2, 0.0)
    rig = _rig(model, bones, box, half_width, uses)
    answers = (eyes, left, right, mouth, chin, skull_top)
    evidence = tuple(answer.evidence for answer in answers if answer)
    faults = {axis: _fault(axis, seen) for axis, use in uses.items() if use is None}
    return Draft(_judged_so(rig, judgements, evidence), faults)


def _faceless(model: MmdModel, bones: _Bones) -> Draft:
    """Where nothing tells of eyes: a guess of the head, and all morphs to be given."""
    fault = RigError(
        f"{model.path.name}: no eyes: no bone 左目 or 右目 carries a vertex, nothing blinks "
        f"({looked_for((), model)})",
        "no-left-eye-morph",
    )
    box = _guessed_box(model, bones.head)
    if box is None:
        raise fault
    half_width = _GUESSED_SPLIT * (box.skull_top_y - box.chin_y)
    rig = _rig(model, bones, box, half_width, dict.fromkeys(FACE_AXES))
    judgements = {**dict.fromkeys(ANSWERS, NOT_FOUND), "upright": UNQUESTIONED}
    faults = dict.fromkeys((*FACE_AXES, "head_box"), fault)
    return Draft(_judged_so(rig, judgements, ("head-box:guessed",)), faults)


def _guessed_box(model: MmdModel, head: int) -> HeadBox | None:
    """From the head bone, which sits about the chin, up to where most that it carries ends."""
    x, y, _ = model.bones[head].position
    heights = model.vertices.positions[carried_by(model, head), 1].astype(np.float64)
    above = heights[heights > y]
    if not len(above):
        return None
    top = float(np.percentile(above, _TOP_PERCENTILE))
    return HeadBox(y - _CHIN_BELOW_BONE * (top - y), top, x) if top > y else None


def _rig(
    model: MmdModel,
    bones: _Bones,
    box: HeadBox,
    split_half_width: float,
    uses: Mapping[str, MorphUse | None],
) -> Rig:
    """A rig that nobody has judged; None drives nothing."""
    return Rig(
        head_box=box,
        head_bone=bones.head,
        head_bone_name=model.bones[bones.head].name,
        neck_bone=bones.neck,
        neck_bone_name=model.bones[bones.neck].name,
        split_x=box.centre_x,
        split_half_width=split_half_width,
        drives={axis: (_named(use, model),) if use else () for axis, use in uses.items()},
        confidence={},
        doubtful=(),
        evidence=bones.evidence,
    )


def _judged_so(rig: Rig, judgements: Mapping[str, Judgement], evidence: tuple[str, ...]) -> Rig:
    return replace(
        rig,
        confidence={answer: judgements[answer].score for answer in ANSWERS},
        doubtful=doubtful_of(judgements),
        objections=objections_of(judgements),
        evidence=(*rig.evidence, *evidence),
    )


def _both_judged(left: Wink | None, right: Wink | None) -> tuple[Judgement, Judgement]:
    if left and right:
        return agreeing(left, right)
    return left.judgement if left else NOT_FOUND, right.judgement if right else NOT_FOUND


def _require_mesh(model: MmdModel) -> None:
    if not len(model.vertices) or not len(model.faces):
        raise RigError(f"{model.path.name}: there is no mesh; nothing can be drawn", "empty-mesh")


def _named(use: MorphUse, model: MmdModel) -> MorphUse:
    """A use with its morph's name."""
    return replace(use, name=model.morphs[use.morph].name)


def _level(model: MmdModel, head: int, eyes: Eyes) -> float:
    """Whether the middle between the eyes lies over the head bone."""
    aside = abs(eyes.centre_x - model.bones[head].position[0]) / eyes.spacing
    return ramp(aside, 0.3, 0.1)


@dataclass(frozen=True)
class _Look:
    """What morphs do to a face, its eyes read one way; a wink is None where none was found."""

    face: Face
    winks: WinkProbe
    mouths: MouthProbe
    left: Wink | None
    right: Wink | None

    @property
    def eyes_seen_to_close(self) -> int:
        """Twice the number of eyes that are seen to close, and those that names alone close."""
        return sum(1 + wink.seen_to_close for wink in (self.left, self.right) if wink)


def _fault(axis: str, seen: _Look) -> RigError:
    """That no morph was found for an axis."""
    model = seen.face.model
    if axis == "mouth":
        return RigError(
            f"{model.path.name}: no morph opens the mouth (looked for あ, a, mouth_a, jawOpen, ワ, "
            "お and anything that parts the lips)",
            "no-mouth-morph",
        )
    side = Side.LEFT if axis == "left_eye" else Side.RIGHT
    return RigError(
        f"{model.path.name}: no morph closes the {side.value} eye "
        f"({looked_for(seen.winks.names_of_closers(side), model)})",
        f"no-{side.value}-eye-morph",
    )


def _look(model: MmdModel, head: int, allow_smile: bool) -> _Look | None:
    """The face with its eyes where they are seen to close, else where the likeliest sign has them;
    ``None`` where nothing tells of eyes."""
    best: _Look | None = None
    for eyes in eye_readings(model, head):
        look = _look_at(Face(model, head, eyes), allow_smile)
        if best is None or look.eyes_seen_to_close > best.eyes_seen_to_close:
            best = look
        if best.eyes_seen_to_close == _BOTH_EYES:
            break
    return best


def _look_at(face: Face, allow_smile: bool) -> _Look:
    winks, mouths = WinkProbe(face), MouthProbe(face)
    for change in face.changes():
        winks.add(change)
        mouths.add(change)
    left, right = (winks.choose(side, allow_smile=allow_smile) for side in (Side.LEFT, Side.RIGHT))
    return _Look(face, winks, mouths, left, right)


def _joined(model: MmdModel, paint: Flags, seen: Index) -> Flags:
    """Which faces (F,) of the skin's materials hang together with the faces of skin in sight.

    Collars, scarves and hair that share the face's one material do not.
    """
    rows = np.flatnonzero(paint)
    parts = connected_parts(model.vertices.positions, model.faces[rows])
    joined = np.zeros(len(paint), np.bool_)
    joined[rows] = np.isin(parts, parts[np.isin(rows, seen)])
    return joined
