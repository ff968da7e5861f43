"""Every field of a PMX bone against bytes written out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.formats.model import Append, Bone, Ik, IkLink
from renderer.formats.pmx import parse_pmx
from renderer.formats.pmx_cursor import PmxCursor
from tests.support.model_bytes import PmxBuilder


def bones_of(builder: PmxBuilder) -> tuple[Bone, ...]:
    """Without the checks between sections."""
    return parse_pmx(PmxCursor(builder.to_bytes(), "a.pmx"), Path("a.pmx")).bones


@pytest.mark.parametrize("index", "bhi")
def test_a_bone_with_everything(index: str) -> None:
    builder = PmxBuilder(indices=f"Bbb{index}bb").begin("bones", 3)
    # All flags but the one that makes the tail a bone; optional fields in the file's order.
    builder.bone_head("全部", 0x3FBE, 2, (1, 2, 3), layer=4).pack("3f", 4, 5, 6)
    builder.pack(f"{index}f", 1, -0.5).pack("3f", 0, 0, 1).pack("6f", 1, 0, 0, 0, 1, 0)
    builder.pack("i", 77).pack(f"{index}ifi", 2, 40, 0.5, 2)
    builder.pack(f"{index}B", 1, 0).pack(f"{index}B6f", 2, 1, -1, -2, -3, 1, 2, 3)
    builder.bone_head("尾", 0x0001).pack(index, 0)
    builder.bone_head("無", 0x0000).pack("3f", 0, 1, 0)
    everything, tailed, nothing = bones_of(builder)
    assert (everything.name, everything.name_english) == ("全部", "全部 in english")
    assert (everything.position, everything.parent, everything.layer) == ((1, 2, 3), 2, 4)
    assert everything.tail == (4, 5, 6)
    assert everything.rotatable
    assert everything.movable
    assert everything.visible
    assert everything.after_physics
    assert everything.append == Append(1, -0.5, rotation=True, translation=True, local=True)
    assert everything.fixed_axis == (0, 0, 1)
    assert everything.local_axes == ((1, 0, 0), (0, 1, 0))
    assert everything.external_parent == 77
    assert everything.ik == Ik(
        2, 40, 0.5, (IkLink(1, None, None), IkLink(2, (-1, -2, -3), (1, 2, 3)))
    )
    assert tailed.tail == 0
    assert not (nothing.rotatable or nothing.movable or nothing.visible or nothing.after_physics)
    assert (nothing.parent, nothing.append, nothing.fixed_axis) == (-1, None, None)
    assert (nothing.local_axes, nothing.external_parent, nothing.ik) == (None, None, None)


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        (0x0002, "rotatable"),
        (0x0004, "movable"),
        (0x0008, "visible"),
        (0x0010, None),  # "may be edited": ours to ignore
        (0x1000, "after_physics"),
    ],
)
def test_each_plain_bone_flag_says_one_thing(flag: int, name: str | None) -> None:
    builder = PmxBuilder().begin("bones", 1).bone_head("骨", 0x0001 | flag).pack("b", -1)
    bone = bones_of(builder)[0]
    names = ("rotatable", "movable", "visible", "after_physics")
    assert [field for field in names if getattr(bone, field)] == ([name] if name else [])


@pytest.mark.parametrize(
    ("flag", "rotation", "translation"),
    [(0x0100, True, False), (0x0200, False, True), (0x0300, True, True)],
)
def test_append_flags(flag: int, rotation: bool, translation: bool) -> None:
    builder = PmxBuilder().begin("bones", 1).bone_head("目", 0x1 | flag).pack("bbf", -1, 0, 2)
    append = bones_of(builder)[0].append
    assert append == Append(0, 2, rotation=rotation, translation=translation, local=False)


def test_bone_references_to_nothing_become_none() -> None:
    builder = PmxBuilder().begin("bones", 2)
    builder.bone_head("先", 0x0121, parent=2).pack("b", 9).pack("bf", 5, 1)
    builder.pack("bifi", 0, 2**31 - 1, 1, 2).pack("bB", 3, 0).pack("bB", 1, 0)
    builder.bone_head("元", 0x0420).pack("3f", *[float("nan")] * 3).pack("3f", 0, 0, 0)
    builder.pack("bifi", 2, 40, 1, 0)
    first, second = bones_of(builder)
    assert (first.parent, first.tail, first.append) == (-1, -1, None)
    # MMD stops at 255 iterations; a file may claim any number.
    assert first.ik == Ik(0, 255, 1, (IkLink(1, None, None),))
    assert (second.tail, second.fixed_axis, second.ik) == ((0, 0, 0), None, None)
