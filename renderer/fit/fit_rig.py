"""What a model must tell before it can be posed: its head, and how its face realises the axes.

Names are hints; what decides is the geometry: the side of an eye is the sign of x of what moves,
the kind of a wink is the curve of the closed lids, the chin is a turn of the face's profile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from contract.errors import RigError
from contract.rig import ANSWERS, HeadBox, MorphUse, Rig, Side
from renderer.fit.chin import find_chin
from renderer.fit.confidence import doubtful_of, judged, objections_of, ramp
from renderer.fit.eyes import Eyes, eye_readings
from renderer.fit.face import Face, Index
from renderer.fit.head_bones import Flags, carried_by, find_head_bone, find_neck_bone
from renderer.fit.mouth_opening import MouthOpening, MouthProbe
from renderer.fit.parts import connected_parts
from renderer.fit.skull_top import find_skull_top
from renderer.fit.upright import judge_upright
from renderer.fit.winks import Wink, WinkProbe, agreeing, looked_for
from renderer.formats.model import MmdModel

_SPLIT_SHARE = 0.4  # of the way from the middle to the iris: less than to the corner of the eye
_BOTH_EYES = 4  # ``_Look.eyes_seen_to_close`` of two eyes that are
_LIPS = 0.7  # below the eyes, in distances between them, where no morph parts the lips


def fit_rig(model: MmdModel, *, allow_smile: bool = False) -> Rig:
    """Find head, eyes, mouth and head box of a model.

    Eyes are closed by normal winks: one-eyed ones, else halves of a blink; with ``allow_smile``,
    by smiling ones where there is nothing better.

    Raises:
        RigError: codes ``empty-mesh``, ``no-head-bone``, ``no-neck-bone``, ``no-left-eye-morph``,
            ``no-right-eye-morph``, ``no-mouth-morph``.
    """
    _require_mesh(model)
    head, head_why = find_head_bone(model)
    neck, neck_why = find_neck_bone(model, head)
    seen = _look(model, head, allow_smile)
    face, eyes = seen.face, seen.face.eyes
    left, right = seen.wink(Side.LEFT), seen.wink(Side.RIGHT)
    mouth = _mouth(model, seen.mouths)
    lips_y = eyes.y - _LIPS * eyes.spacing if mouth.lips_y is None else mouth.lips_y
    seen_skin = np.concatenate([mouth.faces, face.faces_below(lips_y)])
    skin_paint = np.isin(face.materials, face.materials[seen_skin])
    skin = _joined(model, skin_paint, seen_skin)
    chin = find_chin(model, eyes, lips_y, skin)
    skull_top = find_skull_top(model, eyes, chin.y, carried_by(model, head), skin_paint)
    box = HeadBox(chin.y, skull_top.y, eyes.centre_x)
    left_judgement, right_judgement = agreeing(left, right)
    judgements = {
        "left_eye": left_judgement,
        "right_eye": right_judgement,
        "mouth": mouth.judgement,
        "chin": judged(chin.checks),
        "skull_top": judged(skull_top.checks),
        "centre_x": judged({"level": _level(model, head, eyes)}),
        "upright": judge_upright(face, head, box, lips_y, skin),
    }
    found = (eyes, left, right, mouth, chin, skull_top)
    uses = {"left_eye": left.use, "right_eye": right.use, "mouth": mouth.use}
    return Rig(
        head_box=box,
        head_bone=head,
        head_bone_name=model.bones[head].name,
        neck_bone=neck,
        neck_bone_name=model.bones[neck].name,
        split_x=eyes.centre_x,
        split_half_width=_SPLIT_SHARE * max(eyes.inner_gap / 2, 0.0),
        drives={axis: (_named(use, model),) for axis, use in uses.items()},
        confidence={answer: judgements[answer].score for answer in ANSWERS},
        doubtful=doubtful_of(judgements),
        objections=objections_of(judgements),
        evidence=(head_why, neck_why, *(answer.evidence for answer in found)),
    )


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

    def wink(self, side: Side) -> Wink:
        """The wink of one eye; ``RigError`` where there is none."""
        wink = self.left if side is Side.LEFT else self.right
        if wink is None:
            model = self.face.model
            raise RigError(
                f"{model.path.name}: no morph closes the {side.value} eye "
                f"({looked_for(self.winks.names_of_closers(side), model)})",
                f"no-{side.value}-eye-morph",
            )
        return wink


def _look(model: MmdModel, head: int, allow_smile: bool) -> _Look:
    """The face with its eyes where they are seen to close, else where the likeliest sign has them.

    Raises:
        RigError: code ``no-left-eye-morph``: nothing tells of eyes.
    """
    best: _Look | None = None
    for eyes in eye_readings(model, head):
        look = _look_at(Face(model, head, eyes), allow_smile)
        if best is None or look.eyes_seen_to_close > best.eyes_seen_to_close:
            best = look
        if best.eyes_seen_to_close == _BOTH_EYES:
            break
    if best is None:
        raise RigError(
            f"{model.path.name}: no eyes: no bone 左目 or 右目 carries a vertex, nothing blinks "
            f"({looked_for((), model)})",
            "no-left-eye-morph",
        )
    return best


def _look_at(face: Face, allow_smile: bool) -> _Look:
    winks, mouths = WinkProbe(face), MouthProbe(face)
    for change in face.changes():
        winks.add(change)
        mouths.add(change)
    left, right = (winks.choose(side, allow_smile=allow_smile) for side in (Side.LEFT, Side.RIGHT))
    return _Look(face, winks, mouths, left, right)


def _mouth(model: MmdModel, mouths: MouthProbe) -> MouthOpening:
    mouth = mouths.choose()
    if mouth is None:
        raise RigError(
            f"{model.path.name}: no morph opens the mouth (looked for あ, a, mouth_a, jawOpen, ワ, "
            "お and anything that parts the lips)",
            "no-mouth-morph",
        )
    return mouth


def _joined(model: MmdModel, paint: Flags, seen: Index) -> Flags:
    """Which faces (F,) of the skin's materials hang together with the faces of skin in sight.

    Collars, scarves and hair that share the face's one material do not.
    """
    rows = np.flatnonzero(paint)
    parts = connected_parts(model.vertices.positions, model.faces[rows])
    joined = np.zeros(len(paint), np.bool_)
    joined[rows] = np.isin(parts, parts[np.isin(rows, seen)])
    return joined
