"""Files of torch, of which nothing is ever run."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from contract.errors import InputError


def load_plain(path: Path) -> object:
    """The tensors and plain values of a file, on the CPU; it is bounded by who calls.

    What torch raises of damaged files passes through.

    Raises:
        InputError: it holds anything else, which would have to be run.
    """
    try:
        found: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: holds more than tensors and plain values, which could run as a program, or "
            "is damaged; refused, and nothing of it was run"
        ) from error
    return found
