"""Where torch runs: what ``--device`` says, and the device of that name. Loads torch when asked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from contract.errors import DeviceError

if TYPE_CHECKING:
    import torch

_NAMES = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def _known(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not _NAMES.fullmatch(name):
        raise click.BadParameter(f"{name!r} is no device; give auto, cpu, cuda, cuda:N or mps")
    return name


DEVICE = click.option(
    "--device",
    callback=_known,
    default="auto",
    show_default=True,
    help="What runs the networks: auto, cpu, cuda, cuda:N or mps.",
)


def open_device(name: str) -> torch.device:
    """The device called ``name``; for "auto" the best there is, of torchrun's number if it says.

    Raises:
        DeviceError: it is not there.
    """
    import torch  # noqa: PLC0415  # the option is wanted where torch is not

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(f"device {name}: not on this machine; give --device auto") from error
    return device
