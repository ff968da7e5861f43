"""A bundle's networks -> ONNX files, as ``animate.pose.onnx_networks`` lays them out."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import warnings
from pathlib import Path

import torch

from animate.pose.onnx_networks import CONVENTIONS, PARTS, RECORD_FILE
from animate.pose.open_poser import open_bundle
from animate.pose.poser import choose_configuration, parts_of
from contract.errors import InputError
from contract.files import write_bytes

_OPSET = 18  # GridSample as the networks use it came with 16


def export_onnx(bundle_folder: Path, configuration: str | None, out: Path) -> str:
    """Write a bundle's configuration as ONNX files into a new folder; the configuration's name.

    Raises:
        InputError: the bundle is of no use, ``out`` is there already, or the exporter is missing.
    """
    bundle = open_bundle(bundle_folder)
    name = choose_configuration(bundle, configuration)
    if out.exists():
        raise InputError(f"{out}: is there already; give another folder")
    express, turn = parts_of(bundle, name)
    assert bundle.morpher is not None  # every configuration has one
    size = bundle.morpher.config.size
    digests = {}
    for part, network in zip(PARTS, (express, turn), strict=True):
        data = _exported(network, size)
        digests[part] = hashlib.sha256(data).hexdigest()
        write_bytes(out / f"{part}.onnx", data)
    record = {**CONVENTIONS, "size": size, "configuration": name, "sha256": digests}
    # Last, so that a folder with a record is whole.
    write_bytes(out / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
    return name


def _exported(network: object, size: int) -> bytes:
    inputs = torch.zeros(1, 4, size, size), torch.zeros(1, 3)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        try:
            torch.onnx.export(
                network,  # type: ignore[arg-type]
                inputs,
                str(path),
                input_names=["picture", "pose"],
                output_names=["output"],
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except ImportError as error:
            raise InputError(
                f"ONNX export needs the packages onnx and onnxscript ({error.name} is missing); "
                "install them with: pip install 'opentha[onnx]'"
            ) from error
        return path.read_bytes()
