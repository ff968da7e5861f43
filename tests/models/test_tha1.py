"""THA1's files: lossless both ways, and whatever is wrong with one is named."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.errors import InputError
from models.base.config import PAPER, NetworkConfig, copying
from models.files.tha1 import Tha1Networks, export_tha1, import_tha1, names, read_file, write_file
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator
from tests.support.plain_networks import PlainMorpher, PlainRotator, listed_tensors

TINY = NetworkConfig(size=32, channels=4, max_channels=8, residual_blocks=1)
SMALLEST = FaceMorpher(NetworkConfig(size=16, channels=1, max_channels=1, residual_blocks=0))
KINDS = [FaceMorpher, FaceRotator, Combiner]


def _bits(tensor: Tensor) -> bytes:
    return tensor.detach().contiguous().numpy().tobytes()


def _tha1_state(network: FaceMorpher | FaceRotator | Combiner) -> dict[str, Tensor]:
    state = network.state_dict()
    return {theirs: state[ours].clone() for theirs, ours in names(network)}


def _saved(folder: Path, content: object) -> Path:
    path = folder / "some.pt"
    torch.save(content, path)
    return path


def test_the_three_published_shapes_come_in_and_go_out_bit_for_bit(
    tha1_tensors: Path, tmp_path: Path
) -> None:
    draw = torch.Generator().manual_seed(0)
    published: dict[str, OrderedDict[str, Tensor]] = {}
    for file, shapes in listed_tensors(tha1_tensors).items():
        # Any bits at all, NaN and denormal numbers among them.
        published[file] = OrderedDict(
            (name, torch.randint(-(2**31), 2**31, shape, generator=draw, dtype=torch.int32))
            for name, shape in shapes.items()
        )
        for name, bits in published[file].items():
            published[file][name] = bits.view(torch.float32)
        newer = file != "combiner.pt"  # both of torch's forms are read
        torch.save(published[file], tmp_path / file, _use_new_zipfile_serialization=newer)
    export_tha1(tmp_path / "out", import_tha1(tmp_path))
    for file, state in published.items():
        written = torch.load(tmp_path / "out" / file, weights_only=True)
        assert list(written) == list(state)
        for name, tensor in state.items():
            same = torch.equal(written[name].view(torch.int32), tensor.view(torch.int32))
            assert same, (file, name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_survives_writing_and_reading(
    tmp_path: Path, kind: type[FaceMorpher] | type[FaceRotator] | type[Combiner]
) -> None:
    network = kind(TINY, torch.Generator().manual_seed(1)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    write_file(tmp_path / "a.pt", network)
    read = kind(TINY)
    read_file(tmp_path / "a.pt", read)
    for name, tensor in network.state_dict().items():
        assert _bits(read.state_dict()[name]) == _bits(tensor), name


def test_a_written_file_serves_code_that_knows_only_tha1s_names(tmp_path: Path) -> None:
    image, pose = torch.rand(1, 4, 32, 32) * 2 - 1, torch.rand(1, 3)
    config = copying(TINY)  # its offsets are zero: sampling positions do not depend on last bits
    for network, plain in (
        (FaceMorpher(config), PlainMorpher(TINY.widths, 1)),
        (FaceRotator(config), PlainRotator(TINY.widths, 1)),
    ):
        path = tmp_path / f"{type(network).__name__}.pt"
        write_file(path, network)
        plain.load_state_dict(torch.load(path, weights_only=True))
        for own, other in zip(network(image, pose), plain(image, pose), strict=True):
            torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-4)


class _Intruder:
    """Unpickled, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", ["zip", "legacy", "bare pickle"])
def test_a_program_in_a_file_is_refused_by_name_and_never_run(tmp_path: Path, form: str) -> None:
    trap, path = tmp_path / "trap", tmp_path / "face_morpher.pt"
    content = {**_tha1_state(FaceMorpher(TINY)), "color_change.0.weight": _Intruder(trap)}
    if form == "bare pickle":
        path.write_bytes(pickle.dumps({"color_change.0.weight": _Intruder(trap)}))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(InputError, match=r"face_morpher\.pt: (holds more than tensors|damaged)"):
        read_file(path, FaceMorpher(TINY))
    assert not trap.exists()
    if form == "zip":
        torch.load(path, weights_only=False)
        assert trap.exists()  # the trap is a real one


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_no_damage_to_a_file_escapes_as_another_error(tmp_path: Path) -> None:
    random, path = np.random.default_rng(0), tmp_path / "some.pt"
    for newer in (True, False):
        torch.save(_tha1_state(SMALLEST), path, _use_new_zipfile_serialization=newer)
        whole = path.read_bytes()
        refused = 0
        for _ in range(150):
            damaged = bytearray(whole)
            for _ in range(3):
                damaged[random.integers(random.choice([100, 2000, len(whole)]))] = random.integers(
                    256
                )
            path.write_bytes(damaged)
            try:
                read_file(path, SMALLEST)
            except InputError as error:
                assert str(error).startswith(str(path))
                refused += 1
        assert refused > 50


def _without(state: dict[str, Tensor]) -> dict[str, Tensor]:
    del state["main_body.module_list.4.norm2.bias"]
    return state


def _with(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "zhou_grid_change.weight": torch.zeros(2)}


def _reshaped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "alpha_mask.0.weight": torch.zeros(4, 4, 7, 6)}


def _doubled(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "alpha_mask.0.weight": state["alpha_mask.0.weight"].double()}


def _texts(state: dict[str, Tensor]) -> dict[str, object]:
    return {**state, "alpha_mask.0.weight": "weights"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_without, r"the tensor main_body\.module_list\.4\.norm2\.bias is missing"),
        (_with, r"the tensor zhou_grid_change\.weight is unknown"),
        (_reshaped, r"alpha_mask\.0\.weight has the shape \(4, 4, 7, 6\), not \(4, 4, 7, 7\)"),
        (_doubled, r"alpha_mask\.0\.weight is not a float32 tensor"),
        (_texts, r"alpha_mask\.0\.weight is not a float32 tensor"),
        (lambda _: [1, 2], "holds a list, not tensors by name"),
    ],
)
def test_one_wrong_tensor_is_named_and_the_network_left_as_it_was(
    tmp_path: Path, change: Callable[[dict[str, Tensor]], object], fault: str
) -> None:
    network = FaceMorpher(TINY)
    before = {name: _bits(tensor) for name, tensor in network.state_dict().items()}
    path = _saved(tmp_path, change(_tha1_state(FaceMorpher(TINY))))
    with pytest.raises(InputError, match=f"some.pt: {fault}"):
        read_file(path, network)
    assert {name: _bits(tensor) for name, tensor in network.state_dict().items()} == before


def test_files_that_are_missing_damaged_or_far_too_large_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"some\.pt: there is no such file"):
        read_file(tmp_path / "some.pt", FaceMorpher(TINY))
    path = _saved(tmp_path, _tha1_state(FaceMorpher(TINY)))
    whole = path.read_bytes()
    for end in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"some\.pt"):
            read_file(path, FaceMorpher(TINY))
    with path.open("wb") as file:
        file.truncate(1 << 32)  # sparse: no disk is filled
    with pytest.raises(InputError, match="holds 4294967296 bytes where at most"):
        read_file(path, FaceMorpher(TINY))


def test_an_archive_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "some.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some/data.pkl", bytes(50 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError, match="bytes where at most"):
        read_file(path, FaceMorpher(TINY))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (TINY, "channels 4"),
        (replace(PAPER, skips=True), "skips True"),
        (replace(PAPER, palette=3), "palette 3"),
        (replace(PAPER, last_filter=3), "last_filter 3"),
        (replace(PAPER, rigid=True), "rigid True"),
        (replace(PAPER, boldness=0.5), "boldness 0.5"),
        (replace(PAPER, copies_more=2.0), "copies_more 2.0"),
        (replace(PAPER, flow_outlines=True), "flow_outlines True"),
        (replace(PAPER, both_sides=True), "both_sides True"),
    ],
    ids=[
        "small",
        "skips",
        "palette",
        "last_filter",
        "rigid",
        "boldness",
        "copies_more",
        "flow_outlines",
        "both_sides",
    ],
)
def test_another_shape_than_the_papers_is_not_exported(
    config: NetworkConfig, told: str, tmp_path: Path
) -> None:
    with torch.device("meta"):
        odd = Tha1Networks(FaceMorpher(config), FaceRotator(config), Combiner(config))
    with pytest.raises(InputError, match=rf"face_morpher\.pt: its network is .*{told}"):
        export_tha1(tmp_path, odd)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    with torch.device("meta"):
        networks = Tha1Networks(FaceMorpher(PAPER), FaceRotator(PAPER), Combiner(PAPER))
    (tmp_path / "combiner.pt").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"combiner\.pt: exists already"):
        export_tha1(tmp_path, networks)
    assert [path.name for path in tmp_path.iterdir()] == ["combiner.pt"]
    assert (tmp_path / "combiner.pt").read_bytes() == b"mine"
