"""Faults that show only between sections, one by one; each is named with its section and record."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from contract.errors import FormatError
from tests.support.model_bytes import PmdBuilder, PmxBuilder, read_bytes

NAN, INF = math.nan, math.inf


def refusal(builder: PmxBuilder | PmdBuilder, folder: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read_bytes(folder, builder.to_bytes(), "a.pmx")
    return caught.value


def with_its_face(builder: PmxBuilder) -> PmxBuilder:
    """The one vertex of a file, used."""
    builder.begin("face indices", 3).pack("3B", 0, 0, 0)
    return builder.begin("bones", 1).plain_bone("頭")


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_vertices_that_are_not_finite(value: float, tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(0, (0, value, 0))
    fault = refusal(with_its_face(builder), tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "vertices, from byte 33 of" in str(fault)


@pytest.mark.parametrize(
    ("kind", "bones", "numbers"), [(1, 2, 1), (2, 4, 4), (3, 2, 10), (4, 4, 4)]
)
def test_weights_that_are_not_finite(kind: int, bones: int, numbers: int, tmp_path: Path) -> None:
    """The last number of each weight type; for SDEF that is of R1."""
    builder = PmxBuilder().begin("vertices", 1).vertex_head()
    builder.pack(f"B{bones}b{numbers}ff", kind, *[0] * bones, *[0.5] * (numbers - 1), NAN, 1)
    fault = refusal(with_its_face(builder), tmp_path)
    assert fault.code == "non-finite-numbers"


def test_faces_of_vertices_that_do_not_exist(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(-1).begin("face indices", 3)
    fault = refusal(builder.pack("3B", 0, 0, 1), tmp_path)
    assert fault.code == "index-out-of-range"
    assert "faces, from byte 75 of" in str(fault)
    assert "index 1 points outside the 1 that exist" in str(fault)


@pytest.mark.parametrize("bone", [1, -2])
def test_vertices_of_bones_that_do_not_exist(bone: int, tmp_path: Path) -> None:
    fault = refusal(with_its_face(PmxBuilder().begin("vertices", 1).bdef1(bone)), tmp_path)
    assert fault.code == "index-out-of-range"
    assert f"vertices, from byte 33 of 164: a bone index {bone} points" in str(fault)


@pytest.mark.parametrize("counts", [(6,), (3, 3), (-3,), (2,), (1, 2)])
def test_materials_that_do_not_fit_the_faces(counts: tuple[int, ...], tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).bdef1(-1).begin("face indices", 3)
    builder.pack("3B", 0, 0, 0).begin("materials", len(counts))
    for number, count in enumerate(counts):
        builder.material(f"面{number}", count)
    fault = refusal(builder, tmp_path)
    assert fault.code == "index-out-of-range"
    assert "materials, from byte 86 of" in str(fault)


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


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.filterwarnings("error")
def test_pmd_vertices_that_are_not_finite(value: float, tmp_path: Path) -> None:
    builder = PmdBuilder().begin("vertices", 1).vertex((value, 0, 0))
    builder.begin("face indices", 3).pack("3H", 0, 0, 0).begin("bones", 1).bone(b"b")
    fault = refusal(builder, tmp_path)
    assert fault.code == "non-finite-numbers"
    assert "a.pmx: vertices, from byte" in str(fault)
