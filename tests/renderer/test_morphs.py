"""Morphs: groups, flips, loops, sides, and every kind of offset, on a few vertices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contract.rig import MorphUse, Side
from renderer.deform.deformer import Deformer
from renderer.deform.quaternion import multiply
from renderer.formats.model import MaterialOffsets, MmdModel, Morph
from tests.support.hand_models import (
    HALF,
    QUARTER_X,
    QUARTER_Y,
    bone,
    bone_offsets,
    group,
    material,
    model,
    morph,
    uv_offsets,
    vertex_offsets,
    vertices,
)


def morphed_model(*morphs: Morph) -> MmdModel:
    """Vertices at x = -1, 0 and 1."""
    mesh = vertices([(-1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)])
    return model(mesh, [bone()], morphs)


def moved_y(deformer: Deformer, *uses: MorphUse) -> list[float]:
    return [float(y) for y in deformer.morph(uses).positions[:, 1]]


UP = vertex_offsets({0: (0, 1, 0), 2: (0, 2, 0)})


def test_vertex_morph_adds_its_offsets_times_the_weight() -> None:
    deformer = Deformer(morphed_model(morph("up", UP)))
    assert moved_y(deformer, MorphUse(0, 0.5)) == [0.5, 0, 1]
    assert moved_y(deformer, MorphUse(0, 0.5), MorphUse(0, 0.25)) == [0.75, 0, 1.5]


def test_a_vertex_named_twice_gets_both_offsets() -> None:
    offsets = replace(UP, vertices=np.array([2, 2], np.int32))
    assert moved_y(Deformer(morphed_model(morph("up", offsets))), MorphUse(0, 1)) == [0, 0, 3]


def test_morphing_leaves_the_model_and_earlier_results_alone() -> None:
    deformer = Deformer(morphed_model(morph("up", UP)))
    first = deformer.morph([MorphUse(0, 1)])
    deformer.morph([MorphUse(0, 0.5)])
    assert first.positions[2, 1] == 2
    assert moved_y(deformer) == [0, 0, 0]


def test_nested_groups_multiply_their_factors() -> None:
    deformer = Deformer(
        morphed_model(
            morph("outer", group([(1, 0.5), (2, 0.25)])),
            morph("inner", group([(2, 0.5)])),
            morph("up", UP),
        )
    )
    assert moved_y(deformer, MorphUse(0, 1)) == [0.5, 0, 1]


def test_a_group_may_name_a_group_that_stands_before_it() -> None:
    deformer = Deformer(
        morphed_model(
            morph("inner", group([(2, 0.5)])),
            morph("outer", group([(0, 0.5)])),
            morph("up", UP),
        )
    )
    assert moved_y(deformer, MorphUse(1, 1)) == [0.25, 0, 0.5]


def test_the_entry_that_closes_a_loop_of_groups_is_ignored() -> None:
    deformer = Deformer(
        morphed_model(
            morph("a", group([(0, 1.0), (1, 1.0)])),
            morph("b", group([(0, 1.0), (2, 1.0)])),
            morph("up", UP),
        )
    )
    assert moved_y(deformer, MorphUse(0, 1)) == [1, 0, 2]
    assert moved_y(deformer, MorphUse(1, 1)) == [1, 0, 2]


def test_groups_that_double_at_each_level_are_resolved_in_linear_time() -> None:
    levels = [morph(f"{k}", group([(k + 1, 0.5), (k + 1, 0.5)])) for k in range(60)]
    deformer = Deformer(morphed_model(*levels, morph("up", UP)))
    assert moved_y(deformer, MorphUse(0, 1)) == [1, 0, 2]


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.0, 0), (0.3, 0), (0.34, 1), (0.6, 1), (0.7, 10), (1.0, 10)]
)
def test_a_flip_morph_shows_one_of_its_entries_at_its_own_weight(
    weight: float, expected: float
) -> None:
    deformer = Deformer(
        morphed_model(
            morph("flip", group([(1, 1.0), (2, 5.0)], flip=True)),
            morph("one", vertex_offsets({1: (0, 1, 0)})),
            morph("two", vertex_offsets({1: (0, 2, 0)})),
        )
    )
    assert moved_y(deformer, MorphUse(0, weight))[1] == expected


def test_a_side_takes_its_share_and_both_sides_make_the_whole() -> None:
    everywhere = vertex_offsets({0: (0, 2, 0), 1: (0, 2, 0), 2: (0, 2, 0)})
    deformer = Deformer(morphed_model(morph("up", everywhere)), split_half_width=0.5)
    left, right = MorphUse(0, 1.0, Side.LEFT), MorphUse(0, 1.0, Side.RIGHT)
    assert moved_y(deformer, left) == [0, 1, 2]
    assert moved_y(deformer, right) == [2, 1, 0]
    assert moved_y(deformer, left, right) == [2, 2, 2]


def test_sides_blend_smoothly_across_the_split() -> None:
    x = np.linspace(-1, 1, 41)
    mesh = vertices([(float(value), 0.0, 0.0) for value in x])
    lift = vertex_offsets(dict.fromkeys(range(len(x)), (0.0, 1.0, 0.0)))
    split = model(mesh, [bone()], [morph("up", lift)])
    deformer = Deformer(split, split_x=0.2, split_half_width=0.4)
    share = np.array(moved_y(deformer, MorphUse(0, 1.0, Side.LEFT)))
    assert (np.diff(share) >= 0).all()
    assert (share[x < -0.2] == 0).all() and (share[x > 0.601] == 1).all()
    assert share[np.isclose(x, 0.2)] == pytest.approx(0.5)
    assert np.diff(share).max() < 0.1


def test_groups_hand_sides_on() -> None:
    deformer = Deformer(morphed_model(morph("group", group([(1, 0.5)])), morph("up", UP)))
    assert moved_y(deformer, MorphUse(0, 1.0, Side.LEFT)) == [0, 0, 1]


def test_uv_morphs_reach_uv_and_additional_uv() -> None:
    deformer = Deformer(
        morphed_model(
            morph("uv", uv_offsets(0, {1: (0.5, 0.25, 9, 9)})),
            morph("uv1", uv_offsets(1, {2: (1, 2, 3, 4)})),
            morph("uv4", uv_offsets(4, {2: (1, 2, 3, 4)})),
        )
    )
    mesh = deformer.morph([MorphUse(0, 1), MorphUse(1, 0.5), MorphUse(2, 1)])
    assert mesh.uv.tolist() == [[0, 0], [0.5, 0.25], [0, 0]]
    assert mesh.additional_uv[2, 0].tolist() == [0.5, 1, 1.5, 2]
    assert deformer.morph([]).uv.any() == np.False_


def test_bone_morphs_turn_and_move_bones_by_their_weight() -> None:
    offsets = bone_offsets(0, (0.0, 2.0, 0.0), QUARTER_Y)
    deformer = Deformer(morphed_model(morph("turn", offsets)))
    half = deformer.morph([MorphUse(0, 0.5)])
    assert half.bone_translations == {0: (0, 1, 0)}
    angle = 2 * np.arctan2(half.bone_rotations[0][1], half.bone_rotations[0][3])
    assert angle == pytest.approx(np.pi / 4)
    posed = deformer.skin(half, {})
    np.testing.assert_allclose(posed.positions[2], [HALF, 1, -HALF], atol=1e-6)


def test_bone_morphs_of_one_bone_multiply_in_the_order_of_the_file() -> None:
    """Neither the last nor a mean: x to z about y, then z to -y about x."""
    deformer = Deformer(
        morphed_model(
            morph("turn", bone_offsets(0, (0.0, 0.0, 1.0), QUARTER_Y)),
            morph("nod", bone_offsets(0, (0.0, 2.0, 0.0), QUARTER_X)),
        )
    )
    for uses in ([MorphUse(0, 1), MorphUse(1, 1)], [MorphUse(1, 1), MorphUse(0, 1)]):
        both = deformer.morph(uses)
        np.testing.assert_allclose(both.bone_rotations[0], multiply(QUARTER_X, QUARTER_Y))
        assert both.bone_translations == {0: (0, 2, 1)}


def test_a_side_takes_a_bone_morph_by_the_side_of_the_bone() -> None:
    bones = [bone((1.0, 0.0, 0.0)), bone((-1.0, 0.0, 0.0))]
    both = [bone_offsets(k, (0.0, 1.0, 0.0), (0, 0, 0, 1)) for k in (0, 1)]
    offsets = replace(
        both[0],
        bones=np.array([0, 1], np.int32),
        translations=np.concatenate([b.translations for b in both]),
        rotations=np.concatenate([b.rotations for b in both]),
    )
    mesh = vertices([(1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)], [((0,), (1.0,)), ((1,), (1.0,))])
    deformer = Deformer(model(mesh, bones, [morph("blink", offsets)]))
    posed = deformer.skin(deformer.morph([MorphUse(0, 1.0, Side.LEFT)]), {})
    assert posed.positions[:, 1].tolist() == [1, 0]


def changes(*records: tuple[int, bool, float]) -> MaterialOffsets:
    """Records (material, additive, value), the value in every field."""
    count = len(records)
    value = np.array([v for _, _, v in records], np.float32)

    def filled(width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.tile(value[:, None], (1, width))

    return MaterialOffsets(
        materials=np.array([m for m, _, _ in records], np.int32),
        additive=np.array([a for _, a, _ in records], np.bool_).reshape(count),
        diffuse=filled(4),
        specular=filled(3),
        specular_power=value,
        ambient=filled(3),
        edge_color=filled(4),
        edge_size=value,
        texture_factor=filled(4),
        sphere_factor=filled(4),
        toon_factor=filled(4),
    )


def material_deformer(*morphs: MaterialOffsets, alpha: float = 1.0) -> Deformer:
    mesh = vertices([(0.0, 0.0, 0.0)])
    named = [morph("m", offsets) for offsets in morphs]
    return Deformer(model(mesh, [bone()], named, [material(alpha), material(alpha)]))


def test_unmorphed_materials_are_the_files() -> None:
    states = material_deformer().morph([]).materials
    np.testing.assert_allclose(states.diffuse, [[0.5, 0.5, 0.5, 1]] * 2)
    assert states.specular_power.tolist() == [5, 5]
    assert (states.texture_multiply == 1).all() and (states.texture_add == 0).all()


def test_multiplying_goes_toward_the_product_and_spares_other_materials() -> None:
    deformer = material_deformer(changes((1, False, 0.0)))
    states = deformer.morph([MorphUse(0, 0.25)]).materials
    np.testing.assert_allclose(states.diffuse[:, 0], [0.5, 0.375])
    np.testing.assert_allclose(states.texture_multiply[:, 0], [1, 0.75])
    np.testing.assert_allclose(states.edge_size, [1, 0.75])


def test_all_multiplications_come_before_all_additions() -> None:
    deformer = material_deformer(changes((0, True, 1.0)), changes((0, False, 0.5)))
    states = deformer.morph([MorphUse(0, 1), MorphUse(1, 1)]).materials
    np.testing.assert_allclose(states.diffuse[0, :3], 0.5 * 0.5 + 1.0)
    np.testing.assert_allclose(states.toon_multiply[0], 0.5)
    np.testing.assert_allclose(states.toon_add[0], 1.0)


def test_material_minus_one_means_all_and_repeats_add_up() -> None:
    deformer = material_deformer(changes((-1, False, 0.5), (0, False, 0.5), (-1, True, 0.1)))
    states = deformer.morph([MorphUse(0, 1)]).materials
    np.testing.assert_allclose(states.specular_power, [5 * 0.25 + 0.1, 5 * 0.5 + 0.1], rtol=1e-6)


def test_a_hidden_material_reappears_when_alpha_is_added() -> None:
    deformer = material_deformer(changes((0, True, 1.0)), alpha=0.0)
    assert deformer.morph([]).materials.diffuse[0, 3] == 0
    assert deformer.morph([MorphUse(0, 1)]).materials.diffuse[0, 3] == 1
