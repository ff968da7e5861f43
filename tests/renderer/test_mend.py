"""What a file has wrong without any picture needing it: read, left out, and said."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.formats.model import (
    BoneOffsets,
    GroupOffsets,
    MaterialOffsets,
    Mend,
    MmdModel,
    SphereMode,
    UvOffsets,
    VertexOffsets,
)
from tests.support.model_bytes import ORIGIN, PmdBuilder, PmxBuilder, read_bytes

NAN, INF = math.nan, math.inf


def one_vertex(indices: str = "Bbbbbb") -> PmxBuilder:
    """A vertex and a bone; morphs may come after."""
    builder = PmxBuilder(2.1, indices=indices).begin("vertices", 1).bdef1(0)
    return builder.begin("bones", 1).plain_bone("頭")


def the_mend(model: MmdModel) -> Mend:
    (mend,) = model.mends
    return mend


def test_stray_normals_and_texture_coordinates_become_zero(tmp_path: Path) -> None:
    builder = PmxBuilder(additional_uvs=1).begin("vertices", 1)
    builder.vertex_head((1, 2, 3), (NAN, 1, 0), (INF, 0.5), (1, -INF, 3, 4)).pack("Bbf", 0, 0, NAN)
    builder.begin("bones", 1).plain_bone("頭")
    model = read_bytes(tmp_path, builder.to_bytes())
    vertices = model.vertices
    assert vertices.normals.tolist() == [[0, 1, 0]]
    assert vertices.uv.tolist() == [[0, 0.5]]
    assert vertices.additional_uv.tolist() == [[[1, 0, 3, 4]]]
    assert vertices.edge_scales.tolist() == [0]
    assert "4 numbers of normals" in the_mend(model).text
    assert the_mend(model).of is None


@pytest.mark.parametrize("fault", ["place", "weight", "bone"])
def test_a_broken_vertex_that_no_face_uses_hangs_on_nothing(fault: str, tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 2).bdef1(0, (1, 2, 3))
    builder.vertex_head((NAN if fault == "place" else 4, 5, 6))
    weight, bone = NAN if fault == "weight" else 0.5, 9 if fault == "bone" else 0
    builder.pack("B2bff", 1, bone, 0, weight, 1)
    builder.begin("face indices", 3).pack("3B", 0, 0, 0).begin("bones", 1).plain_bone("頭")
    model = read_bytes(tmp_path, builder.to_bytes())
    assert model.vertices.positions.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert model.vertices.bone_indices.tolist() == [[0, -1, -1, -1], [-1] * 4]
    assert model.vertices.bone_weights.tolist() == [[1, 0, 0, 0], [0] * 4]
    assert "1 that no face uses" in the_mend(model).text


def test_a_bone_that_does_not_exist_at_weight_0_is_none(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("vertices", 1).vertex_head()
    builder.pack("B2bff", 1, 0, 9, 1, 1).begin("face indices", 3).pack("3B", 0, 0, 0)
    model = read_bytes(tmp_path, builder.begin("bones", 1).plain_bone("頭").to_bytes())
    assert model.vertices.bone_indices.tolist() == [[0, -1, -1, -1]]


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


@pytest.mark.parametrize(
    ("build", "needed_as", "text"),
    [
        (nan_position, ("joint", 0), "numbers that are not finite"),
        (nan_append, ("bone", 0), "numbers that are not finite"),
        (nan_axis, None, "its fixed axis of numbers"),
        (nan_ik, None, "its IK of numbers"),
        (nan_ik_limit, None, "its IK limits of numbers"),
    ],
)
def test_bones_that_are_not_finite(
    build: Callable[[], PmxBuilder],
    needed_as: tuple[str, int] | None,
    text: str,
    tmp_path: Path,
) -> None:
    model = read_bytes(tmp_path, build().to_bytes())
    (bone,) = model.bones
    assert (bone.position, bone.append, bone.fixed_axis) == (ORIGIN, None, None)
    assert bone.ik is None or bone.ik.links[0].low_radians is None
    mend = the_mend(model)
    assert (mend.of, mend.code) == (needed_as, "non-finite-numbers")
    assert mend.text.startswith("bone 0 '頭': ")
    assert text in mend.text


@pytest.mark.parametrize(
    ("parents", "roots", "looping"),
    [
        ((1, 0), {0, 1}, {0, 1}),
        ((-1, 3, 1, 2), {0, 1, 2, 3}, {1, 2, 3}),
        ((1, 2, 1), {1, 2}, {1, 2}),
    ],
)
def test_a_loop_of_bones_is_taken_apart(
    parents: tuple[int, ...], roots: set[int], looping: set[int], tmp_path: Path
) -> None:
    builder = PmxBuilder().begin("bones", len(parents))
    for parent in parents:
        builder.plain_bone("骨", parent)
    model = read_bytes(tmp_path, builder.to_bytes())
    assert {k for k, bone in enumerate(model.bones) if bone.parent < 0} == roots
    assert {mend.of for mend in model.mends} == {("bone", k) for k in looping}
    assert "it is its own ancestor" in model.mends[0].text


def test_an_outline_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    data = PmxBuilder().begin("materials", 1).material("顔", 0, flags=0x10).to_bytes()
    size = data.index(struct.pack("<f", 1.5))
    model = read_bytes(tmp_path, data[:size] + struct.pack("<f", NAN) + data[size + 4 :])
    (material,) = model.materials
    assert (material.draw_edge, material.edge_size) == (False, 0)
    assert the_mend(model).of is None
    assert "material 0 '顔': its outline" in the_mend(model).text


def test_other_colours_that_are_not_finite_may_be_needed(tmp_path: Path) -> None:
    builder = PmxBuilder().begin("materials", 1).material("顔", 0, diffuse=(1, 1, 1, NAN))
    model = read_bytes(tmp_path, builder.to_bytes())
    assert model.materials[0].diffuse == (1, 1, 1, 0)
    assert (the_mend(model).of, the_mend(model).code) == (("material", 0), "non-finite-numbers")


@pytest.mark.parametrize("index", "bhi")
@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize(("which", "mode"), [("sphere", 4), ("toon", 2), ("toon", 255)])
def test_modes_that_do_not_exist_are_none(
    which: str, mode: int, shared: int, index: str, tmp_path: Path
) -> None:
    """The toon after an unknown mode is as long as makes sense of what follows."""
    builder = PmxBuilder(indices=f"B{index}bbbb").begin("vertices", 1).bdef1(-1)
    builder.begin("face indices", 3).pack("3B", 0, 0, 0).begin("textures", 1).text("a.png")
    builder.begin("materials", 2).material("顔", 0, (0, 0), sphere_mode=2, toon=(shared, 0))
    memo_and_count = 4 + 2 * len("a memo") + 4
    toon = 1 if shared else struct.calcsize(index)
    modes = len(builder.data) - memo_and_count - toon - 2
    data = bytearray(builder.material("髪", 3, (0, 0), toon=(1, 3)).to_bytes())
    assert data[modes : modes + 2] == bytes([2, shared])
    data[modes + (which == "toon")] = mode
    model = read_bytes(tmp_path, bytes(data))
    mended, whole = model.materials
    assert f"{which} mode {mode}" in the_mend(model).text
    if which == "sphere":
        assert mended.sphere_mode is SphereMode.NONE
    else:
        assert (mended.toon_texture, mended.shared_toon) == (-1, -1)
    assert (whole.name, whole.shared_toon, whole.index_count) == ("髪", 3, 3)


@pytest.mark.parametrize("byte", [0, ord("x"), 0xFF])
def test_the_last_byte_of_the_signature_is_a_lock_that_keeps_nobody_out(
    byte: int, tmp_path: Path
) -> None:
    data = bytearray(one_vertex().to_bytes())
    data[3] = byte
    model = read_bytes(tmp_path, bytes(data))
    assert len(model.vertices) == 1
    assert f"byte {byte}" in the_mend(model).text


@pytest.mark.parametrize("rest", [b"\0", b"made with love", b"\xff" * 60])
@pytest.mark.parametrize("version", [2.0, 2.1])
def test_what_follows_the_end_is_passed_over(version: float, rest: bytes, tmp_path: Path) -> None:
    model = read_bytes(tmp_path, PmxBuilder(version).to_bytes() + rest)
    assert model.trailing_bytes == len(rest)
    assert [mend.of for mend in model.mends] == [None] * (version > 2)


MORPH_KINDS = [
    (0, "b", 1),
    (1, "B", 3),
    (2, "b", 7),
    (3, "B", 4),
    (8, "bB", 28),
    (9, "b", 1),
]


@pytest.mark.parametrize(("kind", "layout", "numbers"), MORPH_KINDS)
@pytest.mark.parametrize("fault", ["nowhere", "not finite"])
def test_entries_of_morphs_that_cannot_be_used_are_left_out(
    kind: int, layout: str, numbers: int, fault: str, tmp_path: Path
) -> None:
    """The second of three entries is at fault; the others stay."""
    sound = -1 if kind == 8 else 0  # all materials
    builder = one_vertex().begin("morphs", 2).morph_head("先", 1, 0).morph_head("動", kind, 3)
    for entry in range(3):
        wrong = entry == 1
        target = 99 if wrong and fault == "nowhere" else sound
        last = NAN if wrong and fault == "not finite" else float(entry)
        builder.pack(layout, target, *[0] * (len(layout) - 1))
        builder.pack(f"{numbers}f", *[0.0] * (numbers - 1), last)
    model = read_bytes(tmp_path, builder.to_bytes())
    mend = the_mend(model)
    code = "index-out-of-range" if fault == "nowhere" else "non-finite-numbers"
    assert (mend.of, mend.code) == (("morph", 1), code)
    assert mend.text.startswith("morph 1 '動': 1 of 3 entries")
    match model.morphs[1].offsets:
        case GroupOffsets(morphs, factors):  # places count in flip morphs
            assert (morphs.tolist(), factors.tolist()) == ([0, -1, 0], [0, 0, 2])
        case VertexOffsets(vertices, offsets) | UvOffsets(_, vertices, offsets):
            assert (vertices.tolist(), offsets[:, -1].tolist()) == ([0, 0], [0, 2])
        case BoneOffsets(bones, _, rotations):
            assert (bones.tolist(), rotations[:, -1].tolist()) == ([0, 0], [0, 2])
        case MaterialOffsets() as offsets:
            assert offsets.materials.tolist() == [-1, -1]
            assert offsets.toon_factor[:, -1].tolist() == [0, 2]


def test_pmd_morphs_outside_the_base_morph_or_the_vertices(tmp_path: Path) -> None:
    for base, place, kept in ((0, 0, [0]), (0, 1, []), (1, 0, []), (2**32 - 1, 0, [])):
        builder = PmdBuilder().begin("vertices", 1).vertex().begin("bones", 1).bone(b"head")
        builder.begin("morphs", 2).morph(b"base", 0, ((base, 0, 0, 0),))
        builder.morph(b"a", 3, ((place, 1, 2, 3),))
        model = read_bytes(tmp_path, builder.to_bytes(), "a.pmd")
        offsets = model.morphs[0].offsets
        assert isinstance(offsets, VertexOffsets)
        assert offsets.vertices.tolist() == kept
        assert len(offsets.offsets) == len(kept)
        assert [mend.of for mend in model.mends] == [("morph", 0)] * (not kept)


@pytest.mark.parametrize(("letter", "count"), [("b", 130), ("h", 130)])
def test_small_indices_taken_for_unsigned(letter: str, count: int, tmp_path: Path) -> None:
    """Beyond 127 morphs or bones a byte below -1 means the one of its bits; two bytes never do."""
    builder = PmxBuilder(indices=f"Bbb{letter}{letter}b").begin("vertices", 1)
    builder.bdef1(-127).begin("bones", count)
    for _ in range(count - 1):
        builder.plain_bone("骨")
    builder.plain_bone("末", -128).begin("morphs", count).morph_head("群", 0, 1)
    builder.pack(f"{letter}f", -127, 0.5).morph_head("骨", 2, 1)
    builder.pack(f"{letter}7f", -127, *[0.0] * 7)
    for _ in range(count - 2):
        builder.morph_head("空", 1, 0)
    model = read_bytes(tmp_path, builder.to_bytes())
    group, bone = (model.morphs[k].offsets for k in range(2))
    assert isinstance(group, GroupOffsets)
    assert isinstance(bone, BoneOffsets)
    if letter == "b":
        assert (group.morphs.tolist(), bone.bones.tolist()) == ([129], [129])
        assert model.vertices.bone_indices[0, 0] == 129
        assert model.bones[-1].parent == 128
        assert model.mends == ()
    else:
        assert (group.morphs.tolist(), bone.bones.tolist()) == ([-1], [])
        assert model.bones[-1].parent == -1
