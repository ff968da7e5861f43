"""Checkpoints: all that a stage needs to go on as if it had never stopped, in one file.

A checkpoint is written under a temporary name and renamed, so that the file is always whole. Only
tensors and plain values are in it, and only such are ever read (``weights_only``).
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from contract.convention import CONVENTION, disagreement
from contract.errors import InputError
from contract.files import replacing

FORMAT = "opentha-checkpoint"
VERSION = 1
ROLLING = "checkpoint.pt"
HEAD_START = "head-start.pt"
"""The L1 rotator's state that the P rotator starts from."""

Weights = Mapping[str, Tensor]


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
        torch.save(document, temporary)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors are on the CPU.

    Raises:
        InputError: not there, damaged, of another version or convention, or holding anything but
            tensors and plain values (of which nothing is run).
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such checkpoint; train that stage first")
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: holds something else than tensors and plain values, which could run as a "
            "program; refused, and nothing of it was run"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: damaged, or no checkpoint; put a numbered one of its folder in its place"
        ) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of this program; name another file")
    fault = disagreement(document, {"version": VERSION})
    if fault := fault or disagreement(document.get("contract"), CONVENTION):
        raise InputError(
            f"{path}: of another version or convention: {fault}; use the program that wrote it"
        )
    try:
        return Checkpoint(**document["checkpoint"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: fields are missing or unknown; it is damaged") from error


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
