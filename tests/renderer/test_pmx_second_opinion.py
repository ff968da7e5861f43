"""Our PMX reader against pymeshio's, field by field, on whatever pymeshio can read and write.

It cannot read additional UVs, QDEF or the records of PMX 2.1.
"""

from __future__ import annotations

import io
from operator import attrgetter
from pathlib import Path

import numpy as np
import pymeshio.pmx.reader
import pymeshio.pmx.writer
from pymeshio import pmx
from pymeshio.common import RGB, RGBA, ParseException, Vector2, Vector3

from renderer.formats.model import (
    Bone,
    BoneOffsets,
    GroupOffsets,
    MaterialOffsets,
    MmdModel,
    Morph,
    UvOffsets,
    VertexOffsets,
)
from renderer.formats.read import read_model
from tests.support.compare import column, rgb, rgba, same, sound_files, xyz, xyzw
from tests.support.model_bytes import read_bytes

QDEF_MODELS = {"mixed-deform-types.pmx", "qdef-twist-cylinder.pmx"}


def test_real_pmx_files(real_models: Path) -> None:
    refused = set()
    for path in sound_files(real_models, ".pmx"):
        try:
            theirs = pymeshio.pmx.reader.read_from_file(str(path))
        except ParseException:
            refused.add(path.name)
            continue
        compare_pmx(read_model(path), theirs)
    assert refused == QDEF_MODELS


def test_a_pmx_file_that_pymeshio_wrote(tmp_path: Path) -> None:
    theirs = written_by_pymeshio()
    stream = io.BytesIO()
    pymeshio.pmx.writer.write(stream, theirs)
    compare_pmx(read_bytes(tmp_path, stream.getvalue()), theirs)


def written_by_pymeshio() -> pmx.Model:
    """A model of what pymeshio's PMX writer can write; numbers are exact in float32."""
    model = pmx.Model()
    model.name, model.english_name = "名前", "name"
    up, uv = Vector3(0, 1, 0), Vector2(0.25, 0.75)
    deforms = [pmx.Bdef1(1), pmx.Bdef2(0, 1, 0.25), pmx.Bdef4(0, 1, -1, -1, 0.5, 0.25, 0, 0)]
    for number, deform in enumerate(deforms):
        model.vertices.append(pmx.Vertex(Vector3(number, 2, 3), up, uv, deform, 0.5))
    model.indices = [0, 1, 2]
    model.textures = ["顔.png"]
    colours = {"alpha": 0.5, "specular_factor": 5, "specular_color": RGB(1, 0.5, 0.25)}
    model.materials = [
        pmx.Material("顔", "face", RGB(1, 0.5, 0.25), **colours, ambient_color=RGB(0.5, 0.5, 0.5),
                     flag=0x11, edge_color=RGBA(0, 0, 0, 1), edge_size=2, texture_index=0,
                     sphere_texture_index=-1, sphere_mode=0, toon_sharing_flag=1,
                     toon_texture_index=3, vertex_count=3)
    ]  # fmt: skip
    ik = pmx.Ik(0, 40, 2, [pmx.IkLink(1, 1, Vector3(-1, 0, 0), Vector3(1, 0, 0))])
    model.bones = [
        pmx.Bone("親", "parent", Vector3(0, 1, 2), -1, 0, 0x001E, tail_position=Vector3(0, 1, 0)),
        pmx.Bone("子", "child", Vector3(0, 2, 2), 0, 1, 0x1F3F, tail_index=0, effect_index=0,
                 effect_factor=0.5, fixed_axis=Vector3(0, 1, 0), local_x_vector=Vector3(1, 0, 0),
                 local_z_vector=Vector3(0, 0, 1), ik=ik),
    ]  # fmt: skip
    offset = pmx.VertexMorphOffset(2, Vector3(1, 2, 3))
    model.morphs = [pmx.Morph("あ", "a", 3, 1, [offset])]
    model.display_slots = [pmx.DisplaySlot("表情", "Exp", 1, [(1, 0), (0, 1)])]
    return model


def compare_pmx(ours: MmdModel, theirs: pmx.Model) -> None:
    texts = (ours.name, ours.name_english, ours.comment, ours.comment_english)
    assert texts == (theirs.name, theirs.english_name, theirs.comment, theirs.english_comment)
    compare_vertices(ours, theirs.vertices)
    same(ours.faces.ravel(), theirs.indices)
    assert ours.texture_paths == tuple(theirs.textures)
    compare_materials(ours, theirs.materials)
    assert len(ours.bones) == len(theirs.bones)
    for bone, other in zip(ours.bones, theirs.bones, strict=True):
        compare_bone(bone, other)
    assert len(ours.morphs) == len(theirs.morphs)
    for morph, other in zip(ours.morphs, theirs.morphs, strict=True):
        compare_morph(morph, other)
    counts = (ours.skipped.display_frames, ours.skipped.rigid_bodies, ours.skipped.joints)
    assert counts == (len(theirs.display_slots), len(theirs.rigidbodies), len(theirs.joints))


def compare_vertices(ours: MmdModel, theirs: list[pmx.Vertex]) -> None:
    vertices = ours.vertices
    same(vertices.positions, column(lambda v: xyz(v.position), theirs))
    same(vertices.normals, column(lambda v: xyz(v.normal), theirs))
    same(vertices.uv, column(lambda v: (v.uv.x, v.uv.y), theirs))
    same(vertices.edge_scales, column(attrgetter("edge_factor"), theirs))
    same(vertices.bone_indices, column(lambda v: four_bones(v.deform)[0], theirs))
    same(vertices.bone_weights, column(lambda v: four_bones(v.deform)[1], theirs))
    spherical = [v.deform for v in theirs if isinstance(v.deform, pmx.Sdef)]
    same(vertices.sdef_c, column(lambda deform: xyz(deform.sdef_c), spherical))
    same(vertices.sdef_r0, column(lambda deform: xyz(deform.sdef_r0), spherical))
    same(vertices.sdef_r1, column(lambda deform: xyz(deform.sdef_r1), spherical))


def four_bones(
    deform: pmx.Bdef1 | pmx.Bdef2 | pmx.Bdef4 | pmx.Sdef,
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Indices and weights of any of pymeshio's deforms, in the form of ours."""
    if isinstance(deform, pmx.Bdef1):
        return (deform.index0, -1, -1, -1), (1.0, 0.0, 0.0, 0.0)
    if isinstance(deform, pmx.Bdef4):
        bones = (deform.index0, deform.index1, deform.index2, deform.index3)
        return bones, (deform.weight0, deform.weight1, deform.weight2, deform.weight3)
    rest = float(np.float32(1) - np.float32(deform.weight0))
    return (deform.index0, deform.index1, -1, -1), (deform.weight0, rest, 0.0, 0.0)


def compare_materials(ours: MmdModel, theirs: list[pmx.Material]) -> None:
    for material, other in zip(ours.materials, theirs, strict=True):
        assert (material.name, material.name_english) == (other.name, other.english_name)
        same(material.diffuse, (*rgb(other.diffuse_color), other.alpha))
        same(material.specular, rgb(other.specular_color))
        same(material.ambient, rgb(other.ambient_color))
        same(material.edge_color, rgba(other.edge_color))
        same(material.specular_power, other.specular_factor)
        same(material.edge_size, other.edge_size)
        assert (material.double_sided, material.draw_edge) == (
            bool(other.flag & 0x01),
            bool(other.flag & 0x10),
        )
        assert (material.texture, material.sphere_texture) == (
            other.texture_index,
            other.sphere_texture_index,
        )
        assert material.sphere_mode == other.sphere_mode
        toon = material.shared_toon if other.toon_sharing_flag else material.toon_texture
        assert (toon, material.index_count) == (other.toon_texture_index, other.vertex_count)


def compare_bone(ours: Bone, theirs: pmx.Bone) -> None:
    assert (ours.name, ours.name_english) == (theirs.name, theirs.english_name)
    same(ours.position, xyz(theirs.position))
    assert (ours.parent, ours.layer) == (theirs.parent_index, theirs.layer)
    # Tails that are not finite occur in real files; nothing but an editor draws them.
    tail = theirs.tail_index if theirs.flag & 1 else np.nan_to_num(xyz(theirs.tail_position))
    same(ours.tail, tail)
    flags = [bool(theirs.flag & bit) for bit in (0x2, 0x4, 0x8, 0x1000)]
    assert [ours.rotatable, ours.movable, ours.visible, ours.after_physics] == flags
    assert bool(ours.append) == bool(theirs.flag & 0x300)
    if ours.append:
        same((ours.append.bone, ours.append.ratio), (theirs.effect_index, theirs.effect_factor))
        assert ours.append.rotation == theirs.getExternalRotationFlag()
        assert ours.append.translation == theirs.getExternalTranslationFlag()
    same(ours.fixed_axis or (), xyz(theirs.fixed_axis) if theirs.flag & 0x400 else ())
    assert bool(ours.ik) == bool(theirs.ik)
    if ours.ik:
        assert (ours.ik.effector, ours.ik.iterations) == (theirs.ik.target_index, theirs.ik.loop)
        same(ours.ik.step_limit_radians, theirs.ik.limit_radian)
        for link, other in zip(ours.ik.links, theirs.ik.link, strict=True):
            assert link.bone == other.bone_index
            same(link.low_radians or (), xyz(other.limit_min) if other.limit_angle else ())
            same(link.high_radians or (), xyz(other.limit_max) if other.limit_angle else ())


def compare_morph(ours: Morph, theirs: pmx.Morph) -> None:
    assert (ours.name, ours.name_english) == (theirs.name, theirs.english_name)
    assert ours.panel == theirs.panel
    offsets, others = ours.offsets, theirs.offsets
    if isinstance(offsets, VertexOffsets):
        same(offsets.vertices, column(attrgetter("vertex_index"), others))
        same(offsets.offsets, column(lambda o: xyz(o.position_offset), others))
    elif isinstance(offsets, GroupOffsets):
        same(offsets.morphs, column(attrgetter("morph_index"), others))
        same(offsets.factors, column(attrgetter("value"), others))
    elif isinstance(offsets, BoneOffsets):
        same(offsets.bones, column(attrgetter("bone_index"), others))
        same(offsets.translations, column(lambda o: xyz(o.position), others))
        same(offsets.rotations, column(lambda o: xyzw(o.rotation), others))
    elif isinstance(offsets, UvOffsets):
        same(offsets.vertices, column(attrgetter("vertex_index"), others))
        same(offsets.offsets, column(lambda o: xyzw(o.uv), others))
    else:
        assert isinstance(offsets, MaterialOffsets)
        others = theirs.data  # pymeshio lists these under another name
        same(offsets.materials, column(attrgetter("material_index"), others))
        same(offsets.diffuse, column(lambda o: rgba(o.diffuse), others))
        same(offsets.edge_size, column(attrgetter("edge_size"), others))
        same(offsets.toon_factor, column(lambda o: rgba(o.toon_texture_factor), others))
