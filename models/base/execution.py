"""How networks run: memory format, precision, compilation. None of it changes what they compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Execution:
    """Speed options; the defaults are the exact reference on any device.

    channels_last: features lie pixel by pixel in memory: for the convolutions of graphics cards,
        and in bfloat16 for those of CPUs.
    precision: of convolutions and features; weights, heads' outputs and losses stay float32.
        float16 needs a gradient scaler in training.
    compiled: fuse what torch.compile can; needs a C++ compiler on a CPU, and a minute at first.
    """

    channels_last: bool = False
    precision: Precision = "float32"
    compiled: bool = False

    def prepare(self, network: nn.Module) -> None:
        """Apply format and compilation to ``network`` in place; its state dict keeps its names."""
        if self.channels_last:
            # The declared overload for a memory format wants a tensor too, which there is not.
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.compiled:
            network.compile()

    def settle(self, network: nn.Module) -> None:
        """Keep the filters of ``network`` in the precision they are used in; it learns no more.

        The same numbers as with ``autocast`` alone, which casts them anew for every picture.
        """
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(getattr(torch, self.precision))

    def autocast(self, device: torch.device) -> torch.autocast:
        """The context in which to run forward passes (and losses) on ``device``."""
        return torch.autocast(
            device.type, getattr(torch, self.precision), enabled=self.precision != "float32"
        )


def fastest(device: torch.device) -> Execution:
    """The options that the benchmark found fastest on such a device.

    bfloat16 where the device multiplies it, which halves the time. It is no faster for networks
    whose channels are no multiple of 16.
    """
    if device.type == "cuda":
        both = torch.cuda.is_bf16_supported(including_emulation=False)
        return Execution(channels_last=True, precision="bfloat16" if both else "float16")
    # Older torch cannot say what the processor has; float32 is right on every one.
    ask: Callable[[], Mapping[str, object]] = getattr(torch.cpu, "get_capabilities", dict)
    able = ask().get("avx512_bf16") or ask().get("amx_bf16")
    return Execution(channels_last=True, precision="bfloat16") if able else Execution()
