"""Batches of samples, in an order that only a seed and a position decide.

The order is one endless list: a permutation of all samples, then another, and so on. Step k of a
stage takes the k-th run of ``batch`` samples of it, and each of several processes its share of that
run. So a position is one number, and neither resuming nor the number of processes changes what a
step sees.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from contract.errors import InputError
from contract.pose import mirrored_pose
from dataset.records import PictureName
from train.network_form import to_network
from train.pathways import Pathways
from train.samples import SampleSet

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Batch:
    """N samples: image and target (N, 4, S, S) float32 in network form, pose (N, 6) float32.

    ``numbers`` says which samples of their set they are. pathways: what a frozen rotator made of
    the images, two (N, 4, S, S), where that was kept.
    """

    image: Tensor
    target: Tensor
    pose: Tensor
    numbers: tuple[int, ...]
    pathways: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True)
class StoredBatch:
    """N samples as they were stored: inputs and targets (2, N, H, W, 4) uint8, pose (N, 6) float32.

    ``numbers`` says which samples of their set they are. pathways: (2, N, 4, S, S) float16, what
    a frozen rotator made of the inputs, where that was kept.
    """

    pictures: Tensor
    pose: Tensor
    numbers: tuple[int, ...]
    pathways: Tensor | None = None

    def to_network(self, device: torch.device, size: int) -> Batch:
        """In network form on ``device``; size: H, or the whole fraction of it to reduce to."""
        image, target = to_network(self.pictures.to(device), size)
        turned = None
        if self.pathways is not None:
            one, two = self.pathways.to(device).float()
            turned = one, two
        return Batch(image, target, self.pose.to(device), self.numbers, turned)


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


def read_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: Sequence[PictureName],
    room: U8 | None = None,
    pathways: Pathways | None = None,
) -> StoredBatch:
    """Read some samples: the two pictures ``names`` (input, target) and no other.

    room: memory for the pictures, (2, N or more, H, W, 4); None: new memory. pathways: read theirs
    too.

    Raises:
        ShardError: a picture is damaged; the message names the shard.
    """
    count, side = len(numbers), samples.size
    pictures = np.empty((2, count, side, side, 4), np.uint8) if room is None else room[:, :count]
    pose = np.empty((count, 6), np.float32)
    for place, number in enumerate(numbers):
        reader, row = samples.readers[samples.shard[number]], int(samples.row[number])
        pose[place] = reader.samples["pose"][row]
        reader.decode_into(row, names, pictures[:, place])
        if samples.mirror[number]:
            pose[place] = mirrored_pose(pose[place])
            pictures[:, place] = pictures[:, place, :, ::-1].copy()
    turned = None if pathways is None else pathways.read(numbers)
    read = torch.from_numpy(pictures), torch.from_numpy(pose)
    return StoredBatch(*read, tuple(map(int, numbers)), turned)


def load_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: Sequence[PictureName],
    size: int,
    device: torch.device = CPU,
) -> Batch:
    """``read_batch`` in network form; size and device: as ``StoredBatch.to_network`` has them."""
    return read_batch(samples, numbers, names).to_network(device, size)


def batches(
    samples: SampleSet,
    order: SampleOrder,
    names: Sequence[PictureName],
    positions: range,
    share: Share = Share(),
    workers: int = 1,
    pathways: Pathways | None = None,
) -> Iterator[StoredBatch]:
    """The batches that begin at ``positions``, whose step is the batch size; read ahead.

    The pictures of a batch are valid until the next one is asked for: their memory is used again,
    for fresh memory costs more than decoding. The workers are threads: reading and decoding let go
    of Python's lock, and nothing has to be sent between processes.
    """
    most = -(-positions.step // share.ranks)
    shape = (2, most, samples.size, samples.size, 4)
    rooms = [np.empty(shape, np.uint8) for _ in range(min(workers + 1, len(positions)))]
    waiting: deque[tuple[Future[StoredBatch], U8]] = deque()
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
                job = pool.submit(read_batch, samples, numbers, names, room, pathways)
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
