"""Whatever the bytes, ``read_model`` keeps its promises or says in one line why it cannot."""

from __future__ import annotations

import math
import os
import re
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.errors import FormatError, ModelError
from contract.files import MAX_MODEL_BYTES
from renderer.formats.model import (
    BoneOffsets,
    GroupOffsets,
    ImpulseOffsets,
    MaterialOffsets,
    MmdModel,
    UvOffsets,
    VertexOffsets,
)
from renderer.formats.read import read_model
from tests.support.complete_models import complete_pmd, complete_pmx
from tests.support.model_bytes import PmdBuilder, PmxBuilder, read_bytes

COMPLETE: dict[str, Callable[[], PmxBuilder | PmdBuilder]] = {
    "a.pmx": complete_pmx,
    "a.pmd": complete_pmd,
}
WHERE = re.compile(r"[^:\n]+: [a-zA-Z ]+, (from )?byte \d+ of \d+: [^\n]+")


def refused(folder: Path, data: bytes, name: str = "a.pmx") -> FormatError:
    """The error of reading ``data``; its form is checked."""
    with pytest.raises(FormatError) as caught:
        read_bytes(folder, data, name)
    assert WHERE.fullmatch(str(caught.value)), str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")
    return caught.value


def in_range(indices: Any, count: int, low: int = 0) -> bool:  # noqa: ANN401  # array-like
    array = np.asarray(indices)
    return not array.size or bool(array.min() >= low and array.max() < count)


def assert_promises(model: MmdModel) -> None:
    """Everything that the docstrings of ``model`` and ``read`` say of a model that was read."""
    vertices, bones = model.vertices, model.bones
    assert in_range(model.faces, len(vertices))
    assert in_range(vertices.bone_indices, len(bones), -1)
    for name, values in vars(vertices).items():
        assert not values.flags.writeable
        assert len(values) == (len(vertices.sdef_vertices) if "sdef" in name else len(vertices))
        assert np.isfinite(values).all()
    colours = [m.index_count for m in model.materials]
    assert [m.first_index for m in model.materials] == [
        sum(colours[:i]) for i in range(len(colours))
    ]
    assert sum(colours) <= model.faces.size
    for material in model.materials:
        indices = (material.texture, material.sphere_texture, material.toon_texture)
        assert in_range(indices, len(model.texture_paths), -1)
        assert -1 <= material.shared_toon < 10
        assert np.isfinite([*material.diffuse, *material.edge_color, *material.ambient]).all()
    for bone in bones:
        assert_bone_promises(bone, bones)
    for morph in model.morphs:
        assert_morph_promises(morph.offsets, model)


def assert_bone_promises(bone: Any, bones: Any) -> None:  # noqa: ANN401
    tail = bone.tail if isinstance(bone.tail, int) else -1
    assert in_range([bone.parent, tail], len(bones), -1)
    assert np.isfinite(bone.position).all()
    climbed = 0
    while bone.parent >= 0:
        bone, climbed = bones[bone.parent], climbed + 1
        assert climbed < len(bones)
    if bone.append:
        assert in_range(bone.append.bone, len(bones))
        assert math.isfinite(bone.append.ratio)
    if bone.ik:
        assert in_range([bone.ik.effector, *(link.bone for link in bone.ik.links)], len(bones))
        assert 0 <= bone.ik.iterations <= 255
        limits = [
            x for k in bone.ik.links for x in (*(k.low_radians or ()), *(k.high_radians or ()))
        ]
        assert np.isfinite([bone.ik.step_limit_radians, *limits]).all()


def assert_morph_promises(offsets: Any, model: MmdModel) -> None:  # noqa: ANN401
    arrays = [value for value in vars(offsets).values() if isinstance(value, np.ndarray)]
    assert all(np.isfinite(array).all() and not array.flags.writeable for array in arrays)
    match offsets:
        case VertexOffsets() | UvOffsets():
            assert in_range(offsets.vertices, len(model.vertices))
        case GroupOffsets():
            assert in_range(offsets.morphs, len(model.morphs), -1)
        case BoneOffsets():
            assert in_range(offsets.bones, len(model.bones), -1)
        case MaterialOffsets():
            assert in_range(offsets.materials, len(model.materials), -1)
        case ImpulseOffsets():
            assert in_range(offsets.rigid_bodies, model.skipped.rigid_bodies, -1)


def test_real_models_are_read_and_keep_the_promises(real_models: Path) -> None:
    for path in sorted([*real_models.rglob("*.pmx"), *real_models.rglob("*.pmd")]):
        if path.parent.name != "broken":
            assert_promises(read_model(path))


def test_broken_models_are_each_refused_in_one_line(real_models: Path) -> None:
    expected = {
        "empty.pmx": "header, byte 0 of 0: the file is empty",
        "fourteen_bytes.pmd": "header, byte 0 of 14: the first bytes are not those of",
        "truncated.pmx": "vertices, byte 335 of 300000: 28646 vertices are announced",
        "vertex_records_do_not_match_header.pmx": "vertices, byte 651 of 1690: vertex 13 has",
    }
    broken = {path.name: path for path in (real_models / "broken").iterdir()}
    assert set(broken) == set(expected)
    for name, path in broken.items():
        with pytest.raises(FormatError) as caught:
            read_model(path)
        assert WHERE.fullmatch(str(caught.value))
        assert str(caught.value).startswith(f"{name}: {expected[name]}")


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_files_keep_the_promises(name: str, tmp_path: Path) -> None:
    assert_promises(read_bytes(tmp_path, COMPLETE[name]().to_bytes(), name))


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "truncated-file"), (b"fourteen bytes", "not-a-model"), (b"PMX", "not-a-model")],
)
def test_files_that_are_no_models(data: bytes, code: str, tmp_path: Path) -> None:
    assert refused(tmp_path, data).code == code


@pytest.mark.parametrize("name", COMPLETE)
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    """A cut file is refused, but where nothing is lost that a picture needs, which is noted."""
    builder = COMPLETE[name]()
    data = builder.to_bytes()
    for size in range(len(data)):
        if size in builder.legal_ends:
            model = read_bytes(tmp_path, data[:size], name)
            assert (model.trailing_bytes, model.mends) == (0, ())
        elif size >= builder.needed_end:
            (mend,) = read_bytes(tmp_path, data[:size], name).mends
            assert mend.of is None
            assert "no picture needs what follows" in mend.text
        else:
            assert refused(tmp_path, data[:size], name).code in ("truncated-file", "not-a-model")


@pytest.fixture
def traced_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced_memory")
@pytest.mark.parametrize("lie", [2**31 - 1, -1])
@pytest.mark.parametrize("name", COMPLETE)
def test_lying_counts_are_refused_before_anything_is_allocated(
    name: str, lie: int, tmp_path: Path
) -> None:
    """Every count of 4 bytes that is needed; shorter ones cannot claim more than their letter's
    largest."""
    builder = COMPLETE[name]()
    for _, offset, letter in (c for c in builder.counts if c[1] < builder.needed_end):
        lying = bytearray(builder.data)
        size = struct.calcsize(letter)
        lying[offset : offset + size] = struct.pack("<i", lie)[:size]
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        if size == 4:
            assert refused(tmp_path, bytes(lying), name).code in (
                "truncated-file",
                "malformed-file",
            )
        else:
            read_or_refuse(tmp_path, bytes(lying), name)
        assert tracemalloc.get_traced_memory()[1] - before < 200_000


def read_or_refuse(folder: Path, data: bytes, name: str) -> bool:
    """Whether ``data`` was read, with all promises kept; otherwise it was refused in one line."""
    try:
        model = read_bytes(folder, data, name)
    except FormatError as error:
        assert WHERE.fullmatch(str(error)), str(error)
        return False
    assert_promises(model)
    return True


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.filterwarnings("error")
def test_damaged_bytes_never_surprise(name: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    data = COMPLETE[name]().to_bytes()
    nasty = [struct.pack("<I", bits) for bits in (0x7F800001, 0x7F800000, 0xFF7FFFFF, 2**31 - 1)]
    outcomes = []
    for _ in range(500):
        damaged = bytearray(data)
        for offset in rng.integers(0, len(data) - 4, rng.integers(1, 4)):
            kind = rng.integers(3)
            if kind == 0:
                damaged[offset] ^= 1 << rng.integers(8)
            elif kind == 1:
                damaged[offset] = rng.integers(256)
            else:
                damaged[offset : offset + 4] = nasty[rng.integers(len(nasty))]
        outcomes.append(read_or_refuse(tmp_path, bytes(damaged), name))
    assert set(outcomes) == {True, False}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pmx")
    with (tmp_path / "huge.pmx").open("wb") as file:
        file.truncate(MAX_MODEL_BYTES + 1)
    (tmp_path / "folder.pmx").mkdir()
    for name, code, fault in (
        ("missing.pmx", "unreadable-file", "cannot be read"),
        ("folder.pmx", "unreadable-file", "not a plain file"),
        ("pipe.pmx", "unreadable-file", "not a plain file"),
        ("huge.pmx", "file-too-large", "512 MiB; models beyond"),
    ):
        with pytest.raises(ModelError, match=f"^{name}: {fault}") as caught:
            read_model(tmp_path / name)
        assert caught.value.code == code


def test_the_format_is_told_by_the_bytes(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, complete_pmx().to_bytes(), "wrong.pmd").format == "pmx"
    assert read_bytes(tmp_path, complete_pmd().to_bytes(), "wrong.pmx").format == "pmd"
