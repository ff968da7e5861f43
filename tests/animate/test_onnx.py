"""Exported networks do what the bundle does; folders that are no exports are refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
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
from animate.pose.ahead import drawn_ahead
from animate.pose.onnx_networks import OnnxNetworks
from animate.pose.open_poser import open_networks
from animate.pose.poser import AtBothSizes, Networks, Poser, spread
from animate.pose.torch_networks import TorchNetworks
from contract.errors import InputError
from contract.pose import FACE, JOINTS, Pose
from models.base.config import NetworkConfig
from models.base.execution import Execution
from models.files import onnx_export
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.onnx_export import export_onnx
from models.files.onnx_record import PARTS, WIDE_PARTS
from tests.conftest import REPOSITORY
from tests.support.shifting import drawing
from tests.support.untrained import soft_picture, untrained

CONFIG = NetworkConfig(size=16, channels=4, max_channels=8, residual_blocks=1)
EXPORTED = onnx_export._exported
UNOPTIMISED = partial(torch.onnx.export, optimize=False)
"""In half of the time. Those of every kind of configuration are made as they are written."""
POSES = (Pose(), Pose(0.9, -0.8, 0.7, 0.6, 0.1, 0.3), Pose(-1, 1, -1, 1, 1, 0))


@pytest.fixture(scope="module", autouse=True)
def few_strips() -> Iterator[None]:
    """Few strips: each is traced anew, which is most of the time of an export."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_export, "_STRIPS", 2)
        yield


@pytest.fixture(scope="module")
def once() -> Callable[[onnx_export._Graph], bytes]:
    """Exports, but no graph of the same weights twice; for networks of ``CONFIG``."""
    made: dict[str, bytes] = {}

    def exported_once(graph: onnx_export._Graph) -> bytes:
        weights = hashlib.sha256()
        for tensor in graph.network.state_dict().values():
            weights.update(tensor.numpy().tobytes())
        key = f"{graph.name} {graph.gives} {weights.hexdigest()}"
        if key not in made:
            made[key] = EXPORTED(graph)
        return made[key]

    return exported_once


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    save_bundle(folder, untrained(CONFIG, "L1", "P", seed=1))
    return folder


def require_parity(reference: Networks, exported: Networks, side: int) -> None:
    """Pictures of ``side`` pixels, torch's and onnxruntime's."""
    size = reference.size
    assert (exported.size, exported.small) == (size, reference.small)
    assert exported.draws_small == reference.draws_small
    assert exported.draws_wide
    wide = None if side == size and reference.draws_small else spread(soft_picture(side))
    rest = AtBothSizes(soft_picture(reference.small), wide)
    for pose in POSES:
        vector = pose.to_vector()
        ours, theirs = (networks.express(rest, vector[FACE]) for networks in (reference, exported))
        np.testing.assert_allclose(theirs.small, ours.small, atol=1e-4)
        if ours.wide is not None:
            assert theirs.wide is not None
            np.testing.assert_allclose(theirs.wide, ours.wide, atol=1e-4)
        turned = reference.turn(ours, vector[JOINTS]), exported.turn(ours, vector[JOINTS])
        assert turned[0].shape == (4, side, side)
        # Where the flow is steep, rounding moves single pixels further than the rest.
        np.testing.assert_allclose(turned[1], turned[0], atol=5e-3)
        assert np.abs(turned[1] - turned[0]).mean() < 5e-4  # an eighth of a byte is 1e-3


def _both(bundle: Bundle, name: str, folder: Path) -> tuple[Networks, Networks]:
    assert export_onnx(bundle, name, folder) == name
    reference = TorchNetworks(bundle, name, torch.device("cpu"), Execution(precision="float32"))
    return reference, OnnxNetworks(folder)


@pytest.mark.parametrize("name", ["PU-L1", "ZH-P", "FU-L1-P"])
def test_every_kind_of_configuration_is_exported_faithfully(
    name: str,
    bundle: Path,
    once: Callable[[onnx_export._Graph], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnx_export, "_exported", once)
    networks = _both(load_bundle(bundle), name, tmp_path / "onnx")
    require_parity(*networks, 16)
    require_parity(*networks, 50)


PAPER_KIND = NetworkConfig(64, 4, 8, 1)
ALL_ELSE = NetworkConfig(
    64, 4, 8, 1, 0.1, 16, "face", 24, True, True, 3, 3, True, 0.3, 1.5, True, True
)


@pytest.mark.parametrize("config", [PAPER_KIND, ALL_ELSE], ids=["the paper's kind", "all else"])
def test_an_export_draws_any_size_faithfully(
    config: NetworkConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.onnx, "export", UNOPTIMISED)
    networks = _both(untrained(config, "L1", seed=1), "FU-L1-L1", tmp_path / "onnx")
    for side in (64, 256, 512, 1000):
        require_parity(*networks, side)


@pytest.fixture(scope="module")
def exported(
    bundle: Path,
    once: Callable[[onnx_export._Graph], bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_export, "_exported", once)
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


@pytest.mark.parametrize("is_gone", [False, True])
def test_threads_that_draw_beside_others_draw_the_same(
    is_gone: bool, exported: Path, tmp_path: Path
) -> None:
    """On one core each; where the folder is gone meanwhile, by the graphs that are open."""
    folder = shutil.copytree(exported, tmp_path / "onnx")
    poser = Poser(OnnxNetworks(folder), drawing())
    expected = [poser.draw(pose) for pose in POSES]
    if is_gone:
        shutil.rmtree(folder)
    drawn = list(drawn_ahead(poser, POSES * 4, lambda picture, _: picture))
    np.testing.assert_array_equal(drawn, expected * 4)


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


def _graph(
    made: list[int | str], name: str = "output", kind: int = 1, node: str = "Identity"
) -> onnx.ModelProto:
    """In the place of turn-wide: hands out the picture, or makes of it what ``node`` does."""
    decided = {"kept": 4, "taken": 4, "painted": 4, "offset": 2}
    given = [
        onnx.helper.make_tensor_value_info("picture", kind, [1, 4, "d", "d"]),
        *(onnx.helper.make_tensor_value_info(k, kind, [1, n, 16, 16]) for k, n in decided.items()),
    ]
    output = onnx.helper.make_tensor_value_info(name, kind, made)
    made_by = onnx.helper.make_node(node, ["picture"], [name])
    if node == "MaxPool":
        made_by.attribute.append(onnx.helper.make_attribute("kernel_shape", [2, 2]))
    opset = [onnx.helper.make_opsetid("", 18)]
    graph = onnx.helper.make_graph([made_by], "g", given, [output])
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)


@pytest.mark.parametrize(
    ("graph", "fault"),
    [
        (_graph([1, 4, "d", "d"], node="Shape", name="size"), "turn-wide.onnx: "),
        (_graph([1, 4, "d", "d"], "other"), "turn-wide.onnx: makes"),
        (_graph([1, 4, "d", "d"], kind=11), "turn-wide.onnx: takes"),
    ],
)
def test_a_graph_of_another_shape_or_type_is_refused(
    graph: onnx.ModelProto, fault: str, exported: Path, tmp_path: Path
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    _record_of(folder, "turn-wide", graph)
    with pytest.raises(InputError, match=fault):
        OnnxNetworks(folder)
    _record_of(folder, "turn-wide", _graph([1, 4, "d", "d"]))
    OnnxNetworks(folder)


def test_a_graph_that_makes_another_size_than_it_is_given_is_refused(
    exported: Path, tmp_path: Path
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    _record_of(folder, "turn-wide", _graph([1, 4, "e", "e"], node="MaxPool"))
    networks = OnnxNetworks(folder)
    both = AtBothSizes(soft_picture(16), soft_picture(20))
    with pytest.raises(InputError, match=r"made \(4, 19, 19\) of \(4, 20, 20\)"):
        networks.turn(both, np.zeros(3, np.float32))


def test_a_graph_that_reads_another_file_is_refused(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _copy(exported, tmp_path / "onnx")
    (tmp_path / "secret.bin").write_bytes(bytes(4 * 4 * 256))
    monkeypatch.chdir(tmp_path)
    value = onnx.numpy_helper.from_array(np.zeros((1, 4, 16, 16), np.float32), "output")
    graph = _graph([1, 4, "d", "d"])
    graph.graph.node[0].CopyFrom(onnx.helper.make_node("Constant", [], ["output"], value=value))
    tensor = graph.graph.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(tensor, "secret.bin", 0, 4 * 4 * 256)
    tensor.ClearField("raw_data")
    _record_of(folder, "turn", graph)
    with pytest.raises(InputError, match="names another file for its numbers"):
        OnnxNetworks(folder)


def test_an_export_says_nothing_of_who_exported_it(exported: Path) -> None:
    for path in exported.glob("*.onnx"):
        assert str(REPOSITORY).encode() not in path.read_bytes()
        assert b"site-packages" not in path.read_bytes()


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
        ({"size": 1e9}, "size: 1000000000.0 is no int"),
        ({"size": 10**9}, "no size"),
        ({"size": 32}, "makes .* export it again"),
        ({"small": 0}, "no small"),
        ({"look": 32}, "no look"),
        ({"look": 8}, "makes .* export it again"),
        ({"version": 3}, "version is 3, this program's is 2"),
        ({"sha256": dict.fromkeys((*PARTS, *WIDE_PARTS), "0")}, "damaged"),
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
    poser = Poser(
        open_networks(exported, None, "cpu", "auto"), np.repeat(drawing(), 2, 0).repeat(2, 1)
    )
    assert poser.draw(Pose(head_y=1)).shape == (32, 32, 4)
