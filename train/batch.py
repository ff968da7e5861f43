"""Batches in network form, in an order that only a seed and a position decide.

The order is one endless list: a permutation of all samples, then another, and so on. Step k of a
stage takes the k-th run of ``batch`` samples of it, and each of several processes its share of that
run. So a position is one number, and neither resuming nor the number of processes changes what a
step sees.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from contract.errors import InputError
from contract.image import ALPHA_BYTE_TO_NETWORK, COLOUR_BYTE_TO_NETWORK, Stored
from dataset.records import PictureName
from train.samples import SampleSet

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """N samples: image and target (N, 4, H, W) float32 in network form, pose (N, 6) float32.

    The pictures lie pixel by pixel in memory (torch's channels_last), as they were stored.
    ``numbers`` says which samples of their set they are.
    """

    image: Tensor
    target: Tensor
    pose: Tensor
    numbers: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        image, target, pose = (one.to(device) for one in (self.image, self.target, self.pose))
        return Batch(image, target, pose, self.numbers)


@dataclass(frozen=True)
class Share:
    """Process ``rank`` of ``ranks`` takes its part of each batch."""

    rank: int = 0
    ranks: int = 1

    def of(self, numbers: I64) -> I64:
        """This process' part of a batch; parts differ by one sample at most."""
        count = len(numbers)
        return numbers[count * self.rank // self.ranks : count * (self.rank + 1) // self.ranks]


class SampleOrder:
    """The endless order of ``count`` samples that ``seed`` decides."""

    def __init__(self, count: int, seed: int) -> None:
        self._count = count
        self._seed = seed
        self._epoch = -1
        self._permutation = np.zeros(0, np.int64)

    def between(self, start: int, stop: int) -> I64:
        """The samples at positions ``start`` ... ``stop - 1``."""
        pieces: list[I64] = []
        while start < stop:
            epoch, first = divmod(start, self._count)
            end = min(self._count, first + stop - start)
            pieces.append(self._permuted(epoch)[first:end])
            start += end - first
        return np.concatenate(pieces)

    def _permuted(self, epoch: int) -> I64:
        if epoch != self._epoch:
            generator = np.random.Generator(np.random.PCG64([self._seed, epoch]))
            self._permutation = generator.permutation(self._count)
            self._epoch = epoch
        return self._permutation


def load_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: Sequence[PictureName],
    size: int,
    room: F32 | None = None,
) -> Batch:
    """Read some samples: the two pictures ``names`` (input, target) and no other.

    size: what the pictures are reduced to, a whole fraction of the samples' own. room: memory for
    the pictures, (2, N or more, size, size, 4); None: new memory.

    Raises:
        ShardError: a picture is damaged; the message names the shard.
    """
    count = len(numbers)
    pictures = np.empty((2, count, size, size, 4), np.float32) if room is None else room[:, :count]
    pose = np.empty((count, 6), np.float32)
    for place, number in enumerate(numbers):
        reader, row = samples.readers[samples.shard[number]], int(samples.row[number])
        pose[place] = reader.samples["pose"][row]
        for slot, stored in enumerate(reader.pictures(row, names)):
            if size == samples.size:
                to_network_pixels(stored, pictures[slot, place])
            else:
                pictures[slot, place] = _reduced(stored, size)
    image, target = torch.from_numpy(pictures).permute(0, 1, 4, 2, 3)
    return Batch(image, target, torch.from_numpy(pose), tuple(map(int, numbers)))


def batches(
    samples: SampleSet,
    order: SampleOrder,
    names: Sequence[PictureName],
    size: int,
    positions: range,
    share: Share = Share(),
    workers: int = 1,
) -> Iterator[Batch]:
    """The batches that begin at ``positions``, whose step is the batch size; read ahead.

    The pictures of a batch are valid until the next one is asked for: their memory is used again,
    for fresh memory costs more than decoding. The workers are threads: reading, decoding and
    conversion let go of Python's lock, and nothing has to be sent between processes.
    """
    most = -(-positions.step // share.ranks)
    shape = (2, most, size, size, 4)
    rooms = [np.empty(shape, np.float32) for _ in range(min(workers + 1, len(positions)))]
    waiting: deque[tuple[Future[Batch], F32]] = deque()
    with ThreadPoolExecutor(workers, "loader") as pool:
        try:
            for start in positions:
                stop = min(start + positions.step, positions.stop)
                numbers = share.of(order.between(start, stop))
                if not rooms:
                    future, room = waiting.popleft()
                    yield future.result()
                    rooms.append(room)
                room = rooms.pop()
                job = pool.submit(load_batch, samples, numbers, names, size, room)
                waiting.append((job, room))
            for future, _ in waiting:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


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


def _pairs_table() -> npt.NDArray[np.complex64]:
    """Two stored bytes -> two float32 in network form, as the two halves of one complex number.

    Entries below 65536 are for red and green, those above for blue and alpha. Looking up pairs
    halves the work; and they come out in the order in which the bytes lie.
    """
    first, second = np.arange(1 << 16) & 255, np.arange(1 << 16) >> 8
    red_green = np.stack([COLOUR_BYTE_TO_NETWORK[first], COLOUR_BYTE_TO_NETWORK[second]], -1)
    blue_alpha = np.stack([COLOUR_BYTE_TO_NETWORK[first], ALPHA_BYTE_TO_NETWORK[second]], -1)
    return np.concatenate([red_green, blue_alpha]).view(np.complex64).ravel()


_PAIRS = _pairs_table()
_BLUE_ALPHA = 1 << 16
_scratch = threading.local()


def to_network_pixels(stored: Stored, out: F32) -> None:
    """(H, W, 4) stored form -> ``out`` (H, W, 4) float32: network form, channels last.

    ``contract.image.stored_to_network``, faster, for pictures without colour under alpha 0.
    """
    pairs = np.ascontiguousarray(stored).view("<u2")  # (H, W, 2)
    indices: npt.NDArray[np.intp] | None = getattr(_scratch, "indices", None)
    if indices is None or indices.shape != pairs.shape:
        indices = _scratch.indices = np.empty(pairs.shape, np.intp)
    np.copyto(indices, pairs)
    indices[..., 1] += _BLUE_ALPHA
    # mode="clip" skips a check that the indices, made of bytes, cannot fail.
    np.take(_PAIRS, indices, out=out.view(np.complex64), mode="clip")


def _reduced(stored: Stored, size: int) -> F32:
    """(H, W, 4) stored form -> (size, size, 4) network form: means of blocks in linear light.

    Colours are weighted by alpha, so that no background bleeds into the outline.
    """
    whole = np.empty(stored.shape, np.float32)
    to_network_pixels(stored, whole)
    unit = (whole + 1) / 2
    unit[..., :3] *= unit[..., 3:]
    factor = len(stored) // size
    mean = unit.reshape(size, factor, size, factor, 4).mean(axis=(1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    reduced: F32 = mean * 2 - 1
    return reduced
