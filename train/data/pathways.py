"""The two pictures that a frozen rotator makes of every sample, kept on disk for its combiners.

A folder holds files part-00000.npy, part-00001.npy, ...: records of numpy's own format, one a
sample, in the samples' order: ``crc32`` of ``pictures`` (2, 4, S, S) float16 in network form.

float16 errs by at most 2^-12 of values in [-1, 1], and not at all on the background: a sixteenth
of half a step of stored alpha, where bytes would err by half a step. Lossless float32 would take
twice the room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from isal import isal_zlib
from torch import Tensor

from contract.errors import InputError
from contract.files import replacing

PART_BYTES = 256 << 20
"""No part is larger, but for one sample."""


class Pathways:
    """Pictures of ``count`` samples, S = ``size``; some parts may be missing."""

    def __init__(self, folder: Path, count: int, size: int) -> None:
        self.folder = folder
        self.count = count
        self._record = np.dtype([("crc32", "<u4"), ("pictures", "<f2", (2, 4, size, size))])
        self._in_part = max(1, PART_BYTES // self._record.itemsize)
        self._opened: dict[int, npt.NDArray[np.void]] = {}

    @property
    def parts(self) -> int:
        """How many parts there are when none is missing."""
        return -(-self.count // self._in_part)

    def samples_of(self, part: int) -> range:
        """The numbers of a part's samples."""
        start = part * self._in_part
        return range(start, min(start + self._in_part, self.count))

    def missing(self) -> list[int]:
        """The parts that are still to be written."""
        return [part for part in range(self.parts) if not self._path(part).is_file()]

    def bytes_of(self, parts: Iterable[int]) -> int:
        """What some parts take on disk, but for their short headers."""
        return self._record.itemsize * sum(len(self.samples_of(part)) for part in parts)

    def write(self, part: int, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Write a part of its samples' pathways 1 and 2, batch by batch: each (N, 4, S, S).

        Nothing stands in its place before it is whole.

        Raises:
            InputError: the folder cannot be written, or the disk is full.
        """
        path, count = self._path(part), len(self.samples_of(part))
        header = {"descr": self._record.descr, "fortran_order": False, "shape": (count,)}
        # Not through a map of the file: a disk that is full would end the process there.
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for batch in batches:
                pairs = torch.stack(batch, 1).to(torch.float16).cpu().numpy()
                records = np.empty(len(pairs), self._record)
                for record, pair in zip(records, pairs, strict=True):
                    record["crc32"], record["pictures"] = isal_zlib.crc32(pair.tobytes()), pair
                file.write(records.tobytes())

    def read(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> Tensor:
        """Pathways 1 and 2 of some samples: (2, N, 4, S, S) float16.

        Raises:
            InputError: a part is missing, or its bytes changed.
        """
        shape = self._record["pictures"].shape
        pictures = np.empty((len(numbers), *shape), np.float16)
        for place, number in enumerate(numbers):
            part, row = divmod(int(number), self._in_part)
            record = self._part(part)[row]
            pictures[place] = record["pictures"]
            if isal_zlib.crc32(pictures[place].tobytes()) != record["crc32"]:
                raise InputError(
                    f"{self._path(part)}: record {row}: its bytes changed (checksum differs); "
                    "delete the file, and it is computed anew"
                )
        return torch.from_numpy(pictures).transpose(0, 1)

    def _path(self, part: int) -> Path:
        return self.folder / f"part-{part:05d}.npy"

    def _part(self, part: int) -> npt.NDArray[np.void]:
        if part not in self._opened:
            self._opened[part] = self._map(self._path(part), len(self.samples_of(part)))
        return self._opened[part]

    def _map(self, path: Path, count: int) -> npt.NDArray[np.void]:
        try:
            found: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: cannot be read ({error}); delete it") from error
        if found.dtype != self._record or found.shape != (count,):
            raise InputError(f"{path}: holds something else; delete it")
        return found
