"""PMD, section by section, against bytes written out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from contract.errors import FormatError
from renderer.formats.cursor import Cursor
from renderer.formats.model import (
    Append,
    Ik,
    IkLink,
    Material,
    MmdModel,
    SphereMode,
    VertexOffsets,
    WeightType,
)
from renderer.formats.pmd import parse_pmd
from tests.support.complete_models import complete_pmd
from tests.support.model_bytes import PmdBuilder, read_bytes

TOONS = tuple(f"toon{number:02d}.bmp" for number in range(1, 11))


def sjis(text: str) -> bytes:
    return text.encode("cp932")


def parse(data: bytes) -> MmdModel:
    """The model without the checks between sections, so that a test needs its own section only."""
    return parse_pmd(Cursor(data, "a.pmd"), Path("a.pmd"))


def with_display_lists(builder: PmdBuilder) -> PmdBuilder:
    """The builder behind two displayed morphs, one frame name and three displayed bones."""
    builder.to_bytes()
    builder.pack("B2H", 2, 1, 2).pack("B50s", 1, b"frame")
    return builder.pack("I", 3).pack("HBHBHB", 0, 0, 1, 1, 2, 1)


def test_texts_are_cp932_up_to_the_first_nul() -> None:
    model = parse(PmdBuilder(sjis("初音ミク") + b"\0junk", sjis("説明\n") + b"\0\xfd").to_bytes())
    assert (model.name, model.comment) == ("初音ミク", "説明\n")
    assert (model.format, model.version) == ("pmd", 1.0)


def test_a_name_cut_in_the_middle_of_a_character() -> None:
    """Twenty bytes hold nine and a half characters of two bytes after one of one byte."""
    builder = PmdBuilder().begin("bones", 1).bone(sjis("A左スカート前後左右ねじり")[:20])
    assert parse(builder.to_bytes()).bones[0].name == "A左スカート前後左右\ufffd"


def test_vertices() -> None:
    builder = PmdBuilder().begin("vertices", 4)
    builder.vertex((1, 2, 3), (4, 5), 100, 0).vertex(bones=(4, 5), weight_percent=25, no_edge=1)
    builder.vertex(bones=(7, 0xFFFF), weight_percent=0).vertex(bones=(0, 0), weight_percent=50)
    vertices = parse(builder.to_bytes()).vertices
    assert vertices.positions.tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert vertices.normals[0].tolist() == [0, 0, -1]
    assert vertices.uv[0].tolist() == [0.5, 0.25]
    assert vertices.additional_uv.shape == (4, 0, 4)
    assert set(vertices.weight_types.tolist()) == {WeightType.BDEF2}
    assert vertices.bone_indices.tolist() == [
        [4, 5, -1, -1],
        [4, 5, -1, -1],
        [7, -1, -1, -1],
        [0, 0, -1, -1],
    ]
    assert vertices.bone_weights.tolist() == [
        [1, 0, 0, 0],
        [0.25, 0.75, 0, 0],
        [0, 1, 0, 0],
        [0.5, 0.5, 0, 0],
    ]
    assert vertices.edge_scales.tolist() == [1, 0, 1, 1]
    assert len(vertices.sdef_vertices) == 0


def test_faces_are_unsigned() -> None:
    faces = parse(
        PmdBuilder().begin("face indices", 3).pack("3H", 0, 32768, 65535).to_bytes()
    ).faces
    assert faces.tolist() == [[0, 32768, 65535]]


def test_faces_that_are_not_triangles() -> None:
    with pytest.raises(FormatError, match="faces, byte 287 of 305: 2 face indices are not whole"):
        parse(PmdBuilder().begin("face indices", 2).pack("2H", 0, 0).to_bytes())


def materials_of(*fields: bytes) -> tuple[MmdModel, tuple[Material, ...]]:
    builder = PmdBuilder().begin("materials", len(fields))
    for field in fields:
        builder.material(field)
    model = parse(builder.to_bytes())
    return model, model.materials


@pytest.mark.parametrize(
    ("field", "texture", "sphere", "mode"),
    [
        (b"a.bmp", "a.bmp", "", SphereMode.NONE),
        (b"a.bmp*b.spa", "a.bmp", "b.spa", SphereMode.ADD),
        (b"b.spa*a.bmp", "a.bmp", "b.spa", SphereMode.ADD),
        (b"a.tga*b.SPH", "a.tga", "b.SPH", SphereMode.MULTIPLY),
        (b"lone.sph", "", "lone.sph", SphereMode.MULTIPLY),
        (b"lone.Spa", "", "lone.Spa", SphereMode.ADD),
        (b"*b.sph", "", "b.sph", SphereMode.MULTIPLY),
        (b"", "", "", SphereMode.NONE),
        (b"tex\\" + sjis("表.bmp"), "tex\\表.bmp", "", SphereMode.NONE),
        (b"no_suffix\0.spa", "no_suffix", "", SphereMode.NONE),
    ],
)
def test_the_texture_field(field: bytes, texture: str, sphere: str, mode: SphereMode) -> None:
    model, (material,) = materials_of(field)
    paths = dict(enumerate(model.texture_paths))
    assert paths.get(material.texture, "") == texture
    assert paths.get(material.sphere_texture, "") == sphere
    assert material.sphere_mode is mode


def test_textures_are_listed_once_after_the_ten_toons() -> None:
    model, materials = materials_of(b"a.bmp*s.sph", b"b.bmp*s.sph", b"a.bmp", b"")
    assert model.texture_paths == (*TOONS, "a.bmp", "s.sph", "b.bmp")
    assert [(m.texture, m.sphere_texture) for m in materials] == [
        (10, 11),
        (12, 11),
        (10, -1),
        (-1, -1),
    ]


def test_material_numbers_and_flags() -> None:
    builder = PmdBuilder().begin("materials", 3)
    builder.material(index_count=6, alpha=1.0, edge=1).material(index_count=3, alpha=0.5, edge=0)
    opaque, clear, empty = parse(builder.material(alpha=0.98).to_bytes()).materials
    assert opaque.diffuse == (1, 0.5, 0.25, 1)
    assert opaque.specular_power == 5
    assert opaque.specular == pytest.approx((0.1, 0.2, 0.3))
    assert opaque.ambient == pytest.approx((0.4, 0.5, 0.6))
    assert [m.double_sided for m in (opaque, clear, empty)] == [False, True, True]
    assert [m.draw_edge for m in (opaque, clear)] == [True, False]
    assert opaque.edge_color == (0, 0, 0, 1)
    assert [(m.first_index, m.index_count) for m in (opaque, clear, empty)] == [
        (0, 6),
        (6, 3),
        (9, 0),
    ]


def test_toons_of_the_file_s_own_list() -> None:
    builder = PmdBuilder().begin("materials", 4)
    for toon in (0, 1, 2, 255):
        builder.material(toon=toon)
    with_display_lists(builder).pack("B", 0).pack("100s", b"skin.bmp").pack("100s", b"TOON10.bmp")
    model = parse(builder.pack("800s", b"").to_bytes())
    assert model.texture_paths[:3] == ("skin.bmp", "TOON10.bmp", "")
    # A name of the shared ten stands for it where the folder has no such file.
    assert [(m.toon_texture, m.shared_toon) for m in model.materials] == [
        (0, -1),
        (1, 9),
        (-1, -1),
        (-1, -1),
    ]


def test_toons_of_a_file_without_a_list_are_the_shared_ten() -> None:
    builder = PmdBuilder().begin("materials", 3).material(toon=0).material(toon=9).material(toon=10)
    model = parse(builder.to_bytes())
    assert model.texture_paths == TOONS
    assert [(m.toon_texture, m.shared_toon) for m in model.materials] == [(0, 0), (9, 9), (-1, -1)]


def test_bone_types() -> None:
    names = ("rotate", "move", "ik", "three", "under ik", "follows", "hidden tip", "hidden")
    builder = PmdBuilder().begin("bones", 8)
    for kind, name in enumerate(names):
        builder.bone(name.encode(), max(kind - 1, 0) if kind else 0xFFFF, 1, kind, 2, (kind, 0, 0))
    bones = parse(builder.to_bytes()).bones
    assert [bone.name for bone in bones] == list(names)
    assert [bone.parent for bone in bones] == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert [bone.position[0] for bone in bones] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [bone.movable for bone in bones] == [False, True, True] + [False] * 5
    assert [bone.visible for bone in bones] == [True] * 6 + [False] * 2
    assert [bone.tail for bone in bones] == [1] * 8
    assert [bool(bone.append) for bone in bones] == [False] * 5 + [True] + [False] * 2
    assert {(bone.layer, bone.after_physics, bone.fixed_axis) for bone in bones} == {
        (0, False, None)
    }


def test_type_5_turns_with_the_bone_in_its_ik_field() -> None:
    """So 左目 and 右目 follow 両目."""
    builder = PmdBuilder().begin("bones", 3).bone(sjis("両目")).bone(sjis("左目"), 2, 0, 5, 0)
    bones = parse(builder.bone(sjis("右目"), 2, 0, 5, 3).to_bytes()).bones
    assert bones[1].append == Append(0, 1.0, rotation=True, translation=False, local=False)
    assert bones[2].append is None  # there is no bone 3


def test_type_9_turns_by_percent_of_its_tail() -> None:
    builder = PmdBuilder().begin("bones", 2).bone(b"arm").bone(b"twist", 0, 0, 9, 150)
    append = parse(builder.to_bytes()).bones[1].append
    assert append == Append(0, 1.5, rotation=True, translation=False, local=False)


def test_type_8_turns_about_the_line_to_its_tail() -> None:
    builder = PmdBuilder().begin("bones", 4).bone(b"root", kind=8, tail=1)
    builder.bone(b"twist", 0, 2, 8, position=(1, 0, 0)).bone(b"hand", 1, position=(4, 4, 0))
    builder.bone(b"lost", 1, 0xFFFF, 8)
    axes = [bone.fixed_axis for bone in parse(builder.to_bytes()).bones]
    assert axes[0] == (1, 0, 0)
    assert axes[1] == pytest.approx((0.6, 0.8, 0))
    assert axes[2:] == [None, None]


def test_ik_chains() -> None:
    builder = PmdBuilder().begin("bones", 4).bone(sjis("左足ＩＫ"), kind=2).bone(sjis("左ひざ"))
    builder.bone(sjis("左足")).bone(sjis("左足首")).begin("IK chains", 4)
    builder.ik(0, 3, (1, 2), 0.5).ik(0, 3, (2,), 1).ik(2, 9, (1,), 1).ik(1, 3, (9, 2), 0.25)
    bones = parse(builder.to_bytes()).bones
    knee = IkLink(1, (-math.pi, 0, 0), (-math.radians(0.5), 0, 0))
    # The limit is stored in units of 4 radians; the first chain of a bone counts.
    assert bones[0].ik == Ik(3, 40, 2.0, (knee, IkLink(2, None, None)))
    assert bones[1].ik == Ik(3, 40, 1.0, (IkLink(2, None, None),))
    assert bones[2].ik is None  # its effector does not exist


def test_morphs_point_into_the_base_morph() -> None:
    builder = PmdBuilder().begin("morphs", 3)
    builder.morph(b"base", 0, ((40000, 9, 9, 9), (7, 9, 9, 9), (5, 9, 9, 9)))
    builder.morph(sjis("まばたき"), 2, ((2, 1, 2, 3), (0, 4, 5, 6))).morph(sjis("空"), 4, ())
    blink, empty = parse(builder.to_bytes()).morphs
    assert (blink.name, blink.panel) == ("まばたき", 2)
    assert isinstance(blink.offsets, VertexOffsets)
    assert blink.offsets.vertices.tolist() == [5, 40000]
    assert blink.offsets.offsets.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert isinstance(empty.offsets, VertexOffsets)
    assert (empty.name, empty.offsets.offsets.shape) == ("空", (0, 3))


@pytest.mark.parametrize("base", [True, False])
def test_places_outside_the_base_morph_are_of_no_vertex(base: bool) -> None:
    builder = PmdBuilder().begin("morphs", 1 + base)
    if base:
        builder.morph(b"base", 0, ((7, 0, 0, 0),))
    builder.morph(sjis("あ"), 3, ((1, 1, 2, 3), (2**32 - 1, 1, 2, 3)))
    (vowel,) = parse(builder.to_bytes()).morphs
    assert isinstance(vowel.offsets, VertexOffsets)
    assert vowel.offsets.vertices.tolist() == [-1, -1]


def test_english_texts_skip_the_base_morph(tmp_path: Path) -> None:
    model = read_bytes(tmp_path, complete_pmd().to_bytes(), "complete.pmd")
    assert (model.name, model.name_english, model.comment_english) == ("模型", "model", "english")
    assert [bone.name_english for bone in model.bones] == ["head", "left eye", "twist"]
    assert [(morph.name, morph.name_english) for morph in model.morphs] == [("あ", "a")]
    assert model.skipped.display_frames == 2  # the root's frame has no name of its own
    assert (model.skipped.rigid_bodies, model.skipped.joints) == (1, 1)
    assert model.trailing_bytes == 0


def optional_ends() -> dict[str, bytes]:
    """Files that end where one of the sections that old files lack would begin."""
    ends: dict[str, bytes] = {}
    builder = PmdBuilder()
    ends["display lists"] = builder.to_bytes()
    ends["english texts"] = bytes(with_display_lists(builder).data)
    ends["toon textures"] = bytes(builder.pack("B", 0).data)
    ends["rigid bodies"] = bytes(builder.pack("1000s", b"toon").data)
    ends["joints"] = bytes(builder.pack("I", 1).rigid_body().data)
    ends["nothing"] = bytes(builder.pack("I", 1).joint().data)
    return ends


@pytest.mark.parametrize(("missing", "data"), optional_ends().items(), ids=list(optional_ends()))
def test_files_may_end_where_an_optional_section_begins(missing: str, data: bytes) -> None:
    model = parse(data)
    sections = list(optional_ends())
    present = sections.index(missing)
    assert model.trailing_bytes == 0
    assert model.skipped.display_frames == (2 if present > sections.index("display lists") else 0)
    assert model.skipped.rigid_bodies == (1 if present > sections.index("rigid bodies") else 0)
    assert model.skipped.joints == (1 if present > sections.index("joints") else 0)


def test_bytes_after_the_joints_are_counted() -> None:
    assert parse(complete_pmd().to_bytes() + b"12345").trailing_bytes == 5


@pytest.mark.parametrize(("data", "code"), [(b"PMX 2", "not-a-model"), (b"Pm", "truncated-file")])
def test_other_signatures(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as fault:
        parse(data)
    assert fault.value.code == code
