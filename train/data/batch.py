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
from contract.image import Stored
from contract.pose import AXIS_NAMES, mirrored_pose
from dataset.shards.records import PictureName
from train.data.network_form import to_network
from train.data.pathways import Pathways
from train.data.samples import SampleSet

I64 = npt.NDArray[np.int64]
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
    """N samples as they were stored: inputs and targets, N each (H, W, 4) uint8, pose (N, 6).

    ``numbers`` says which samples of their set they are. pathways: (2, N, 4, S, S) float16, what
    a frozen rotator made of the inputs, where that was kept.
    """

    inputs: tuple[Stored, ...]
    targets: tuple[Stored, ...]
    pose: Tensor
    numbers: tuple[int, ...]
    pathways: Tensor | None = None

    def to_network(self, device: torch.device, size: int) -> Batch:
        """In network form on ``device``; size: H, or the whole fraction of it to reduce to."""
        image = to_network(self.inputs, device, size)
        target = to_network(self.targets, device, size)
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
    names: tuple[PictureName, PictureName],
    pathways: Pathways | None = None,
) -> StoredBatch:
    """Read some samples: the two pictures ``names`` (input, target) and no other.

    pathways: read theirs too.

    Raises:
        ShardError: a picture is damaged; the message names the shard.
    """
    pose = np.empty((len(numbers), len(AXIS_NAMES)), np.float32)
    inputs, targets = [], []
    for place, number in enumerate(numbers):
        reader, row = samples.readers[samples.shard[number]], int(samples.row[number])
        pose[place] = reader.samples["pose"][row]
        pictures = reader.pictures(row, names)
        if samples.mirror[number]:
            pose[place] = mirrored_pose(pose[place])
            pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        # Kept as they were decoded: a copy of each would cost a sixth of decoding it.
        inputs.append(pictures[0])
        targets.append(pictures[1])
    turned = None if pathways is None else pathways.read(numbers)
    sides = tuple(inputs), tuple(targets)
    return StoredBatch(*sides, torch.from_numpy(pose), tuple(map(int, numbers)), turned)


def load_batch(
    samples: SampleSet,
    numbers: Sequence[int] | I64,
    names: tuple[PictureName, PictureName],
    size: int,
    device: torch.device = CPU,
) -> Batch:
    """``read_batch`` in network form; size and device: as ``StoredBatch.to_network`` has them."""
    return read_batch(samples, numbers, names).to_network(device, size)


def batches(
    samples: SampleSet,
    order: SampleOrder,
    names: tuple[PictureName, PictureName],
    positions: range,
    share: Share = Share(),
    workers: int = 1,
    pathways: Pathways | None = None,
) -> Iterator[StoredBatch]:
    """The batches that begin at ``positions``, whose step is the batch size; read ahead.

    The workers are threads: reading and decoding let go of Python's lock, and nothing has to be
    sent between processes.
    """
    waiting: deque[Future[StoredBatch]] = deque()
    with ThreadPoolExecutor(workers, "loader") as pool:
        try:
            for start in positions:
                stop = min(start + positions.step, positions.stop)
                numbers = share.of(order.between(start, stop))
                waiting.append(pool.submit(read_batch, samples, numbers, names, pathways))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
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
