"""From a bundle's folder and a drawing's file to a poser."""

from __future__ import annotations

from pathlib import Path

import torch

from animate.drawing.drawing import Drawing, clean, read_drawing, resized
from animate.pose.onnx_networks import OnnxNetworks, is_export
from animate.pose.poser import Networks, Poser, TorchNetworks, choose_configuration
from contract.errors import DeviceError, InputError
from contract.image import Stored
from models.base.execution import Execution, fastest
from models.files.bundle import Bundle, load_bundle
from models.files.bundle_record import RECORD_FILE

DEVICES = ("auto", "cpu", "cuda", "mps")


def open_bundle(folder: Path) -> Bundle:
    """The bundle in ``folder``.

    Raises:
        InputError: there is none (saying how to come by one), or it is of no use.
    """
    if not (folder / RECORD_FILE).is_file():
        raise InputError(
            f"{folder}: no bundle (no {RECORD_FILE} in it); `make demo` trains a small one into "
            "demo/run/bundle, `make train-all` a real one, and `models import` makes one of THA1's "
            "three files"
        )
    return load_bundle(folder)


def open_device(name: str) -> torch.device:
    """The device called ``name``; for "auto" the best there is.

    Raises:
        DeviceError: it is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    if not there[name]:
        raise DeviceError(f"device {name}: not on this machine; give --device auto")
    return torch.device(name)


def open_networks(
    bundle: Bundle, configuration: str | None, device: str, *, compiled: bool = False
) -> TorchNetworks:
    """The networks of a configuration, ready to run the fastest way that is right."""
    place = open_device(device)
    best = fastest(place)
    execution = Execution(best.channels_last, best.precision, compiled)
    return TorchNetworks(bundle, choose_configuration(bundle, configuration), place, execution)


def open_any(
    bundle: Path,
    configuration: str | None,
    device: str,
    backend: str,
    *,
    compiled: bool = False,
) -> Networks:
    """The networks in a folder: a bundle's, run by torch, or exported ones, run by onnxruntime.

    Raises:
        InputError: the folder holds neither, or not what ``backend`` (auto, torch, onnx) runs.
    """
    if backend == "torch" or (backend == "auto" and not is_export(bundle)):
        return open_networks(open_bundle(bundle), configuration, device, compiled=compiled)
    if not is_export(bundle):
        raise InputError(
            f"{bundle}: holds no ONNX files; write them with `animate export --bundle {bundle} "
            "-o FOLDER`"
        )
    exported = OnnxNetworks(bundle)
    if configuration not in {None, exported.configuration}:
        raise InputError(
            f"{bundle}: holds {exported.configuration}, not {configuration}; export that one"
        )
    if device not in {"auto", "cpu"}:
        raise InputError(f"{bundle}: exported networks run on the CPU; give --device cpu")
    return exported


def fitted(drawing: Drawing, size: int) -> Stored:
    """A drawing at the networks' size.

    Raises:
        InputError: it is not square, has no transparent background, or nothing before it.
    """
    height, width = drawing.picture.shape[:2]
    remedy = f"try `animate check {drawing.name} --fix fixed.png`"
    if width != height:
        raise InputError(f"{drawing.name}: {width}x{height}; it must be square; {remedy}")
    if not drawing.has_alpha or (drawing.picture[..., 3] == 255).all():
        raise InputError(f"{drawing.name}: no transparent background; {remedy}")
    if not drawing.picture[..., 3].any():
        raise InputError(f"{drawing.name}: wholly transparent; give a drawing of a character")
    return clean(resized(drawing.picture, size, size))


def open_poser(networks: Networks, drawing: Path) -> Poser:
    """A poser of a drawing's file; ``InputError`` when it is of no use."""
    return Poser(networks, fitted(read_drawing(drawing), networks.size))
