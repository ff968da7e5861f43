"""The file of a shard: HDF5 that stock h5py reads. The only importer of h5py.

A shard holds pictures, the samples that use them and the models they show:

    attributes of the file
        schema              "opentha-shard"; schema_version: 1
        pose_axes           names of the pose's numbers, in order, parted by spaces
        axes                what x, y and z mean (contract.convention)
        picture_convention  the stored form of a picture (contract.image)
        shading, size       "phong", "toon", or "mixed": as each model's row says of each of its
                            light levels (light_shadings); pixels a side
        ambient_low, ambient_high   the range that the ambient light was drawn from
        codec               "qoi" or "webp": what each frame's bytes are, both lossless
        number              which shard of its data set this is
        seed                with a model's sha256 and a sample's index it decides the sample
        sampling_version    of the function that does so (dataset.build.sampling)
        configuration_hash  sha256 of all options that decide the pictures
        generator           "opentha <version>"; gl_renderer: the OpenGL that drew
    frames         (B,) uint8: the encoded pictures, one after the other, contiguous
    frame_offsets  (F + 1,) int64: frame n is frames[frame_offsets[n]:frame_offsets[n + 1]]
    frame_crc32    (F,) uint32: of a frame's bytes, as zlib.crc32 gives it
    samples        (N,) records: pose (6 float32), model (row), index, light, ambient, and the
                   frame numbers rest, expression and posed (dataset.shards.records.SAMPLE_DTYPE)
    models         (T,) uint8: UTF-8 text, one line of JSON a model, in row order
                   (dataset.shards.records.ModelRow)
    The attribute tables_crc32 is the zlib.crc32 of the bytes of frame_offsets, frame_crc32,
    samples and models, one after the other.
    origins        (N,) int32, of data sets that were built with them: the number of the frame whose
                   bytes are sample i's origins (contract.origins, dataset.shards.origins); the
                   attribute origins_crc32 is their zlib.crc32

The rest picture is stored once for each model and light level in use. Without this project, a
picture of sample i is ``qoi.decode(f["frames"][o[n]:o[n + 1]])`` with ``o = f["frame_offsets"]``
and ``n = f["samples"][i]["posed"]``.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from contract.errors import InputError, ShardError
from contract.files import replacing
from dataset.shards.records import ModelRow, model_row_from_json
from dataset.shards.schema import (
    ATTRIBUTES,
    MAX_TABLE_BYTES,
    ORIGINS,
    TABLE_TYPES,
    ShardHeader,
    ShardTables,
    check_tables,
    header_from,
    tables_crc32,
)

_PIECE_BYTES = 8 << 20
_ORIGINS_CRC32 = "origins_crc32"
_DROPPED = "Can't decrement id ref count"


# Writing.


def write_file(
    path: Path,
    header: ShardHeader,
    frame_file: FrameFile,
    samples: Sequence[tuple[Any, ...]],
    models: Sequence[ModelRow],
    origins: Sequence[int] = (),
) -> None:
    """Put a shard at ``path``, whole or not at all; ``samples`` as rows of ``SAMPLE_DTYPE``.

    origins: the frame of each sample's, or none of any.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    _say_nothing_of_dropped_handles()
    # In this version of the format HDF5 keeps checksums of its own structures too.
    new = partial(h5py.File, mode="w", libver=("v110", "v110"), locking=False)
    with replacing(path) as temporary, writing(path), new(temporary) as file:
        _copy_frames(file, frame_file)
        tables = _write_tables(file, frame_file, samples, models)
        crc32s = {"tables_crc32": tables}
        if origins:
            table = file[ORIGINS] = np.array(origins, "<i4")
            crc32s[_ORIGINS_CRC32] = tables_crc32([table])
        for name, value in (header.attributes() | crc32s).items():
            # Texts of fixed length: HDF5 loops for ever on some damaged heaps of others.
            file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value


@cache
def _say_nothing_of_dropped_handles() -> None:
    """Of a file that could not be written h5py complains once more for every handle that is
    dropped, with a traceback; by then it has been said in words."""
    usual, usual_unraisable = sys.excepthook, sys.unraisablehook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not _is_dropped_handle(error):
            usual(kind, error, trace)

    def unraisable(raised: sys.UnraisableHookArgs) -> None:
        if not _is_dropped_handle(raised.exc_value):
            usual_unraisable(raised)

    sys.excepthook, sys.unraisablehook = hook, unraisable


def _is_dropped_handle(error: BaseException | None) -> bool:
    return isinstance(error, RuntimeError) and str(error).startswith(_DROPPED)


def _copy_frames(file: h5py.File, frame_file: FrameFile) -> None:
    frames = file.create_dataset("frames", (frame_file.offsets[-1],), np.uint8)
    start = 0
    for piece in frame_file.pieces(_PIECE_BYTES):
        frames[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        start += len(piece)


def _write_tables(
    file: h5py.File,
    frame_file: FrameFile,
    samples: Sequence[tuple[Any, ...]],
    models: Sequence[ModelRow],
) -> int:
    """Write all tables; their common crc32."""
    # Names from strangers may hold lone surrogates, which UTF-8 cannot say.
    lines = "".join(row.to_json() + "\n" for row in models).encode("utf-8", "replace")
    columns = frame_file.offsets, frame_file.crc32s, samples, list(lines)
    tables = {
        name: np.array(column, dtype)
        for (name, dtype), column in zip(TABLE_TYPES.items(), columns, strict=True)
    }
    for name, table in tables.items():
        _require_small(name, table.nbytes, "build with fewer --samples-per-shard")
        file[name] = table
    return tables_crc32(tables.values())


# Reading.


@dataclass(frozen=True)
class OpenShard:
    """A shard's header and tables, checked, and where its frames lie.

    process: that opened it; descriptor: of the open file; frames_at: where its first frame begins.
    """

    process: int
    file: h5py.File
    header: ShardHeader
    tables: ShardTables
    descriptor: int
    frames_at: int


def open_file(path: Path) -> OpenShard:
    """Open the shard at ``path``, which may be hostile; every count and offset is checked.

    Raises:
        ShardError: it is missing, broken or of another schema; the message names the file.
    """
    if not path.is_file():
        raise ShardError(f"{path}: there is no such shard; check the path or build it")
    try:
        # A shard is put in its place whole and never changed there: HDF5's locks would guard
        # nothing, and fail on file systems that have none.
        file = h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError) as error:
        raise ShardError(f"{path}: no whole HDF5 file: cut short, damaged or no shard") from error
    try:
        return _read(file, path.stat().st_size)
    # h5py raises any of these where a damaged file does not hold together.
    except (ShardError, OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        file.close()
        raise ShardError(f"{path}: {' '.join(str(error).split())[:300]}") from error


def _read(file: h5py.File, file_bytes: int) -> OpenShard:
    header = header_from({name: _attribute(file, name) for name in ATTRIBUTES})
    frames = _dataset(file, "frames", np.dtype(np.uint8), file_bytes)
    offsets, crc32s, samples, lines = (
        _table(file, name, np.dtype(dtype), file_bytes) for name, dtype in TABLE_TYPES.items()
    )
    rows = lines.tobytes().decode("utf-8").split("\n")
    models = tuple(model_row_from_json(row) for row in rows if row)
    origins = _origins(file, file_bytes)
    tables = ShardTables(offsets, crc32s, samples, models, origins)
    check_tables(header, tables, len(frames))
    if _attribute(file, "tables_crc32") != tables_crc32((offsets, crc32s, samples, lines)):
        raise ShardError("its tables changed (checksum differs)")
    at = frames.id.get_offset()
    if at is None:
        raise ShardError("frames lie nowhere in the file")
    return OpenShard(os.getpid(), file, header, tables, file.id.get_vfd_handle(), at)


def _origins(file: h5py.File, file_bytes: int) -> npt.NDArray[np.int32] | None:
    if ORIGINS not in file:
        return None
    origins = _table(file, ORIGINS, np.dtype("<i4"), file_bytes)
    if _attribute(file, _ORIGINS_CRC32) != tables_crc32([origins]):
        raise ShardError("its origins changed (checksum differs)")
    return origins


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
    stored = _dataset(file, name, dtype, file_bytes)
    _require_small(name, stored.nbytes, "it is no shard of this program's")
    table: npt.NDArray[Any] = stored[:]
    table.flags.writeable = False
    return table


def _require_small(name: str, size: int, remedy: str) -> None:
    if size > MAX_TABLE_BYTES:
        raise ShardError(f"{name} takes {size >> 20} MiB, over {MAX_TABLE_BYTES >> 20}; {remedy}")


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


class FrameFile:
    """A growing run of frames; the file vanishes with the process, whatever happens.

    ``offsets`` (F + 1) and ``crc32s`` (F) are those of the frames so far.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.offsets = [0]
        self.crc32s: list[int] = []
        # Unbuffered, so that a full disk shows on writing and not on closing.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, data: bytes) -> int:
        """Add a frame; its number."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.offsets.append(self.offsets[-1] + len(data))
        self.crc32s.append(isal_zlib.crc32(data))
        return len(self.crc32s) - 1

    def rewind(self, frames: int) -> None:
        """Forget all but the first ``frames`` frames."""
        del self.crc32s[frames:], self.offsets[frames + 1 :]
        self._file.seek(self.offsets[-1])

    def pieces(self, piece_bytes: int) -> Iterator[bytes]:
        """All frames' bytes in order, at most ``piece_bytes`` at a time."""
        left = self.offsets[-1]
        self._file.seek(0)
        while left:
            piece = self._file.read(min(piece_bytes, left))
            if not piece:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk (or HDF5, which may raise RuntimeError) says into ``InputError``."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # HDF5 hides the number in its text.
        found = re.search(r"errno = (\d+)", str(error))
        number = getattr(error, "errno", None) or (int(found[1]) if found else 0)
        fault = os.strerror(number) if number else str(error)
        raise InputError(
            f"{path}: cannot be written ({fault}); free space or choose another folder and run "
            "the same command again: what is finished is kept"
        ) from error
