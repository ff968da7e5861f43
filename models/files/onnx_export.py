"""A bundle's networks -> ONNX files, as ``models.files.onnx_record`` lays them out."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from contract.errors import InputError
from contract.files import write_bytes
from models.base.configurations import choose_configuration
from models.files.bundle import Bundle
from models.files.onnx_record import PARTS, OnnxRecord, write_onnx_record

_OPSET = 18  # GridSample as the networks use it came with 16


def export_onnx(bundle: Bundle, configuration: str | None, out: Path) -> str:
    """Write a bundle's configuration as ONNX files into a new folder; the configuration's name.

    Raises:
        InputError: the bundle is of no use, ``out`` is there already, or the exporter is missing.
    """
    name = choose_configuration(bundle.networks(), configuration)
    if out.exists():
        raise InputError(f"{out}: is there already; give another folder")
    system = bundle.system(name).eval()
    digests = {}
    for part, network in zip(PARTS, (system.express, system.turn), strict=True):
        data = _exported(network, system.size)
        digests[part] = hashlib.sha256(data).hexdigest()
        write_bytes(out / f"{part}.onnx", data)
    # Last, so that a folder with a record is whole.
    write_onnx_record(out, OnnxRecord(system.size, name, digests))
    return name


def _exported(network: nn.Module, size: int) -> bytes:
    inputs = torch.zeros(1, 4, size, size), torch.zeros(1, 3)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        try:
            torch.onnx.export(
                network,
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
