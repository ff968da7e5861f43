"""Networks on disk: bundles, their tensors, what lies beside an export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from tests.support.fuzzing.mutation import any_number, anywhere, in_json
from tests.support.fuzzing.target import Seed, Target


@cache
def _bundle_bytes(folder: Path) -> Mapping[str, bytes]:
    from models.base.config import NetworkConfig
    from models.files.bundle import save_bundle
    from tests.support.untrained import untrained

    config = NetworkConfig(size=16, channels=1, max_channels=2, residual_blocks=1)
    save_bundle(folder / "sound", untrained(config, "L1"))
    return {path.name: path.read_bytes() for path in (folder / "sound").iterdir()}


def _bundle_records(folder: Path) -> list[Seed]:
    return [Seed(_bundle_bytes(folder)["bundle.json"], (in_json,))]


def _fill_bundle(folder: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as other:
        for name, data in _bundle_bytes(Path(other)).items():
            (folder / name).write_bytes(data)


def _read_bundle(path: Path) -> None:
    from models.files.bundle import load_bundle

    load_bundle(path.parent)


def _tensors(folder: Path) -> list[Seed]:
    return [Seed(_bundle_bytes(folder)["morpher.safetensors"], (in_tensors, any_number, anywhere))]


def in_tensors(rng: np.random.Generator, data: bytes) -> bytes:
    """A safetensors file whose header was changed, its length being right."""
    size = int.from_bytes(data[:8], "little")
    header = in_json(rng, data[8 : 8 + size])
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _read_tensors(path: Path) -> None:
    """With a record that says that these are the right bytes."""
    import hashlib

    record = path.parent / "bundle.json"
    document = json.loads(_sound_record(path.parent))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    document["networks"]["morpher"]["sha256"] = sha256
    record.write_text(json.dumps(document))
    _read_bundle(path)


@cache
def _sound_record(folder: Path) -> bytes:
    return (folder / "bundle.json").read_bytes()


def _onnx_records(_folder: Path) -> list[Seed]:
    from models.files.onnx_record import PARTS, WIDE_PARTS, OnnxRecord, write_onnx_record

    digests = dict.fromkeys((*PARTS, *WIDE_PARTS), "0" * 64)
    write_onnx_record(_folder, OnnxRecord(64, 32, 32, 32, 32, "FU-L1-L1", digests))
    return [Seed((_folder / "onnx.json").read_bytes(), (in_json,))]


def _read_onnx_record(path: Path) -> None:
    from models.files.onnx_record import read_onnx_record

    read_onnx_record(path.parent)


TARGETS: Mapping[str, Target] = {
    "bundles": Target("bundle.json", _bundle_records, _read_bundle, _fill_bundle),
    "tensors": Target("morpher.safetensors", _tensors, _read_tensors, _fill_bundle),
    "onnx-records": Target("onnx.json", _onnx_records, _read_onnx_record),
}
