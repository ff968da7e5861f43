"""That characters differ as drawings do, and that each kind of difference is sound."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from characters.base.curves import F64
from characters.design import spec as s
from characters.files.generate import character_files, character_spec
from characters.shape.assembly import Built, build_model
from characters.shape.eye_shape import IRIS_DEPTH
from characters.shape.face_shape import FaceShape

PIXELS = 128  # of a head in a picture of 256


@cache
def specs() -> tuple[s.CharacterSpec, ...]:
    return tuple(character_spec(seed, seed % 40) for seed in range(600))


def _first(fits: Callable[[s.CharacterSpec], bool]) -> s.CharacterSpec:
    return next(spec for spec in specs() if fits(spec))


def _built(spec: s.CharacterSpec, plain: bool = False) -> Built:
    return build_model(spec, np.random.default_rng(0), plain=plain)


def _bone(built: Built, name: str) -> F64:
    return np.array(next(b.position for b in built.model.bones if b.name == name))


@pytest.mark.parametrize(
    ("kinds", "of"),
    [
        (s.EyeStyle, lambda c: [c.eye.style]),
        (s.IrisStyle, lambda c: [c.eye.iris_style]),
        (s.NoseStyle, lambda c: [c.face.nose_style]),
        (s.BlushStyle, lambda c: [c.face.blush_style]),
        (s.FaceMark, lambda c: [c.face.mark]),
        (s.Teeth, lambda c: [c.mouth.teeth]),
        (s.Fringe, lambda c: [c.hair.fringe]),
        (s.ArmPose, lambda c: [c.body.left_arm, c.body.right_arm]),
        (s.Carried, lambda c: [c.body.carried]),
        (s.Neckwear, lambda c: [c.body.neckwear]),
        (s.Outfit, lambda c: [c.body.outfit]),
        (s.Naming, lambda c: [c.naming]),
    ],
)
def test_every_kind_is_drawn(kinds: object, of: Callable[[s.CharacterSpec], list[str]]) -> None:
    assert {kind for spec in specs() for kind in of(spec)} == set(get_args(kinds))


def test_eyes_lie_as_widely_as_in_drawings() -> None:
    """Their distance was 0.30 to 0.34 of the head in ten drawings, their height 0.33 to 0.38."""
    heights = np.array([1.008 + 0.9 * spec.hair.volume for spec in specs()])
    apart = np.array([2 * spec.eye.x for spec in specs()]) / heights
    level = np.array([spec.eye.y + (spec.eye.up - spec.eye.down) / 2 for spec in specs()]) / heights
    for share, low, high in ((apart, 0.30, 0.35), (level, 0.33, 0.37)):
        assert np.percentile(share, 5) < low and np.percentile(share, 95) > high
    slants = [spec.eye.slant for spec in specs()]
    assert min(slants) < -0.03 and max(slants) > 0.045


def test_mouths_are_of_a_few_pixels_up_to_a_third_of_the_face() -> None:
    wide = np.array([2 * spec.mouth.open_half_width for spec in specs()]) * PIXELS
    tall = np.array([m.open_up + m.open_down for m in (c.mouth for c in specs())]) * PIXELS
    assert np.percentile(wide, 5) < 6 and np.percentile(wide, 95) > 20
    assert np.percentile(tall, 5) < 5 and np.percentile(tall, 95) > 14


def test_lids_on_bones_close_as_morphs_would() -> None:
    for spec in [c for c in specs() if c.eye.lid_bones][:8]:
        boned, plain = _built(spec), _built(spec, plain=True)
        for moved, wanted in zip(boned.model.morphs, plain.model.morphs, strict=True):
            if not moved.bones:
                continue
            by = np.zeros_like(boned.model.positions)
            for bone, move in moved.bones:
                share = np.where(boned.model.bone_indices[:, 1] == bone, boned.model.weights, 1)
                by += (1 - share)[:, None] * np.array(move)
            apart = (by[wanted.vertices] - wanted.offsets) / spec.head_height
            assert np.abs(apart[:, 1]).max() < 1e-4
            # The lash's wing does not droop; all else may not sink in as far as the iris lies.
            straight = np.abs(apart[:, 0]) < 0.003
            assert straight.mean() > 0.8
            assert apart[straight, 2].max() < 0.8 * IRIS_DEPTH
        assert sum(bool(morph.bones) for morph in boned.model.morphs) > 0
        assert not any(morph.bones for morph in plain.model.morphs)


def test_the_inside_of_the_mouth_is_hidden_by_the_jaw() -> None:
    for spec in specs()[:40]:
        built, shape = _built(spec), FaceShape(spec.face)
        names = [material.name for material in built.model.materials]
        ends = np.cumsum(built.model.face_counts)
        at = names.index("口内")
        faces = built.model.faces[ends[at - 1] : ends[at]]
        points = built.model.positions[np.unique(faces)] / spec.head_height
        points[:, 1] -= built.box.chin_y / spec.head_height
        assert np.all(points[:, 1] > shape.jaw_y(points[:, 0].astype(np.float64)))


@pytest.mark.parametrize(("pose", "above"), [("raised", -0.2), ("up", 0.4), ("cheek", -0.3)])
def test_a_gesture_brings_the_hand_up_on_its_own_side(pose: s.ArmPose, above: float) -> None:
    spec = specs()[0]
    body = replace(spec.body, left_arm=pose, right_arm="down", turn=0.0, lean=0.0)
    built = _built(replace(spec, body=body))
    wrist, other = _bone(built, "左手首"), _bone(built, "右手首")
    assert wrist[0] > 0 > other[0]
    chin = built.box.chin_y
    assert wrist[1] > chin + above * spec.head_height
    assert other[1] < _bone(built, "右腕")[1]


def test_a_turned_body_leaves_the_head_alone() -> None:
    spec = specs()[0]
    straight = _built(replace(spec, body=replace(spec.body, turn=0.0, lean=0.0)))
    turned = _built(replace(spec, body=replace(spec.body, turn=0.5, lean=0.2)))
    moved = np.abs(turned.model.positions - straight.model.positions).max(1) > 1e-6
    assert moved.any() and np.all(straight.model.positions[moved, 1] < straight.box.chin_y)
    assert turned.box == straight.box
    left = _bone(turned, "左腕")
    assert left[2] > _bone(straight, "左腕")[2]  # its left shoulder goes back


def test_a_fringe_seen_through_is_drawn_last_and_thins_over_the_eyes() -> None:
    spec = _first(lambda c: c.hair.fringe_alpha < 0.7)
    assert _built(spec).model.materials[-1].texture == "fringe.png"
    with Image.open(io.BytesIO(character_files(spec, "pmx")["fringe.png"])) as picture:
        alpha = np.asarray(picture)[..., 3]
    assert (alpha[0] == 255).all()
    assert abs(int(alpha[-1, 0]) - 255 * spec.hair.fringe_alpha) < 2


def test_a_big_scarf_may_hide_the_chin() -> None:
    high = _first(lambda c: c.body.neckwear == "big_scarf" and c.seed // 3 % 4 == 3)
    built = _built(high)
    ends = np.cumsum(built.model.face_counts)
    at = [material.name for material in built.model.materials].index("襟")
    collar = built.model.positions[np.unique(built.model.faces[ends[at - 1] : ends[at]])]
    front = collar[(np.abs(collar[:, 0]) < 0.1 * high.head_height) & (collar[:, 2] < 0)]
    assert front[:, 1].max() > built.box.chin_y + 0.05 * high.head_height


def test_what_is_seen_tells_where_necks_turn() -> None:
    """Eyes that lie high and shoulders that lie low: a neck's root lies low, a head's high."""
    eyes = [spec.eye.y + (spec.eye.up - spec.eye.down) / 2 for spec in specs()]
    bodies = [spec.body for spec in specs()]
    shoulders, necks, heads = (
        [getattr(body, part) for body in bodies]
        for part in ("shoulder_y", "neck_root_y", "head_root_y")
    )
    told = np.corrcoef([eyes, shoulders, necks, heads])
    assert told[0, 2] < -0.5 and told[1, 2] > 0.5 and told[0, 3] > 0.4
    assert all(neck < head for neck, head in zip(necks, heads, strict=True))


def test_joints_lie_where_they_were_designed_to() -> None:
    spec = _first(lambda c: c.body.turn == c.body.lean == 0)
    head, neck = (_bone(_built(spec), name) for name in ("頭", "首"))
    scale = spec.head_height
    assert head[1] - neck[1] == pytest.approx(
        scale * (spec.body.head_root_y - spec.body.neck_root_y), abs=1e-3 * scale
    )
