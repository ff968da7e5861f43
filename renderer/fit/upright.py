"""Whether this is a character that looks straight ahead with its face in sight.

All lengths are in distances between the eyes. Each check names what it finds: ``turned``,
``tilted``, ``nodding`` (head not straight at rest), ``off-centre`` (face beside its head bone),
``eyes-hidden``, ``proportions``, ``no-face-texture``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from contract.rig import HeadBox
from renderer.fit.confidence import Judgement, judged, ramp
from renderer.fit.eyes import Eye, Eyes
from renderer.fit.face import Face
from renderer.fit.head_bones import Flags
from renderer.fit.raycast import first_hits

F64 = npt.NDArray[np.float64]

_CHEEK_X, _CHEEK_Y = (0.35, 0.5, 0.65), (-0.5, -0.4, -0.3)
_BROW_Y = 0.3
_ABOUT_LIPS = (-0.12, 0.12)
_AHEAD = 0.1  # what lies further ahead of an iris is no lash and no gloss of the eye itself
_CLEAR_ALPHA = 0.5
_SAMPLES = 9


def judge_upright(face: Face, head: int, box: HeadBox, lips_y: float, skin: Flags) -> Judgement:
    """The judgement on the whole character; ``skin`` (F,) marks faces of the face's own skin."""
    eyes, unit = face.eyes, face.eyes.spacing
    head_x = face.model.bones[head].position[0]
    return judged(
        {
            "turned": ramp(abs(_turned_degrees(face)), 11, 6),
            "tilted": ramp(abs(_tilted_degrees(eyes)), 7, 3),
            "nodding": _nodding(face, lips_y, skin),
            "off-centre": ramp(abs(eyes.centre_x - head_x) / unit, 0.3, 0.1),
            "eyes-hidden": ramp(min(_hidden(face, eyes.left), _hidden(face, eyes.right)), 0.9, 0.5),
            "proportions": _proportions(eyes, box, lips_y),
            "no-face-texture": 1.0 if _textured(face) else 0.3,
        }
    )


def _turned_degrees(face: Face) -> float:
    """How far the cheeks say that the face is turned about y."""
    eyes, unit = face.eyes, face.eyes.spacing
    x, y = np.meshgrid(_CHEEK_X, _CHEEK_Y)
    corners = face.positions[face.triangles]
    height = eyes.y + unit * y.ravel()
    left, right = (
        first_hits(corners, np.stack([eyes.centre_x + sign * unit * x.ravel(), height], 1)).z
        for sign in (1, -1)
    )
    both = np.isfinite(left) & np.isfinite(right)
    if not both.any():
        return 0.0
    slope = (left[both] - right[both]) / (2 * unit * x.ravel()[both])
    return math.degrees(math.atan(float(np.median(slope))))


def _tilted_degrees(eyes: Eyes) -> float:
    """How far the line between the eyes leans."""
    return math.degrees(math.atan2(eyes.left.centre_y - eyes.right.centre_y, eyes.spacing))


def _nodding_degrees(face: Face, lips_y: float, skin: Flags) -> float:
    """How far the line from brow to lips leans; positive: the brow is ahead.

    Between the lips a ray passes into the mouth, so what lies foremost about them counts.
    """
    eyes, unit = face.eyes, face.eyes.spacing
    x = eyes.centre_x + unit * np.linspace(-0.1, 0.1, 3)
    corners = face.positions[face.triangles[skin[face.faces]]]
    brow_y = eyes.y + _BROW_Y * unit
    brow = first_hits(corners, np.stack([x, np.full(3, brow_y)], 1)).z
    grid = np.stack(np.meshgrid(x, lips_y + unit * np.linspace(*_ABOUT_LIPS, 7)), axis=-1)
    lips = first_hits(corners, grid.reshape(-1, 2)).z
    brow, lips = brow[np.isfinite(brow)], lips[np.isfinite(lips)]
    if not len(brow) or not len(lips):
        return 0.0
    behind = float(np.percentile(lips, 25) - np.median(brow))
    return math.degrees(math.atan2(behind, brow_y - lips_y))


def _nodding(face: Face, lips_y: float, skin: Flags) -> float:
    degrees = _nodding_degrees(face, lips_y, skin)
    return min(ramp(degrees, 21, 16), ramp(degrees, -14, -7))


def _hidden(face: Face, eye: Eye) -> float:
    """The share of an iris that something well ahead of it hides at rest."""
    model, unit = face.model, face.eyes.spacing
    x = eye.centre_x + eye.half_width * np.linspace(-0.7, 0.7, _SAMPLES)
    y = eye.centre_y + eye.half_height * np.linspace(-0.7, 0.7, _SAMPLES)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    iris = face.eyes.iris[model.faces].all(axis=1)
    # The last entry is read by -1, the faces without a material.
    clear = np.array([m.diffuse[3] < _CLEAR_ALPHA for m in model.materials] + [True])
    others = model.faces[~iris & ~clear[face.materials]]
    corners = model.vertices.positions[others].astype(np.float64)
    ahead = first_hits(corners, points).z
    surface = eye.behind_z - face.eye_depth
    return float((ahead < surface - _AHEAD * unit).mean())


def _proportions(eyes: Eyes, box: HeadBox, lips_y: float) -> float:
    """Whether eyes, lips, chin and skull stand as on a face."""
    height = box.skull_top_y - box.chin_y
    share, lips = (eyes.y - box.chin_y) / height, (lips_y - box.chin_y) / (eyes.y - box.chin_y)
    spacing = eyes.spacing / height
    return (
        min(ramp(share, 0.2, 0.25), ramp(share, 0.5, 0.46))
        * min(ramp(lips, 0.02, 0.1), ramp(lips, 0.8, 0.65))
        * min(ramp(spacing, 0.15, 0.22), ramp(spacing, 0.55, 0.45))
    )


def _textured(face: Face) -> bool:
    """Whether anything on the front of the face has a picture on it."""
    model, eyes = face.model, face.eyes
    irises = np.flatnonzero(eyes.iris[model.faces].all(axis=1))
    numbers = np.unique(face.materials[np.concatenate([face.faces, irises])])
    for number in numbers[numbers >= 0]:
        texture = model.materials[number].texture
        if texture >= 0 and model.texture_paths[texture].strip():
            return True
    return False
