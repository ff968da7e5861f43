"""Faults that show only between sections, one by one; each is named with its section and record."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import FormatError
from renderer.formats.model import VertexOffsets
from tests.support.model_bytes import PmdBuilder, PmxBuilder, read_bytes

NAN, INF = math.nan, math.inf


def one_vertex(indices: str = "Bbbbbb") -> PmxBuilder:
    """A vertex, a face of it and a bone are to follow one another; morphs may come after."""
    builder = PmxBuilder(2.1, indices=indices).begin("vertices", 1).bdef1(0)
    return builder.begin("bones", 1).plain_bone("頭")


def refusal(builder: PmxBuilder | PmdBuilder, folder: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read_bytes(folder, builder.to_bytes(), "a.pmx")
    return caught.value


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_vertices_that_are_not_finite(value: float, tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(0, (0, value, 0))
    fault = refusal(builder.begin("bones", 1).plain_bone("頭"), tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "vertices, from byte 33 of" in str(fault)


@pytest.mark.parametrize(
    ("kind", "bones", "numbers"), [(1, 2, 1), (2, 4, 4), (3, 2, 10), (4, 4, 4)]
)
def test_weights_that_are_not_finite(kind: int, bones: int, numbers: int, tmp_path: Path) -> None:
    """The last number of each weight type; for SDEF that is of R1."""
    builder = PmxBuilder().begin("vertices", 1).vertex_head()
    builder.pack(f"B{bones}b{numbers}ff", kind, *[0] * bones, *[0.5] * (numbers - 1), NAN, 1)
    fault = refusal(builder.begin("bones", 1).plain_bone("頭"), tmp_path)
    assert fault.code == "non-finite-numbers"


def test_stray_normals_and_texture_coordinates_become_zero(tmp_path: Path) -> None:
    builder = PmxBuilder(additional_uvs=1).begin("vertices", 1)
    builder.vertex_head((1, 2, 3), (NAN, 1, 0), (INF, 0.5), (1, -INF, 3, 4)).pack("Bbf", 0, 0, NAN)
    builder.begin("bones", 1).plain_bone("頭")
    vertices = read_bytes(tmp_path, builder.to_bytes()).vertices
    assert vertices.normals.tolist() == [[0, 1, 0]]
    assert vertices.uv.tolist() == [[0, 0.5]]
    assert vertices.additional_uv.tolist() == [[[1, 0, 3, 4]]]
    assert vertices.edge_scales.tolist() == [0]


def nan_position() -> PmxBuilder:
    return PmxBuilder().begin("bones", 1).plain_bone("頭", position=(0, NAN, 0))


def nan_append() -> PmxBuilder:
    return PmxBuilder().begin("bones", 1).bone_head("頭", 0x0101).pack("bbf", -1, 0, NAN)


def nan_axis() -> PmxBuilder:
    return PmxBuilder().begin("bones", 1).bone_head("頭", 0x0401).pack("b3f", -1, 0, NAN, 0)


def nan_ik() -> PmxBuilder:
    return PmxBuilder().begin("bones", 1).bone_head("頭", 0x0021).pack("bbifi", -1, 0, 1, INF, 0)


def nan_ik_limit() -> PmxBuilder:
    builder = PmxBuilder().begin("bones", 1).bone_head("頭", 0x0021).pack("bbifi", -1, 0, 1, 1, 1)
    return builder.pack("bB6f", 0, 1, 0, 0, 0, 0, 0, NAN)


@pytest.mark.parametrize("build", [nan_position, nan_append, nan_axis, nan_ik, nan_ik_limit])
def test_bones_that_are_not_finite(build: Callable[[], PmxBuilder], tmp_path: Path) -> None:
    fault = refusal(build(), tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "bones, from byte 49 of" in str(fault)
    assert "bone 0 '頭'" in str(fault)


def test_materials_that_are_not_finite(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("materials", 1).material("顔", 0, diffuse=(1, 1, 1, NAN))
    fault = refusal(builder, tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "materials, from byte 45 of" in str(fault)
    assert "material 0 '顔'" in str(fault)


@pytest.mark.parametrize(
    ("kind", "layout", "good"),
    [(0, "b", 1), (1, "B", 3), (2, "b", 7), (3, "B", 4), (8, "bB", 28), (9, "b", 1), (10, "bB", 6)],
)
def test_morphs_that_are_not_finite(kind: int, layout: str, good: int, tmp_path: Path) -> None:
    builder = one_vertex().begin("morphs", 2).morph_head("先", 1, 0).morph_head("動", kind, 1)
    builder.pack(layout, *[0] * len(layout)).pack(f"{good}f", *[0.0] * (good - 1), NAN)
    fault = refusal(builder.begin("rigid bodies", 1).rigid_body("剛体", 0), tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "morph 1 '動'" in str(fault)


@pytest.mark.parametrize(
    ("kind", "layout", "target", "numbers", "count"),
    [
        (0, "i", 1, 1, 1),
        (0, "i", -2, 1, 1),
        (1, "i", 1, 3, 1),
        (1, "i", -1, 3, 1),
        (2, "i", 1, 7, 1),
        (7, "i", -1, 4, 1),
        (8, "iB", 0, 28, 0),
        (9, "i", 2**31 - 1, 1, 1),
        (10, "iB", 0, 6, 0),
    ],
)
def test_morph_targets_that_do_not_exist(
    kind: int, layout: str, target: int, numbers: int, count: int, tmp_path: Path
) -> None:
    builder = one_vertex("iiiiii").begin("morphs", 1).morph_head("動", kind, 1)
    builder.pack(layout, target, *[0] * (len(layout) - 1)).pack(f"{numbers}f", *[0.0] * numbers)
    fault = refusal(builder, tmp_path)
    assert fault.code == "index-out-of-range"
    assert f"'動': index {target} points outside the {count} that exist" in str(fault)


def test_faces_of_vertices_that_do_not_exist(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(-1).begin("face indices", 3)
    fault = refusal(builder.pack("3B", 0, 0, 1), tmp_path)
    assert fault.code == "index-out-of-range"
    assert "faces, from byte 75 of" in str(fault)
    assert "index 1 points outside the 1 that exist" in str(fault)


@pytest.mark.parametrize("bone", [1, -2])
def test_vertices_of_bones_that_do_not_exist(bone: int, tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(bone).begin("bones", 1).plain_bone("頭")
    fault = refusal(builder, tmp_path)
    assert fault.code == "index-out-of-range"
    assert f"vertices, from byte 33 of 161: a bone index {bone} points" in str(fault)


@pytest.mark.parametrize("counts", [(6,), (3, 3), (-3,), (2,), (1, 2)])
def test_materials_that_do_not_fit_the_faces(counts: tuple[int, ...], tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(-1).begin("face indices", 3)
    builder.pack("3B", 0, 0, 0).begin("materials", len(counts))
    for number, count in enumerate(counts):
        builder.material(f"面{number}", count)
    fault = refusal(builder, tmp_path)
    assert fault.code == "index-out-of-range"
    assert "materials, from byte 86 of" in str(fault)


@pytest.mark.parametrize("parents", [(1, 0), (-1, 3, 1, 2)])
def test_bones_that_are_their_own_ancestors(parents: tuple[int, ...], tmp_path: Path) -> None:
    builder = PmxBuilder().begin("bones", len(parents))
    for parent in parents:
        builder.plain_bone("骨", parent)
    fault = refusal(builder, tmp_path)
    assert fault.code == "malformed-file"
    assert "'骨' is its own ancestor" in str(fault)


def test_a_bone_that_is_its_own_parent_is_a_root(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("bones", 2)
    builder.plain_bone("骨", 0)
    builder.plain_bone("骨", 0)
    assert [b.parent for b in read_bytes(tmp_path, builder.to_bytes()).bones] == [-1, 0]


def test_children_may_come_before_their_parents(tmp_path: Path) -> None:
    builder = (
        PmxBuilder().begin("bones", 3).plain_bone("子", 2).plain_bone("孫", 0).plain_bone("親")
    )
    assert [b.parent for b in read_bytes(tmp_path, builder.to_bytes()).bones] == [2, 0, -1]


def test_pmd_base_morph_outside_the_vertices(tmp_path: Path) -> None:
    for vertex, good in ((0, True), (1, False), (2**32 - 1, False)):
        builder = PmdBuilder().begin("vertices", 1).vertex().begin("bones", 1).bone(b"head")
        builder.begin("morphs", 2).morph(b"base", 0, ((vertex, 0, 0, 0),))
        builder.morph(b"a", 3, ((0, 1, 2, 3),))
        if good:
            offsets = read_bytes(tmp_path, builder.to_bytes(), "a.pmd").morphs[0].offsets
            assert isinstance(offsets, VertexOffsets)
            assert offsets.vertices.tolist() == [vertex]
        else:
            fault = refusal(builder, tmp_path)
            assert fault.code == "index-out-of-range"
            assert "morph 0 'a'" in str(fault)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.filterwarnings("error")
def test_pmd_numbers_that_are_not_finite(value: float, tmp_path: Path) -> None:
    vertex = PmdBuilder().begin("vertices", 1).vertex((value, 0, 0)).begin("bones", 1).bone(b"b")
    twist = PmdBuilder().begin("bones", 2).bone(b"twist", tail=1, kind=8, position=(value, 0, 0))
    twist.bone(b"hand", position=(value, 0, 0))
    limit = PmdBuilder().begin("bones", 1).bone(b"b").begin("IK chains", 1).ik(0, 0, (), value)
    for builder, section in ((vertex, "vertices"), (twist, "bones"), (limit, "bones")):
        fault = refusal(builder, tmp_path)
        assert fault.code == "non-finite-numbers"
        assert f"a.pmx: {section}, from byte" in str(fault)
