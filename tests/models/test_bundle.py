"""The bundle: everything comes back, and whatever is wrong with one is named before it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors import torch as safetensors

from contract.errors import InputError
from models.base.config import NetworkConfig
from models.base.configurations import CONFIGURATIONS
from models.cli import main
from models.files import bundle as bundle_module
from models.files import tha1 as tha1_module
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.tha1 import Tha1Networks, export_tha1, full_networks
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

TINY = NetworkConfig(size=32, channels=2, max_channels=4, residual_blocks=1)
WIDE = NetworkConfig(size=32, channels=3, max_channels=4, residual_blocks=0)


def _bundle() -> Bundle:
    return Bundle(
        FaceMorpher(TINY),
        {"L1": FaceRotator(TINY), "P": FaceRotator(WIDE)},
        {("L1", "L1"): Combiner(TINY), ("P", "L1"): Combiner(WIDE), ("P", "P"): Combiner(TINY)},
        stages=({"stage": "morpher", "examples": 12, "loss": "L1"}, {"stage": "rotator-L1"}),
        data_fingerprint="sha256:0123",
        metrics={"FU-P-P": {"mse": 0.25, "ssim": None}},
    )


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "bundle.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_bundle_comes_back_whole(tmp_path: Path) -> None:
    saved = _bundle()
    save_bundle(tmp_path / "b", saved)
    loaded = load_bundle(tmp_path / "b")
    assert list(loaded.networks()) == list(saved.networks())
    for name, network in saved.networks().items():
        back = loaded.networks()[name]
        assert type(back) is type(network)
        assert back.config == network.config
        assert not back.training
        for key, tensor in network.state_dict().items():
            assert torch.equal(back.state_dict()[key], tensor), (name, key)
    assert loaded.stages == saved.stages
    assert loaded.data_fingerprint == saved.data_fingerprint
    assert loaded.metrics == saved.metrics


def test_numbers_of_half_the_size_come_back_as_near_as_they_can(tmp_path: Path) -> None:
    saved = _bundle()
    save_bundle(tmp_path / "whole", saved)
    save_bundle(tmp_path / "half", saved, dtype=torch.float16)
    loaded = load_bundle(tmp_path / "half")
    for name, network in saved.networks().items():
        back = loaded.networks()[name].state_dict()
        for key, tensor in network.state_dict().items():
            assert back[key].dtype == torch.float32
            assert torch.equal(back[key], tensor.half().float()), (name, key)
        files = [tmp_path / kind / f"{name}.safetensors" for kind in ("whole", "half")]
        numbers = sum(tensor.numel() for tensor in network.state_dict().values())
        sizes = [file.stat().st_size for file in files]
        assert abs(sizes[0] - sizes[1] - 2 * numbers) <= 64  # their headers, padded


def test_a_bundle_is_safetensors_and_json_and_nothing_else(tmp_path: Path) -> None:
    save_bundle(tmp_path / "b", _bundle())
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "bundle.json",
        "combiner-L1-L1.safetensors",
        "combiner-P-L1.safetensors",
        "combiner-P-P.safetensors",
        "morpher.safetensors",
        "rotator-L1.safetensors",
        "rotator-P.safetensors",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    state = safetensors.load((tmp_path / "b" / "morpher.safetensors").read_bytes())
    assert set(state) == set(FaceMorpher(TINY).state_dict())


def test_only_what_all_its_networks_are_there_for_can_run(tmp_path: Path) -> None:
    runnable = ("PU-L1", "PU-P", "ZH-L1", "ZH-P", "FU-L1-L1", "FU-P-L1", "FU-P-P")
    assert _bundle().configurations() == runnable
    assert Bundle(None, _bundle().rotators).configurations() == ()
    save_bundle(tmp_path / "b", _bundle())
    one = load_bundle(tmp_path / "b", ["FU-P-P"])
    assert list(one.networks()) == ["morpher", "rotator-P", "combiner-P-P"]
    with pytest.raises(InputError, match=r"FU-L1-P: not in this bundle, .* PU-L1, .* FU-P-P$"):
        load_bundle(tmp_path / "b", ["FU-L1-P"])


def test_an_unknown_configuration_is_named(tmp_path: Path) -> None:
    save_bundle(tmp_path / "b", _bundle())
    with pytest.raises(InputError, match="configuration FU: unknown; choose PU-L1"):
        load_bundle(tmp_path / "b", ["FU"])


@pytest.mark.parametrize("name", ["PU-L1", "ZH-P", "FU-P-L1"])
def test_a_configuration_runs_morpher_rotator_and_combiner_in_turn(name: str) -> None:
    bundle = _bundle()
    image = torch.rand(2, 4, 32, 32) * 2 - 1
    pose = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [-0.1, -0.2, -0.3, 0.9, 0.8, 0.7]])
    assert bundle.morpher is not None
    expression = bundle.morpher(image, pose[:, [3, 4, 5]]).output
    chosen = CONFIGURATIONS[name]
    turned = bundle.rotators[chosen.rotator](expression, pose[:, [0, 1, 2]])
    expected = {
        "PU-L1": lambda: turned.pathway1,
        "ZH-P": lambda: turned.pathway2,
        "FU-P-L1": lambda: (
            bundle.combiners["P", "L1"](turned.pathway1, turned.pathway2, pose[:, :3]).output
        ),
    }[name]()
    assert torch.equal(bundle.system(name)(image, pose), expected)


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    save_bundle(tmp_path / "b", _bundle())
    with pytest.raises(InputError, match="b: exists already"):
        save_bundle(tmp_path / "b", Bundle())
    assert len(load_bundle(tmp_path / "b").networks()) == 6
    save_bundle(tmp_path / "b", Bundle(FaceMorpher(WIDE)), replace=True)
    assert list(load_bundle(tmp_path / "b").networks()) == ["morpher"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match="photos: exists already"):
        save_bundle(tmp_path / "photos", Bundle(), replace=True)


def test_a_fault_while_writing_leaves_the_old_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_bundle(tmp_path / "b", _bundle())

    def full(path: Path, data: bytes) -> None:
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(bundle_module, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        save_bundle(tmp_path / "b", Bundle(FaceMorpher(WIDE)), replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert len(load_bundle(tmp_path / "b").networks()) == 6


def test_metrics_that_are_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stages or metrics are no JSON"):
        save_bundle(tmp_path / "b", Bundle(metrics={"mse": float("nan")}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d.update(version=2), "format 'opentha-bundle' version 2, not"),
        (lambda d: d.pop("format"), "format None version 1, not"),
        (lambda d: d["contract"].update(pose_version=9), "pose_version is 9, here 1"),
        (lambda d: d["contract"]["pose_axes"].reverse(), r"pose_axes is \[{'name': 'mouth'"),
        (lambda d: d["contract"].update(picture_convention="bgr"), "picture_convention is 'bgr'"),
        (lambda d: d["contract"].update(space_axes="z up"), "space_axes is 'z up'"),
        (lambda d: d.update(contract=[]), r"contract: \[\] is no"),
        (
            lambda d: d["networks"].update({"../x": d["networks"]["morpher"]}),
            "'../x' is no network of this version",
        ),
        (lambda d: d.update(networks=[]), r"networks: \[\] is no"),
        (lambda d: d["networks"]["morpher"].update(sha256="x"), "morpher has no sha256"),
        (lambda d: d["networks"]["morpher"].pop("config"), "'config' is missing"),
        (lambda d: d["networks"]["morpher"]["config"].update(channels=10**9), "channels is 10000"),
        (lambda d: d["networks"]["morpher"]["config"].update(depth=1), r"unknown \(depth\)"),
        (lambda d: d.update(stages={}), "stages: {} is no"),
        (lambda d: d.update(data_fingerprint=1), "data_fingerprint: 1 is no str"),
        (lambda d: d.update(metrics=[]), r"metrics: \[\] is no"),
    ],
)
def test_a_wrong_record_is_refused_by_its_field(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], fault: str
) -> None:
    save_bundle(tmp_path / "b", _bundle())
    _edit(tmp_path / "b", change)
    with pytest.raises(InputError, match=fault) as caught:
        load_bundle(tmp_path / "b")
    assert "bundle.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "\xff"])
def test_a_record_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.json").write_text(text, "latin-1")
    with pytest.raises(InputError, match=r"bundle\.json: (is no bundle's record|format None)"):
        load_bundle(tmp_path)


def test_a_folder_without_a_record_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bundle\.json: there is no such file"):
        load_bundle(tmp_path)


def _replace_tensors(folder: Path, data: bytes) -> None:
    """Put ``data`` in the morpher's place, under a digest that fits."""
    (folder / "morpher.safetensors").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    _edit(folder, lambda d: d["networks"]["morpher"].update(sha256=digest))


def test_a_wrong_file_of_tensors_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    save_bundle(folder, _bundle())
    path = folder / "morpher.safetensors"
    whole = path.read_bytes()
    state = FaceMorpher(TINY).state_dict()

    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match=r"morpher\.safetensors: damaged \(its SHA-256 differs\)"):
        load_bundle(folder)
    _replace_tensors(folder, b"\xff" * len(whole))
    with pytest.raises(InputError, match=r"morpher\.safetensors: not a safetensors file"):
        load_bundle(folder)
    for size in (0, 100, 1 << 40):
        with path.open("wb") as file:
            file.truncate(size)  # sparse: no disk is filled
        with pytest.raises(InputError, match=rf"morpher\.safetensors: {size} bytes, but"):
            load_bundle(folder)
    path.unlink()
    with pytest.raises(InputError, match=r"morpher\.safetensors: missing from the bundle"):
        load_bundle(folder)

    renamed = dict(state)
    renamed["alpha"] = renamed.pop("alpha_head.weight")
    _replace_tensors(folder, safetensors.save(renamed))
    with pytest.raises(InputError, match=r"the tensor alpha(_head\.weight)? is (missing|unknown)"):
        load_bundle(folder)
    turned = {**state, "alpha_head.weight": state["alpha_head.weight"].permute(1, 0, 2, 3)}
    _replace_tensors(folder, safetensors.save({k: v.contiguous() for k, v in turned.items()}))
    with pytest.raises(InputError, match=r"alpha_head\.weight is torch\.float32 \(2, 4, 7, 7\)"):
        load_bundle(folder)
    endless = {**state, "alpha_head.weight": state["alpha_head.weight"] / 0}
    _replace_tensors(folder, safetensors.save(endless))
    with pytest.raises(InputError, match=r"alpha_head\.weight has numbers that are not finite"):
        load_bundle(folder)


# The commands.


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_show_lists_networks_and_configurations(tmp_path: Path) -> None:
    save_bundle(tmp_path / "b", _bundle())
    code, text = _run("show", tmp_path / "b")
    assert code == 0
    assert "rotator-P" in text
    assert "channels 3-4-4-4, 0 blocks" in text
    assert "can run        PU-L1, PU-P, ZH-L1, ZH-P, FU-L1-L1, FU-P-L1, FU-P-P" in text
    assert "sha256:0123" in text


def test_three_files_become_a_bundle_and_three_files_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tha1_module, "PAPER", TINY)  # the commands' part does not depend on size
    networks = Tha1Networks(FaceMorpher(TINY), FaceRotator(TINY), Combiner(TINY))
    export_tha1(tmp_path / "a", networks)
    assert _run("import", tmp_path / "a", "-o", tmp_path / "b") == (
        0,
        f"{tmp_path / 'b'}: holds FU-P-P\n",
    )
    assert _run("export", tmp_path / "b", "-o", tmp_path / "c")[0] == 0
    for name in ("face_morpher.pt", "two_algo_face_rotator.pt", "combiner.pt"):
        before = torch.load(tmp_path / "a" / name, weights_only=True)
        after = torch.load(tmp_path / "c" / name, weights_only=True)
        assert list(before) == list(after)
        assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_fault_is_one_line_and_exit_code_one(tmp_path: Path) -> None:
    save_bundle(tmp_path / "b", _bundle())
    assert _run("show", tmp_path) == (
        1,
        f"error: {tmp_path / 'bundle.json'}: there is no such file; give the folder of a bundle\n",
    )
    code, text = _run("export", tmp_path / "b", "-o", tmp_path / "c")
    assert (code, text.count("\n")) == (1, 1)
    assert "it holds FU-L1-L1, FU-P-L1, FU-P-P; name one of" in text
    code, text = _run("export", tmp_path / "b", "-o", tmp_path / "c", "--configuration", "FU-P-P")
    assert (code, text.count("\n")) == (1, 1)
    assert "not of the paper's shape" in text
    assert not (tmp_path / "c").exists()


def test_the_only_full_configuration_needs_no_name() -> None:
    rotator, combiner, morpher = FaceRotator(TINY), Combiner(TINY), FaceMorpher(TINY)
    bundle = Bundle(morpher, {"P": rotator}, {("P", "L1"): combiner})
    assert full_networks(bundle) == (morpher, rotator, combiner)
    with pytest.raises(InputError, match="configuration PU-P: has no combiner"):
        full_networks(bundle, "PU-P")
