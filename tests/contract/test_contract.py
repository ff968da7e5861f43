"""The contract's exact values: pose, picture, axes, errors."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from contract import errors
from contract.convention import AS_ATTRIBUTES, CONVENTION, MMD_TO_VIEW, NAMES_ONLY, disagreement
from contract.errors import FormatError, ModelError, PoseError
from contract.image import (
    head_rows,
    linear_to_srgb,
    network_to_stored,
    srgb_to_linear,
    stored_to_network,
)
from contract.pose import (
    AXES,
    AXIS_NAMES,
    FACE_AXES,
    JOINT_AXES,
    JOINT_RADIANS_AT_ONE,
    REST,
    Pose,
    PoseAxis,
    mirrored_pose,
    pose_from_mapping,
    pose_from_vector,
)


def test_the_six_axes_in_order() -> None:
    assert AXIS_NAMES == ("head_x", "head_y", "neck_z", "left_eye", "right_eye", "mouth")
    assert [(axis.low, axis.high, axis.rest) for axis in AXES] == [
        *[(-1, 1, 0)] * 3,
        *[(0, 1, 0)] * 2,
        (0, 1, 1),
    ]
    assert [axis.density for axis in AXES] == ["ends"] * 3 + ["uniform"] * 3
    assert JOINT_AXES + FACE_AXES == AXIS_NAMES
    assert math.degrees(JOINT_RADIANS_AT_ONE) == pytest.approx(15)


def test_the_rest_pose_is_every_axis_at_rest() -> None:
    assert REST.to_vector().tolist() == [axis.rest for axis in AXES] == [0, 0, 0, 0, 0, 1]
    assert REST.to_vector().dtype == np.float32


def test_a_mirrored_pose_swaps_sides_and_keeps_the_rest() -> None:
    pose = Pose(head_x=-1, head_y=1, neck_z=0.5, left_eye=0.25, right_eye=1, mouth=0)
    wanted = Pose(head_x=-1, head_y=-1, neck_z=-0.5, left_eye=1, right_eye=0.25, mouth=0)
    assert np.array_equal(mirrored_pose(pose.to_vector()), wanted.to_vector())
    assert np.array_equal(mirrored_pose(REST.to_vector()), REST.to_vector())


def test_vector_and_mapping_give_the_same_pose() -> None:
    pose = Pose(head_x=-1, head_y=1, neck_z=0.5, left_eye=0.25, right_eye=1, mouth=0)
    assert pose.to_vector().tolist() == [-1, 1, 0.5, 0.25, 1, 0]
    assert pose_from_vector(pose.to_vector()) == pose
    assert pose_from_mapping({"head_x": 0.5, "mouth": 0}) == Pose(head_x=0.5, mouth=0)
    assert pose_from_mapping({}) == REST


def test_the_expression_of_a_pose_keeps_the_head_at_rest() -> None:
    pose = Pose(head_x=-1, head_y=1, neck_z=0.5, left_eye=0.25, right_eye=1, mouth=0.5)
    assert pose.face_only() == Pose(left_eye=0.25, right_eye=1, mouth=0.5)


@pytest.mark.parametrize("axis", AXES, ids=AXIS_NAMES)
def test_values_outside_an_axis_are_refused(axis: PoseAxis) -> None:
    for bad in (axis.low - 1e-6, axis.high + 1e-6, math.nan, math.inf, -math.inf):
        with pytest.raises(PoseError, match=rf"pose: {axis.name} is .*; it must lie in \["):
            pose_from_mapping({axis.name: bad})


@pytest.mark.parametrize("count", [0, 5, 7])
def test_vectors_of_another_length_are_refused(count: int) -> None:
    with pytest.raises(PoseError, match=f"pose: {count} numbers given; 6 needed"):
        pose_from_vector([0.0] * count)


def test_unknown_axes_are_refused_by_name() -> None:
    with pytest.raises(PoseError, match="no axis is called eye_left; the axes are head_x,"):
        pose_from_mapping({"eye_left": 0.5})


@pytest.mark.parametrize(("size", "rows"), [(256, (64, 192)), (512, (128, 384)), (4, (1, 3))])
def test_the_head_fills_the_middle_half(size: int, rows: tuple[int, int]) -> None:
    assert head_rows(size) == rows


def test_srgb_at_its_knee_its_ends_and_in_between() -> None:
    """IEC 61966-2-1: 0.04045 <-> 0.0031308, 0.5 -> 0.21404114."""
    srgb = np.array([0, 0.04045, 0.5, 1], np.float32)
    linear = np.array([0, 0.0031308, 0.21404114, 1], np.float32)
    np.testing.assert_allclose(srgb_to_linear(srgb), linear, atol=1e-7)
    np.testing.assert_allclose(linear_to_srgb(linear), srgb, atol=1e-6)


def test_stored_to_network_by_hand() -> None:
    """One row: off the character, white, half-red at half alpha."""
    stored = np.array([[[0, 0, 0, 0], [255, 255, 255, 255], [188, 0, 0, 128]]], np.uint8)
    network = stored_to_network(stored)
    assert network.shape == (4, 1, 3)
    assert network.dtype == np.float32
    assert network[:, 0, 0].tolist() == [-1, -1, -1, -1]
    assert network[:, 0, 1].tolist() == [1, 1, 1, 1]
    # 188 / 255 in sRGB is 0.50289 in linear light; alpha stays as it is.
    assert network[:, 0, 2] == pytest.approx(
        [2 * 0.5028865 - 1, -1, -1, 2 * 128 / 255 - 1], abs=1e-6
    )


def test_every_byte_survives_the_way_to_the_network_and_back() -> None:
    colours = np.arange(256, dtype=np.uint8)
    for alpha in (1, 128, 255):
        stored = np.stack([colours, colours[::-1], colours, np.full(256, alpha, np.uint8)], -1)
        np.testing.assert_array_equal(network_to_stored(stored_to_network(stored[None]))[0], stored)


def test_colour_under_no_alpha_is_dropped_both_ways() -> None:
    hidden = np.array([[[9, 8, 7, 0]]], np.uint8)
    assert stored_to_network(hidden).ravel().tolist() == [-1, -1, -1, -1]
    faint = np.array([1, 1, 1, -0.999], np.float32).reshape(4, 1, 1)
    assert network_to_stored(faint).ravel().tolist() == [0, 0, 0, 0]


def test_network_values_outside_their_range_are_clamped() -> None:
    wild = np.array([-5, 7, 0, 3], np.float32).reshape(4, 1, 1)
    assert network_to_stored(wild).ravel().tolist() == [0, 255, 188, 255]


def test_the_view_mirrors_z_and_nothing_else() -> None:
    """MMD's characters face -z; ours face the viewer, +z, with their left still at +x."""
    assert (MMD_TO_VIEW @ [1, 2, -3, 1]).tolist() == [1, 2, 3, 1]
    np.testing.assert_array_equal(MMD_TO_VIEW @ MMD_TO_VIEW, np.eye(4))
    assert np.linalg.det(MMD_TO_VIEW) == -1


def test_the_convention_is_what_files_written_before_carry() -> None:
    """Word for word: older bundles, checkpoints, shards and exports must still open."""
    names = ["head_x", "head_y", "neck_z", "left_eye", "right_eye", "mouth"]
    lows, rests = [-1.0] * 3 + [0.0] * 3, [0.0] * 5 + [1.0]
    space = "x right on screen (the character's left), y up, z toward the viewer"
    assert dict(CONVENTION) == {
        "pose_version": 1,
        "pose_axes": [
            {"name": name, "low": low, "high": 1.0, "rest": rest}
            for name, low, rest in zip(names, lows, rests, strict=True)
        ],
        "joint_radians_at_one": 0.2617993877991494,
        "picture_version": 1,
        "picture_convention": "srgb-straight-rgba8-middle-half-v1",
        "space_axes": space,
    }
    assert dict(AS_ATTRIBUTES) == {
        "pose_axes": " ".join(names),
        "axes": space,
        "picture_convention": "srgb-straight-rgba8-middle-half-v1",
    }
    assert dict(NAMES_ONLY) == {
        "pose_version": 1,
        "pose_axes": names,
        "picture_version": 1,
        "picture_convention": "srgb-straight-rgba8-middle-half-v1",
    }


def test_the_convention_comes_back_from_json() -> None:
    assert disagreement(json.loads(json.dumps({**CONVENTION, "more": 1})), CONVENTION) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({**CONVENTION, "pose_version": 2}, "pose_version is 2, here 1"),
        ({**CONVENTION, "pose_version": True}, "pose_version is True, here 1"),
        ({**CONVENTION, "picture_convention": np.array(["bgr"])}, "picture_convention is array("),
        ({**CONVENTION, "joint_radians_at_one": 0.5}, "joint_radians_at_one is 0.5, here 0.26"),
        ({**CONVENTION, "pose_axes": []}, "pose_axes is [], here "),
        ({}, "pose_version is None, here 1"),
        (None, "pose_version is None, here 1"),
        ("bgr", "pose_version is None, here 1"),
    ],
)
def test_what_disagrees_with_the_convention_is_named(found: object, words: str) -> None:
    assert (disagreement(found, CONVENTION) or "").startswith(words)


def test_model_errors_keep_their_code_between_processes() -> None:
    error = FormatError("a.pmx: header, byte 0 of 0: the file is empty", "truncated-file")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.code) == (FormatError, str(error), "truncated-file")
    assert ModelError("something").code == "model"


def test_the_error_tree_is_the_one_that_is_drawn() -> None:
    """Each line of the drawing names a class; its depth says whose child that is."""
    parents: dict[int, str] = {-4: "Exception"}
    drawing = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    classes = [name for name in vars(errors) if name.endswith("Error")]
    assert len(drawing) == len(classes)
    for line in drawing:
        name = next(word for word in line.split() if word.endswith("Error"))
        depth = line.index(name) - 4
        parents[depth] = name
        assert getattr(errors, name).__bases__[0].__name__ == parents[depth - 4]
