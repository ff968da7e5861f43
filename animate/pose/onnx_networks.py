"""Networks as ONNX files, run by onnxruntime; nothing here needs torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime

from animate.pose.poser import AtBothSizes, Vector
from contract.errors import InputError
from contract.files import read_file
from contract.image import NetworkPicture
from models.files.onnx_record import DECISIONS, PARTS, OnnxRecord, read_onnx_record

Shapes = Mapping[str, Sequence[int | None]]

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
        self.size, self.small = record.size, record.small
        self.configuration = record.configuration
        self.draws_small = record.look in {0, record.size}
        self.draws_wide = record.look > 0
        self.is_threaded = True
        self._express, self._turn = (_Part(folder, name, record) for name in PARTS)

    def enter_thread(self) -> None:
        """See ``Networks``."""

    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        """See ``Networks``."""
        expression, *decision = self._express.decide(picture.small, face)
        if picture.wide is None:
            return AtBothSizes(expression)
        return AtBothSizes(expression, self._express.apply_to(picture.wide, decision))

    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        """See ``Networks``."""
        decision = self._turn.decide(expression.small, joints)
        if expression.wide is None:
            return decision[0]
        return self._turn.apply_to(expression.wide, decision[1 if self.draws_small else 0 :])


class _Part:
    """One half of the system: the graph that decides, and the one that applies it to any size."""

    def __init__(self, folder: Path, name: str, record: OnnxRecord) -> None:
        taken, looked_at = (
            (record.small, record.face_look)
            if name == "express"
            else (record.turns_at, record.look)
        )
        drawn, look = [1, 4, record.turns_at, record.turns_at], (looked_at, looked_at)
        decided = {made: [1, n, *look] for made, n in DECISIONS[name].items()} if any(look) else {}
        draws = name == "express" or record.look in {0, record.size}
        made = ({"output": drawn} if draws else {}) | decided
        square = [1, 4, taken, taken]
        self._decide = _session(folder, name, record, {"picture": square, "pose": [1, 3]}, made)
        self._made, self._decided, self._apply = list(made), list(decided), None
        if decided:
            any_square = [1, 4, None, None]
            takes: Shapes = {"picture": any_square, **decided}
            self._apply = _session(folder, f"{name}-wide", record, takes, {"output": any_square})

    def decide(self, picture: NetworkPicture, pose: Vector) -> list[NetworkPicture]:
        """The picture drawn, where the graph draws it, and what was decided."""
        given = {"picture": picture[None], "pose": pose[None]}
        return [made[0] for made in self._decide.run(self._made, given)]

    def apply_to(self, picture: NetworkPicture, decision: list[NetworkPicture]) -> NetworkPicture:
        """Do what was decided to a picture of any size."""
        assert self._apply is not None  # a poser gives no wide picture to such networks
        given = dict(zip(self._decided, (one[None] for one in decision), strict=True))
        output: NetworkPicture = self._apply.run(["output"], {"picture": picture[None], **given})[
            0
        ][0]
        if output.shape != picture.shape:
            raise InputError(f"ONNX: made {output.shape} of {picture.shape}; export it again")
        return output


def _session(
    folder: Path, name: str, record: OnnxRecord, takes: Shapes, makes: Shapes
) -> onnxruntime.InferenceSession:
    """A graph that takes and makes floats of these shapes by name; None is any length."""
    path = folder / f"{name}.onnx"
    data = _checked_bytes(path, record.sha256[name])
    try:
        session = onnxruntime.InferenceSession(data, _options(), ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public base
        raise InputError(f"{path}: cannot be run ({error!s:.120}); export it again") from error
    for found, wanted, verb in (
        (session.get_inputs(), takes, "takes"),
        (session.get_outputs(), makes, "makes"),
    ):
        ends = {one.name: (one.type, one.shape) for one in found}
        fits = ends.keys() == wanted.keys() and all(
            kind == "tensor(float)" and _fits(shape, wanted[end])
            for end, (kind, shape) in ends.items()
        )
        if not fits:
            raise InputError(f"{path}: {verb} {ends!s:.120}; export it again")
    return session


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # The graphs run one after the other: threads of one that wait busily slow down the next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _fits(shape: Sequence[object], wanted: Sequence[int | None]) -> bool:
    """Whether a graph's shape is the wanted one; an open length is a name in it."""
    return len(shape) == len(wanted) and all(
        length == given if length is not None else not isinstance(given, int)
        for given, length in zip(shape, wanted, strict=True)
    )


def _checked_bytes(path: Path, sha256: str) -> bytes:
    data = read_file(path, _LARGEST_FILE)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{path}: damaged (its SHA-256 differs); export it again")
    if _OTHER_FILE in data:
        raise InputError(f"{path}: names another file for its numbers; export it again")
    return data
