"""The order of samples, which only a seed and a position decide, and their batches read ahead.

The order is one endless list: a permutation of all samples, then another, and so on. Step k of a
stage takes the k-th run of ``batch`` samples of it, and each of several processes its share of that
run. So a position is one number, and neither resuming nor the number of processes changes what a
step sees.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from dataset.shards.records import PictureName
from train.data.batch import I64, StoredBatch, read_batch
from train.data.pathways import Pathways
from train.data.samples import SampleSet


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


def batches(
    samples: SampleSet,
    order: SampleOrder,
    names: tuple[PictureName, PictureName],
    positions: range,
    share: Share = Share(),
    workers: int = 1,
    pathways: Pathways | None = None,
    *,
    traced: bool = False,
) -> Iterator[StoredBatch]:
    """The batches that begin at ``positions``, whose step is the batch size; read ahead.

    pathways, traced: as ``read_batch`` has them. The workers are threads: reading and decoding let
    go of Python's lock, and nothing has to be sent between processes.
    """
    waiting: deque[Future[StoredBatch]] = deque()
    with ThreadPoolExecutor(workers, "loader") as pool:
        try:
            for start in positions:
                stop = min(start + positions.step, positions.stop)
                numbers = share.of(order.between(start, stop))
                read = partial(read_batch, samples, numbers, names, pathways, traced=traced)
                waiting.append(pool.submit(read))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
