"""onnx.json: what a folder of exported networks holds, for a runtime without torch.

onnx.json          what follows, the convention, and the digest of each file

With S pixels a side of what the networks were trained on, R of the rest picture and T of the
expression that they decide on, L of what they look at and decide (F: the morpher), D of what is
drawn (any from S on):

express.onnx       picture (1, 4, R, R), pose (1, 3) -> output (1, 4, T, T): the morpher,
                   kept, painted (1, 4, F, F): what it decides
express-wide.onnx  picture (1, 4, D, D), kept, painted -> output (1, 4, D, D)
turn.onnx          picture (1, 4, T, T), pose (1, 3) -> kept, taken, painted (1, 4, L, L),
                   offset (1, 2, L, L): what rotator and combiner, or a pathway alone, decide;
                   if L = S, and so R = T = S, output (1, 4, S, S) as well: drawn directly
turn-wide.onnx     picture (1, 4, D, D), kept, taken, painted, offset -> output (1, 4, D, D)

The wide picture has colours under alpha 0, those nearby (``animate.pose.poser.spread``).
Version 1 had express.onnx
and turn.onnx with their output alone: it draws S pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.convention import NAMES_ONLY, disagreement
from contract.errors import InputError
from contract.files import read_file, write_bytes
from contract.records import decode
from models.base.configurations import CONFIGURATIONS

RECORD_FILE = "onnx.json"
VERSION = 2
PARTS = ("express", "turn")
WIDE_PARTS = ("express-wide", "turn-wide")
DECISIONS: Mapping[str, Mapping[str, int]] = {
    "express": {"kept": 4, "painted": 4},
    "turn": {"kept": 4, "taken": 4, "painted": 4, "offset": 2},
}
"""What each part decides, in order, and its channels."""

_HEAD: Mapping[str, object] = {"format": "opentha-onnx", **NAMES_ONLY}

_LARGEST_RECORD = 1 << 20
_LARGEST_SIZE = 4096


@dataclass(frozen=True)
class OnnxRecord:
    """size: S. small: R. turns_at: T. look: L, face_look: F; 0 in version 1.

    sha256: by part, 64 hexadecimal digits.
    """

    size: int
    small: int
    turns_at: int
    look: int
    face_look: int
    configuration: str
    sha256: Mapping[str, str]


def is_export(folder: Path) -> bool:
    """Whether a folder holds exported networks."""
    return (folder / RECORD_FILE).is_file()


def write_onnx_record(folder: Path, record: OnnxRecord) -> None:
    """Write onnx.json; ``InputError`` when it cannot be written."""
    document = {**_HEAD, "version": VERSION, **vars(record)}
    write_bytes(folder / RECORD_FILE, (json.dumps(document, indent=1) + "\n").encode())


def read_onnx_record(folder: Path) -> OnnxRecord:
    """Read and check onnx.json.

    Raises:
        InputError: not there, or of another version or convention than this program's.
    """
    path = folder / RECORD_FILE
    data = read_file(path, _LARGEST_RECORD)
    try:
        return _checked(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: is no export of this version ({error!s:.120}); run `animate export` again"
        ) from error


@dataclass(frozen=True)
class _Written:
    """The fields of onnx.json besides the convention; ``small`` and ``look`` are of version 2.

    ``turns_at`` and ``face_look`` came later within it: 0 is the same as ``small`` and ``look``.
    """

    version: int
    size: int
    configuration: str
    sha256: Mapping[str, str]
    small: int = 0
    turns_at: int = 0
    look: int = 0
    face_look: int = 0


def _checked(document: object) -> OnnxRecord:
    found = decode(_Written, document, others=True)
    if found.version not in {1, VERSION}:
        raise ValueError(f"version is {found.version}, this program's is {VERSION}")
    if fault := disagreement(document, {**_HEAD, "version": found.version}):
        raise ValueError(fault)
    parts = (*PARTS, *WIDE_PARTS) if found.version > 1 else PARTS
    small, look = (found.small, found.look) if found.version > 1 else (found.size, 0)
    if not 1 <= found.size <= _LARGEST_SIZE:
        raise ValueError("no size")
    if not 1 <= small <= found.size:
        raise ValueError("no small")
    turns_at, face_look = found.turns_at or small, found.face_look or look
    if not 1 <= turns_at <= small:
        raise ValueError("no turns_at")
    if not ((0 < look <= small and 0 < face_look <= small) or found.version == 1):
        raise ValueError("no look")
    if found.configuration not in CONFIGURATIONS:
        raise ValueError("no configuration")
    if missing := [part for part in parts if part not in found.sha256]:
        raise ValueError(f"no digest of {missing[0]}")
    digests = {part: found.sha256[part] for part in parts}
    return OnnxRecord(found.size, small, turns_at, look, face_look, found.configuration, digests)
