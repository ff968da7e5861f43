"""Posed vertices against those of independent MMD software, and the command that writes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from renderer.cli import main, posed_positions, read_poses
from renderer.formats.model import MmdModel
from renderer.formats.read import read_model

SETS = (
    "appearance",
    "constraint3",
    "gene_pmd",
    "gene_pmx",
    "lat",
    "mei_blue",
    "mei_winter",
    "pmca1",
    "sdef_elbow",
    "vroid",
)
MAX_ERROR, MEDIAN_ERROR = 1e-3, 1e-5


def waist_y(model: MmdModel) -> float:
    """Leg IK differs between implementations; fixtures have no legs."""
    return next((b.position[1] for b in model.bones if b.name == "上半身"), -np.inf)


def test_every_set_is_compared(oracles: Path) -> None:
    assert {path.parent.name for path in oracles.glob("*/posed.npz")} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_vertices_are_where_other_software_puts_them(
    oracles: Path, real_models: Path, name: str
) -> None:
    folder = oracles / name
    document = json.loads((folder / "poses.json").read_text("utf-8"))
    path = real_models / document["model"]
    assert hashlib.md5(path.read_bytes()).hexdigest() == document["md5"]
    model = read_model(path)
    positions = posed_positions(model, read_poses(folder / "poses.json", model))
    expected = np.load(folder / "posed.npz")
    compared = expected["agreed"] & (model.vertices.positions[:, 1] > waist_y(model))
    errors = np.abs(positions - expected["positions"]).max(axis=2)[compared]
    assert len(errors) >= positions.shape[0] * positions.shape[1] / 4
    assert errors.max() <= MAX_ERROR
    assert np.median(errors) <= MEDIAN_ERROR


def test_the_command_writes_what_was_computed(
    oracles: Path, real_models: Path, tmp_path: Path
) -> None:
    model_path = real_models / "pmcaplus/sample1/sample1.pmd"
    poses = oracles / "pmca1" / "poses.json"
    output = tmp_path / "deep" / "out.npz"
    result = CliRunner().invoke(
        main, ["mesh", str(model_path), "--poses", str(poses), "-o", str(output)]
    )
    assert result.exit_code == 0, result.output
    positions = np.load(output)["positions"]
    assert positions.dtype == np.float32
    model = read_model(model_path)
    np.testing.assert_array_equal(positions, posed_positions(model, read_poses(poses, model)))
    assert [path.name for path in output.parent.iterdir()] == ["out.npz"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"poses": [{"bones": {"尻尾": {"axis": [1, 0, 0], "deg": 5}}}]}', "尻尾"),
        ('{"poses": [{}, {"morphs": {"nope": 1}}]}', "pose 1"),
        ('{"poses": [{"morphs": {"nope": 1}}]}', "no morph called 'nope'"),
        ('{"poses": [{"bones": {"lowerArm": {"axis": [0, 0, 0], "deg": 5}}}]}', "axis"),
        ('{"poses": [{"bones": {"lowerArm": {"axis": [1, 0, NaN], "deg": 5}}}]}', "nan is no"),
        ('{"poses": [{"bones": {"lowerArm": {"axis": [1, 0], "deg": 5}}}]}', "axis"),
        ('{"poses": [{"bones": {"lowerArm": {"axis": [1, 0, 0], "deg": "5"}}}]}', "is no float"),
        ('{"poses": [{"bones": ["lowerArm"]}]}', "bones"),
        ('{"poses": {}}', "poses"),
        ("[]", "poses"),
        ("{", "JSON"),
        ("\xff", "JSON"),
    ],
)
def test_faulty_poses_are_one_line(
    real_models: Path, tmp_path: Path, document: str, said: str
) -> None:
    poses = tmp_path / "poses.json"
    poses.write_bytes(document.encode("latin-1" if document == "\xff" else "utf-8"))
    model = real_models / "fixtures/sdef-two-bone-elbow.pmx"
    output = tmp_path / "out.npz"
    result = CliRunner().invoke(
        main, ["mesh", str(model), "--poses", str(poses), "-o", str(output)]
    )
    assert result.exit_code == 1
    assert result.output.startswith("error: poses.json: ") and result.output.count("\n") == 1
    assert said in result.output
    assert not output.exists()


def test_the_first_of_several_same_names_counts(real_models: Path, tmp_path: Path) -> None:
    model = read_model(real_models / "vroid/TestModel/test.pmx")
    indices = [k for k, morph in enumerate(model.morphs) if morph.name == "Extra"]
    assert len(indices) == 2
    poses = tmp_path / "poses.json"
    poses.write_text('{"poses": [{"morphs": {"Extra": 1}}]}', "utf-8")
    (pose,) = read_poses(poses, model)
    assert [use.morph for use in pose.morphs] == indices[:1]
