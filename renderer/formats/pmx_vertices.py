"""The PMX vertex list: records whose length depends on their weight type, read as arrays.

The type byte must be followed from record to record; that walk is the only Python loop. All fields
are then gathered with one structured dtype per weight type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import FormatError
from renderer.formats.cursor import MOST_VERTICES
from renderer.formats.model import F32, U8, Vertices, WeightType
from renderer.formats.pmx_cursor import PmxCursor

Records = npt.NDArray[Any]
Offsets = npt.NDArray[np.int64]


def read_vertices(cursor: PmxCursor) -> Vertices:
    """Read the vertex count and all vertices; bone indices are as stored, not yet checked."""
    header = cursor.header
    additional_uvs, bone_index = header.additional_uvs, np.dtype(f"<{header.bone_index}")
    dtypes = [_record_dtype(kind, additional_uvs, bone_index) for kind in WeightType]
    count = cursor.few(dtypes[WeightType.BDEF1].itemsize, "vertices", most=MOST_VERTICES)
    offsets, types = _walk(cursor, count, dtypes)
    return _gather(cursor.data, offsets, types, dtypes, additional_uvs)


def _record_dtype(
    kind: WeightType, additional_uvs: int, bone_index: np.dtype[Any]
) -> np.dtype[Any]:
    bones, weights = {
        WeightType.BDEF1: (1, 0),
        WeightType.BDEF2: (2, 1),
        WeightType.BDEF4: (4, 4),
        WeightType.SDEF: (2, 1),
        WeightType.QDEF: (4, 4),
    }[kind]
    return np.dtype(
        [
            ("position", "<f4", 3),
            ("normal", "<f4", 3),
            ("uv", "<f4", 2),
            ("additional_uv", "<f4", (additional_uvs, 4)),
            ("type", "u1"),
            ("bones", bone_index, (bones,)),
            ("weights", "<f4", (weights,)),
            ("sdef", "<f4", (3, 3) if kind is WeightType.SDEF else (0, 3)),
            ("edge_scale", "<f4"),
        ]
    )


def _walk(cursor: PmxCursor, count: int, dtypes: list[np.dtype[Any]]) -> tuple[Offsets, U8]:
    """Byte offset and weight type of every record; moves the cursor behind the last one."""
    type_at = dtypes[0].fields["type"][1] if dtypes[0].fields else 0
    sizes = [dtype.itemsize for dtype in dtypes]
    data, offset = cursor.data, cursor.offset
    starts = [0] * count
    vertex = 0
    try:
        for vertex in range(count):
            starts[vertex] = offset
            offset += sizes[data[offset + type_at]]
    except IndexError:
        # Either the data has no such byte, or the list of sizes has no such weight type.
        kind = data[offset + type_at : offset + type_at + 1]
        raise _astray(cursor, vertex, count, offset, kind) from None
    if offset > len(data):
        raise _astray(cursor, vertex, count, starts[-1], b"")
    cursor.offset = offset
    offsets = np.array(starts, np.int64)
    return offsets, np.frombuffer(data, np.uint8)[offsets + type_at]


def _astray(cursor: PmxCursor, vertex: int, count: int, offset: int, kind: bytes) -> FormatError:
    """The error of a walk that ended at ``vertex``; ``kind`` is its unknown type, if it has one."""
    if kind:
        return cursor.fault(
            f"vertex {vertex} has weight type {kind[0]}; known are 0-4 "
            "(the file is corrupt or does not match its header)",
            offset=offset,
        )
    return cursor.fault(
        f"vertex {vertex} of {count} does not fit in the file; it is cut short or its header lies, "
        "get it again",
        "truncated-file",
        offset,
    )


def _records(data: bytes, offsets: Offsets, dtype: np.dtype[Any]) -> Records:
    """Copies of the records at ``offsets``: one memcpy each, through overlapping byte windows."""
    size = dtype.itemsize
    windows = np.ndarray((max(len(data) - size + 1, 0),), f"V{size}", data, strides=(1,))
    return windows[offsets].view(dtype)


def _gather(
    data: bytes,
    offsets: Offsets,
    types: U8,
    dtypes: list[np.dtype[Any]],
    additional_uvs: int,
) -> Vertices:
    count = len(offsets)
    floats = {
        "position": np.empty((count, 3), np.float32),
        "normal": np.empty((count, 3), np.float32),
        "uv": np.empty((count, 2), np.float32),
        "additional_uv": np.empty((count, additional_uvs, 4), np.float32),
        "edge_scale": np.empty(count, np.float32),
    }
    bones = np.full((count, 4), -1, np.int32)
    weights = np.zeros((count, 4), np.float32)
    sdef = np.empty((0, 3, 3), np.float32)
    for kind in WeightType:
        rows = np.flatnonzero(types == kind)
        records = _records(data, offsets[rows], dtypes[kind])
        for name, column in floats.items():
            column[rows] = records[name]
        bones[rows, : records["bones"].shape[1]] = records["bones"]
        weights[rows] = _four_weights(kind, records["weights"])
        if kind is WeightType.SDEF:
            sdef = records["sdef"].copy()
    return Vertices(
        positions=floats["position"],
        normals=floats["normal"],
        uv=floats["uv"],
        additional_uv=floats["additional_uv"],
        weight_types=types,
        bone_indices=bones,
        bone_weights=weights,
        sdef_vertices=np.flatnonzero(types == WeightType.SDEF).astype(np.int32),
        sdef_c=sdef[:, 0],
        sdef_r0=sdef[:, 1],
        sdef_r1=sdef[:, 2],
        edge_scales=floats["edge_scale"],
    )


def _four_weights(kind: WeightType, stored: F32) -> F32:
    if kind in (WeightType.BDEF4, WeightType.QDEF):
        return stored
    weights = np.zeros((len(stored), 4), np.float32)
    weights[:, 0] = 1 if kind is WeightType.BDEF1 else stored[:, 0]
    # Signalling NaNs would warn here; they are refused when the whole model is checked.
    with np.errstate(invalid="ignore"):
        weights[:, 1] = 1 - weights[:, 0]
    return weights
