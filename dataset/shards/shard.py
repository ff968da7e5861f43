"""Shards: pictures, the samples that use them and the models they show, a file each.

The layout of the file stands in ``dataset.shards.shard_file``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from contract.errors import ShardError
from contract.image import Stored
from contract.origins import Origins
from contract.pose import Pose
from dataset.shards.codec import decode, encode
from dataset.shards.origins import decode_origins
from dataset.shards.records import PICTURE_NAMES, ModelRow, PictureName, Sample
from dataset.shards.schema import ShardHeader
from dataset.shards.shard_file import FrameFile, OpenShard, open_file, write_file, writing

SHARD_SUFFIX = ".h5"


class ShardWriter:
    """Writes one shard. Nothing stands at ``path`` before ``finish`` has it all on disk.

    Used in a ``with`` statement.

    Raises:
        InputError: (from every method) the disk is full or the folder cannot be written.
    """

    def __init__(self, path: Path, header: ShardHeader) -> None:
        self._path = path
        self._header = header
        self._samples: list[tuple[Any, ...]] = []
        self._models: list[ModelRow] = []
        self._origins: list[int] = []
        with writing(path):
            # The encoded frames wait there until their number is known: so they lie contiguous,
            # a model can be taken back, and a crash leaves nothing behind.
            self._frames = FrameFile(path.parent)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.close()

    @property
    def frame_count(self) -> int:
        """How many pictures were added."""
        return len(self._frames.crc32s)

    @contextmanager
    def model(self, row: ModelRow) -> Iterator[None]:
        """What is added inside belongs to ``row``; an exception takes it all back."""
        frames, samples = self.frame_count, len(self._samples)
        self._models.append(row)
        try:
            yield
        except BaseException:  # an interruption, too, must leave no half of a model
            self._models.pop()
            del self._samples[samples:], self._origins[samples:]
            self._frames.rewind(frames)
            raise

    def add_frame(self, picture: Stored) -> int:
        """Encode a picture (size, size, 4) uint8; its frame number."""
        return self.add_encoded_frame(encode(picture, self._header.codec))

    def add_encoded_frame(self, data: bytes) -> int:
        """Add a picture as another shard of the same codec and size holds it, or the bytes of
        origins; its frame number."""
        with writing(self._path):
            return self._frames.append(data)

    def add_sample(
        self,
        pose: Pose,
        index: int,
        light: int,
        frames: tuple[int, int, int],
        origins: int | None = None,
    ) -> None:
        """Add a sample of the model at hand; ``frames``: rest, expression and posed.

        origins: the frame that holds its origins; of all samples of a shard or of none.
        """
        model, ambient = len(self._models) - 1, self._models[-1].light_levels[light]
        self._samples.append((pose.to_vector(), model, index, light, ambient, *frames))
        if origins is not None:
            self._origins.append(origins)

    def finish(self) -> None:
        """Put the shard at its path; one without samples is not written."""
        if not self._samples:
            return
        if len(self._origins) not in (0, len(self._samples)):
            raise ValueError("some samples have origins, others none")
        write_file(
            self._path, self._header, self._frames, self._samples, self._models, self._origins
        )


class ShardReader:
    """Reads one shard, which may be hostile: every count and offset is checked before use.

    The file is opened on first use, and again in another process, so a reader can be sent to a
    loader's workers. Only the frames asked for are read and decoded.

    Raises:
        ShardError: (from every method) the shard is missing, broken or of another schema; the
            message names the file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._opened: OpenShard | None = None

    def __reduce__(self) -> tuple[type[ShardReader], tuple[Path]]:
        return type(self), (self.path,)

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.samples)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._opened:
            self._opened.file.close()
        self._opened = None

    @property
    def header(self) -> ShardHeader:
        """The file's attributes."""
        return self._open().header

    @property
    def samples(self) -> npt.NDArray[np.void]:
        """The samples table, (N,) of ``SAMPLE_DTYPE``; read-only."""
        return self._open().tables.samples

    @property
    def models(self) -> tuple[ModelRow, ...]:
        """The models table."""
        return self._open().tables.models

    @property
    def frame_bytes(self) -> npt.NDArray[np.int64]:
        """Encoded length of each picture, (F,): as many as there are pictures."""
        return np.diff(self._open().tables.offsets)

    def sample(self, i: int) -> Sample:
        """Sample ``i`` with its three pictures; ``IndexError`` beyond the last."""
        row = self.samples[i]
        light = self.models[row["model"]].light(int(row["light"]), self.header.shading)
        return Sample(row["pose"].copy(), light, *self.pictures(i, PICTURE_NAMES))

    def pictures(self, i: int, names: Sequence[PictureName]) -> list[Stored]:
        """Some pictures of sample ``i``, in the order of ``names``; no other is decoded."""
        row = self.samples[i]
        return [self.frame(int(row[name])) for name in names]

    @property
    def origin_frames(self) -> npt.NDArray[np.int32] | None:
        """The number of the frame that holds each sample's origins, (N,); None without any."""
        return self._open().tables.origins

    @property
    def picture_frames(self) -> list[int]:
        """The numbers of the frames that are pictures: all but those that hold origins."""
        frames = range(len(self.frame_bytes))
        others = set() if self.origin_frames is None else set(self.origin_frames.tolist())
        return [frame for frame in frames if frame not in others]

    def origins(self, i: int) -> Origins:
        """The origins of sample ``i``, of a shard that has ``origin_frames``."""
        frames = self.origin_frames
        if frames is None:
            raise ShardError(f"{self.path}: has no origins; build it anew with --origins")
        frame = int(frames[i])
        try:
            return decode_origins(self.encoded_frame(frame))
        except ShardError as error:
            raise ShardError(f"{self.path}: frame {frame}: {error}") from error

    def frame(self, n: int) -> Stored:
        """Picture ``n`` (0, 1, ...), checked against its checksum and decoded."""
        header = self._open().header
        data = self.encoded_frame(n)
        try:
            return decode(data, header.codec, header.size)
        except ShardError as error:
            raise ShardError(f"{self.path}: frame {n}: {error}") from error

    def encoded_frame(self, n: int) -> bytes:
        """The bytes of picture ``n``, checked against its checksum."""
        shard = self._open()
        offsets, crc32s = shard.tables.offsets, shard.tables.crc32s
        if not 0 <= n < len(crc32s):
            raise ShardError(f"{self.path}: no frame {n}; there are {len(crc32s)}")
        start, end = int(offsets[n]), int(offsets[n + 1])
        try:
            # Past HDF5, which would let one thread read at a time.
            data = os.pread(shard.descriptor, end - start, shard.frames_at + start)
        except OSError as error:
            raise ShardError(f"{self.path}: frame {n}: cannot be read ({error})") from error
        if isal_zlib.crc32(data) != crc32s[n]:
            raise ShardError(f"{self.path}: frame {n}: its bytes changed (checksum differs)")
        return data

    def _open(self) -> OpenShard:
        # An HDF5 handle that went through a fork must not be used.
        if self._opened is None or self._opened.process != os.getpid():
            self._opened = open_file(self.path)
        return self._opened
