"""The written files, read back by our reader and by an independent one, field by field."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from characters.base.character_model import Model
from characters.cli import main
from characters.design.spec import Shading
from characters.files.generate import (
    ModelFormat,
    character_files,
    character_spec,
    franchise_style,
    write_character,
)
from characters.shape.assembly import build_model
from renderer.formats.model import BoneOffsets, GroupOffsets, VertexOffsets
from renderer.formats.read import read_model


def _built(seed: int, style: int, format: ModelFormat) -> Model:
    spec = character_spec(seed, style)
    rng = np.random.default_rng([0x0B11D, spec.franchise, spec.seed])
    return build_model(spec, rng, plain=format == "pmd").model


@pytest.mark.parametrize("format", ["pmx", "pmd"])
def test_our_reader_gets_back_what_was_built(tmp_path: Path, format: ModelFormat) -> None:
    for seed in (0, 1, 2, 34):  # the last has lids on bones
        built = _built(seed, seed, format)
        read = read_model(write_character(tmp_path / str(seed), seed, format, seed))
        assert read.format == format and read.trailing_bytes == 0
        assert read.name == built.name and read.name_english == built.english
        np.testing.assert_array_equal(read.vertices.positions, built.positions)
        np.testing.assert_array_equal(read.vertices.normals, built.normals)
        np.testing.assert_array_equal(read.vertices.uv, built.uv)
        np.testing.assert_allclose(read.vertices.bone_weights[:, 0], built.weights, atol=1e-6)
        np.testing.assert_array_equal(read.vertices.bone_indices[:, 0], built.bone_indices[:, 0])
        np.testing.assert_array_equal(read.faces, built.faces)
        counts = [material.index_count // 3 for material in read.materials]
        assert counts == list(built.face_counts)
        assert [bone.name for bone in read.bones] == [bone.name for bone in built.bones]
        parents = [read.bones[b.parent].name if b.parent >= 0 else "" for b in read.bones]
        assert parents == [bone.parent for bone in built.bones]
        assert [morph.name for morph in read.morphs] == [morph.name for morph in built.morphs]
        for morph, wanted in zip(read.morphs, built.morphs, strict=True):
            assert morph.panel == wanted.panel
            if wanted.bones:
                assert isinstance(morph.offsets, BoneOffsets)
                assert list(morph.offsets.bones) == [bone for bone, _ in wanted.bones]
                np.testing.assert_allclose(
                    morph.offsets.translations, [move for _, move in wanted.bones], rtol=1e-6
                )
                np.testing.assert_array_equal(morph.offsets.rotations[:, 3], 1)
                continue
            if wanted.group:
                assert isinstance(morph.offsets, GroupOffsets)
                assert list(morph.offsets.morphs) == [index for index, _ in wanted.group]
                continue
            assert isinstance(morph.offsets, VertexOffsets)
            np.testing.assert_array_equal(morph.offsets.vertices, wanted.vertices)
            np.testing.assert_array_equal(morph.offsets.offsets, wanted.offsets)


def test_pmx_materials_come_back_with_colours_flags_and_textures(tmp_path: Path) -> None:
    built = _built(1, 1, "pmx")
    read = read_model(write_character(tmp_path, 1, "pmx", 1))
    for material, wanted in zip(read.materials, built.materials, strict=True):
        assert material.name == wanted.name and material.name_english == wanted.english
        np.testing.assert_allclose(material.diffuse, wanted.diffuse, atol=1e-6)
        np.testing.assert_allclose(material.edge_color, wanted.edge_colour, atol=1e-6)
        assert material.draw_edge == wanted.edge
        assert material.double_sided == wanted.double_sided
        assert read.texture_paths[material.texture] == wanted.texture
        assert read.texture_paths[material.toon_texture] == wanted.toon
        assert (material.sphere_texture >= 0) == bool(wanted.sphere)


def test_an_independent_pmx_reader_agrees(tmp_path: Path) -> None:
    reader = pytest.importorskip("pymeshio.pmx.reader")
    built = _built(2, 2, "pmx")
    read = reader.read_from_file(str(write_character(tmp_path, 2, "pmx", 2)))
    position = [(v.position.x, v.position.y, v.position.z) for v in read.vertices]
    np.testing.assert_array_equal(np.array(position, np.float32), built.positions)
    assert list(read.indices) == built.faces.ravel().tolist()
    assert [bone.name for bone in read.bones] == [bone.name for bone in built.bones]
    assert [morph.name for morph in read.morphs] == [morph.name for morph in built.morphs]
    assert [m.vertex_count for m in read.materials] == [3 * n for n in built.face_counts]


def test_an_independent_pmd_reader_agrees(tmp_path: Path) -> None:
    reader = pytest.importorskip("pymeshio.pmd.reader")
    built = _built(2, 2, "pmd")
    read = reader.read_from_file(str(write_character(tmp_path, 2, "pmd", 2)))
    position = [(v.pos.x, v.pos.y, v.pos.z) for v in read.vertices]
    np.testing.assert_array_equal(np.array(position, np.float32), built.positions)
    assert [bone.name.decode("cp932") for bone in read.bones] == [b.name for b in built.bones]
    names = [morph.name.decode("cp932") for morph in read.morphs]
    assert names == ["base", *(morph.name for morph in built.morphs)]
    first = built.morphs[0]
    base = np.array(read.morphs[0].indices)
    np.testing.assert_array_equal(base[read.morphs[1].indices], first.vertices)


def test_same_seed_same_bytes_and_another_seed_other_bytes() -> None:
    once, again = (character_files(character_spec(5, 1), "pmx") for _ in range(2))
    assert once == again
    assert character_files(character_spec(6, 1), "pmx")["model.pmx"] != once["model.pmx"]


def test_every_texture_named_is_there_and_opens(tmp_path: Path) -> None:
    for seed in range(4):
        path = write_character(tmp_path / str(seed), seed, "pmx")
        for name in read_model(path).texture_paths:
            with Image.open(path.parent / name) as picture:
                picture.load()
        assert "CC0" in (path.parent / "LICENSE.txt").read_text()
        assert not list(path.parent.glob("*.tmp"))


def test_truth_names_morphs_that_are_in_the_file(tmp_path: Path) -> None:
    for seed in range(12):
        path = write_character(tmp_path / str(seed), seed, "pmx")
        truth = json.loads((path.parent / "truth.json").read_text())
        morphs = read_model(path).morphs
        for uses in (*truth["drives"].values(), *truth["smiles"].values()):
            assert uses
            for use in uses:
                assert morphs[use["morph"]].name == use["name"]


def test_generate_writes_franchises_and_the_formats_asked_for(tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(main, ["generate", "-n", "6", "-o", str(tmp_path), "--franchises", "3"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "franchise_00",
        "franchise_01",
        "franchise_02",
    ]
    assert len(list(tmp_path.glob("*/*/model.pmx"))) == 6
    done = runner.invoke(main, ["generate", "-n", "2", "-o", str(tmp_path), "--format", "pmd"])
    assert done.exit_code == 0
    assert len(list(tmp_path.glob("*/*/model.pmd"))) == 2


def test_characters_of_one_franchise_share_a_style_and_others_do_not() -> None:
    def shadings(franchise: int) -> set[Shading]:
        return {character_spec(seed, franchise).shading for seed in range(5)}

    for franchise in range(4):
        assert len(shadings(franchise)) == 1
        styles = {character_spec(seed, franchise).eye.style for seed in range(20)}
        assert styles <= set(franchise_style(franchise).eyes.styles)
    assert len(set.union(*map(shadings, range(4)))) == 4


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "franchise_00").write_text("in the way")
    done = CliRunner().invoke(main, ["generate", "-n", "1", "-o", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("error: ") and "cannot be written" in done.output
    assert len(done.output.splitlines()) == 1


def test_several_processes_write_what_one_writes(tmp_path: Path) -> None:
    runner = CliRunner()
    for workers in ("1", "2"):
        command = ["generate", "-n", "3", "-o", str(tmp_path / workers), "--workers", workers]
        done = runner.invoke(main, command)
        assert done.exit_code == 0, done.output
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in _files(tmp_path / name)}
        for name in ("1", "2")
    )
    assert one == two and len(one) > 3


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
