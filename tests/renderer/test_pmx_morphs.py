"""Every type of PMX morph against bytes written out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.formats.model import (
    BoneOffsets,
    GroupOffsets,
    ImpulseOffsets,
    MaterialOffsets,
    MorphOffsets,
    UvOffsets,
    VertexOffsets,
)
from renderer.formats.pmx import parse_pmx
from renderer.formats.pmx_cursor import PmxCursor
from tests.support.model_bytes import PmxBuilder


def morph_offsets(builder: PmxBuilder) -> MorphOffsets:
    """Of the first morph, without the checks between sections."""
    cursor = PmxCursor(builder.to_bytes(), "a.pmx")
    return parse_pmx(cursor, Path("a.pmx")).morphs[0].offsets


@pytest.mark.parametrize("letter", "bhi")
@pytest.mark.parametrize(("kind", "flip"), [(0, False), (9, True)])
def test_group_and_flip_morphs(letter: str, kind: int, flip: bool) -> None:
    builder = PmxBuilder(2.1, indices=f"Bbbb{letter}b").begin("morphs", 1).morph_head("群", kind, 2)
    offsets = morph_offsets(builder.pack(f"{letter}f", -1, 0.5).pack(f"{letter}f", 100, -2))
    assert isinstance(offsets, GroupOffsets)
    assert (offsets.morphs.tolist(), offsets.factors.tolist()) == ([-1, 100], [0.5, -2])
    assert offsets.flip is flip


def test_a_vertex_morph_with_its_names_and_panel() -> None:
    builder = PmxBuilder().begin("morphs", 2).morph_head("あ", 1, 2, panel=3)
    builder.pack("B3f", 200, 1, 2, 3).pack("B3f", 3, -1, -2, -3).morph_head("空", 1, 0, panel=2)
    vowel, empty = parse_pmx(PmxCursor(builder.to_bytes(), "a.pmx"), Path("a.pmx")).morphs
    assert (vowel.name, vowel.name_english, vowel.panel) == ("あ", "あ in english", 3)
    assert isinstance(vowel.offsets, VertexOffsets)
    assert vowel.offsets.vertices.tolist() == [200, 3]
    assert vowel.offsets.offsets.tolist() == [[1, 2, 3], [-1, -2, -3]]
    assert isinstance(empty.offsets, VertexOffsets)
    assert empty.offsets.offsets.shape == (0, 3)


@pytest.mark.parametrize("letter", "bhi")
def test_a_bone_morph(letter: str) -> None:
    builder = PmxBuilder(indices=f"Bbb{letter}bb").begin("morphs", 1).morph_head("骨", 2, 1)
    offsets = morph_offsets(builder.pack(f"{letter}3f4f", 5, 1, 2, 3, 0.5, 0.25, 0.125, 1))
    assert isinstance(offsets, BoneOffsets)
    assert offsets.bones.tolist() == [5]
    assert offsets.translations.tolist() == [[1, 2, 3]]
    assert offsets.rotations.tolist() == [[0.5, 0.25, 0.125, 1]]


@pytest.mark.parametrize("channel", range(5))
def test_uv_morphs(channel: int) -> None:
    builder = PmxBuilder().begin("morphs", 1).morph_head("UV", 3 + channel, 1)
    offsets = morph_offsets(builder.pack("B4f", 9, 1, 2, 3, 4))
    assert isinstance(offsets, UvOffsets)
    assert offsets.channel == channel
    assert (offsets.vertices.tolist(), offsets.offsets.tolist()) == ([9], [[1, 2, 3, 4]])


@pytest.mark.parametrize("letter", "bhi")
def test_a_material_morph(letter: str) -> None:
    builder = PmxBuilder(indices=f"Bb{letter}bbb").begin("morphs", 1).morph_head("材質", 8, 2)
    builder.pack(f"{letter}B28f", -1, 1, *range(28)).pack(f"{letter}B28f", 4, 0, *[1] * 28)
    offsets = morph_offsets(builder)
    assert isinstance(offsets, MaterialOffsets)
    assert (offsets.materials.tolist(), offsets.additive.tolist()) == ([-1, 4], [True, False])
    assert offsets.diffuse[0].tolist() == [0, 1, 2, 3]
    assert offsets.specular[0].tolist() == [4, 5, 6]
    assert offsets.specular_power.tolist() == [7, 1]
    assert offsets.ambient[0].tolist() == [8, 9, 10]
    assert offsets.edge_color[0].tolist() == [11, 12, 13, 14]
    assert offsets.edge_size.tolist() == [15, 1]
    assert offsets.texture_factor[0].tolist() == [16, 17, 18, 19]
    assert offsets.sphere_factor[0].tolist() == [20, 21, 22, 23]
    assert offsets.toon_factor[0].tolist() == [24, 25, 26, 27]


@pytest.mark.parametrize("letter", "bhi")
def test_an_impulse_morph(letter: str) -> None:
    builder = PmxBuilder(2.1, indices=f"Bbbbb{letter}").begin("morphs", 1)
    builder.morph_head("衝撃", 10, 1).pack(f"{letter}B6f", 2, 1, *range(6))
    offsets = morph_offsets(builder)
    assert isinstance(offsets, ImpulseOffsets)
    assert (offsets.rigid_bodies.tolist(), offsets.local.tolist()) == ([2], [True])
    assert offsets.velocities.tolist() == [[0, 1, 2]]
    assert offsets.torques.tolist() == [[3, 4, 5]]
