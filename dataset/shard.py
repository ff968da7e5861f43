"""Shards: HDF5 files that stock h5py reads. The only importer of h5py.

A shard holds pictures, the samples that use them and the models they show:

    attributes of the file
        schema              "opentha-shard"; schema_version: 1
        pose_axes           names of the pose's numbers, in order, parted by spaces
        axes                what x, y and z mean (contract.space)
        picture_convention  the stored form of a picture (contract.image)
        shading, size       "phong" or "toon"; pixels a side
        ambient_low, ambient_high   the range that the ambient light was drawn from
        codec               "qoi" or "webp": what each frame's bytes are, both lossless
        number              which shard of its data set this is
        seed                with a model's sha256 and a sample's index it decides the sample
        sampling_version    of the function that does so (dataset.sampling)
        configuration_hash  sha256 of all options that decide the pictures
        generator           "opentha <version>"; gl_renderer: the OpenGL that drew
    frames         (B,) uint8: the encoded pictures, one after the other, contiguous
    frame_offsets  (F + 1,) int64: frame n is frames[frame_offsets[n]:frame_offsets[n + 1]]
    frame_crc32    (F,) uint32: of a frame's bytes, as zlib.crc32 gives it
    samples        (N,) records: pose (6 float32), model (row), index, light, ambient, and the
                   frame numbers rest, expression and posed (dataset.records.SAMPLE_DTYPE)
    models         (T,) uint8: UTF-8 text, one line of JSON a model, in row order
                   (dataset.records.ModelRow)
    The attribute tables_crc32 is the zlib.crc32 of the bytes of frame_offsets, frame_crc32,
    samples and models, one after the other.

The rest picture is stored once for each model and light level in use. Without this project, a
picture of sample i is ``qoi.decode(f["frames"][o[n]:o[n + 1]])`` with ``o = f["frame_offsets"]``
and ``n = f["samples"][i]["posed"]``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from contract.errors import ShardError
from contract.files import replacing
from contract.image import Stored
from contract.pose import Pose
from dataset.codec import decode, encode
from dataset.records import (
    PICTURE_NAMES,
    ModelRow,
    PictureName,
    Sample,
    model_row_from_json,
)
from dataset.schema import (
    ATTRIBUTES,
    TABLE_TYPES,
    ShardHeader,
    ShardTables,
    check_tables,
    header_from,
    tables_crc32,
)
from dataset.spool import Spool, writing

__all__ = [
    "PICTURE_NAMES",
    "SHARD_SUFFIX",
    "PictureName",
    "Sample",
    "ShardReader",
    "ShardWriter",
]

SHARD_SUFFIX = ".h5"
_PIECE_BYTES = 8 << 20


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
        with writing(path):
            # The encoded frames wait there until their number is known: so they lie contiguous,
            # a model can be taken back, and a crash leaves nothing behind.
            self._spool = Spool(path.parent)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    @property
    def frame_count(self) -> int:
        """How many pictures were added."""
        return len(self._spool.crc32s)

    @contextmanager
    def model(self, row: ModelRow) -> Iterator[None]:
        """What is added inside belongs to ``row``; an exception takes it all back."""
        frames, samples = self.frame_count, len(self._samples)
        self._models.append(row)
        try:
            yield
        except BaseException:  # an interruption, too, must leave no half of a model
            self._models.pop()
            del self._samples[samples:]
            self._spool.rewind(frames)
            raise

    def add_frame(self, picture: Stored) -> int:
        """Encode a picture (size, size, 4) uint8; its frame number."""
        data = encode(picture, self._header.codec)
        with writing(self._path):
            return self._spool.append(data)

    def add_sample(
        self, pose: Pose, index: int, light: int, ambient: float, frames: tuple[int, int, int]
    ) -> None:
        """Add a sample of the model at hand; ``frames``: rest, expression and posed."""
        model = len(self._models) - 1
        self._samples.append((pose.to_vector(), model, index, light, ambient, *frames))

    def finish(self) -> None:
        """Put the shard at its path; one without samples is not written."""
        if not self._samples:
            return
        path = self._path
        # In this version of the format HDF5 keeps checksums of its own structures too.
        new = partial(h5py.File, mode="w", libver=("v110", "v110"))
        with replacing(path) as temporary, writing(path), new(temporary) as file:
            self._copy_frames(file)
            self._write_tables(file)

    def _write_tables(self, file: h5py.File) -> None:
        # Names from strangers may hold lone surrogates, which UTF-8 cannot say.
        lines = "".join(row.to_json() + "\n" for row in self._models).encode("utf-8", "replace")
        columns = self._spool.offsets, self._spool.crc32s, self._samples, list(lines)
        tables = {
            name: np.array(column, dtype)
            for (name, dtype), column in zip(TABLE_TYPES.items(), columns, strict=True)
        }
        for name, table in tables.items():
            file[name] = table
        attributes = self._header.attributes() | {"tables_crc32": tables_crc32(tables.values())}
        for name, value in attributes.items():
            # Texts of fixed length: HDF5 loops for ever on some damaged heaps of others.
            file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value

    def _copy_frames(self, file: h5py.File) -> None:
        frames = file.create_dataset("frames", (self._spool.offsets[-1],), np.uint8)
        start = 0
        for piece in self._spool.pieces(_PIECE_BYTES):
            frames[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
            start += len(piece)


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
        self._opened: _OpenShard | None = None

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
        return Sample(row["pose"].copy(), float(row["ambient"]), *self.pictures(i, PICTURE_NAMES))

    def pictures(self, i: int, names: Sequence[PictureName]) -> list[Stored]:
        """Some pictures of sample ``i``, in the order of ``names``; no other is decoded."""
        row = self.samples[i]
        return [self.frame(int(row[name])) for name in names]

    def decode_into(self, i: int, names: Sequence[PictureName], out: Stored) -> None:
        """The same, into ``out`` (len(names), size, size, 4) uint8."""
        for picture, place in zip(self.pictures(i, names), out, strict=True):
            place[...] = picture

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

    def _open(self) -> _OpenShard:
        # An HDF5 handle that went through a fork must not be used.
        if self._opened is None or self._opened.process != os.getpid():
            self._opened = _open_shard(self.path)
        return self._opened


@dataclass(frozen=True)
class _OpenShard:
    process: int
    file: h5py.File
    header: ShardHeader
    tables: ShardTables
    descriptor: int  # of the open file
    frames_at: int  # where its first frame begins


def _open_shard(path: Path) -> _OpenShard:
    if not path.is_file():
        raise ShardError(f"{path}: there is no such shard; check the path or build it")
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError) as error:
        raise ShardError(f"{path}: no whole HDF5 file: cut short, damaged or no shard") from error
    try:
        return _read(file, path.stat().st_size)
    # h5py raises any of these where a damaged file does not hold together.
    except (ShardError, OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        file.close()
        raise ShardError(f"{path}: {' '.join(str(error).split())[:300]}") from error


def _read(file: h5py.File, file_bytes: int) -> _OpenShard:
    header = header_from({name: _attribute(file, name) for name in ATTRIBUTES})
    frames = _dataset(file, "frames", np.dtype(np.uint8), file_bytes)
    offsets, crc32s, samples, lines = (
        _table(file, name, np.dtype(dtype), file_bytes) for name, dtype in TABLE_TYPES.items()
    )
    rows = lines.tobytes().decode("utf-8").split("\n")
    models = tuple(model_row_from_json(row) for row in rows if row)
    tables = ShardTables(offsets, crc32s, samples, models)
    check_tables(header, tables, len(frames))
    if _attribute(file, "tables_crc32") != tables_crc32((offsets, crc32s, samples, lines)):
        raise ShardError("its tables changed (checksum differs)")
    at = frames.id.get_offset()
    if at is None:
        raise ShardError("frames lie nowhere in the file")
    return _OpenShard(os.getpid(), file, header, tables, file.id.get_vfd_handle(), at)


def _attribute(file: h5py.File, name: str) -> object:
    """A text, a number, or None for anything else."""
    if name not in file.attrs:
        return None
    stored = file.attrs.get_id(name)
    if stored.shape != () or stored.dtype.kind not in "Sif":
        return None
    value = file.attrs[name]
    return value.decode("utf-8") if isinstance(value, bytes) else value.item()


def _table(file: h5py.File, name: str, dtype: np.dtype[Any], file_bytes: int) -> npt.NDArray[Any]:
    table: npt.NDArray[Any] = _dataset(file, name, dtype, file_bytes)[:]
    table.flags.writeable = False
    return table


def _dataset(file: h5py.File, name: str, dtype: np.dtype[Any], file_bytes: int) -> h5py.Dataset:
    """A one-dimensional dataset that lies whole and plain in this file."""
    # Links and external storage could lead to another file.
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ShardError(f"{name} is missing")
    found = file[name]
    if not isinstance(found, h5py.Dataset) or found.dtype != dtype or found.ndim != 1:
        raise ShardError(f"{name} is not the table that the schema has")
    # Filters and holes could make a small file ask for endless memory.
    whole = found.id.get_storage_size() == found.nbytes <= file_bytes
    if found.chunks or found.external or found.is_virtual or not whole:
        raise ShardError(f"{name} does not lie whole and plain in the file")
    return found
