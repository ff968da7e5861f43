"""onnx.json: what a folder of exported networks holds, for a runtime without torch.

onnx.json       what follows, the convention, and the digest of each file
express.onnx    picture (1, 4, S, S), pose (1, 3) -> output: the morpher
turn.onnx       the same: rotator and combiner, or one of the rotator's pathways
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.convention import NAMES_ONLY, disagreement
from contract.errors import InputError
from contract.files import write_bytes
from models.base.configurations import CONFIGURATIONS

RECORD_FILE = "onnx.json"
PARTS = ("express", "turn")
HEAD: Mapping[str, object] = {"format": "opentha-onnx", "version": 1, **NAMES_ONLY}

_LARGEST_RECORD = 1 << 20
_LARGEST_SIZE = 4096


@dataclass(frozen=True)
class OnnxRecord:
    """size: pixels a side. sha256: by part, 64 hexadecimal digits."""

    size: int
    configuration: str
    sha256: Mapping[str, str]


def is_export(folder: Path) -> bool:
    """Whether a folder holds exported networks."""
    return (folder / RECORD_FILE).is_file()


def write_onnx_record(folder: Path, record: OnnxRecord) -> None:
    """Write onnx.json; ``InputError`` when it cannot be written."""
    document = {**HEAD, **vars(record)}
    write_bytes(folder / RECORD_FILE, (json.dumps(document, indent=1) + "\n").encode())


def read_onnx_record(folder: Path) -> OnnxRecord:
    """Read and check onnx.json.

    Raises:
        InputError: not there, or of another version or convention than this program's.
    """
    path = folder / RECORD_FILE
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            raise ValueError("too large")
        return _checked(json.loads(path.read_bytes()))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); `animate export` writes such a folder"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no export of this version ({error!s:.120}); run `animate export` again"
        ) from error


def _checked(document: Any) -> OnnxRecord:  # noqa: ANN401  # JSON
    if fault := disagreement(document, HEAD):
        raise ValueError(fault)
    if type(document["size"]) is not int or not 1 <= document["size"] <= _LARGEST_SIZE:
        raise ValueError("no size")
    if document["configuration"] not in CONFIGURATIONS:
        raise ValueError("no configuration")
    digests = {part: document["sha256"][part] for part in PARTS}
    if not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("no digests")
    return OnnxRecord(document["size"], document["configuration"], digests)
