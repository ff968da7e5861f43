"""The whole deformer: morphs before bones, parts of a mesh, rest; and eyes of real models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.rig import MorphUse, Side
from renderer.deform.deformer import Deformer
from renderer.deform.quaternion import from_axis_angle
from renderer.formats.model import MmdModel, WeightType
from renderer.formats.read import read_model
from tests.support.hand_models import (
    QUARTER_Z,
    bone,
    bone_offsets,
    model,
    morph,
    vertex_offsets,
    vertices,
)


def test_morphs_come_before_bones() -> None:
    mesh = vertices([(1.0, 0.0, 0.0)])
    deformer = Deformer(model(mesh, [bone()], [morph("out", vertex_offsets({0: (1, 0, 0)}))]))
    posed = deformer.skin(deformer.morph([MorphUse(0, 1.0)]), {0: QUARTER_Z})
    np.testing.assert_allclose(posed.positions, [[0, 2, 0]], atol=1e-6)


def test_bone_morphs_and_given_rotations_add_up() -> None:
    mesh = vertices([(1.0, 0.0, 0.0)])
    offsets = bone_offsets(0, (0.0, 0.0, 1.0), from_axis_angle((0, 0, 1), 0.3))
    deformer = Deformer(model(mesh, [bone()], [morph("turn", offsets)]))
    given = from_axis_angle((0, 0, 1), 0.5)
    posed = deformer.skin(deformer.morph([MorphUse(0, 1.0)]), {0: given}, {0: (0.0, 0.0, 2.0)})
    np.testing.assert_allclose(posed.positions, [[np.cos(0.8), np.sin(0.8), 3]], atol=1e-6)


def test_at_rest_the_morphed_mesh_itself_comes_back() -> None:
    deformer = Deformer(model(vertices([(1.0, 2.0, 3.0)]), [bone()]))
    morphed = deformer.morph([])
    assert np.shares_memory(deformer.skin(morphed, {}).positions, morphed.positions)


def test_results_cannot_be_written_to() -> None:
    deformer = Deformer(model(vertices([(1.0, 2.0, 3.0)]), [bone()]))
    posed = deformer.skin(deformer.morph([]), {0: QUARTER_Z})
    with pytest.raises(ValueError, match="read-only"):
        posed.positions[0] = 0


def random_model() -> MmdModel:
    """Every kind of weight on a chain of bones, in a mesh of 60 vertices."""
    rng = np.random.default_rng(3)
    count = 60
    influences = [
        (tuple(rng.permutation(4).tolist()), tuple(rng.dirichlet(np.ones(4)).tolist()))
        for _ in range(count)
    ]
    points = [(float(x), float(y), float(z)) for x, y, z in rng.normal(size=(count, 3))]
    sdef = [((0.1, 0.2, 0.3), (0.0, 0.2, 0.1), (0.5, 0.0, 0.1))] * count
    mesh = vertices(points, influences, sdef=sdef)
    mesh.weight_types[:] = rng.choice([int(kind) for kind in WeightType], count)
    two = mesh.weight_types == WeightType.SDEF
    mesh.bone_weights[two, 2:] = 0
    bones = [bone((0.0, float(k), 0.0), k - 1) for k in range(4)]
    lift = vertex_offsets({k: (0.0, 0.1 * k, 0.0) for k in range(0, count, 3)})
    return model(mesh, bones, [morph("lift", lift)])


def test_a_part_of_the_mesh_is_computed_as_in_the_whole() -> None:
    whole_model = random_model()
    part = np.array([0, 3, 7, 8, 21, 33, 34, 59], np.int32)
    uses = [MorphUse(0, 0.7, Side.LEFT), MorphUse(0, 0.2)]
    rotations = {k: from_axis_angle((1.0, float(k), -0.5), 0.3 + 0.2 * k) for k in range(4)}
    meshes = [
        deformer.skin(deformer.morph(uses), rotations)
        for deformer in (Deformer(whole_model), Deformer(whole_model, part))
    ]
    np.testing.assert_allclose(meshes[1].positions, meshes[0].positions[part], atol=1e-6)
    np.testing.assert_allclose(meshes[1].normals, meshes[0].normals[part], atol=1e-6)
    assert meshes[1].additional_uv.shape == (len(part), 1, 4)


def test_an_empty_mesh_stays_empty() -> None:
    deformer = Deformer(model(vertices([]), [bone()]))
    assert deformer.skin(deformer.morph([]), {0: QUARTER_Z}).positions.shape == (0, 3)


@pytest.mark.parametrize(
    "path",
    [
        "mmdagent-ex/Gene/Gene_light.pmd",
        "mmdagent/Mei/mei_blue_jacket/mei_blue_jacket.pmd",
        "piapro/LatMiku/Normal.pmd",
        "pmcaplus/sample1/sample1.pmd",
        "vroid/TestModel/test.pmx",
    ],
)
def test_both_eyes_follow_their_common_bone(real_models: Path, path: str) -> None:
    """両目 turns 左目 and 右目 alike, and nothing of the rest of the head."""
    real = read_model(real_models / path)
    names = [b.name for b in real.bones]
    deformer = Deformer(real)
    rest = deformer.skin(deformer.morph([]), {}).positions
    turned = deformer.skin(
        deformer.morph([]), {names.index("両目"): from_axis_angle((0, 1, 0), 0.1)}
    ).positions
    weights, bones = real.vertices.bone_weights, real.vertices.bone_indices
    on_eyes = np.isin(bones, [names.index("左目"), names.index("右目")]) & (weights > 0)
    moves = np.linalg.norm(turned - rest, axis=1)
    whole = (on_eyes * weights).sum(axis=1) > 0.99
    assert (moves[whole] > 0).mean() > 0.9
    for eye in ("左目", "右目"):
        own = (bones[:, 0] == names.index(eye)) & whole
        assert moves[own].max() > 0.005
    assert moves[~on_eyes.any(axis=1)].max() == 0


def test_a_fixture_of_a_fixed_axis_turns_about_it_alone(real_models: Path) -> None:
    real = read_model(real_models / "fixtures/test_fix_axis.pmx")
    index = next(k for k, b in enumerate(real.bones) if b.fixed_axis)
    from renderer.deform.skeleton import Skeleton

    axis = np.array(real.bones[index].fixed_axis)
    transforms = Skeleton(real.bones, parents_first=False).pose(
        {index: from_axis_angle((0.3, 0.5, -0.7), 1.0)}, {}
    )
    x, y, z, _ = transforms.rotations[transforms.slots[index]]
    assert np.abs(np.cross([x, y, z], axis)).max() < 1e-9
    assert np.linalg.norm([x, y, z]) > 0.01
