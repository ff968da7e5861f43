"""How networks run: memory format, precision, compilation. None of it changes what they compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Execution:
    """Speed options; the defaults are exact to float32 rounding on any device.

    channels_last: features lie pixel by pixel in memory, as fast convolutions want them.
    precision: of convolutions and features; weights, heads' outputs and losses stay float32.
        float16 needs a gradient scaler in training.
    compiled: fuse what torch.compile can; needs a C++ compiler on a CPU, and minutes at first.
    """

    channels_last: bool = True
    precision: Precision = "float32"
    compiled: bool = False

    def prepare(self, network: nn.Module) -> None:
        """Apply format and compilation to ``network`` in place; its state dict keeps its names."""
        if self.channels_last:
            # Its type declares only the overload without a memory format.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compiled:
            network.compile()

    def autocast(self, device: torch.device) -> torch.autocast:
        """The context in which to run forward passes (and losses) on ``device``."""
        return torch.autocast(
            device.type, getattr(torch, self.precision), enabled=self.precision != "float32"
        )
