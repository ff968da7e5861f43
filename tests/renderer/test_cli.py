"""The renderer's commands as a user meets them: printed lines, files, exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from characters.files.generate import write_character
from contract.errors import DeviceError
from contract.rig import Rig
from renderer.cli import main
from renderer.draw import device
from renderer.fit.fit_rig import fit_rig
from renderer.formats.model import MmdModel


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_character(tmp_path_factory.mktemp("character"), seed=3)


def test_doctor_names_renderer_version_msaa_limit_and_kind() -> None:
    result = _run("doctor")
    assert result.exit_code == 0
    for word in ("device 0:", "OpenGL", "MSAA", "samples", "kind"):
        assert word in result.output


def test_doctor_without_any_device_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError("libEGL.so not loaded")

    monkeypatch.setattr("moderngl.create_context", refuse)
    result = _run("doctor")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "libEGL.so not loaded" in result.output
    assert "apt-get install -y libegl1 libgl1 libgl1-mesa-dri" in result.output


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(DeviceError, match="no device is called 'fast'"):
        device.open_context("fast")


def test_a_device_that_does_not_exist_is_named() -> None:
    with pytest.raises(DeviceError, match="device 99 does not open"):
        device.open_context("99")


def test_still_draws_the_pose_asked_for(model_path: Path, tmp_path: Path) -> None:
    shut, opened = tmp_path / "shut.png", tmp_path / "open.png"
    eyes = ("--pose", "left_eye=1", "--pose", "right_eye=1")
    assert _run("still", model_path, *eyes, "--size", "128", "-o", shut).exit_code == 0
    assert _run("still", model_path, "--size", "128", "-o", opened).exit_code == 0
    first, second = np.asarray(Image.open(shut)), np.asarray(Image.open(opened))
    assert first.shape == (128, 128, 4)
    assert (first != second).any(axis=2).sum() > 40


@pytest.mark.parametrize(
    ("pose", "words"),
    [
        ("head_x=2", "head_x is 2.0; it must lie in [-1, 1]"),
        ("nose=1", "no axis is called nose"),
        ("head_x", "'head_x' is no axis=number"),
        ("head_x=nan", "must lie in [-1, 1]"),
    ],
)
def test_a_wrong_pose_is_a_wrong_command_line(
    model_path: Path, tmp_path: Path, pose: str, words: str
) -> None:
    result = _run("still", model_path, "--pose", pose, "-o", tmp_path / "a.png")
    assert result.exit_code == 2
    assert words in result.output.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.pmx").write_bytes(b"not a model")
    result = _run("still", tmp_path / "a.pmx", "-o", tmp_path / "a.png")
    assert result.exit_code == 1
    assert result.output.startswith("error: a.pmx: ")
    assert result.output.count("\n") == 1


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    result = _run("still", tmp_path / "none.pmx", "-o", tmp_path / "a.png")
    assert result.exit_code == 1
    assert "none.pmx" in result.output


def test_still_names_a_missing_texture_and_draws_on(tmp_path: Path) -> None:
    path = write_character(tmp_path / "model", seed=3)
    (tmp_path / "model" / "hair.png").unlink()
    result = _run("still", path, "--size", "64", "-o", tmp_path / "a.png")
    assert result.exit_code == 0
    assert "warning: model.pmx: texture 'hair.png' is missing" in result.output
    assert (tmp_path / "a.png").is_file()


def test_textures_above_the_model_are_found_in_the_folder_of_all(tmp_path: Path) -> None:
    path = write_character(tmp_path / "a" / "model", seed=3)
    (tmp_path / "textures").mkdir()
    (path.parent / "hair.png").rename(tmp_path / "textures" / "hair.png")
    data = path.read_bytes()
    name, other = ("hair.png".encode("utf-16-le"), "..\\..\\textures\\hair.png".encode("utf-16-le"))
    at = data.index(name)
    length = int.from_bytes(data[at - 4 : at], "little")
    assert length == len(name)
    path.write_bytes(
        data[: at - 4] + len(other).to_bytes(4, "little") + other + data[at + length :]
    )
    for options, faults in (((), 1), (("--models", tmp_path), 0)):
        result = _run("still", path, "--size", "64", *options, "-o", tmp_path / "a.png")
        assert (result.exit_code, result.output.count("warning: ")) == (0, faults), result.output


def test_still_says_what_it_is_not_sure_of(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsure(model: MmdModel) -> Rig:
        objections = ("left_eye:eyes-alike=0.40", "mouth:seen-to-close=0.40")
        return replace(fit_rig(model), doubtful=("left_eye", "mouth"), objections=objections)

    monkeypatch.setattr("renderer.cli.fit_rig", unsure)
    result = _run("still", model_path, "--pose", "left_eye=1", "-o", tmp_path / "a.png")
    (line,) = [line for line in result.output.splitlines() if line.startswith("warning: ")]
    assert "doubtful, look at the picture: left eye: the two eyes close in" in line
    assert "warning" not in _run("still", model_path, "-o", tmp_path / "a.png").output


def test_an_output_folder_that_cannot_be_made_is_one_line(model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    result = _run("still", model_path, "--size", "64", "-o", tmp_path / "file" / "a.png")
    assert result.exit_code == 1
    assert "cannot be written" in result.output
