"""Networks as ONNX files, run by onnxruntime; nothing here needs torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnxruntime

from animate.pose.poser import Vector
from contract.errors import InputError
from contract.image import NetworkPicture
from models.files.onnx_record import PARTS, read_onnx_record

_LARGEST_FILE = 2 << 30
_OTHER_FILE = b"\x0a\x08location"
"""How a tensor whose numbers lie in another file begins to say where (TensorProto.external_data):
onnxruntime would read that file, and it may be any."""


class OnnxNetworks:
    """The networks of an exported folder; see ``animate.pose.poser.Networks``.

    Raises:
        InputError: the folder is no export of this version and convention, or is damaged.
    """

    def __init__(self, folder: Path) -> None:
        record = read_onnx_record(folder)
        self.size = record.size
        self.configuration = record.configuration
        self._express, self._turn = (
            _session(folder / f"{part}.onnx", record.sha256[part], self.size) for part in PARTS
        )

    def express(self, picture: NetworkPicture, face: Vector) -> NetworkPicture:
        """See ``Networks``."""
        return _run(self._express, picture, face)

    def turn(self, expression: NetworkPicture, joints: Vector) -> NetworkPicture:
        """See ``Networks``."""
        return _run(self._turn, expression, joints)


def _run(
    session: onnxruntime.InferenceSession, picture: NetworkPicture, pose: Vector
) -> NetworkPicture:
    output: NetworkPicture = session.run(
        ["output"], {"picture": picture[None], "pose": pose[None]}
    )[0][0]
    return output


def _session(path: Path, sha256: str, size: int) -> onnxruntime.InferenceSession:
    data = _checked_bytes(path, sha256)
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


def _checked_bytes(path: Path, sha256: str) -> bytes:
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
    return data
