"""What a sound shard says: its attributes and the checks of its tables; plain values and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from contract.convention import AS_ATTRIBUTES, disagreement
from contract.errors import ShardError
from contract.light import MAX_AMBIENT, SHADINGS
from contract.pose import AXES
from dataset.shards.codec import CODECS, Codec, max_encoded_bytes
from dataset.shards.origins import MAX_ORIGINS_BYTES
from dataset.shards.records import PICTURE_NAMES, SAMPLE_DTYPE, ModelRow

MAX_PICTURE_SIDE = 4096
MIN_PICTURE_SIDE = 4
MAX_TABLE_BYTES = 256 << 20
"""Of each table but the frames: tables are read whole."""

DataShading = Literal["phong", "toon", "mixed"]
"""How the pictures of a data set are shaded: alike, or as each model's row says of each light."""
MIXED: DataShading = "mixed"
DATA_SHADINGS: tuple[DataShading, ...] = (*SHADINGS, MIXED)

CONVENTIONS: dict[str, str | int] = {
    "schema": "opentha-shard",
    "schema_version": 1,
    **AS_ATTRIBUTES,
}
"""The attributes that every shard of this schema shares."""

TABLE_TYPES: dict[str, npt.DTypeLike] = {
    "frame_offsets": "<i8",
    "frame_crc32": "<u4",
    "samples": SAMPLE_DTYPE,
    "models": np.uint8,
}
"""The tables beside the frames, in the order in which their checksum runs through them."""

ORIGINS = "origins"
"""One more table, (N,) int32, of shards that hold them, with a checksum of its own; programs that
do not know it read the rest."""


@dataclass(frozen=True)
class ShardHeader:
    """The attributes that differ between shards; their meaning is in ``dataset.shards.shard``."""

    shading: DataShading
    size: int
    ambient_low: float
    ambient_high: float
    codec: Codec
    number: int
    seed: int
    sampling_version: int
    configuration_hash: str
    generator: str
    gl_renderer: str

    def attributes(self) -> dict[str, str | int | float]:
        """All attributes of the file, the shared ones first."""
        return CONVENTIONS | asdict(self)


_ATTRIBUTE_TYPES: dict[str, type] = {"int": int, "float": float}  # by annotation; else text
ATTRIBUTES = (*CONVENTIONS, *ShardHeader.__dataclass_fields__)


@dataclass(frozen=True)
class ShardTables:
    """The tables of a shard, read-only; F pictures, N samples (see ``dataset.shards.shard``)."""

    offsets: npt.NDArray[np.int64]  # (F + 1,)
    crc32s: npt.NDArray[np.uint32]  # (F,)
    samples: npt.NDArray[np.void]  # (N,) of SAMPLE_DTYPE
    models: tuple[ModelRow, ...]
    origins: npt.NDArray[np.int32] | None = None  # (N,)


def header_from(attributes: Mapping[str, object]) -> ShardHeader:
    """The header of a file's attributes, which may be hostile.

    Raises:
        ShardError: an attribute is missing, malformed, or says another convention than ours.
    """
    if fault := disagreement(attributes, CONVENTIONS):
        raise ShardError(fault)
    values = {name: attributes.get(name) for name in ShardHeader.__annotations__}
    for name, kind in ShardHeader.__annotations__.items():
        if type(values[name]) is not _ATTRIBUTE_TYPES.get(kind, str):
            raise ShardError(f"attribute {name} is {values[name]!r:.80}")
    header = ShardHeader(**values)  # type: ignore[arg-type]  # checked by name just above
    if header.codec not in CODECS:
        raise ShardError(f"codec {header.codec!r:.80} is none of {', '.join(CODECS)}")
    if not MIN_PICTURE_SIDE <= header.size <= MAX_PICTURE_SIDE:
        raise ShardError(f"pictures of {header.size} pixels a side")
    if header.shading not in DATA_SHADINGS:
        raise ShardError(f"shading {header.shading!r:.80} is none of {', '.join(DATA_SHADINGS)}")
    if not 0 <= header.ambient_low <= header.ambient_high <= MAX_AMBIENT:
        raise ShardError(f"ambient light {header.ambient_low} to {header.ambient_high}")
    return header


def tables_crc32(tables: Iterable[npt.NDArray[Any]]) -> int:
    """One checksum of all tables, as the attribute of that name holds it."""
    crc32 = 0
    for table in tables:
        crc32 = isal_zlib.crc32(table.tobytes(), crc32)
    return crc32


def check_tables(header: ShardHeader, tables: ShardTables, frames_bytes: int) -> None:
    """Raise ``ShardError`` unless every count, offset and index of the tables is in range."""
    _check_frames(header, tables, frames_bytes)
    _check_samples(tables)
    if tables.origins is not None:
        _require(len(tables.origins) == len(tables.samples), "origins and samples disagree")
        _check_range(ORIGINS, tables.origins, len(tables.crc32s))
    _check_models(header, tables)


def _require(sound: bool | np.bool_, fault: str) -> None:
    if not sound:
        raise ShardError(fault)


def _check_frames(header: ShardHeader, tables: ShardTables, frames_bytes: int) -> None:
    offsets = tables.offsets
    _require(len(offsets) == len(tables.crc32s) + 1, "frame_offsets and frame_crc32 disagree")
    _require(offsets[0] == 0 and offsets[-1] == frames_bytes, "frame_offsets do not span frames")
    _require(np.all(offsets[1:] > offsets[:-1]), "frame_offsets do not ascend")
    # Ascending from 0 to the bytes there are, so no difference overflows.
    longest = int(np.diff(offsets).max(initial=0))
    most = max_encoded_bytes(header.size)
    if tables.origins is not None:
        most = max(most, MAX_ORIGINS_BYTES)
    _require(longest <= most, f"a frame of {longest} bytes")


def _check_models(header: ShardHeader, tables: ShardTables) -> None:
    counted = np.bincount(tables.samples["model"], minlength=len(tables.models))
    for number, model in enumerate(tables.models):
        _require(
            bool(model.light_shadings) == (header.shading == MIXED),
            f"models row {number} and the shading {header.shading} disagree",
        )
        _require(
            counted[number] == model.samples,
            f"models row {number} promises {model.samples} samples; there are {counted[number]}",
        )


def _check_samples(tables: ShardTables) -> None:
    samples = tables.samples
    _require(len(samples) > 0, "there are no samples")
    _check_range("model", samples["model"], len(tables.models))
    for name in PICTURE_NAMES:
        _check_range(name, samples[name], len(tables.crc32s))
    for number, axis in enumerate(AXES):
        values = samples["pose"][:, number]
        # Written so that NaN fails too.
        inside = (values >= axis.low) & (values <= axis.high)
        _require_rows(inside, f"{axis.name} lies outside [{axis.low:g}, {axis.high:g}]")
    _check_light(samples, tables.models)


def _check_range(name: str, values: npt.NDArray[np.int32], count: int) -> None:
    _require_rows((values >= 0) & (values < count), f"{name} is outside 0..{count - 1}")


def _check_light(samples: npt.NDArray[np.void], models: Sequence[ModelRow]) -> None:
    counts = np.array([len(model.light_levels) for model in models])
    levels = np.array([level for model in models for level in model.light_levels], np.float32)
    first = np.cumsum(counts) - counts
    light, model = samples["light"], samples["model"]
    _require_rows((light >= 0) & (light < counts[model]), "light is no level of its model")
    _require_rows(samples["ambient"] == levels[first[model] + light], "ambient is not its level")


def _require_rows(sound: npt.NDArray[np.bool_], fault: str) -> None:
    if not sound.all():
        raise ShardError(f"sample {int(np.argmin(sound))}: {fault}")
