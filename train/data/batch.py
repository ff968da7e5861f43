"""Samples -> batches: pictures as they were stored, then in network form on the device that trains.

Bytes are a quarter of the numbers that they stand for: less to keep, and less to send to a device,
which converts faster than processes that decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from contract.errors import InputError
from contract.image import ALPHA_BYTE_TO_NETWORK, COLOUR_BYTE_TO_NETWORK, Stored
from contract.origins import ORIGIN_STEPS, Origins
from contract.pose import AXIS_NAMES, mirrored_pose
from dataset.shards.records import PictureName
from train.data.pathways import Pathways
from train.data.samples import SampleSet
from train.data.transfer import sent, stacked

I64 = npt.NDArray[np.int64]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Batch:
    """N samples: image and target (N, 4, S, S) float32 in network form, pose (N, 6) float32.

    ``numbers`` says which samples of their set they are. pathways: what a frozen rotator made of
    the images, two (N, 4, S, S), where that was kept. traces: the samples' origins, if asked for.
    """

    image: Tensor
    target: Tensor
    pose: Tensor
    numbers: tuple[int, ...]
    pathways: tuple[Tensor, Tensor] | None = None
    traces: Traces | None = None


class Traces(NamedTuple):
    """Origins of N samples as losses take them; T is ``ORIGINS_SIDE``.

    places (N, T, T, 2) float32: x, then y down, in halves of the picture from edge to edge.
    shown (N, T, T) uint8, as ``Origins`` has it.
    """

    places: Tensor
    shown: Tensor


@dataclass(frozen=True)
class StoredBatch:
    """N samples as they were stored: inputs and targets, N each (H, W, 4) uint8, pose (N, 6).

    ``numbers`` says which samples of their set they are. pathways: (2, N, 4, S, S) float16, what
    a frozen rotator made of the inputs, where that was kept. origins: of each, if asked for.
    """

    inputs: tuple[Stored, ...]
    targets: tuple[Stored, ...]
    pose: Tensor
    numbers: tuple[int, ...]
    pathways: Tensor | None = None
    origins: tuple[Origins, ...] = ()

    def to_network(self, device: torch.device, size: int) -> Batch:
        """In network form on ``device``; size: H, or the whole fraction of it to reduce to."""
        image = to_network(self.inputs, device, size)
        target = to_network(self.targets, device, size)
        turned = None
        if self.pathways is not None:
            one, two = sent(self.pathways, device).float()
            turned = one, two
        traces = _traces(self.origins, device) if self.origins else None
        return Batch(image, target, sent(self.pose, device), self.numbers, turned, traces)


def read_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: tuple[PictureName, PictureName],
    pathways: Pathways | None = None,
    *,
    traced: bool = False,
) -> StoredBatch:
    """Read some samples: the two pictures ``names`` (input, target) and no other.

    pathways: read theirs too. traced: read their origins too.

    Raises:
        ShardError: a picture is damaged, or there are no origins; the message names the shard.
    """
    pose = np.empty((len(numbers), len(AXIS_NAMES)), np.float32)
    inputs, targets, origins = [], [], []
    for place, number in enumerate(numbers):
        reader, row = samples.readers[samples.shard[number]], int(samples.row[number])
        pose[place] = reader.samples["pose"][row]
        pictures = reader.pictures(row, names)
        if traced:
            found = reader.origins(row)
            origins.append(found.mirrored() if samples.mirror[number] else found)
        if samples.mirror[number]:
            pose[place] = mirrored_pose(pose[place])
            pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        # Kept as they were decoded: a copy of each would cost a sixth of decoding it.
        inputs.append(pictures[0])
        targets.append(pictures[1])
    turned = None if pathways is None else pathways.read(numbers)
    sides = tuple(inputs), tuple(targets)
    known = tuple(map(int, numbers))
    return StoredBatch(*sides, torch.from_numpy(pose), known, turned, tuple(origins))


def _traces(origins: Sequence[Origins], device: torch.device) -> Traces:
    places, shown = (sent(stacked(part, device), device) for part in zip(*origins, strict=True))
    return Traces(places / ORIGIN_STEPS, shown)


def load_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: tuple[PictureName, PictureName],
    size: int,
    device: torch.device = CPU,
) -> Batch:
    """``read_batch`` in network form; size and device: as ``StoredBatch.to_network`` has them."""
    return read_batch(samples, numbers, names).to_network(device, size)


def require_size(samples: SampleSet, size: int, resize: bool) -> None:
    """Refuse pictures that do not fit the network's ``size``.

    Raises:
        InputError: another size, and no leave to reduce it, or no whole fraction.
    """
    if samples.size == size:
        return
    if not resize:
        raise InputError(
            f"{samples.readers[0].path}: pictures of {samples.size} pixels, but the networks take "
            f"{size}; build shards with --size {size}, or allow --resize"
        )
    if samples.size % size:
        raise InputError(
            f"{samples.readers[0].path}: pictures of {samples.size} pixels cannot be reduced to "
            f"{size}: it must be a whole fraction"
        )


# Stored -> network form.


def to_network(stored: Sequence[Stored], device: torch.device, size: int) -> Tensor:
    """N pictures (H, W, 4) uint8 -> (N, 4, size, size) float32 on ``device``.

    ``contract.image.stored_to_network`` bit for bit, for pictures without colour under alpha 0;
    the result lies pixel by pixel in memory (torch's channels_last). size: H, or a whole fraction
    of it: then each pixel is the mean of a block, as ``_reduced`` says.
    """
    made = torch.empty((len(stored), size, size, 4), device=device)
    if device.type == "cpu":
        # One by one, so that each is still in the processor's cache from step to step.
        for picture, place in zip(stored, made, strict=True):
            _convert(torch.from_numpy(picture), place)
    elif stored:
        _convert(sent(stacked(stored, device), device), made)
    return made.movedim(-1, -3)


def _convert(stored: Tensor, out: Tensor) -> None:
    """Pictures (..., H, W, 4) uint8 into ``out`` (..., size, size, 4)."""
    side, size = stored.shape[-2], out.shape[-2]
    table = _table(stored.device)
    entries = torch.add(stored, _first_entries(side, stored.device)).view(-1)
    if size == side:
        torch.index_select(table, 0, entries, out=out.view(-1))
    else:
        out.copy_(_reduced(table.index_select(0, entries).view(stored.shape), size))


@cache
def _table(device: torch.device) -> Tensor:
    """(512,) float32: what each byte of colour stands for, then each byte of alpha."""
    both = np.concatenate([COLOUR_BYTE_TO_NETWORK, ALPHA_BYTE_TO_NETWORK])
    return torch.from_numpy(both).to(device)


@cache
def _first_entries(side: int, device: torch.device) -> Tensor:
    """(side, side, 4) int32: where in the table the entries of each channel begin.

    Of a picture's size, for adding four numbers over and over is slow.
    """
    channels = torch.tensor([0, 0, 0, len(COLOUR_BYTE_TO_NETWORK)], dtype=torch.int32)
    return channels.expand(side, side, 4).contiguous().to(device)


def _reduced(pixels: Tensor, size: int) -> Tensor:
    """(..., H, W, 4) -> (..., size, size, 4), network form: means of blocks in linear light.

    Colours are weighted by alpha, so that no background bleeds into the outline.
    """
    unit = (pixels + 1) / 2
    unit[..., :3] *= unit[..., 3:]
    # Row upon row, then column upon column: a mean over both at once takes five times as long.
    factor = pixels.shape[-2] // size
    rows = unit.view(*pixels.shape[:-3], size, factor, -1)
    columns = _sum(rows).view(*pixels.shape[:-3], size, size, factor, 4)
    mean = _sum(columns).div_(factor * factor)
    mean[..., :3] /= mean[..., 3:].clamp(min=1e-6)
    return mean * 2 - 1


def _sum(parts: Tensor) -> Tensor:
    """(..., N, C) -> (..., C)."""
    total = parts[..., 0, :].clone()
    for number in range(1, parts.shape[-2]):
        total += parts[..., number, :]
    return total
