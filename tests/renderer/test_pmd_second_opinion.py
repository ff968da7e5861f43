"""Our PMD reader against pymeshio's, field by field.

pymeshio leaves PMD's indirections as stored, so the comparison resolves them in its own way.
"""

from __future__ import annotations

import io
from operator import attrgetter
from pathlib import Path

import numpy as np
import pymeshio.pmd.reader
import pymeshio.pmd.writer
from pymeshio import pmd

from renderer.formats.model import Bone, MmdModel, VertexOffsets
from renderer.formats.read import read_model
from tests.support.compare import column, rgb, same, sound_files, xyz
from tests.support.complete_models import complete_pmd
from tests.support.model_bytes import read_bytes


def test_real_pmd_files(real_models: Path) -> None:
    for path in sound_files(real_models, ".pmd"):
        compare(read_model(path), pymeshio.pmd.reader.read_from_file(str(path)))


def test_the_complete_file_through_pymeshio_and_back(tmp_path: Path) -> None:
    """pymeshio reads our bytes, and what it writes of them reads the same."""
    data = complete_pmd().to_bytes()
    theirs = pymeshio.pmd.reader.read(io.BytesIO(data))
    compare(read_bytes(tmp_path, data, "a.pmd"), theirs)
    stream = io.BytesIO()
    pymeshio.pmd.writer.write(stream, theirs)
    compare(read_bytes(tmp_path, stream.getvalue(), "b.pmd"), theirs)


def text(raw: bytes) -> str:
    return raw.decode("cp932", errors="replace")


def none_if_missing(index: int, count: int) -> int:
    return index if index < count else -1


def compare(ours: MmdModel, theirs: pmd.Model) -> None:
    assert (ours.name, ours.comment) == (text(theirs.name), text(theirs.comment))
    assert ours.name_english == text(theirs.english_name)
    assert ours.comment_english == text(theirs.english_comment)
    compare_vertices(ours, theirs.vertices)
    same(ours.faces.ravel(), theirs.indices)
    compare_materials(ours, theirs)
    for bone, other in zip(ours.bones, theirs.bones, strict=True):
        compare_bone(bone, other, len(theirs.bones))
    compare_iks(ours, theirs)
    compare_morphs(ours, theirs.morphs)
    counts = (ours.skipped.rigid_bodies, ours.skipped.joints)
    assert counts == (len(theirs.rigidbodies), len(theirs.joints))
    assert ours.skipped.display_frames == len(theirs.bone_group_list) + 1


def compare_vertices(ours: MmdModel, theirs: list[pmd.Vertex]) -> None:
    vertices = ours.vertices
    same(vertices.positions, column(lambda v: xyz(v.pos), theirs))
    same(vertices.normals, column(lambda v: xyz(v.normal), theirs))
    same(vertices.uv, column(lambda v: (v.uv.x, v.uv.y), theirs))
    same(vertices.bone_indices[:, :2], column(attrgetter("bone0", "bone1"), theirs))
    percent = np.array(column(attrgetter("weight0"), theirs), np.float32)
    np.testing.assert_allclose(vertices.bone_weights[:, 0], percent / 100, rtol=1e-6)
    np.testing.assert_allclose(vertices.bone_weights[:, 1], 1 - percent / 100, atol=1e-6)
    same(vertices.edge_scales, column(lambda v: 1 - v.edge_flag, theirs))


def compare_materials(ours: MmdModel, theirs: pmd.Model) -> None:
    assert ours.texture_paths[:10] == tuple(map(text, theirs.toon_textures))
    paths = dict(enumerate(ours.texture_paths))
    for material, other in zip(ours.materials, theirs.materials, strict=True):
        same(material.diffuse, (*rgb(other.diffuse_color), other.alpha))
        same(material.specular, rgb(other.specular_color))
        same(material.ambient, rgb(other.ambient_color))
        same(material.specular_power, other.specular_factor)
        assert material.draw_edge == bool(other.edge_flag)
        assert material.index_count == other.vertex_count
        named = {paths.get(material.texture, ""), paths.get(material.sphere_texture, "")}
        assert named - {""} == set(text(other.texture_file).split("*")) - {""}
        assert material.toon_texture == (other.toon_index if other.toon_index != 255 else -1)


def compare_bone(ours: Bone, theirs: pmd.Bone, count: int) -> None:
    assert (ours.name, ours.name_english) == (text(theirs.name), text(theirs.english_name))
    same(ours.position, xyz(theirs.pos))
    assert ours.parent == none_if_missing(theirs.parent_index, count)
    assert ours.tail == (none_if_missing(theirs.tail_index, count) if theirs.hasChild() else -1)
    if theirs.type == theirs.ROTATE_INFL:
        assert ours.append
        assert (ours.append.bone, ours.append.ratio) == (theirs.ik_index, 1)
    elif theirs.type == theirs.TWEAK:
        assert ours.append
        assert (ours.append.bone, ours.append.ratio) == (theirs.tail_index, theirs.ik_index / 100)
    else:
        assert ours.append is None


def compare_iks(ours: MmdModel, theirs: pmd.Model) -> None:
    chains = {chain.index: chain for chain in reversed(theirs.ik_list)}
    assert {number for number, bone in enumerate(ours.bones) if bone.ik} == set(chains)
    for number, chain in chains.items():
        ik = ours.bones[number].ik
        assert ik
        assert (ik.effector, [link.bone for link in ik.links]) == (chain.target, chain.children)
        assert ik.iterations == min(chain.iterations, 255)
        same(ik.step_limit_radians, np.float32(chain.weight) * np.float32(4))
        for link in ik.links:
            is_knee = "ひざ" in text(theirs.bones[link.bone].name)
            assert (link.low_radians is not None) == is_knee


def compare_morphs(ours: MmdModel, theirs: list[pmd.Morph]) -> None:
    if not theirs:  # a prop without a face
        assert ours.morphs == ()
        return
    base, *others = theirs
    assert base.name == b"base"
    for morph, other in zip(ours.morphs, others, strict=True):
        assert (morph.name, morph.name_english) == (text(other.name), text(other.english_name))
        assert morph.panel == other.type
        assert isinstance(morph.offsets, VertexOffsets)
        same(morph.offsets.vertices, [base.indices[i] for i in other.indices])
        same(morph.offsets.offsets, column(xyz, other.pos_list))
