"""Exchange with the three files that THA1 published: face_morpher.pt and its two companions.

Each is a state dict of float32 tensors saved by torch. Only tensors are ever read from them
(``weights_only``); names and shapes are checked, and values pass both ways bit for bit.
"""

from __future__ import annotations

import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from contract.errors import InputError
from contract.files import replacing
from models.base.config import DOWNSAMPLINGS, PAPER, NetworkConfig
from models.base.configurations import FULL_CONFIGURATIONS, require
from models.files.bundle import Bundle
from models.files.torch_file import load_plain
from models.networks.combiner import Combiner
from models.networks.face_morpher import FaceMorpher
from models.networks.face_rotator import FaceRotator

MORPHER_FILE = "face_morpher.pt"
ROTATOR_FILE = "two_algo_face_rotator.pt"
COMBINER_FILE = "combiner.pt"

_ENCODER_UNITS = DOWNSAMPLINGS + 1
_SLACK_BYTES = 1 << 20
"""What a file may hold besides its numbers."""

# What torch's reader was seen to raise on damaged files.
_LOADING_FAULTS = (
    RuntimeError,
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
)


class Tha1Networks(NamedTuple):
    """The three networks of the published system."""

    morpher: FaceMorpher
    rotator: FaceRotator
    combiner: Combiner


def import_tha1(folder: Path) -> Tha1Networks:
    """The networks of the three files in ``folder``, at the paper's size.

    Raises:
        InputError: a file is missing, holds anything but the expected tensors, or is damaged.
    """
    with torch.device("meta"):
        networks = Tha1Networks(FaceMorpher(PAPER), FaceRotator(PAPER), Combiner(PAPER))
    for file, network in _by_file(networks).items():
        read_file(folder / file, network)
    return networks


def export_tha1(folder: Path, networks: Tha1Networks) -> None:
    """Write the three files into ``folder``, in the form that any version of torch reads.

    Raises:
        InputError: a network is not of the paper's shape, or one of the files exists already.
    """
    for file, network in _by_file(networks).items():
        if _shape_of(network.config) != _shape_of(PAPER):
            odd = ", ".join(_unlike_the_papers(network.config))
            raise InputError(
                f"{file}: its network is not of the paper's shape ({odd}); THA1's tools cannot use "
                "it: train with the preset 'paper'"
            )
        if (folder / file).exists():
            raise InputError(f"{folder / file}: exists already; name another folder")
    for file, network in _by_file(networks).items():
        write_file(folder / file, network)


def full_networks(bundle: Bundle, name: str | None = None) -> Tha1Networks:
    """The three networks of the full configuration ``name``, or of the only one there is.

    Raises:
        InputError: it is not in the bundle, or no name was given and there are none or several.
    """
    if name is None:
        full = [usable for usable in bundle.configurations() if usable in FULL_CONFIGURATIONS]
        if len(full) != 1:
            found = ", ".join(full) or "no full configuration"
            raise InputError(f"bundle: it holds {found}; name one of {FULL_CONFIGURATIONS}")
        name = full[0]
    configuration = require(name, bundle.networks())
    if configuration.combiner is None or bundle.morpher is None:
        raise InputError(
            f"configuration {name}: has no combiner; name one of {FULL_CONFIGURATIONS}"
        )
    return Tha1Networks(
        bundle.morpher,
        bundle.rotators[configuration.rotator],
        bundle.combiners[configuration.rotator, configuration.combiner],
    )


def _by_file(networks: Tha1Networks) -> dict[str, FaceMorpher | FaceRotator | Combiner]:
    return dict(zip((MORPHER_FILE, ROTATOR_FILE, COMBINER_FILE), networks, strict=True))


def _shape_of(config: NetworkConfig) -> tuple[object, ...]:
    """All that THA1's tools take for granted; how weights began is of no matter to them."""
    looks = config.look, config.face_look, config.looks_at, config.rests
    ends = config.skips, config.palette, config.last_filter, config.rigid, config.boldness
    whole = config.size, config.residual_blocks, *config.widths
    copies = config.copies_more, config.flow_outlines
    return *whole, *looks, *ends, *copies, config.both_sides


def _unlike_the_papers(config: NetworkConfig) -> Iterator[str]:
    """Each field of a shape that is not the paper's, and what it is."""
    for name, value in asdict(config).items():
        if name != "flow_scale" and value != getattr(PAPER, name):
            yield f"{name} {value}"


def read_file(path: Path, network: FaceMorpher | FaceRotator | Combiner) -> None:
    """Give ``network`` the tensors of one THA1 file.

    Raises:
        InputError: as ``import_tha1``; the network is then unchanged.
    """
    expected = {theirs: network.state_dict()[ours] for theirs, ours in names(network)}
    limit = sum(4 * tensor.numel() for tensor in expected.values()) + _SLACK_BYTES
    found = _load(path, limit)
    _check(path, found, expected)
    state = {ours: found[theirs].contiguous() for theirs, ours in names(network)}
    network.load_state_dict(state, assign=True)


def write_file(path: Path, network: FaceMorpher | FaceRotator | Combiner) -> None:
    """Write one network as a THA1 file, in one step; ``InputError`` when it cannot be written."""
    state = network.state_dict()
    renamed = OrderedDict(
        (theirs, state[ours].detach().cpu().contiguous()) for theirs, ours in names(network)
    )
    with replacing(path) as temporary:
        # The older of torch's two forms: THA1's own tools come with a torch from before the newer.
        torch.save(renamed, temporary, _use_new_zipfile_serialization=False)


def _load(path: Path, limit: int) -> Mapping[str, Tensor]:
    """What a torch file holds, having checked that it can hold at most ``limit`` bytes."""
    if not path.is_file():
        raise InputError(
            f"{path}: there is no such file; give the folder of THA1's three .pt files"
        )
    size = _unpacked_bytes(path, limit)
    if size > limit:
        raise InputError(f"{path}: holds {size} bytes where at most {limit} fit its network")
    try:
        found = load_plain(path)
    except _LOADING_FAULTS as error:
        raise InputError(f"{path}: damaged, or not a file of torch; get it again") from error
    if not isinstance(found, Mapping):
        raise InputError(f"{path}: holds a {type(found).__name__}, not tensors by name")
    return found


def _unpacked_bytes(path: Path, limit: int) -> int:
    """The bytes in a file or, if that is an archive of no more than ``limit``, in its entries."""
    size = path.stat().st_size
    try:
        if size > limit or not zipfile.is_zipfile(path):
            return size
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(f"{path}: a damaged archive; get it again") from error


def _check(path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    for name, tensor in expected.items():
        given = found.get(name)
        if given is None:
            raise InputError(f"{path}: the tensor {name} is missing; is it another network's file?")
        if not isinstance(given, Tensor) or given.dtype != torch.float32 or given.is_sparse:
            raise InputError(f"{path}: {name} is not a float32 tensor; convert it")
        if given.shape != tensor.shape:
            raise InputError(
                f"{path}: {name} has the shape {tuple(given.shape)}, not {tuple(tensor.shape)}; "
                "is it another network's file?"
            )
    for name in found:
        if name not in expected:
            raise InputError(f"{path}: the tensor {name} is unknown; is it another network's file?")


def names(network: FaceMorpher | FaceRotator | Combiner) -> Iterator[tuple[str, str]]:
    """(THA1's name, ours) of every tensor of a network, in the order of THA1's file."""
    match network:
        case FaceMorpher():
            yield from _trunk(network.config)
            yield "color_change.0.weight", "change_head.weight"
            yield "alpha_mask.0.weight", "alpha_head.weight"
        case FaceRotator():
            yield from _trunk(network.config)
            yield "pumarola_color_change.0.weight", "change_head.weight"
            yield "pumarola_alpha_mask.0.weight", "alpha_head.weight"
            yield "zhou_grid_change.weight", "flow_head.weight"
        case Combiner():
            yield from _unet(network.config)
            yield "combine_alpha_mask.0.weight", "mask_head.weight"
            yield "retouch_alpha_mask.0.weight", "retouch_head.weight"
            yield "retouch_color_change.0.weight", "change_head.weight"


def _trunk(config: NetworkConfig) -> Iterator[tuple[str, str]]:
    """One list of modules: encoder, residual blocks, decoder."""
    module = "main_body.module_list.{}".format
    blocks = config.residual_blocks
    for i in range(_ENCODER_UNITS):
        yield from _unit(module(i), f"trunk.encoder.{i}")
    for i in range(blocks):
        yield from _residual(module(_ENCODER_UNITS + i), f"trunk.residual.{i}")
    for i in range(DOWNSAMPLINGS):
        yield from _unit(module(_ENCODER_UNITS + blocks + i), f"trunk.decoder.{i}")


def _unet(config: NetworkConfig) -> Iterator[tuple[str, str]]:
    """Three lists; the last counts by resolution, from full (0) to the bottleneck's (3)."""
    for i in range(_ENCODER_UNITS):
        yield from _unit(f"main_body.downward_modules.{i}", f"unet.encoder.{i}")
    for i in range(config.residual_blocks):
        yield from _residual(f"main_body.bottleneck_modules.{i}", f"unet.residual.{i}")
    yield from _unit("main_body.upsampling_modules.0", "unet.last")
    for i in range(1, DOWNSAMPLINGS + 1):
        yield from _unit(f"main_body.upsampling_modules.{i}", f"unet.decoder.{DOWNSAMPLINGS - i}")


def _unit(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    yield f"{theirs}.0.weight", f"{ours}.conv.weight"
    yield f"{theirs}.1.weight", f"{ours}.norm.weight"
    yield f"{theirs}.1.bias", f"{ours}.norm.bias"


def _residual(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    for part in ("conv1.weight", "norm1.weight", "norm1.bias"):
        yield f"{theirs}.{part}", f"{ours}.{part}"
    for part in ("conv2.weight", "norm2.weight", "norm2.bias"):
        yield f"{theirs}.{part}", f"{ours}.{part}"
