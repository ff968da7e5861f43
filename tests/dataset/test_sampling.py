from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from contract.errors import InputError
from contract.pose import AXES, AXIS_NAMES
from dataset.build.sampling import (
    F32,
    LightRange,
    default_ambient,
    draw_light_levels,
    draw_light_shadings,
    draw_pose,
    draw_sample,
    light_generator,
    sample_generator,
)

SHA = "ab" * 32
OTHER_SHA = "cd" * 32
MANY = 4000
ENDS = [axis.name for axis in AXES if axis.density == "ends"]
UNIFORM = [axis.name for axis in AXES if axis.density == "uniform"]


@pytest.fixture(scope="module")
def poses() -> F32:
    return np.array([draw_sample(7, SHA, i, 1).pose.to_vector() for i in range(MANY)])


def test_a_sample_depends_on_seed_hash_and_index_alone() -> None:
    first = draw_sample(7, SHA, 3, 8)
    draw_sample(7, SHA, 4, 8)
    np.random.default_rng(0).random()
    assert draw_sample(7, SHA, 3, 8) == first
    others = [draw_sample(8, SHA, 3, 8), draw_sample(7, OTHER_SHA, 3, 8), draw_sample(7, SHA, 4, 8)]
    assert all(other.pose != first.pose for other in others)


def test_samples_stay_what_they_were_in_this_sampling_version() -> None:
    sample = draw_sample(7, SHA, 3, 8)
    assert sample.light == 2
    np.testing.assert_array_equal(
        sample.pose.to_vector(),
        np.array([0.92903411, 0.8352983, -0.7803552, 0.67109925, 0.47892076, 0.07543105], "f4"),
    )


def test_the_number_of_light_levels_changes_no_pose() -> None:
    assert draw_sample(7, SHA, 3, 8).pose == draw_sample(7, SHA, 3, 1).pose


@pytest.mark.parametrize("name", ENDS)
def test_joints_grow_denser_toward_the_ends(name: str, poses: F32) -> None:
    values = poses[:, AXIS_NAMES.index(name)]
    # p(v) = |v| on [-1, 1]: F(v) = (1 + v|v|) / 2.
    assert stats.kstest(values, lambda v: (1 + v * np.abs(v)) / 2).pvalue > 0.01
    assert np.abs(values).mean() == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize("name", UNIFORM)
def test_eyes_and_mouth_are_uniform(name: str, poses: F32) -> None:
    assert stats.kstest(poses[:, AXIS_NAMES.index(name)], "uniform").pvalue > 0.01


def test_components_are_independent(poses: F32) -> None:
    between = np.atleast_2d(np.corrcoef(poses.T))[np.triu_indices(len(AXES), 1)]
    # Five standard deviations of a sample correlation.
    assert np.abs(between).max() < 5 / np.sqrt(MANY)


def test_a_pose_is_what_float32_holds() -> None:
    pose = draw_pose(sample_generator(0, SHA, 0))
    assert all(np.float32(getattr(pose, name)) == getattr(pose, name) for name in AXIS_NAMES)


def test_a_fixed_light_is_one_level() -> None:
    levels = draw_light_levels(light_generator(0, SHA), LightRange(0.5, 0.5, 8))
    np.testing.assert_array_equal(levels, np.array([0.5], np.float32))


def test_light_levels_lie_one_in_each_part_of_the_range() -> None:
    levels = draw_light_levels(light_generator(0, SHA), LightRange(0.5, 1.3, 8))
    assert levels.dtype == np.float32
    np.testing.assert_array_equal(np.floor((levels - 0.5) / 0.1), np.arange(8))


def test_light_levels_depend_on_seed_and_hash_alone() -> None:
    light = LightRange(0.5, 1.2)
    first = draw_light_levels(light_generator(0, SHA), light)
    np.testing.assert_array_equal(first, draw_light_levels(light_generator(0, SHA), light))
    for seed, sha256 in ((1, SHA), (0, OTHER_SHA)):
        other = draw_light_levels(light_generator(seed, sha256), light)
        assert not np.array_equal(first, other)


def test_light_is_uniform_over_samples_of_many_models() -> None:
    light = LightRange(0.5, 1.2)
    drawn = []
    for number in range(500):
        sha256 = f"{number:064x}"
        levels = draw_light_levels(light_generator(0, sha256), light)
        drawn += [levels[draw_sample(0, sha256, i, len(levels)).light] for i in range(4)]
    assert stats.kstest(drawn, stats.uniform(0.5, 0.7).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [(1.0, 0.5, 8), (-0.1, 0.5, 8), (0.5, 4.1, 8), (float("nan"), 0.5, 8), (0.5, 1.2, 0)],
)
def test_a_light_outside_the_limits_is_refused(low: float, high: float, levels: int) -> None:
    with pytest.raises(InputError, match="ambient"):
        LightRange(low, high, levels)


def test_shadings_depend_on_seed_and_hash_alone() -> None:
    first = draw_light_shadings(0, SHA, 8, "mixed")
    draw_light_shadings(1, SHA, 8, "mixed")
    assert draw_light_shadings(0, SHA, 8, "mixed") == first
    assert draw_light_shadings(1, SHA, 8, "mixed") != first
    assert draw_light_shadings(0, OTHER_SHA, 8, "mixed") != first


def test_shadings_stay_what_they_were_in_this_sampling_version() -> None:
    drawn = draw_light_shadings(0, SHA, 8, "mixed")
    assert "".join(shading[0] for shading in drawn) == "tppppppp"


def test_toon_and_phong_have_equal_chances_for_each_level_alone() -> None:
    drawn = np.array([draw_light_shadings(0, f"{n:064x}", 4, "mixed") for n in range(1000)])
    toon = drawn == "toon"
    assert set(drawn.ravel()) == {"toon", "phong"}
    assert np.abs(toon.mean(axis=0) - 0.5).max() < 0.05
    assert np.abs(np.corrcoef(toon.T) - np.eye(4)).max() < 0.1


def test_of_one_shading_there_is_nothing_to_draw() -> None:
    for shading in ("phong", "toon"):
        assert draw_light_shadings(0, SHA, 8, shading) == ()


def test_the_range_of_the_ambient_light_is_wide_where_shading_is_mixed() -> None:
    assert default_ambient("mixed") == (0.5, 1.2)
    assert default_ambient("phong") == default_ambient("toon") == (0.5, 0.5)
