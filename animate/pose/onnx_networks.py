"""Networks as ONNX files, run by onnxruntime; nothing here needs torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, local

import onnxruntime

from animate.pose.poser import AtBothSizes, Vector
from contract.cores import count_cores
from contract.errors import InputError
from contract.files import read_file
from contract.image import NetworkPicture
from models.files.onnx_record import DECISIONS, PARTS, OnnxRecord, read_onnx_record

Shapes = Mapping[str, Sequence[int | None]]

_LARGEST_FILE = 2 << 30
_MOST_THREADS = 8
"""Of one graph: it is too small for more, and they wait busily."""
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
        self._folder, self._record = folder, record
        # Counted here: onnxruntime takes the machine's cores, though we may have been given few.
        self._with_all_cores = _Halves(folder, record, min(count_cores(), _MOST_THREADS))
        self._with_one_core: _Halves | None = None
        self._lock, self._thread = Lock(), local()

    def enter_thread(self) -> None:
        """See ``Networks``."""
        with self._lock, suppress(InputError):  # the folder may be gone meanwhile
            if self._with_one_core is None:
                self._with_one_core = _Halves(self._folder, self._record, 1)
        self._thread.is_one_of_many = True

    def _halves(self) -> _Halves:
        one = self._with_one_core if hasattr(self._thread, "is_one_of_many") else None
        return one or self._with_all_cores

    def express(self, picture: AtBothSizes, face: Vector) -> AtBothSizes:
        """See ``Networks``."""
        half = self._halves().express
        expression, *decision = half.decide(picture.small, face)
        if picture.wide is None:
            return AtBothSizes(expression)
        return AtBothSizes(expression, half.apply_to(picture.wide, decision))

    def turn(self, expression: AtBothSizes, joints: Vector) -> NetworkPicture:
        """See ``Networks``."""
        half = self._halves().turn
        decision = half.decide(expression.small, joints)
        if expression.wide is None:
            return decision[0]
        return half.apply_to(expression.wide, decision[1 if self.draws_small else 0 :])


class _Halves:
    """Both halves of the system, each graph run by so many threads."""

    def __init__(self, folder: Path, record: OnnxRecord, threads: int) -> None:
        self.express, self.turn = (_Part(folder, name, record, threads) for name in PARTS)


class _Part:
    """One half of the system: the graph that decides, and the one that applies it to any size."""

    def __init__(self, folder: Path, name: str, record: OnnxRecord, threads: int) -> None:
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
        options = _options(threads)
        given: Shapes = {"picture": square, "pose": [1, 3]}
        self._decide = _session(folder, name, record, given, made, options)
        self._made, self._decided, self._apply = list(made), list(decided), None
        if decided:
            any_square = [1, 4, None, None]
            takes: Shapes = {"picture": any_square, **decided}
            wide = f"{name}-wide"
            self._apply = _session(folder, wide, record, takes, {"output": any_square}, options)

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
    folder: Path,
    name: str,
    record: OnnxRecord,
    takes: Shapes,
    makes: Shapes,
    options: onnxruntime.SessionOptions,
) -> onnxruntime.InferenceSession:
    """A graph that takes and makes floats of these shapes by name; None is any length."""
    path = folder / f"{name}.onnx"
    data = _checked_bytes(path, record.sha256[name])
    try:
        session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
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


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Within a graph threads wait busily for the next step, a sixth faster than asleep; but the
    # graphs run one after the other, and those of one must not slow down the next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
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
