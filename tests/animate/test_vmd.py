"""MMD's motions in the six axes, against rotations and curves with known answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from animate.motion.motion import Motion
from animate.motion.vmd_motion import HEAD, NECK, joints_of, read_motion
from characters.files.generate import write_character
from contract.errors import FormatError, InputError
from contract.pose import AXES, AXIS_NAMES, JOINT_RADIANS_AT_ONE, Pose
from renderer.deform.deformer import Deformer, bone_rotations
from renderer.deform.quaternion import Quat, from_axis_angle, multiply, rotate
from renderer.fit.fit_rig import fit_rig
from renderer.formats.read import read_model
from renderer.formats.vmd import read_vmd
from tests.support.vmd_bytes import bone, morph, vmd

F64 = npt.NDArray[np.float64]
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def turn(axis: tuple[float, float, float], degrees: float) -> Quat:
    return from_axis_angle(axis, math.radians(degrees))


def motion_of(
    folder: Path, bones: Sequence[bytes], morphs: Sequence[bytes] = (), fps: float = 30
) -> Motion:
    path = folder / "a.vmd"
    path.write_bytes(vmd(bones, morphs))
    return read_motion(path, fps)


def track(motion: Motion, name: str) -> list[float]:
    return [float(value) for value in motion.poses[:, AXIS_NAMES.index(name)]]


@pytest.mark.parametrize("bone_name", [NECK, HEAD])
@pytest.mark.parametrize(("name", "axis"), [("head_x", X), ("head_y", Y), ("neck_z", Z)])
def test_a_turn_about_an_axis_of_either_bone(
    tmp_path: Path, bone_name: str, name: str, axis: tuple[float, float, float]
) -> None:
    motion = motion_of(tmp_path, [bone(bone_name, 0, turn(axis, 7.5))])
    assert motion.pose(0).to_vector() == pytest.approx(
        [0.5 if axis == name else 0 for axis in AXIS_NAMES], abs=1e-6
    )
    assert not motion.notes


def test_positive_is_up_and_to_the_viewers_left() -> None:
    """Where the nose (0, 0, -1) and the crown (0, 1, 0) go, in a file's own numbers."""
    assert rotate(turn(X, 10), (0, 0, -1))[1] > 0  # up
    assert rotate(turn(Y, 10), (0, 0, -1))[0] < 0  # to the screen's left
    assert rotate(turn(Z, 10), (0, 1, 0))[0] < 0  # leans to the screen's left


def test_the_angles_of_both_bones_add_up(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [bone(NECK, 0, turn(X, 5)), bone(HEAD, 0, turn(X, 4))])
    assert motion.pose(0).head_x == pytest.approx(0.6)


def test_any_pose_comes_back_from_the_rotations_that_the_renderer_gives_it() -> None:
    rng = np.random.default_rng(3)
    for values in rng.uniform(-1, 1, (50, 3)):
        turns = zip((X, Y, Z), values * JOINT_RADIANS_AT_ONE, strict=True)
        x, y, z = (from_axis_angle(axis, float(radians)) for axis, radians in turns)
        both = multiply(z, multiply(y, x))
        np.testing.assert_allclose(joints_of(np.array([both]))[0], values, atol=1e-9)


def test_a_head_lies_where_the_files_own_rotations_put_it(tmp_path: Path) -> None:
    """The neck leans and the head turns and tilts: six axes can say this without any loss."""
    neck, head = turn(Z, 9), multiply(turn(Y, -12), turn(X, 6))
    pose = motion_of(tmp_path, [bone(NECK, 0, neck), bone(HEAD, 0, head)]).pose(0)
    model = read_model(write_character(tmp_path, seed=7))
    rig, deformer = fit_rig(model), Deformer(model)
    rest = deformer.morph(())
    is_head = model.vertices.positions[:, 1] > rig.head_box.chin_y
    by_file = deformer.skin(rest, {rig.neck_bone: neck, rig.head_bone: head}).positions[is_head]
    by_pose = deformer.skin(rest, bone_rotations(rig, pose)).positions[is_head]
    height = rig.head_box.skull_top_y - rig.head_box.chin_y
    assert np.abs(by_file - model.vertices.positions[is_head]).max() > 0.2 * height
    np.testing.assert_allclose(by_pose, by_file, atol=1e-5 * height)


def test_between_keyframes_rotation_follows_the_later_ones_curve(tmp_path: Path) -> None:
    keys = [bone(HEAD, 0), bone(HEAD, 10, turn(Y, 15), curve=(0, 127, 0, 127))]
    motion = motion_of(tmp_path, keys)
    # x = t^3, y = 1 - (1 - t)^3: at x = 1/2, t = 0.7937.
    eased = 1 - (1 - 0.5 ** (1 / 3)) ** 3
    assert motion.pose(5).head_y == pytest.approx(eased, abs=1e-5)
    assert track(motion, "head_y")[::10] == pytest.approx([0, 1], abs=1e-6)
    linear = motion_of(tmp_path, [bone(HEAD, 0), bone(HEAD, 10, turn(Y, 15))])
    np.testing.assert_allclose(track(linear, "head_y"), np.arange(11) / 10, atol=1e-6)


def test_rotation_takes_the_short_way_round(tmp_path: Path) -> None:
    negated = tuple(-number for number in turn(Z, 10))
    motion = motion_of(tmp_path, [bone(HEAD, 0), bone(HEAD, 2, negated)])
    assert track(motion, "neck_z") == pytest.approx([0, 1 / 3, 2 / 3], abs=1e-6)


def test_other_frame_rates(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [], [morph("あ", 0, 0), morph("あ", 30, 1)], fps=12)
    assert len(motion.poses) == 13
    np.testing.assert_allclose(track(motion, "mouth"), np.arange(13) / 12, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "left_eye", "right_eye", "mouth"),
    [
        ("まばたき", 0.5, 0.5, 0),
        ("笑い", 0.5, 0.5, 0),
        ("ウィンク", 0.5, 0, 0),
        ("ウィンク２", 0.5, 0, 0),
        ("ウィンク右", 0, 0.5, 0),
        ("ウィンク２右", 0, 0.5, 0),
        ("ｳｨﾝｸ２右", 0, 0.5, 0),
        ("あ", 0, 0, 0.5),
        ("ワ", 0, 0, 0.4),
        ("お", 0, 0, 0.3),
    ],
)
def test_morphs(tmp_path: Path, name: str, left_eye: float, right_eye: float, mouth: float) -> None:
    pose = motion_of(tmp_path, [], [morph(name, 0, 0.5)]).pose(0)
    expected = Pose(left_eye=left_eye, right_eye=right_eye, mouth=mouth)
    assert pose.to_vector() == pytest.approx(expected.to_vector())


def test_of_morphs_that_close_an_eye_the_strongest_counts(tmp_path: Path) -> None:
    keys = [morph("まばたき", 0, 0.6), morph("笑い", 0, 0.5), morph("ウィンク", 0, 0.7)]
    motion = motion_of(tmp_path, [], keys)
    assert motion.pose(0).left_eye == pytest.approx(0.7)
    assert motion.pose(0).right_eye == pytest.approx(0.6)
    assert not motion.notes


def test_what_goes_too_far_is_clamped_and_said(tmp_path: Path) -> None:
    keys = [bone(HEAD, 0, turn(Y, -10)), bone(HEAD, 10, turn(Y, -30))]
    motion = motion_of(tmp_path, keys, [morph("あ", 0, 0.75), morph("ワ", 0, 1)])
    assert min(track(motion, "head_y")) == -1
    assert track(motion, "mouth") == [1] * 11
    assert [note.split(": ", 1)[1] for note in motion.notes] == [
        "head_y clamped in 8 of 11 frames (up to -30.0 degrees)",
        "mouth clamped in 11 of 11 frames (up to 1.55)",
    ]


def test_bones_below_the_neck_are_left_out_and_said(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [bone(HEAD, 0), bone("上半身", 0, turn(X, 9))])
    assert motion.pose(0).head_x == 0
    assert "上半身 not used" in motion.notes[0]


def test_a_motion_that_leaves_the_head_alone_is_said(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [bone(HEAD, 0), bone("左腕", 0, turn(Z, 40))], [morph("あ", 0, 0)])
    (note,) = motion.notes
    assert "moves neither head, eyes nor mouth" in note


def test_another_skeleton_and_a_shortened_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither 首 nor 頭 .*\(1 other bones, 1 other morphs\)"):
        motion_of(tmp_path, [bone("tail", 0)], [morph("wag", 0, 1)])
    path = tmp_path / "short.vmd"
    path.write_bytes(vmd([bone(HEAD, 0)])[:99])
    with pytest.raises(FormatError, match=r"short\.vmd: bones, byte 50 of 99"):
        read_motion(path, 30)


def test_a_motion_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lower --fps"):
        motion_of(tmp_path, [bone(HEAD, 0xFFFFFFFF)])


def test_real_motions_move_within_the_ranges(real_motions: Path) -> None:
    paths = sorted(real_motions.glob("*.vmd"))
    assert paths
    for path in paths:
        motion = read_motion(path, 25)
        for column, axis in zip(motion.poses.T, AXES, strict=True):
            assert axis.low <= column.min() <= column.max() <= axis.high


def turn_of(before: F64, after: F64) -> F64:
    """The rotation vector, in degrees, that best carries one cloud of points onto another."""
    u, _, v = np.linalg.svd((after - after.mean(axis=0)).T @ (before - before.mean(axis=0)))
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    return np.asarray(Rotation.from_matrix(rotation).as_rotvec(degrees=True), np.float64)


@pytest.mark.parametrize("name", ["28_sleepy", "35_Afraid", "36_Anxious", "38_Ashamed"])
def test_a_real_model_turns_as_a_real_motion_says(
    real_models: Path, real_motions: Path, name: str
) -> None:
    """At the keyframes: what lies within the ranges exactly so, what does not to the same side."""
    path = real_motions / f"{name}.vmd"
    model = read_model(real_models / "piapro/LatMiku/Normal.pmd")
    rig, deformer, motion = fit_rig(model), Deformer(model), read_vmd(path)
    rest = deformer.morph(())
    is_face = np.abs(model.vertices.positions[:, 1] - rig.head_box.chin_y - 1) < 0.8
    is_face &= model.vertices.bone_indices[:, 0] == rig.head_bone
    before = model.vertices.positions[is_face].astype(np.float64)
    keys = {key: {int(one["frame"]): one for one in motion.bones[key]} for key in (NECK, HEAD)}
    poses = read_motion(path, 30)
    shared = sorted(set(keys[NECK]) & set(keys[HEAD]))
    turns = []
    for frame in shared:
        by_file = {
            bone_index: keys[key][frame]["rotation"].tolist()
            for key, bone_index in ((NECK, rig.neck_bone), (HEAD, rig.head_bone))
        }
        pose = poses.pose(frame)
        after, ours = (
            deformer.skin(rest, rotations).positions[is_face].astype(np.float64)
            for rotations in (by_file, bone_rotations(rig, pose))
        )
        wanted, found = turn_of(before, after), turn_of(before, ours)
        turns.append(float(np.linalg.norm(wanted)))
        if np.abs(pose.to_vector()[:3]).max() < 1:
            np.testing.assert_allclose(found, wanted, atol=0.05)
        else:
            cosine = found @ wanted / (np.linalg.norm(found) * np.linalg.norm(wanted))
            assert cosine > 0.9
    assert max(turns) > 5


def test_numbers_that_are_not_finite_count_only_where_they_move_an_axis(tmp_path: Path) -> None:
    nan = float("nan")
    good = [bone(HEAD, 0, turn(Y, 15))]
    motion = motion_of(tmp_path, [*good, bone("右腕", 0, (nan, 0, 0, 1))], [morph("涙", 0, nan)])
    assert track(motion, "head_y") == [pytest.approx(1)]
    assert sum("not finite" in note for note in motion.notes) == 1
    with pytest.raises(FormatError, match="keyframe 1 has a rotation"):
        motion_of(tmp_path, [*good, bone(NECK, 0, (nan, 0, 0, 1))])
    with pytest.raises(FormatError, match="keyframe 0 has a weight"):
        motion_of(tmp_path, good, [morph("まばたき", 0, nan)])


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "big5hkscs"])
def test_names_in_other_encodings_move_the_same(tmp_path: Path, encoding: str) -> None:
    def said(data: bytes, name: str) -> bytes:
        return name.encode(encoding)[:15].ljust(15, b"\0") + data[15:]

    bones = [said(bone("x", 0, turn(Y, 15)), HEAD), said(bone("x", 0), "上半身")]
    motion = motion_of(tmp_path, bones, [said(morph("x", 0, 0.5), "まばたき")])
    assert track(motion, "head_y") == [pytest.approx(1)]
    assert track(motion, "left_eye") == [0.5]
    assert sum(encoding in note for note in motion.notes) == 1


def test_rubbish_after_the_morphs_leaves_the_motion_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.vmd"
    path.write_bytes(vmd([bone(HEAD, 0, turn(Y, 15))]) + b"made with love")
    motion = read_motion(path, 30)
    assert track(motion, "head_y") == [pytest.approx(1)]
    assert len(motion.notes) == 1
