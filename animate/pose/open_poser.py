"""From what a command line says (a folder of networks, a drawing's file) to a poser."""

from __future__ import annotations

from pathlib import Path

from animate.drawing.check import misplaced
from animate.drawing.drawing import MOST_PIXELS, Drawing, clean, read_drawing, resized
from animate.pose.pace import Pace
from animate.pose.poser import Networks, Poser
from contract.errors import InputError
from contract.image import Stored
from models.files.onnx_record import is_export


def open_networks(
    folder: Path,
    configuration: str | None,
    device: str,
    backend: str,
    *,
    compiled: bool = False,
    pace: Pace = "full",
) -> Networks:
    """The networks in a folder: a bundle's, run by torch, or exported ones, run by onnxruntime.

    Torch is loaded for the first kind only, and ``pace`` is of that one: exported ones decide as
    they did when they were exported.

    Raises:
        InputError: the folder holds neither, or not what ``backend`` (auto, torch, onnx) runs.
        DeviceError: there is no such device.
    """
    if backend == "onnx" or (backend == "auto" and is_export(folder)):
        return _open_exported(folder, configuration, device)
    from animate.pose.torch_networks import open_bundle, open_torch_networks  # noqa: PLC0415

    bundle = open_bundle(folder)
    return open_torch_networks(bundle, configuration, device, compiled=compiled, pace=pace)


def _open_exported(folder: Path, configuration: str | None, device: str) -> Networks:
    from animate.pose.onnx_networks import OnnxNetworks  # noqa: PLC0415  # loads onnxruntime

    if not is_export(folder):
        raise InputError(
            f"{folder}: holds no ONNX files; write them with `animate export --bundle {folder} "
            "-o FOLDER`"
        )
    exported = OnnxNetworks(folder)
    if configuration not in {None, exported.configuration}:
        raise InputError(
            f"{folder}: holds {exported.configuration}, not {configuration}; export that one"
        )
    if device not in {"auto", "cpu"}:
        raise InputError(f"{folder}: exported networks run on the CPU; give --device cpu")
    return exported


def open_poser(
    networks: Networks, drawing: Path, size: int | None = None
) -> tuple[Poser, list[str]]:
    """A poser of a drawing's file, as ``fitted`` has it, and all that is to be said of it.

    ``InputError`` when it is of no use.
    """
    given = read_drawing(drawing)
    picture, note = fitted(given, networks, size)
    return Poser(networks, picture), [said for said in (note, misplaced(given)) if said]


def fitted(drawing: Drawing, networks: Networks, size: int | None = None) -> tuple[Stored, str]:
    """A drawing at a size at which networks draw, and what had to be done to it, in words.

    That is its own where it can be, or ``size`` (pixels a side) where that is given; but no less
    than the networks' and, unless they draw no other, no more than ``MOST_PIXELS``.

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
    side = drawn_size(size or width, networks)
    return clean(resized(drawing.picture, side, side)), _told(drawing.name, width, side, size)


def drawn_size(wanted: int, networks: Networks) -> int:
    """The size nearest to ``wanted`` (pixels a side) at which networks draw."""
    least = networks.size
    return max(least, min(wanted, MOST_PIXELS)) if networks.draws_wide else least


def _told(name: str, width: int, side: int, size: int | None) -> str:
    """Why a drawing was brought to another size, unless that was asked for."""
    if size is not None or side == width:
        return ""
    if width < side:
        return f"{name}: {width}x{width} pixels, enlarged to {side}: networks draw no less"
    return f"{name}: {width}x{width} pixels, reduced to {side}: networks draw no more"
