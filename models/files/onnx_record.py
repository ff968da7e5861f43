"""onnx.json: what a folder of exported networks holds, for a runtime without torch.

onnx.json          what follows, the convention, and the digest of each file

With S pixels a side of what the networks were trained on, R of the picture that they decide on, L
of what they look at and decide, D of what is drawn (any from S on):

express.onnx       picture (1, 4, R, R), pose (1, 3) -> output (1, 4, R, R): the morpher,
                   kept, painted (1, 4, L, L): what it decides
express-wide.onnx  picture (1, 4, D, D), kept, painted -> output (1, 4, D, D)
turn.onnx          picture (1, 4, R, R), pose (1, 3) -> kept, taken, painted (1, 4, L, L),
                   offset (1, 2, L, L): what rotator and combiner, or a pathway alone, decide;
                   if L = S, and so R = S, output (1, 4, S, S) as well: drawn directly
turn-wide.onnx     picture (1, 4, D, D), kept, taken, painted, offset -> output (1, 4, D, D)

The wide picture has colours under alpha 0, those nearby (``animate.drawing.spread``). Version 1 had
express.onnx and turn.onnx with their output alone: it draws S pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.convention import NAMES_ONLY, disagreement
from contract.errors import InputError
from contract.files import read_file, write_bytes
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
    """size: S. small: R. look: L; 0 in version 1. sha256: by part, 64 hexadecimal digits."""

    size: int
    small: int
    look: int
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
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no export of this version ({error!s:.120}); run `animate export` again"
        ) from error


def _checked(document: Any) -> OnnxRecord:  # noqa: ANN401  # JSON
    version = document["version"]
    if type(version) is not int or version not in {1, VERSION}:
        raise ValueError(f"version is {version!r:.20}, this program's is {VERSION}")
    if fault := disagreement(document, {**_HEAD, "version": version}):
        raise ValueError(fault)
    size = document["size"]
    small, look = (document["small"], document["look"]) if version > 1 else (size, 0)
    if type(size) is not int or not 1 <= size <= _LARGEST_SIZE:
        raise ValueError("no size")
    if type(small) is not int or not 1 <= small <= size:
        raise ValueError("no small")
    if type(look) is not int or not (0 < look <= small or version == 1):
        raise ValueError("no look")
    if document["configuration"] not in CONFIGURATIONS:
        raise ValueError("no configuration")
    parts = PARTS if version == 1 else (*PARTS, *WIDE_PARTS)
    digests = {part: document["sha256"][part] for part in parts}
    if not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("no digests")
    return OnnxRecord(size, small, look, document["configuration"], digests)
