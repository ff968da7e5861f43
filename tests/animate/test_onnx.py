"""Exported networks do what the bundle does; folders that are no exports are refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.external_data_helper
import onnx.numpy_helper
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from animate.commands.main import main
from animate.pose.onnx_networks import OnnxNetworks
from animate.pose.open_poser import open_networks
from animate.pose.torch_networks import TorchNetworks
from contract.errors import InputError
from contract.image import stored_to_network
from contract.pose import FACE, JOINTS, Pose
from models.base.config import NetworkConfig
from models.base.configurations import CONFIGURATIONS
from models.base.execution import Execution
from models.files.bundle import load_bundle, save_bundle
from models.files.onnx_export import export_onnx
from tests.conftest import REPOSITORY
from tests.support.shifting import drawing
from tests.support.untrained import untrained

CONFIG = NetworkConfig(size=16, channels=4, max_channels=8, residual_blocks=1)
POSES = (Pose(), Pose(0.9, -0.8, 0.7, 0.6, 0.1, 0.3), Pose(-1, 1, -1, 1, 1, 0))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    save_bundle(folder, untrained(CONFIG, "L1", "P", seed=1))
    return folder


def require_parity(bundle: Path, export: Path, name: str) -> None:
    exported = OnnxNetworks(export)
    reference = TorchNetworks(
        load_bundle(bundle), name, torch.device("cpu"), Execution(precision="float32")
    )
    size = reference.size
    assert exported.size == size
    rest = np.random.default_rng(0).uniform(-1, 1, (4, size, size)).astype(np.float32)
    for pose in POSES:
        vector = pose.to_vector()
        ours, theirs = (networks.express(rest, vector[FACE]) for networks in (reference, exported))
        np.testing.assert_allclose(theirs, ours, atol=1e-4)
        turned = reference.turn(ours, vector[JOINTS]), exported.turn(ours, vector[JOINTS])
        # Where the flow of noise is steep, rounding moves single pixels further than the rest.
        np.testing.assert_allclose(turned[1], turned[0], atol=5e-3)
        assert np.abs(turned[1] - turned[0]).mean() < 5e-4  # an eighth of a byte is 1e-3


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_configuration_is_exported_faithfully(
    name: str, bundle: Path, tmp_path: Path
) -> None:
    assert export_onnx(load_bundle(bundle), name, tmp_path / "onnx") == name
    require_parity(bundle, tmp_path / "onnx", name)


def test_full_size_networks_are_exported_faithfully(tmp_path: Path) -> None:
    config = NetworkConfig(size=256, channels=4, max_channels=8, residual_blocks=1)
    save_bundle(tmp_path / "bundle", untrained(config, "L1", "P", seed=1))
    name = export_onnx(untrained(config, "L1", "P", seed=1), None, tmp_path / "onnx")
    assert name == "FU-P-P"
    require_parity(tmp_path / "bundle", tmp_path / "onnx", name)


@pytest.fixture(scope="module")
def exported(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "onnx"
    done = CliRunner().invoke(
        main, ["export", "--onnx", "--bundle", str(bundle), "-o", str(folder)]
    )
    assert done.exit_code == 0, done.output
    assert done.output == f"{folder}: FU-P-P as ONNX\n"
    return folder


def test_the_backend_follows_from_the_folder(bundle: Path, exported: Path) -> None:
    assert isinstance(open_networks(exported, None, "cpu", "auto"), OnnxNetworks)
    assert isinstance(open_networks(exported, None, "cpu", "onnx"), OnnxNetworks)
    assert isinstance(open_networks(bundle, None, "cpu", "auto"), TorchNetworks)
    with pytest.raises(InputError, match="holds no ONNX files; write them with `animate export"):
        open_networks(bundle, None, "cpu", "onnx")
    with pytest.raises(InputError, match="no bundle"):
        open_networks(exported, None, "cpu", "torch")


def test_options_that_an_export_cannot_follow_are_refused(exported: Path) -> None:
    assert isinstance(open_networks(exported, "FU-P-P", "cpu", "auto"), OnnxNetworks)
    with pytest.raises(InputError, match="holds FU-P-P, not PU-L1; export that one"):
        open_networks(exported, "PU-L1", "cpu", "auto")
    with pytest.raises(InputError, match="run on the CPU"):
        open_networks(exported, None, "cuda", "auto")


def _record_of(folder: Path, name: str, graph: onnx.ModelProto) -> None:
    """Replace a graph, with a digest that fits: a hostile folder brings its own."""
    data = graph.SerializeToString()
    (folder / f"{name}.onnx").write_bytes(data)
    record = json.loads((folder / "onnx.json").read_text())
    record["sha256"][name] = hashlib.sha256(data).hexdigest()
    (folder / "onnx.json").write_text(json.dumps(record))


def _graph(out_shape: list[int], out_name: str = "output", kind: int = 1) -> onnx.ModelProto:
    """A graph that hands out a constant."""
    value = onnx.numpy_helper.from_array(np.zeros(out_shape, np.float32), out_name)
    node = onnx.helper.make_node("Constant", [], [out_name], value=value)
    given = [
        onnx.helper.make_tensor_value_info("picture", kind, [1, 4, 16, 16]),
        onnx.helper.make_tensor_value_info("pose", kind, [1, 3]),
    ]
    made = [onnx.helper.make_tensor_value_info(out_name, 1, out_shape)]
    opset = [onnx.helper.make_opsetid("", 18)]
    graph = onnx.helper.make_graph([node], "g", given, made)
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)


@pytest.mark.parametrize(
    ("graph", "fault"),
    [
        (_graph([1, 3]), "turn.onnx: makes"),
        (_graph([1, 4, 16, 16], "other"), "turn.onnx: makes"),
        (_graph([1, 4, 16, 16], kind=11), "turn.onnx: takes"),
    ],
)
def test_a_graph_of_another_shape_or_type_is_refused(
    graph: onnx.ModelProto, fault: str, exported: Path, tmp_path: Path
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    _record_of(folder, "turn", graph)
    with pytest.raises(InputError, match=fault):
        OnnxNetworks(folder)
    _record_of(folder, "turn", _graph([1, 4, 16, 16]))
    OnnxNetworks(folder)


def test_a_graph_that_reads_another_file_is_refused(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    (tmp_path / "secret.bin").write_bytes(bytes(4 * 4 * 256))
    monkeypatch.chdir(tmp_path)
    graph = _graph([1, 4, 16, 16])
    tensor = graph.graph.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(tensor, "secret.bin", 0, 4 * 4 * 256)
    tensor.ClearField("raw_data")
    _record_of(folder, "turn", graph)
    with pytest.raises(InputError, match="names another file for its numbers"):
        OnnxNetworks(folder)


def test_an_export_is_not_written_over(bundle: Path, exported: Path) -> None:
    with pytest.raises(InputError, match="is there already"):
        export_onnx(load_bundle(bundle), None, exported)


def _copy(exported: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in exported.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"pose_version": 99}, "pose_version is 99"),
        ({"picture_convention": "bgr"}, "picture_convention is 'bgr'"),
        ({"size": 1e9}, "no size"),
        ({"size": 32}, "takes .* export it again"),
        ({"sha256": {"express": "0", "turn": "0"}}, "damaged"),
        ({"sha256": []}, "is no export of this version"),
    ],
)
def test_another_export_is_refused(
    change: dict[str, object], fault: str, exported: Path, tmp_path: Path
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    record = json.loads((folder / "onnx.json").read_text())
    (folder / "onnx.json").write_text(json.dumps(record | change))
    with pytest.raises(InputError, match=fault):
        OnnxNetworks(folder)


def test_a_damaged_export_is_refused(exported: Path, tmp_path: Path) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    (folder / "turn.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        OnnxNetworks(folder)
    (folder / "turn.onnx").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        OnnxNetworks(folder)
    for text in ("", "[]", "[" * 100_000):
        (folder / "onnx.json").write_text(text)
        with pytest.raises(InputError, match="is no export of this version"):
            OnnxNetworks(folder)


def test_exported_networks_draw_without_torch(exported: Path, tmp_path: Path) -> None:
    Image.fromarray(drawing(), "RGBA").save(tmp_path / "a.png")
    options = ["still", "a.png", "--bundle", exported, "--pose", "head_x=0.5", "-o", "b.png"]
    code = (
        "import sys\n"
        "from animate.commands.main import main\n"
        f"main({[*map(str, options)]}, standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0
    assert (tmp_path / "b.png").exists()


def test_a_poser_draws_with_them(exported: Path) -> None:
    networks = open_networks(exported, None, "cpu", "auto")
    picture = networks.express(stored_to_network(drawing()), np.zeros(3, np.float32))
    assert picture.shape == (4, 16, 16)
