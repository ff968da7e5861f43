"""What the parts must be like for the pictures to be right: lids, lips, weights, outlines."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import get_args

import numpy as np
import pytest

from characters.base.curves import F64, Profile, ease, spline
from characters.base.rigging import BONE, standard_bones
from characters.base.surface import grid, grid_faces, smooth_normals
from characters.design.morph_naming import eye_morphs
from characters.design.spec import CharacterSpec, EyeStyle
from characters.files.generate import character_spec
from characters.shape import eye_shape, mouth_shape
from characters.shape.assembly import Built, build_model
from characters.shape.face_shape import FaceShape
from characters.shape.hair_shell import BoneChain, Locks, Shell, build_locks

SEEDS = range(6)


@cache
def _specs() -> tuple[CharacterSpec, ...]:
    """A few characters, and one with eyes of each style."""
    found = [character_spec(seed, seed) for seed in SEEDS]
    for seed in range(200):
        spec = character_spec(seed, seed % 40)
        if spec.eye.style not in {other.eye.style for other in found}:
            found.append(spec)
    assert {spec.eye.style for spec in found} == set(get_args(EyeStyle))
    return tuple(found)


def _built(spec: CharacterSpec) -> Built:
    return build_model(spec, np.random.default_rng(0), plain=False)


def _area(outline: F64) -> float:
    x, y = outline[:, 0], outline[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def test_a_spline_passes_through_its_points_and_a_profile_is_a_function() -> None:
    points = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 0.0]])
    curve = spline(points, 5)
    np.testing.assert_allclose(curve[[0, 2, 4]], points, atol=1e-12)
    assert Profile(points)(1.0) == pytest.approx(2.0, abs=1e-2)
    np.testing.assert_allclose(ease([0.0, 0.5, 1.0, 2.0]), [0.0, 0.5, 1.0, 1.0])


def test_a_grid_with_rows_up_and_columns_to_the_right_faces_the_viewer() -> None:
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    normals = smooth_normals(corners, grid_faces(grid(2, 2)))
    np.testing.assert_allclose(normals, np.tile([0.0, 0.0, -1.0], (4, 1)))


@pytest.mark.parametrize("sign", [1, -1])
def test_lids_meet_on_a_curve_that_sags_or_arches(sign: int) -> None:
    side = "left" if sign > 0 else "right"
    for spec in _specs():
        rim = eye_shape.opening(spec.eye, sign)
        assert np.all(rim.outline[:, 0] * sign > 0)
        assert _area(rim.outline) > 0.005
        half = len(rim.outline) // 2
        for kind, bends in (("close", -1), ("smile", 1)):
            moved = rim.moved[f"{kind}_{side}"]
            assert _area(moved) < 1e-9
            ends = (moved[0, 1] + moved[half, 1]) / 2
            assert (moved[half // 2, 1] - ends) * bends > 0.01


def test_closing_lids_stay_before_the_white_and_the_iris() -> None:
    for spec in _specs():
        shape = FaceShape(spec.face)
        rim = eye_shape.opening(spec.eye, 1)
        rest = shape.on(rim.outline)
        for moved in rim.moved.values():
            for weight in (0.25, 0.5, 0.75, 1.0):
                lid = rest + weight * (shape.on(moved) - rest)
                behind = shape.depth(lid[:, 0], lid[:, 1])
                assert np.all(lid[:, 2] < behind + eye_shape.IRIS_DEPTH - 0.002)
                assert eye_shape.IRIS_DEPTH < eye_shape.WHITE_DEPTH


def test_the_mouth_is_a_slit_at_rest_and_opens_wide() -> None:
    for spec in _specs():
        rim = mouth_shape.opening(spec.mouth)
        assert _area(rim.outline) < 1e-9
        areas = {name: _area(moved) for name, moved in rim.moved.items()}
        mouth = spec.mouth
        # Two triangles at least, whose sides may be waves.
        tall = mouth.open_up + mouth.open_down
        assert areas["a"] > 0.8 * mouth.open_half_width * tall
        assert areas["a"] > areas["o"] > areas["u"] > 0
        assert areas["a"] > areas["e"] > areas["i"] > 0
        assert np.abs(rim.moved["a"][:, 1]).min() > 0.01  # above the chin


def test_meshes_are_sound() -> None:
    for spec in _specs():
        built = _built(spec)
        model = built.model
        assert 5_000 < len(model.positions) < 20_000
        assert np.isfinite(model.positions).all()
        np.testing.assert_allclose(np.linalg.norm(model.normals, axis=1), 1, atol=1e-4)
        assert model.faces.min() == 0 and model.faces.max() == len(model.positions) - 1
        assert model.bone_indices.min() >= 0
        assert model.bone_indices.max() < len(model.bones)
        assert model.weights.min() >= 0 and model.weights.max() <= 1
        assert model.uv.min() >= 0 and model.uv.max() <= 1
        names = [bone.name for bone in model.bones]
        assert len(set(names)) == len(names)
        assert model.positions[:, 1].min() == pytest.approx(0, abs=0.15)
        assert 2.4 <= spec.head_height <= 3.8


def test_the_head_box_is_the_head() -> None:
    for spec in _specs():
        built = _built(spec)
        face = built.model.materials[0].name
        assert face == "顔"
        skin = built.model.positions[np.unique(built.model.faces[: built.model.face_counts[0]])]
        front = skin[skin[:, 2] < -0.2 * spec.head_height]
        assert front[:, 1].min() == pytest.approx(built.box.chin_y, abs=0.02)
        assert built.box.skull_top_y > skin[:, 1].max()
        assert abs(front[:, 0].max() + front[:, 0].min()) < 1e-4


def test_names_fit_a_pmd() -> None:
    for spec in _specs():
        for naming in ("standard", "viewer", "exchanged", "variants", "english", "empty"):
            built = _built(dataclasses.replace(spec, naming=naming))
            model = built.model
            for name in [m.name for m in model.morphs] + [b.name for b in model.bones]:
                assert len(name.encode("cp932")) <= 19


def test_namings_differ_as_they_say() -> None:
    def shapes_of(naming: str, name: str) -> set[str]:
        rng = np.random.default_rng(0)
        for morph in eye_morphs(naming, rng):  # type: ignore[arg-type]
            if morph.name == name:
                return {shape for shape, _ in morph.shapes}
        return set()

    assert shapes_of("standard", "ウィンク") == {"smile_left"}
    assert shapes_of("viewer", "ウィンク") == {"smile_right"}
    assert shapes_of("exchanged", "ウィンク") == {"close_left"}
    assert shapes_of("blink_only", "ウィンク") == set()
    assert shapes_of("blink_only", "まばたき") == {"close_left", "close_right"}


def test_the_standard_bones_come_in_their_order() -> None:
    spec = character_spec(0, 0)
    bones = standard_bones(spec.body, spec.eye.x, spec.eye.y)
    assert [bone.name for bone in bones] == list(BONE)
    parent = {bone.name: bone.parent for bone in bones}
    assert (parent["頭"], parent["首"], parent["左目"]) == ("首", "上半身2", "頭")
    left = next(bone for bone in bones if bone.name == "左腕").position[0]
    assert left > 0


@pytest.mark.parametrize(
    ("spread", "sway", "lies"), [(0.5, 0.0, (-0.5, 0.5)), (0.0, 0.3, (0.3, 0.3))]
)
def test_long_hair_lies_aside_as_far_as_it_is_told_and_not_above_the_jaw(
    spread: float, sway: float, lies: tuple[float, float]
) -> None:
    shell = Shell(_specs()[0])
    still = np.zeros(2)
    beside = np.array([-np.pi / 2, np.pi / 2])
    locks = Locks(
        root=beside, tip=beside, end_y=still - 0.8, half_width=still + 0.05, thickness=still + 0.01,
        lift=still, flare=still, hook=still,
    )  # fmt: skip
    hanging, moved = (
        build_locks(shell, one, BoneChain(0), np.random.default_rng(0)).positions
        for one in (locks, dataclasses.replace(locks, spread=spread, sway=sway))
    )
    tips = hanging[:, 1] < -0.79  # a head height below the jaw
    aside = (moved - hanging)[:, 0]
    for side, far in zip((-1, 1), lies, strict=True):
        np.testing.assert_allclose(aside[tips & (side * hanging[:, 0] > 0)], far, atol=0.03)
    np.testing.assert_allclose(moved[hanging[:, 1] > 0.3], hanging[hanging[:, 1] > 0.3], atol=1e-9)
