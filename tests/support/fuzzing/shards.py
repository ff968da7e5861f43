"""Shards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from contract.errors import ShardError
from tests.support.fuzzing.mutation import any_number, anywhere
from tests.support.fuzzing.target import Seed, Target


def _shards(folder: Path) -> list[Seed]:
    from tests.support.shard_bytes import write_shard

    seeds = []
    for codec in ("qoi", "webp"):
        write_shard(folder / f"{codec}.h5", codec)
        seeds.append(Seed((folder / f"{codec}.h5").read_bytes(), (in_shard, any_number, anywhere)))
    return seeds


def in_shard(rng: np.random.Generator, data: bytes) -> bytes:
    """A shard whose tables, attributes or pictures were changed, with a checksum that is right."""
    import io

    import h5py

    from dataset.shards.schema import TABLE_TYPES, tables_crc32

    file = io.BytesIO(data)
    with h5py.File(file, "r+") as shard:
        for _ in range(int(rng.integers(1, 3))):
            name = str(rng.choice([*TABLE_TYPES, "frames", *shard.attrs]))
            if name in shard.attrs:
                value = np.array(shard.attrs[name])
                raw = anywhere(rng, value.tobytes())[: value.nbytes].ljust(value.nbytes, b"\0")
                shard.attrs[name] = np.frombuffer(raw, value.dtype)[0]
            else:
                table = shard[name][:]
                raw = any_number(rng, table.tobytes())[: table.nbytes].ljust(table.nbytes, b"\0")
                shard[name][:] = np.frombuffer(raw, table.dtype)
        shard.attrs["tables_crc32"] = tables_crc32(shard[name][:] for name in TABLE_TYPES)
    return file.getvalue()


def _read_shard(path: Path) -> None:
    from dataset.shards.shard import ShardReader

    with ShardReader(path) as reader:
        for number in range(len(reader)):
            try:
                reader.sample(number)
            except ShardError:
                continue


TARGETS: Mapping[str, Target] = {
    "shards": Target("shard.h5", _shards, _read_shard, share=2),
}
