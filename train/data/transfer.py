"""What is made in this computer's memory, on its way to the device that trains.

A graphics card is never waited for: a plain copy would first let it finish all it was given, and
then leave it idle while its next work is prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def sent(made: Tensor, device: torch.device) -> Tensor:
    """``made``, which lies in this computer's memory, on ``device``."""
    if device.type != "cuda":
        return made.to(device)
    pinned = made if made.is_pinned() else made.pin_memory()
    return pinned.to(device, non_blocking=True)


def stacked(arrays: Sequence[npt.NDArray[Any]], device: torch.device) -> Tensor:
    """Arrays of one shape, one upon the other, where ``sent`` to ``device`` copies from."""
    kind = torch.from_numpy(np.empty(0, arrays[0].dtype)).dtype
    shape = len(arrays), *arrays[0].shape
    made = torch.empty(shape, dtype=kind, pin_memory=device.type == "cuda")
    np.stack(arrays, out=made.numpy())
    return made


def asked_for(number: Tensor) -> Callable[[], float]:
    """A tensor of one number -> what tells it: waits for that number, not for what comes after."""
    if number.device.type != "cuda":
        return lambda: float(number)
    here = number.to("cpu", non_blocking=True)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrived.record(torch.cuda.current_stream(number.device))

    def tell() -> float:
        arrived.synchronize()
        return float(here)

    return tell
