"""Checkpoints: all that a stage needs to go on as if it had never stopped, in one file.

A checkpoint is written under a temporary name and renamed, so that the file is always whole. Only
tensors and plain values are in it, and only such are ever read (``weights_only``).
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from contract.convention import CONVENTION, disagreement
from contract.errors import InputError
from contract.files import replacing
from models.files.torch_file import load_plain
from train.plan.stages import STAGES

FORMAT = "opentha-checkpoint"
VERSION = 1
ROLLING = "checkpoint.pt"
HEAD_START = "head-start.pt"
"""The L1 rotator's state that the P rotator starts from."""

Weights = Mapping[str, Tensor]

_DAMAGE = (
    # What torch and zipfile raise on damaged files, and torch's modules on strange contents.
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Checkpoint:
    """A stage in the middle, or at its end.

    decides: the plan's part that decides the weights, with the data's fingerprint. step: how many
    are done; the order's position is ``step * batch``. network: the weights as trained; ema: their
    running mean, None where the plan has none. random: torch's state, uint8. seconds: of training.
    loss: running mean, None at first. scaler: of gradients; empty but in float16.
    """

    stage: str
    decides: Mapping[str, Any]
    step: int
    network: Weights
    ema: Weights | None
    optimizer: Mapping[str, Any]
    random: Tensor
    seconds: float
    loss: float | None
    scaler: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> Weights:
        """The weights to use: the running mean where there is one."""
        return self.network if self.ema is None else self.ema


def numbered(folder: Path, samples: int) -> Path:
    """Where the checkpoint after ``samples`` samples is kept."""
    return folder / f"checkpoint-{samples:09d}.pt"


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write in one step; ``InputError`` when it cannot be written, and then nothing is changed."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "contract": dict(CONVENTION),
        "checkpoint": dict(vars(checkpoint)),
    }
    with replacing(path) as temporary:
        try:
            torch.save(document, temporary)
        except RuntimeError as error:  # what torch makes of a disk that is full
            raise InputError(
                f"{path}: cannot be written (is the disk full?); free space and run the same "
                "command again: the one before it is kept"
            ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors are on the CPU.

    Raises:
        InputError: not there, damaged, of another version or convention, or holding anything but
            tensors and plain values (of which nothing is run).
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such checkpoint; train that stage first")
    with naming_damage(path):
        _require_unpacked(path)
        document = load_plain(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of this program; name another file")
    fault = disagreement(document, {"version": VERSION})
    if fault := fault or disagreement(document.get("contract"), CONVENTION):
        raise InputError(
            f"{path}: of another version or convention: {fault}; use the program that wrote it"
        )
    try:
        checkpoint = Checkpoint(**document["checkpoint"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: fields are missing or unknown; it is damaged") from error
    with naming_damage(path):
        _require_sound(checkpoint)
    return checkpoint


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Inside, what goes wrong is the fault of the checkpoint ``path``: ``InputError`` says so."""
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, RuntimeError) and "allocate memory" in str(error):
            raise  # it may be sound, and too large for this machine
        raise InputError(
            f"{path}: damaged, or no checkpoint ({' '.join(str(error).split()):.80}); put a "
            "numbered one of its folder in its place"
        ) from error


def _require_unpacked(path: Path) -> None:
    """Raise unless a file is an archive whose entries lie in it as they are, as torch writes them:
    packed ones could be small on disk and endless in memory."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("its entries are packed")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("its entries are larger than it is")


def _require_sound(checkpoint: Checkpoint) -> None:
    """Raise unless each field is of its kind; whether they fit a network, that network says."""
    c = checkpoint
    _require(
        stage=c.stage in STAGES,
        decides=isinstance(c.decides, dict) and _is_plain(c.decides),
        step=type(c.step) is int and c.step >= 0,
        network=_are_weights(c.network),
        ema=c.ema is None or _are_weights(c.ema),
        optimizer=isinstance(c.optimizer, dict),
        random=isinstance(c.random, Tensor) and c.random.dtype == torch.uint8,
        seconds=isinstance(c.seconds, int | float) and c.seconds >= 0 and isfinite(c.seconds),
        loss=c.loss is None or isinstance(c.loss, int | float),
        scaler=isinstance(c.scaler, dict) and _is_plain(c.scaler),
    )


def _require(**sound: bool) -> None:
    assert {*sound} == {each.name for each in fields(Checkpoint)}
    if wrong := [name for name, is_sound in sound.items() if not is_sound]:
        raise ValueError(f"its {wrong[0]} is none")


def _are_weights(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) and tensor.device.type == "cpu"
        for name, tensor in value.items()
    )


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def require_same(path: Path, checkpoint: Checkpoint, decides: Mapping[str, Any]) -> None:
    """Refuse to go on with a checkpoint of another plan or other data; names what differs."""
    found, wanted = _flat(checkpoint.decides), _flat(decides)
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise InputError(
                f"{path}: begun with {name} = {found.get(name)}, now {wanted.get(name)}; "
                "give the same again, or another run folder"
            )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        inner = _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else None
        flat |= {f"{prefix}{name}": value} if inner is None else inner
    return flat
