"""PMX, section by section, against bytes written out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.errors import FormatError
from renderer.formats.model import (
    MmdModel,
    SphereMode,
    UvOffsets,
    VertexOffsets,
    WeightType,
)
from renderer.formats.pmx import parse_pmx
from renderer.formats.pmx_cursor import PmxCursor
from tests.support.model_bytes import PmxBuilder, read_bytes

NAMES = ("初音ミク", "Miku", "コメント\r\n二行目", "a comment")


def parse(builder: PmxBuilder) -> MmdModel:
    """The model without the checks between sections, so that a test needs its own section only."""
    return parse_pmx(PmxCursor(builder.to_bytes(), "a.pmx"), Path("a.pmx"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_texts_in_both_encodings(encoding: str) -> None:
    model = parse(PmxBuilder(2.0, encoding, names=NAMES).begin("textures", 1).text("tex\\顔.png"))
    assert (model.name, model.name_english, model.comment, model.comment_english) == NAMES
    assert model.texture_paths == ("tex\\顔.png",)
    assert (model.format, model.version) == ("pmx", 2.0)


def test_undecodable_and_nul_ended_texts_are_read() -> None:
    builder = PmxBuilder(2.0, "utf-8").begin("textures", 2)
    builder.pack("i3s", 3, b"a\xffb").pack("i4s", 4, b"ab\0\0")
    assert parse(builder).texture_paths == ("a\ufffdb", "ab")


def test_empty_sections_give_empty_arrays() -> None:
    model = parse(PmxBuilder(additional_uvs=2))
    assert model.vertices.positions.shape == (0, 3)
    assert model.vertices.additional_uv.shape == (0, 2, 4)
    assert model.faces.shape == (0, 3)


@pytest.mark.parametrize("count", range(5))
def test_additional_uvs(count: int) -> None:
    numbers = tuple(range(4 * count))
    builder = PmxBuilder(additional_uvs=count).begin("vertices", 2)
    builder.vertex_head((1, 2, 3), (4, 5, 6), (7, 8), numbers).pack("Bbf", 0, 0, 0.5)
    vertices = parse(builder.bdef1(0)).vertices
    assert vertices.positions.tolist() == [[1, 2, 3], [0, 0, 0]]
    assert vertices.normals[0].tolist() == [4, 5, 6]
    assert vertices.uv[0].tolist() == [7, 8]
    assert vertices.additional_uv.shape == (2, count, 4)
    assert vertices.additional_uv[0].ravel().tolist() == list(numbers)
    assert vertices.edge_scales.tolist() == [0.5, 1]


@pytest.mark.parametrize("bone", "bhi")
@pytest.mark.parametrize("version", [2.0, 2.1])
def test_weight_types_mixed(bone: str, version: float) -> None:
    """All five in one file, QDEF under 2.0 too: real files hold it there."""
    builder = PmxBuilder(version, indices=f"Bbb{bone}bb").begin("vertices", 6)
    builder.vertex_head((0, 0, 0)).pack(f"B2{bone}f9ff", 3, 7, -1, 0.25, *range(9), 10)
    builder.vertex_head((1, 0, 0)).pack(f"B4{bone}4ff", 4, 1, 2, 3, 4, 0.5, 0.5, 0.5, 0.5, 11)
    builder.vertex_head((2, 0, 0)).pack(f"B{bone}f", 0, 6, 12)
    builder.vertex_head((3, 0, 0)).pack(f"B4{bone}4ff", 2, 4, 3, -1, 1, 0.125, 0.25, 0, 1, 13)
    builder.vertex_head((4, 0, 0)).pack(f"B2{bone}ff", 1, 5, 2, 0.75, 14)
    builder.vertex_head((5, 0, 0)).pack(f"B2{bone}f9ff", 3, 1, 0, 1, *range(10, 19), 15)
    vertices = parse(builder).vertices
    assert vertices.positions[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    kinds = ["SDEF", "QDEF", "BDEF1", "BDEF4", "BDEF2", "SDEF"]
    assert [WeightType(kind).name for kind in vertices.weight_types] == kinds
    assert vertices.bone_indices.tolist() == [
        [7, -1, -1, -1],
        [1, 2, 3, 4],
        [6, -1, -1, -1],
        [4, 3, -1, 1],
        [5, 2, -1, -1],
        [1, 0, -1, -1],
    ]
    assert vertices.bone_weights.tolist() == [
        [0.25, 0.75, 0, 0],
        [0.5, 0.5, 0.5, 0.5],
        [1, 0, 0, 0],
        [0.125, 0.25, 0, 1],
        [0.75, 0.25, 0, 0],
        [1, 0, 0, 0],
    ]
    assert vertices.sdef_vertices.tolist() == [0, 5]
    assert vertices.sdef_c.tolist() == [[0, 1, 2], [10, 11, 12]]
    assert vertices.sdef_r0.tolist() == [[3, 4, 5], [13, 14, 15]]
    assert vertices.sdef_r1.tolist() == [[6, 7, 8], [16, 17, 18]]
    assert vertices.edge_scales.tolist() == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("letter", "values"),
    [
        ("B", (0, 127, 128, 255, 1, 2)),
        ("H", (0, 255, 32767, 32768, 65535, 1)),
        ("i", (0, 65536, 2**31 - 1, 1, 2, 3)),
    ],
)
def test_vertex_indices_are_unsigned_at_1_and_2_bytes(letter: str, values: tuple[int, ...]) -> None:
    builder = PmxBuilder(indices=f"{letter}bbbbb").begin("face indices", 6)
    builder.pack(f"6{letter}", *values).begin("morphs", 2)
    builder.morph_head("頂点", 1, 6)
    for value in values:
        builder.pack(f"{letter}3f", value, 1, 2, 3)
    builder.morph_head("UV", 3, 1).pack(f"{letter}4f", values[3], 1, 2, 3, 4)
    model = parse(builder)
    assert model.faces.ravel().tolist() == list(values)
    moved, shifted = (morph.offsets for morph in model.morphs)
    assert isinstance(moved, VertexOffsets)
    assert isinstance(shifted, UvOffsets)
    assert moved.vertices.tolist() == list(values)
    assert shifted.vertices.tolist() == [values[3]]


def test_faces_beyond_32767_of_a_whole_file(tmp_path: Path) -> None:
    """65,536 vertices are the most that 2-byte indices reach; the last is 65535, not -1."""
    builder = PmxBuilder(indices="Hbbbbb").begin("vertices", 65536)
    builder.data += PmxBuilder().bdef1(0).data[-38:] * 65536
    builder.begin("face indices", 3).pack("3H", 0, 32768, 65535)
    model = read_bytes(tmp_path, builder.begin("bones", 1).plain_bone("頭").to_bytes())
    assert model.faces.tolist() == [[0, 32768, 65535]]


def test_materials() -> None:
    builder = PmxBuilder(indices="Bhbbbb").begin("textures", 3).text("a").text("b").text("c")
    builder.begin("materials", 3)
    builder.material("顔", 6, (2, 1), 1, toon=(1, 9), flags=0x01, diffuse=(1, 0.5, 0.25, 0.125))
    builder.material("髪", 3, (-1, -1), 0, toon=(0, 0), flags=0x10)
    builder.material("服", 0, (3, -2), 3, toon=(0, 3), flags=0xFE)
    face, hair, clothes = parse(builder).materials
    assert (face.name, face.name_english) == ("顔", "顔 in english")
    assert face.diffuse == (1, 0.5, 0.25, 0.125)
    assert (face.specular, face.specular_power) == ((0.5, 0.25, 0.125), 7)
    assert face.ambient == pytest.approx((0.1, 0.2, 0.3))
    assert (face.edge_color, face.edge_size) == ((0, 0, 0.5, 1), 1.5)
    assert (face.texture, face.sphere_texture) == (2, 1)
    assert [m.sphere_mode for m in (face, hair, clothes)] == [
        SphereMode.MULTIPLY,
        SphereMode.NONE,
        SphereMode.SUB_TEXTURE,
    ]
    assert [(m.toon_texture, m.shared_toon) for m in (face, hair)] == [(-1, 9), (0, -1)]
    assert [m.double_sided for m in (face, hair, clothes)] == [True, False, False]
    assert [m.draw_edge for m in (face, hair, clothes)] == [False, True, True]
    assert [(m.first_index, m.index_count) for m in (face, hair, clothes)] == [
        (0, 6),
        (6, 3),
        (9, 0),
    ]
    # Textures that do not exist are none, as MMD treats them.
    assert (clothes.texture, clothes.sphere_texture, clothes.toon_texture) == (-1, -1, -1)


@pytest.mark.parametrize("indices", ["Bbbbbb", "Hhhhhh", "iiiiii", "Bhibhi", "Hibhib", "ibhibh"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_what_is_skipped_is_skipped_exactly(indices: str, encoding: str) -> None:
    """Were any size wrong, the count of trailing bytes would be too."""
    builder = PmxBuilder(2.1, encoding, indices=indices)
    builder.begin("display frames", 2).display_frame("Root", ((0, 1),))
    builder.display_frame("表情", ((1, 0), (0, 5), (1, 2)))
    builder.begin("rigid bodies", 2).rigid_body("一", 1).rigid_body("二", 0)
    builder.begin("joints", 1).joint("節", (0, 1)).count("soft bodies", 2)
    builder.soft_body("軟一", anchors=2, pins=3).soft_body("軟二", anchors=0, pins=0)
    model = parse(builder.pack("5s", b"after"))
    counts = model.skipped
    assert (counts.display_frames, counts.rigid_bodies) == (2, 2)
    assert (counts.joints, counts.soft_bodies) == (1, 2)
    assert model.trailing_bytes == 5


def test_bytes_after_a_2_0_file_are_counted_and_not_read() -> None:
    builder = PmxBuilder(2.0)
    data = builder.to_bytes() + b"\xff\xff\xff\x7f."
    model = parse_pmx(PmxCursor(data, "a.pmx"), Path("a.pmx"))
    assert (model.trailing_bytes, model.skipped.soft_bodies) == (5, 0)


def test_extra_globals_and_lower_case_signature_are_accepted() -> None:
    data = PmxBuilder(names=NAMES).to_bytes()
    longer = b"Pmx " + data[4:8] + b"\x0a" + data[9:17] + b"\0\0" + data[17:]
    assert parse_pmx(PmxCursor(longer, "a.pmx"), Path("a.pmx")).name == NAMES[0]


@pytest.mark.parametrize(
    ("offset", "byte", "message"),
    [
        (0, ord("X"), "header, byte 0 of"),
        (7, 0x3F, "byte 4 of 69: PMX version 0.5"),
        (8, 7, "byte 8 of 69: 7 globals"),
        (9, 2, "byte 9 of 69: the globals are impossible"),
        (10, 5, "byte 9 of 69: the globals are impossible"),
        (11, 3, "byte 9 of 69: the globals are impossible"),
        (16, 0, "byte 9 of 69: the globals are impossible"),
    ],
)
def test_impossible_headers(offset: int, byte: int, message: str) -> None:
    data = bytearray(PmxBuilder().to_bytes())
    data[offset] = byte
    with pytest.raises(FormatError, match=message):
        PmxCursor(bytes(data), "a.pmx")


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        (PmxBuilder().begin("face indices", 2).pack("2B", 0, 0), "faces, byte 37 .*2 face indices"),
        (
            PmxBuilder().begin("morphs", 1).morph_head("未知", 11, 0),
            "morphs, byte 96 .*'未知' has type 11",
        ),
    ],
)
def test_unknown_types_are_named_where_they_stand(builder: PmxBuilder, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse(builder)
