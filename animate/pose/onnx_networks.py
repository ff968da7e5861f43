"""Networks as ONNX files: run by onnxruntime without torch.

onnx.json       what follows, the conventions, and the digest of each file
express.onnx    picture (1, 4, S, S), pose (1, 3) -> output: the morpher
turn.onnx       the same: rotator and combiner, or one of the rotator's pathways
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnxruntime

from contract.errors import InputError
from contract.image import PICTURE_CONVENTION, PICTURE_VERSION, Network
from contract.pose import AXIS_NAMES, POSE_VERSION
from models.base.configurations import CONFIGURATIONS

RECORD_FILE = "onnx.json"
PARTS = ("express", "turn")
FORMAT, VERSION = "opentha-onnx", 1
_LARGEST_RECORD, _LARGEST_FILE = 1 << 20, 2 << 30
_LARGEST_SIZE = 4096
_OTHER_FILE = b"\x0a\x08location"
"""How a tensor whose numbers lie in another file begins to say where (TensorProto.external_data):
onnxruntime would read that file, and it may be any."""

CONVENTIONS = {
    "format": FORMAT,
    "version": VERSION,
    "pose_version": POSE_VERSION,
    "pose_axes": list(AXIS_NAMES),
    "picture_version": PICTURE_VERSION,
    "picture_convention": PICTURE_CONVENTION,
}


class OnnxNetworks:
    """The networks of an exported folder; see ``animate.pose.poser.Networks``.

    Raises:
        InputError: the folder is no export of this version and convention, or is damaged.
    """

    def __init__(self, folder: Path) -> None:
        record = _read_record(folder / RECORD_FILE)
        self.size: int = record["size"]
        self.configuration = str(record["configuration"])
        digests = record["sha256"]
        self._express, self._turn = (
            _session(folder / f"{part}.onnx", digests[part], self.size) for part in PARTS
        )

    def express(self, picture: Network, face: Network) -> Network:
        """The morpher."""
        return _run(self._express, picture, face)

    def turn(self, expression: Network, joints: Network) -> Network:
        """Rotator and combiner."""
        return _run(self._turn, expression, joints)


def _run(session: onnxruntime.InferenceSession, picture: Network, pose: Network) -> Network:
    output: Network = session.run(["output"], {"picture": picture[None], "pose": pose[None]})[0][0]
    return output


def _read_record(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            raise ValueError("too large")
        record = json.loads(path.read_bytes())
        for key, value in CONVENTIONS.items():
            if record[key] != value:
                raise ValueError(f"{key} is {record[key]!r:.60}, not {value!r:.60}")
        if type(record["size"]) is not int or not 1 <= record["size"] <= _LARGEST_SIZE:
            raise ValueError("no size")
        if record["configuration"] not in CONFIGURATIONS:
            raise ValueError("no configuration")
        if not all(isinstance(record["sha256"][part], str) for part in PARTS):
            raise ValueError("no digests")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); `animate export` writes such a folder"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no export of this version ({error!s:.120}); run `animate export` again"
        ) from error
    return dict(record)


def _session(path: Path, sha256: str, size: int) -> onnxruntime.InferenceSession:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path}: too large for such networks; export it again")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); export it again") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: damaged (its SHA-256 differs); export it again")
    if _OTHER_FILE in data:
        raise InputError(f"{path}: names another file for its numbers; export it again")
    try:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public base
        raise InputError(f"{path}: cannot be run ({error!s:.120}); export it again") from error
    picture = ("tensor(float)", [1, 4, size, size])
    given = {one.name: (one.type, one.shape) for one in session.get_inputs()}
    made = {one.name: (one.type, one.shape) for one in session.get_outputs()}
    if given != {"picture": picture, "pose": ("tensor(float)", [1, 3])}:
        raise InputError(f"{path}: takes {given!s:.120}; export it again")
    if made != {"output": picture}:
        raise InputError(f"{path}: makes {made!s:.120}; export it again")
    return session


def is_export(folder: Path) -> bool:
    """Whether a folder was written by ``export_onnx``."""
    return (folder / RECORD_FILE).is_file()
